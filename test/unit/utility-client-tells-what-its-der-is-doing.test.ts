import { describe, expect, test } from "vitest";
import type { Mode } from "../../adapters/ieee2030-5-client/control-values.ts";
import type { CsipAus } from "../../adapters/ieee2030-5-client/der-documents.ts";
import { ratingsOf } from "../../adapters/ieee2030-5-client/der-ratings.ts";
import { derStatus } from "../../adapters/ieee2030-5-client/der-status.ts";
import { deviceCategory } from "../../adapters/ieee2030-5-client/device-category.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";

const CAPABILITY = { settleMs: 1, sampleMs: 1, failsafe: "device", control: "limit" } as const;
const ROOF: MeteredDevice = {
  era: "roof",
  kind: "solar",
  linkUp: true,
  powerKW: 3,
  capability: { ...CAPABILITY, minPowerKW: 0, maxPowerKW: 10 },
};

function told(device: Partial<MeteredDevice>, orders: Partial<Record<Mode, number>> = {}, csipAus: CsipAus = "1.2") {
  const devices = [{ ...ROOF, ...device }];
  const held = new Map(Object.entries(orders).map(([mode, value]) => [mode as Mode, { value, primacy: 0 }]));
  const document = derStatus({
    devices,
    ratings: ratingsOf(devices),
    csipAus,
    held,
    gradient: undefined,
    nowS: 1_795_473_000,
  });
  const value = (name: string) => {
    const parts = document.content as readonly { name: string; content: typeof document.content }[];
    const inner = parts.find((one) => one.name === name)?.content as readonly { name: string; content: string }[];
    return inner?.find((one) => one.name === "value")?.content;
  };
  return { connect: value("genConnectStatus"), mode: Number(value("operationalModeStatus")) };
}

describe("genConnectStatus", () => {
  test("connected, available and operating while power flows, and no longer when the link is lost", () => {
    expect(told({}).connect).toBe("07");
    expect(told({ powerKW: 0 }).connect).toBe("03");
    expect(told({ linkUp: false }).connect).toBe("00");
  });

  test("a DER that a limit holds at nothing operates; panels at night do not", () => {
    const night = { era: "roof", minPowerKW: 0, maxPowerKW: 0, reason: "night" };
    expect(told({ powerKW: 0, targetKW: 0 }).connect).toBe("07");
    expect(told({ powerKW: 0, targetKW: 0, availability: night }).connect).toBe("03");
    expect(told({ powerKW: 0, targetKW: 5 }).connect).toBe("03");
  });

  test("an order to disconnect or to switch off shows once the meter says that nothing flows, and not before", () => {
    expect(told({ powerKW: 3, targetKW: 0 }, { opModConnect: 0 })).toEqual({ connect: "07", mode: 2 });
    expect(told({ powerKW: 0, targetKW: 0 }, { opModConnect: 0 })).toEqual({ connect: "02", mode: 100 });
    expect(told({ powerKW: 0, targetKW: 0 }, { opModEnergize: 0 })).toEqual({ connect: "03", mode: 1 });
    expect(told({ powerKW: 0, targetKW: 0 }, { opModConnect: 1, opModEnergize: 1 }).connect).toBe("07");
  });

  test("a meter that is silent proves no disconnection", () => {
    const { powerKW: _unknown, ...silent } = ROOF;
    const devices = [silent];
    const held = new Map([["opModConnect" as const, { value: 0, primacy: 0 }]]);
    const document = derStatus({
      devices,
      ratings: ratingsOf(devices),
      csipAus: "1.2",
      held,
      gradient: undefined,
      nowS: 0,
    });
    expect(JSON.stringify(document)).toContain('"03"');
  });
});

describe("operationalModeStatus", () => {
  test.each([
    [-1, 101],
    [-5000, 102],
    [-7500, 103],
    [-10_000, 104],
    [0, 105],
    [5000, 106],
    [7500, 107],
    [10_000, 108],
    [-6000, 2],
  ])("opModFixedW %i hundredths of a percent is %i", (opModFixedW, mode) => {
    expect(told({}, { opModFixedW }).mode).toBe(mode);
  });

  test("modes of demand response are CSIP-AUS's alone", () => {
    expect(told({}, { opModFixedW: 5000 }, "none").mode).toBe(2);
  });
});

describe("deviceCategory", () => {
  const kinds = (...all: MeteredDevice["kind"][]) => all.map((kind) => ({ ...ROOF, kind }));

  test("the site is an energy management system and what is behind it; a device is what it is", () => {
    expect(deviceCategory(kinds("solar", "charger"), true)).toBe("00224000");
    expect(deviceCategory(kinds("solar", "battery"), true)).toBe("00804000");
    expect(deviceCategory(kinds("battery"), false)).toBe("02000000");
    expect(deviceCategory([], true)).toBe("00004000");
  });
});
