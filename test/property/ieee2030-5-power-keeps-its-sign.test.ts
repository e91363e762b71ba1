import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { controlPowerFromKW } from "../../adapters/ieee2030-5/controls/control-power.ts";
import { exportKWFromMeter } from "../../adapters/ieee2030-5/metering/reading-type.ts";
import { activePowerFromWatts, wattsFromActivePower } from "../../adapters/ieee2030-5/xml/active-power.ts";

const FORWARD = 1;
const REVERSE = 19;

const baseKW = fc.double({ min: 0.1, max: 5000, noNaN: true });
const share = fc.double({ min: -1, max: 1, noNaN: true });
const anyKW = fc.double({ min: -100_000, max: 100_000, noNaN: true });

describe("a power in a DERControl", () => {
  test("3.5 kW of a 5 kW inverter is opModFixedW 7000", () => {
    const power = controlPowerFromKW(3.5, "opModFixedW", { generationKW: 5, chargeKW: 0 });
    expect(power).toMatchObject({ hundredths: 7000, appliedKW: 3.5 });
  });

  test("charging counts in percent of the charge rate, not of the rating", () => {
    const power = controlPowerFromKW(-3.5, "opModFixedW", { generationKW: 10, chargeKW: 5 });
    expect(power).toMatchObject({ hundredths: -7000, appliedKW: -3.5 });
  });

  test("a percentage keeps the sign, and rounding never takes more than was ordered", () =>
    fc.assert(
      fc.property(share, baseKW, baseKW, (part, generationKW, chargeKW) => {
        const powerKW = part * (part < 0 ? chargeKW : generationKW);
        const power = controlPowerFromKW(powerKW, "opModFixedW", { generationKW, chargeKW });
        if (power.mode !== "opModFixedW") throw new Error("another mode came back");
        expect(Number.isInteger(power.hundredths)).toBe(true);
        expect(Object.is(power.hundredths, -0)).toBe(false);
        expect(power.hundredths * powerKW).toBeGreaterThanOrEqual(0);
        expect(Math.abs(power.hundredths)).toBeLessThanOrEqual(10_000);
        expect(Math.abs(power.appliedKW)).toBeLessThanOrEqual(Math.abs(powerKW) + power.ofKW * 1e-9);
        // One step is a hundredth of a percent of the base.
        expect(Math.abs(power.appliedKW - powerKW)).toBeLessThanOrEqual(power.ofKW * 1.0001e-4);
      }),
    ));

  test("more than the base is 100 %, never more", () =>
    fc.assert(
      fc.property(fc.double({ min: 1.001, max: 50, noNaN: true }), baseKW, (times, ofKW) => {
        const bases = { generationKW: ofKW, chargeKW: ofKW };
        expect(controlPowerFromKW(times * ofKW, "opModFixedW", bases)).toMatchObject({ hundredths: 10_000 });
        expect(controlPowerFromKW(-times * ofKW, "opModFixedW", bases)).toMatchObject({ hundredths: -10_000 });
      }),
    ));

  test("watts keep the sign, fit 16 bits, and are never more than was ordered", () =>
    fc.assert(
      fc.property(anyKW, (powerKW) => {
        const power = controlPowerFromKW(powerKW, "opModTargetW", { generationKW: 1, chargeKW: 1 });
        if (power.mode !== "opModTargetW") throw new Error("another mode came back");
        expect(Math.abs(power.watts.value)).toBeLessThanOrEqual(32_767);
        expect(power.appliedKW * powerKW).toBeGreaterThanOrEqual(0);
        expect(Math.abs(power.appliedKW)).toBeLessThanOrEqual(Math.abs(powerKW) + 1e-8);
        // 16 bits hold four digits; below 32.767 kW every whole watt is exact.
        expect(Math.abs(power.appliedKW - powerKW)).toBeLessThan(Math.max(0.001, Math.abs(powerKW) / 3000));
      }),
    ));

  test("whole watts survive the way to the wire and back", () =>
    fc.assert(
      fc.property(fc.integer({ min: -32_767, max: 32_767 }), (powerW) => {
        expect(wattsFromActivePower(activePowerFromWatts(powerW))).toBe(powerW);
      }),
    ));

  test("40 kW is 4000 x 10 W, since 40000 does not fit", () => {
    expect(activePowerFromWatts(40_000)).toEqual({ value: 4000, multiplier: 1 });
  });

  test("charging a device with no charge rate cannot be said in percent", () => {
    expect(() => controlPowerFromKW(-1, "opModFixedW", { generationKW: 5, chargeKW: 0 })).toThrow(RangeError);
  });
});

describe("a power from a 2030.5 meter", () => {
  test("delivered to the customer is consumption, received from the customer is generation", () =>
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (valueW) => {
        expect(exportKWFromMeter(valueW, FORWARD)).toBeCloseTo(-valueW / 1000, 9);
        expect(exportKWFromMeter(valueW, REVERSE)).toBeCloseTo(valueW / 1000, 9);
      }),
    ));

  test("a total of both directions has no sign, so it is no power", () => {
    expect(exportKWFromMeter(1000, 20)).toBeUndefined();
  });
});
