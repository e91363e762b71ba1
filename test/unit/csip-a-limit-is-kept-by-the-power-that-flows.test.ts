import { describe, expect, test } from "vitest";
import { Obedience } from "../../csip/client/obedience.ts";
import { canonicalHex } from "../../simulators/der/values.ts";
import { parseXml } from "../../simulators/der/xml-in.ts";
import type { ControlValues } from "../../simulators/utility/control-values.ts";
import { Utility } from "../../simulators/utility/utility.ts";
import { HandClock } from "../support/hand-clock.ts";

const SETTINGS =
  '<DERSettings xmlns="urn:ieee:std:2030.5:ns"><setMaxW><multiplier>0</multiplier><value>10000</value></setMaxW></DERSettings>';

/** Watches a roof of 10 kW for five minutes after it said that it began. @returns what was not kept */
function watched(values: ControlValues, setGradW: number | undefined, powerKW: (seconds: number) => number) {
  const clock = new HandClock();
  const utility = new Utility({ clock, inBandRegistration: true });
  const device = utility.registerDevice({ lfdi: "A".repeat(40) });
  device.der.set("derg", parseXml(SETTINGS));
  const program = utility.addProgram({ primacy: 0 });
  utility.setDefault(program, setGradW === undefined ? {} : { setGradW });
  const { mRID } = utility.addControl(program, { values, startS: utility.nowS(), durationS: 300 });
  utility.devices.addResponse({ deviceId: device.id, subject: canonicalHex(mRID), status: 2, atS: utility.nowS() });
  let seconds = 0;
  const obedience = new Obedience(utility, () => powerKW(seconds));
  for (; seconds < 300; seconds += 5) {
    obedience.sample();
    clock.advance(5000);
  }
  return obedience.fault;
}

describe("a limit without a ramp", () => {
  test("is kept by who has come down after a minute, and broken by who has not", () => {
    expect(watched({ opModExpLimW: 2000 }, undefined, (at) => (at < 60 ? 8 : 2))).toBeUndefined();
    expect(watched({ opModExpLimW: 2000 }, undefined, () => 8)).toContain("8.00 kW flow out, 2 kW are allowed");
  });
});

describe("a limit with a ramp", () => {
  test("leaves the way down that the default's rate allows, and no more", () => {
    // 1 % of 10 kW each second.
    expect(watched({ opModExpLimW: 2000 }, 100, (at) => Math.max(2, 8 - 0.1 * at))).toBeUndefined();
    expect(watched({ opModExpLimW: 2000 }, 100, (at) => Math.max(2, 8 - 0.02 * at))).toContain("are allowed");
    expect(watched({ opModExpLimW: 2000 }, 100, (at) => Math.max(3, 8 - 0.1 * at))).toContain("2 kW are allowed");
  });

  test("goes by the event's own time where it has one", () => {
    const values = { opModExpLimW: 2000, rampS: 120 };
    expect(watched(values, 10_000, (at) => Math.max(2, 8 - 0.05 * at))).toBeUndefined();
    expect(watched(values, 10_000, (at) => Math.max(2, 8 - 0.02 * at))).toContain("are allowed");
  });

  test("to disconnect has none", () => {
    expect(watched({ opModConnect: false }, 10, (at) => Math.max(0, 8 - 0.01 * at))).toContain("0 kW are allowed");
  });
});
