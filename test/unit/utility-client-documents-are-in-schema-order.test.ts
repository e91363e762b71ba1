import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportKWFromMeter } from "../../adapters/ieee2030-5/metering/reading-type.ts";
import { isSep, type XmlElement } from "../../adapters/ieee2030-5/xml/xml-element.ts";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";
import { type OutElement, writeXml } from "../../adapters/ieee2030-5/xml/xml-write.ts";
import { derAvailability } from "../../adapters/ieee2030-5-client/der-availability.ts";
import { type DerState, derCapability, derSettings } from "../../adapters/ieee2030-5-client/der-documents.ts";
import { ratingsOf } from "../../adapters/ieee2030-5-client/der-ratings.ts";
import { derStatus } from "../../adapters/ieee2030-5-client/der-status.ts";
import {
  MIRRORED,
  meterWattsFromExportKW,
  mirrorReading,
  mirrorUsagePoint,
} from "../../adapters/ieee2030-5-client/mirror-documents.ts";
import { SiteAverage } from "../../adapters/ieee2030-5-client/site-average.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";
import { checkOrder, hasSchemaOrder, schemaTypes } from "../support/schema-order.ts";

const TIMES = { settleMs: 1, sampleMs: 1, failsafe: "device" } as const;
const ROOF: MeteredDevice = {
  era: "roof",
  kind: "solar",
  linkUp: true,
  powerKW: 3,
  voltageV: 231.5,
  capability: { ...TIMES, minPowerKW: 0, maxPowerKW: 40, control: "limit" },
};
const BATTERY: MeteredDevice = {
  era: "battery",
  kind: "battery",
  linkUp: true,
  powerKW: -1,
  socPercent: 64,
  capability: { ...TIMES, minPowerKW: -5, maxPowerKW: 4, control: "setpoint", capacityKWh: 10 },
};
const CAR: MeteredDevice = {
  era: "car",
  kind: "charger",
  linkUp: true,
  powerKW: -6,
  capability: { ...TIMES, minPowerKW: -11, maxPowerKW: 0, control: "limit" },
};
const SUNNY: MeteredDevice = { ...ROOF, powerKW: 3, offeredKW: 30 };
const CHARGED: MeteredDevice = {
  ...BATTERY,
  powerKW: -1,
  availability: { era: "battery", minPowerKW: -5, maxPowerKW: 4, reason: "charge 64 %" },
};
const DEVICES = [ROOF, BATTERY, CAR];
/** States all that a device may state. */
const THOROUGH: MeteredDevice = {
  ...BATTERY,
  capability: {
    ...TIMES,
    ...{ minPowerKW: -5, maxPowerKW: 4, control: "setpoint", capacityKWh: 10, reserveSocPercent: 20 },
    reactiveRating: {
      ...{ apparentKVA: 6, injectKvar: 3, absorbKvar: 2 },
      ...{ leastOverExcitedPF: 0.8, leastUnderExcitedPF: 0.85 },
    },
    reactiveSetting: { injectKvar: 2.5 },
  },
};
const STATE = {
  devices: DEVICES,
  ratings: ratingsOf(DEVICES),
  csipAus: "none",
  held: new Map(),
  gradient: undefined,
  nowS: 1_795_473_000,
} as const;
const IDENTITY = { lfdi: "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", role: "site", pen: 32_473 } as const;

const DOCUMENTS: readonly (readonly [string, OutElement])[] = [
  ["DERCapability", derCapability(STATE)],
  ["DERSettings", derSettings(STATE)],
  ["DERCapability of one that states all", derCapability({ ...stateOf(THOROUGH), csipAus: "none" })],
  ["DERSettings of one that states all", derSettings({ ...stateOf(THOROUGH), csipAus: "none" })],
  ["DERStatus", derStatus(STATE)],
  ["DERAvailability", derAvailability(stateOf(SUNNY, CHARGED)) ?? derStatus(STATE)],
  ["MirrorUsagePoint", mirrorUsagePoint(IDENTITY, Object.values(MIRRORED), 60)],
  ["MirrorMeterReading", mirrorReading(IDENTITY, MIRRORED.V, 231.46, { startS: 1_795_473_000, durationS: 60 })],
];

function stateOf(...devices: MeteredDevice[]): DerState {
  return { ...STATE, devices, ratings: ratingsOf(devices), csipAus: "1.3" };
}

function read(document: OutElement): XmlElement {
  return parseXml(Buffer.from(writeXml(document)));
}

function textAt(element: XmlElement, ...path: readonly string[]): string | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return element.text;
  const child = element.children.find((one) => one.name === name);
  return child && textAt(child, ...rest);
}

describe.skipIf(!hasSchemaOrder)("against the element order of 2030.5-2018 (skipped without ../shared)", () => {
  test.each(DOCUMENTS)("%s", (_name, document) => {
    const faults: string[] = [];
    checkOrder(read(document), schemaTypes(), faults);
    expect(faults).toEqual([]);
  });
});

