import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rangeOf } from "../../adapters/coap/profile/control-range.ts";
import { parseProfile } from "../../adapters/coap/profile/load-profile.ts";
import { exportW, fromExportW, pointValue, rawOf } from "../../adapters/coap/profile/point-value.ts";
import { planPower } from "../../adapters/coap/profile/power-plan.ts";
import type { Profile } from "../../adapters/coap/profile/profile-schema.ts";

const parsed = new Map<string, Profile>();

/** Each is read once: a property asks for the same ones again and again. */
function profileWith(sign: string, unit: string, convert: string): Profile {
  const key = `${sign} ${unit} ${convert}`;
  const profile = parsed.get(key) ?? readProfile(sign, unit, convert);
  parsed.set(key, profile);
  return profile;
}

const readProfile = (sign: string, unit: string, convert: string) =>
  parseProfile(
    `
id: coap-any
title: any
vendor: any
kind: battery
sources: [{ id: none, title: none }]
resources: { order: { path: /order, format: text } }
points:
  order: { resource: order, unit: "${unit}", sign: ${sign}, scale: 0.5, access: readWrite }
controls:
  main:
    kind: setpoint
    failsafe: none
    convert: ${convert}
    limits: { generation: config.ratingKW, consumption: config.ratingKW }
    sequence: [{ point: order, value: power }]
    release: baseline
    verify: { readback: false }
    writePolicy: { cyclic: ok }
`,
    "any.yaml",
  );

const power = fc.double({ min: -30, max: 30, noNaN: true });
const rating = fc.double({ min: 0.5, max: 20, noNaN: true });
const sign = fc.constantFrom("generation", "consumption");

describe("a CoAP order", () => {
  test("never goes beyond what was ordered, nor the other way", () => {
    fc.assert(
      fc.property(
        power,
        rating,
        sign,
        fc.constantFrom("{ to: watts }", "{ to: percentOf, base: config.ratingKW }"),
        (orderKW, ratingKW, positive, convert) => {
          const profile = profileWith(positive, convert.includes("percent") ? "%" : "W", convert);
          const spec = profile.controls["main"];
          if (spec === undefined) throw new Error("no control");
          const range = rangeOf(spec, () => undefined, ratingKW);
          if (typeof range === "string") throw new Error(range);
          const { appliedKW, writes } = planPower(spec, orderKW, 0, range, profile.points);
          expect(Math.abs(appliedKW)).toBeLessThanOrEqual(Math.abs(orderKW) + 1e-9);
          expect(Math.abs(appliedKW)).toBeLessThanOrEqual(ratingKW + 1e-9);
          expect(appliedKW === 0 || Math.sign(appliedKW) === Math.sign(orderKW)).toBe(true);
          const written = Number(writes[0]?.parts[0]?.value);
          const way = positive === "generation" ? 1 : -1;
          expect(written === 0 || Math.sign(written) === way * Math.sign(appliedKW)).toBe(true);
          const wholeKW = convert.includes("percent") ? (written / 100) * ratingKW : written / 1000;
          expect(wholeKW * way).toBeCloseTo(appliedKW, 6);
        },
      ),
    );
  });

  test("that a device shows as it was written is read as the same power", () => {
    const units = fc.constantFrom("W", "kW", "mW");
    fc.assert(
      fc.property(power, sign, units, (powerKW, positive, unit) => {
        const point = profileWith(positive, unit, "{ to: watts }").points["order"];
        if (point === undefined) throw new Error("no point");
        const shown = pointValue(point, rawOf(point, fromExportW(point, powerKW * 1000)));
        expect(exportW(point, shown)).toBeCloseTo(powerKW * 1000, 4);
      }),
    );
  });
});

test("whatever number a device writes, what is read of it is a number or nothing", () => {
  const profile = profileWith("generation", "kW", "{ to: watts }");
  const order = profile.points["order"];
  if (order === undefined) throw new Error("no point");
  const scaled = { ...order, scale: 1000, offset: -1e308 };
  fc.assert(
    fc.property(fc.double(), fc.boolean(), (raw, asText) => {
      const value = pointValue(scaled, asText ? String(raw) : raw);
      expect(value === undefined || Number.isFinite(value)).toBe(true);
      const powerW = exportW(scaled, value);
      expect(powerW === undefined || Number.isFinite(powerW)).toBe(true);
    }),
  );
});
