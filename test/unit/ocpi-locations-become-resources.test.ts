import { describe, expect, test } from "vitest";
import { ERA_PATTERN } from "../../src/model/resource.ts";
import { connectorPower } from "../../src/ocpi/connector-power.ts";
import { resourcesOfLocation } from "../../src/ocpi/location-eras.ts";
import type { OcpiConnector, OcpiEvse } from "../../src/ocpi/ocpi-objects.ts";
import { aLocation } from "../support/ocpi-objects.ts";

const connector: OcpiConnector = {
  id: "1",
  standard: "IEC_62196_T2",
  format: "SOCKET",
  power_type: "AC_3_PHASE",
  max_voltage: 230,
  max_amperage: 16,
  last_updated: "2026-06-15T12:00:00Z",
};

function evse(uid: string, connectors: readonly OcpiConnector[], status = "AVAILABLE"): OcpiEvse {
  return { uid, status, connectors, last_updated: "2026-06-15T12:00:00Z" };
}

describe("the power of a connector", () => {
  test.each([
    ["AC_1_PHASE", 230, 16, -3.68, 1.38],
    ["AC_2_PHASE", 230, 16, -7.36, 2.76],
    ["AC_2_PHASE_SPLIT", 240, 32, -7.68, 1.44],
    ["AC_3_PHASE", 230, 16, -11.04, 4.14],
    ["DC", 400, 125, -50, undefined],
  ] as const)("%s %i V %i A draws %d kW", (power_type, max_voltage, max_amperage, minPowerKW, minRunKW) => {
    const power = connectorPower({ ...connector, power_type, max_voltage, max_amperage });
    expect(power).toEqual({ minPowerKW, maxPowerKW: 0, control: "limit", ...(minRunKW !== undefined && { minRunKW }) });
  });

  test("what the connector says of its own power counts more", () => {
    expect(connectorPower({ ...connector, max_electric_power: 7400 }).minPowerKW).toBe(-7.4);
  });

  test("numbers that give no power are refused", () => {
    expect(() => connectorPower({ ...connector, max_amperage: 0 })).toThrow(/connector 1/);
  });
});

describe("the addresses of a location", () => {
  test.each([
    ["connector", "ocpi.location.LOC1/3256/1"],
    ["qualified", "ocpi.location.BE:BEC:LOC1/3256/1"],
    ["location", "ocpi.location.LOC1"],
  ] as const)("as %s", (form, era) => {
    const { resources, faults } = resourcesOfLocation(aLocation(), form);
    expect(resources.map((resource) => resource.era)).toEqual([era]);
    expect(resources[0]).toMatchObject({ tariffIds: ["day-night"], power: { minPowerKW: -11.04, maxPowerKW: 0 } });
    expect(era).toMatch(ERA_PATTERN);
    expect(faults).toEqual([]);
  });

  test("the seed's own id is an address", () => {
    const { resources } = resourcesOfLocation(aLocation({ id: "IN*ECO*BTM*01" }), "location");
    expect(resources[0]?.era).toBe("ocpi.location.IN*ECO*BTM*01");
  });

  test("a whole location draws what its EVSEs draw together, each by its strongest connector", () => {
    const fast: OcpiConnector = { ...connector, id: "2", power_type: "DC", max_voltage: 400, max_amperage: 125 };
    const evses = [evse("a", [connector, fast]), evse("b", [connector]), evse("gone", [fast], "REMOVED")];
    expect(resourcesOfLocation(aLocation({ evses }), "location").resources[0]?.power.minPowerKW).toBeCloseTo(-61.04, 9);
  });

  test("one id that no address can carry stops no other", () => {
    const evses = [evse("a/b", [connector]), evse("with space", [connector]), evse("fine", [connector])];
    const { resources, faults } = resourcesOfLocation(aLocation({ evses }), "connector");
    expect(resources.map(({ evseUid }) => evseUid)).toEqual(["fine"]);
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain("a/b");
    expect(faults[1]).toContain("with space");
  });
});