describe("what the documents say", () => {
  test("the DER of a site is all that can generate, and its powers fit 16 bits", () => {
    const settings = read(derSettings(STATE));
    expect(textAt(settings, "setMaxW", "value")).toBe("4400");
    expect(textAt(settings, "setMaxW", "multiplier")).toBe("1");
    expect(textAt(settings, "setMaxChargeRateW", "value")).toBe("5000");
    expect(textAt(settings, "setMaxDischargeRateW", "value")).toBe("4000");
    expect(textAt(read(derCapability(STATE)), "type")).toBe("83");
    expect(textAt(read(derStatus(STATE)), "stateOfChargeStatus", "value")).toBe("6400");
  });

  test("a site that only consumes is its own DER", () => {
    expect(ratingsOf([CAR])).toMatchObject({ maxKW: 11, maxChargeKW: 11, maxDischargeKW: 0 });
  });

  test("what a device states beside active power is told: ratings, and settings where they differ", () => {
    const capability = read(derCapability(stateOf(THOROUGH)));
    expect(textAt(capability, "rtgMaxVA", "value")).toBe("6000");
    expect(textAt(capability, "rtgMaxVar", "value")).toBe("3000");
    expect(textAt(capability, "rtgMaxVarNeg", "value")).toBe("-2000");
    expect(textAt(capability, "rtgMinPFUnderExcited", "displacement")).toBe("850");
    const settings = read(derSettings(stateOf(THOROUGH)));
    expect(textAt(settings, "setMaxVar", "value")).toBe("2500");
    expect(textAt(settings, "setMaxVarNeg", "value")).toBe("-2000");
    expect(textAt(settings, "setMinWh", "value")).toBe("2000");
  });

  test("what the DER could do beyond what it does is told by its sun and its charge", () => {
    const document = derAvailability(stateOf(SUNNY, CHARGED));
    if (document === undefined) throw new Error("nothing is told");
    // 27 kW more of the roof and 5 kW more of the battery, of 44 kW; 4 kW less of 5 kW.
    expect(textAt(read(document), "statWAvail", "value")).toBe("32000");
    expect(textAt(read(document), "reservePercent")).toBe("7272");
    expect(textAt(read(document), "reserveChargePercent")).toBe("8000");
  });

  test("a device that does not say what it could do leaves the whole untold", () => {
    const { availability: _none, ...quiet } = CHARGED;
    const { socPercent: _unknown, ...uncharged } = CHARGED;
    for (const one of [quiet, uncharged, { ...CHARGED, linkUp: false }, CAR]) {
      expect(
        derAvailability(stateOf(SUNNY, { ...one, capability: CHARGED.capability } as MeteredDevice)),
      ).toBeUndefined();
    }
    expect(derAvailability(stateOf(ROOF, CHARGED))).toBeUndefined();
  });

  test("of several DERs only what all of them state is told", () => {
    const two = ratingsOf([THOROUGH, { ...THOROUGH, era: "second" }]);
    expect(two.reactiveRating).toMatchObject({ injectKvar: 6, leastOverExcitedPF: 0.8 });
    expect(two.reserveKWh).toBe(4);
    const mixed = ratingsOf([THOROUGH, BATTERY]);
    expect([mixed.reactiveRating, mixed.reserveKWh]).toEqual([{}, undefined]);
    const settings = read(derSettings(stateOf(THOROUGH, BATTERY)));
    expect([textAt(settings, "setMaxVar", "value"), textAt(settings, "setMinWh", "value")]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("CSIP-AUS elements stand there only where the config asks for them, each in its namespace", () => {
    const foreign = (document: OutElement) => read(document).children.filter((child) => !isSep(child));
    expect(foreign(derCapability(STATE))).toEqual([]);
    expect(foreign(derSettings({ ...STATE, csipAus: "1.2" })).map(({ name }) => name)).toEqual(["doeModesEnabled"]);
    expect(foreign(derCapability({ ...STATE, csipAus: "1.3" })).map(({ namespace }) => namespace)).toEqual([
      "https://csipaus.org/ns",
      "https://csipaus.org/ns/v1.3",
    ]);
  });

  test("a moment at which one device was not measured counts for nothing", () => {
    const average = new SiteAverage();
    average.sample(DEVICES);
    const { powerKW: _unknown, ...silent } = CAR;
    average.sample([ROOF, BATTERY, silent]);
    expect(average.take().get("W")).toBe(4000);
    expect(average.take().size).toBe(0);
  });

  test("reactive power is there only where every device measures it, and counts to the customer", () => {
    const average = new SiteAverage();
    average.sample([
      { ...ROOF, reactivePowerKvar: 0.5 },
      { ...BATTERY, reactivePowerKvar: -0.2 },
    ]);
    average.sample([{ ...ROOF, reactivePowerKvar: 9 }, BATTERY]);
    expect(average.take().get("var")).toBe(-300);
    average.sample([ROOF]);
    expect(average.take().has("var")).toBe(false);
  });

  test("metering turns its sign as the standard's meters do, and nothing is lost on the way back", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (watts) => {
        const metered = meterWattsFromExportKW(watts / 1000);
        expect(Object.is(metered, -0)).toBe(false);
        expect(exportKWFromMeter(metered, MIRRORED.W.flowDirection)).toBeCloseTo(watts / 1000, 9);
      }),
    );
  });
});
