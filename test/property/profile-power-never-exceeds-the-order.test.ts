import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bandOf, type DeviceOptions, rangeOf } from "../../adapters/modbus/profile/control-range.ts";
import { controlSchema } from "../../adapters/modbus/profile/control-schema.ts";
import type { Point } from "../../adapters/modbus/profile/point.ts";
import { pointValue } from "../../adapters/modbus/profile/point.ts";
import { pointSchema } from "../../adapters/modbus/profile/point-schema.ts";
import { planPower } from "../../adapters/modbus/profile/power-plan.ts";

const none = () => undefined;
const kW = fc.double({ min: -60, max: 60, noNaN: true });

function pointsOf(spec: Record<string, unknown>): ReadonlyMap<string, Point> {
  const point = { register: 1, type: "i32", access: "readWrite", poll: "never", ...spec };
  return new Map([["out", { ...pointSchema.parse(point), name: "out", address: 1, width: 2 }]]);
}

function controlOf(convert: Record<string, unknown>, limits: Record<string, unknown>, value: unknown = "power") {
  return controlSchema.parse({
    kind: "setpoint",
    failsafe: "none",
    convert,
    limits,
    sequence: [{ point: "out", value }],
    release: "baseline",
    verify: { readback: true },
  });
}

/** What a setpoint writes, and what the profile's sign makes of it. */
function told(
  control: ReturnType<typeof controlOf>,
  points: ReadonlyMap<string, Point>,
  powerKW: number,
  options: DeviceOptions,
) {
  const range = rangeOf(control, none, options);
  const plan = planPower(control, powerKW, { points, range, reversionS: 60, look: none, registersOf: none });
  const point = points.get("out") as Point;
  const value = pointValue(point, plan.writes[0]?.registers ?? [], none);
  return { plan, band: bandOf(range), value: Number(value) };
}

describe("watts", () => {
  test.each(["generation", "consumption"])("with a register that is positive for %s keep sign and bound", (sign) => {
    fc.assert(
      fc.property(kW, fc.constantFrom("W", "kW"), fc.constantFrom(0.01, 0.1, 1, 10), (powerKW, unit, scale) => {
        const points = pointsOf({ unit, sign, scale: unit === "kW" ? scale / 100 : scale });
        const control = controlOf({ to: "watts" }, { generation: 40_000, consumption: 20_000 });
        const { plan, value } = told(control, points, powerKW, { connector: 1 });
        const deviceKW = (sign === "generation" ? 1 : -1) * value * (unit === "kW" ? 1 : 0.001);
        const aimKW = Math.min(Math.max(powerKW, -20), 40);
        expect(deviceKW).toBeCloseTo(plan.appliedKW, 9);
        expect(Math.abs(deviceKW)).toBeLessThanOrEqual(Math.abs(aimKW) + 1e-7);
        expect(Math.abs(aimKW - deviceKW)).toBeLessThan(0.1);
        expect(deviceKW * powerKW).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("amps", () => {
  const setting = fc.record({
    phases: fc.constantFrom(1, 2, 3),
    volts: fc.double({ min: 200, max: 260, noNaN: true }),
    unit: fc.constantFrom("A", "mA"),
    scale: fc.constantFrom(0.1, 1),
  });

  test("never carry more than was ordered, and are 0 below the least current", () => {
    fc.assert(
      fc.property(kW, setting, (powerKW, { phases, volts, unit, scale }) => {
        const points = pointsOf({ unit, scale });
        const control = controlOf(
          { to: "amps", phases: ["config.phases"], volts },
          { consumption: 32, least: 6 },
          "consumption",
        );
        const { plan, band, value } = told(control, points, powerKW, { connector: 1, phases });
        const amps = value * (unit === "mA" ? 0.001 : 1);
        const carriedKW = (amps * volts * phases) / 1000;
        expect(carriedKW).toBeLessThanOrEqual(Math.max(-powerKW, 0) + 1e-6);
        expect(amps === 0 || amps >= 6 - scale).toBe(true);
        expect(amps).toBeLessThanOrEqual(32);
        expect(plan.appliedKW).toBeCloseTo(0 - carriedKW, 9);
        expect(band.maxPowerKW).toBe(0);
        if (powerKW >= 0) expect(amps).toBe(0);
      }),
    );
  });
});

describe("percent", () => {
  test("of the base never exceed the order, and stay between the least and 100", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 30, noNaN: true }),
        fc.double({ min: 1, max: 20, noNaN: true }),
        (powerKW, ratingKW) => {
          const points = pointsOf({ unit: "%", scale: 0.01, sign: "generation" });
          const control = controlOf(
            { to: "percentOf", base: ["config.ratingKW"], zero: "least" },
            { generation: 100, least: 1, belowLeast: "least" },
          );
          const { value } = told(control, points, powerKW, { connector: 1, ratingKW });
          const percent = (powerKW / ratingKW) * 100;
          expect(value).toBeLessThanOrEqual(100);
          if (percent < 1) expect(value).toBe(1);
          else expect(value).toBeLessThanOrEqual(percent + 1e-6);
        },
      ),
    );
  });

  test("of a base that is not there are refused by name", () => {
    const control = controlOf({ to: "percentOf", base: ["config.ratingKW", "rating"] }, { generation: 100 });
    expect(() => rangeOf(control, none, { connector: 1 })).toThrow(
      "convert.base: config.ratingKW, rating is not there",
    );
  });
});
