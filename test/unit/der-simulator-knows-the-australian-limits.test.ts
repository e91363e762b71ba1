import { expect, test } from "vitest";
import { collide, doeModesHex, modesHex, readModes, UnsupportedMode } from "../../simulators/der/control-modes.ts";
import { exportLimitKW, importLimitKW } from "../../simulators/der/power-signs.ts";
import { parseXml, XmlFault } from "../../simulators/der/xml-in.ts";

const LIMITS = ["opModExpLimW", "opModImpLimW", "opModGenLimW", "opModLoadLimW", "opModEnergize"] as const;
const RATINGS = { maxKW: 5, maxChargeKW: 5, maxDischargeKW: 5 };

const base = (inner: string) =>
  parseXml(`<DERControlBase xmlns="urn:ieee:std:2030.5:ns" xmlns:a="https://csipaus.org/ns">${inner}</DERControlBase>`);
const watts = (name: string, value: number, multiplier = 0) =>
  `<a:${name}><multiplier>${multiplier}</multiplier><value>${value}</value></a:${name}>`;

test("the tighter of two limits for a direction holds, and off is none at all", () => {
  const both = readModes(base(watts("opModExpLimW", 15, 2) + watts("opModGenLimW", 3000)), LIMITS);
  expect(exportLimitKW(both, RATINGS)).toBe(1.5);
  expect(importLimitKW(both)).toBeUndefined();
  const inwards = readModes(base(watts("opModImpLimW", 0)), LIMITS);
  expect([exportLimitKW(inwards, RATINGS), importLimitKW(inwards)]).toEqual([undefined, 0]);
  const off = readModes(base("<opModEnergize>false</opModEnergize>"), LIMITS);
  expect([exportLimitKW(off, RATINGS), importLimitKW(off)]).toEqual([0, 0]);
  const on = readModes(base("<opModEnergize>true</opModEnergize>"), LIMITS);
  expect(exportLimitKW(on, RATINGS)).toBeUndefined();
  expect(collide(both, inwards)).toBe(false);
  expect(collide(off, on)).toBe(true);
});

test("a limit below zero is wrong, and a limit that it was not given is refused", () => {
  expect(() => readModes(base(watts("opModExpLimW", -1)), LIMITS)).toThrow(XmlFault);
  expect(() => readModes(base(watts("opModExpLimW", 1)), ["opModFixedW"])).toThrow(UnsupportedMode);
});

test("it says what it knows in the two bitmaps", () => {
  expect(modesHex(LIMITS)).toBe("00000008");
  expect(doeModesHex(LIMITS)).toBe("0F");
  expect(doeModesHex(["opModFixedW"])).toBeUndefined();
});
