import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GroupMember, splitOverMembers } from "../../src/dispatch/group-split.ts";
import { fuseLimit } from "../../src/dispatch/site-fuse.ts";
import type { BidCurve } from "../../src/model/bid-curve.ts";
import { clampByLimits } from "../../src/model/limit.ts";
import type { Capability } from "../../src/model/resource.ts";
import { ampsFromKW, kWFromAmps } from "../../src/model/units.ts";

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const members = fc
  .array(fc.record({ minPowerKW: number(-22, 0), maxPowerKW: number(0, 22) }), { minLength: 1, maxLength: 20 })
  .map((list) => list.map((band, index) => ({ era: `m${index}`, capability: { ...charger(0), ...band } })));

function charger(mostKW: number): Capability {
  return {
    minPowerKW: -mostKW,
    maxPowerKW: 0,
    control: "limit",
    failsafe: "device",
    settleMs: 1000,
    sampleMs: 1000,
  };
}

const MINUTE_MS = 60_000;

test("a group's shares add up to its power as far as the members can carry it, and none exceeds its member", () => {
  fc.assert(
    fc.property(members, number(-500, 500), (list, powerKW) => {
      const { setpoints, unmetKW } = splitOverMembers(powerKW, list, MINUTE_MS);
      const reachKW = (side: "minPowerKW" | "maxPowerKW") =>
        list.reduce((sum, member) => sum + member.capability[side], 0);
      const expectedKW = Math.min(Math.max(powerKW, reachKW("minPowerKW")), reachKW("maxPowerKW"));
      const carriedKW = setpoints.reduce((sum, one) => sum + one.powerKW, 0);
      // Less than a watt is let go.
      expect(carriedKW).toBeCloseTo(expectedKW, 5);
      expect(carriedKW + unmetKW).toBeCloseTo(powerKW, 5);
      for (const [index, { era, powerKW: shareKW }] of setpoints.entries()) {
        const member = list[index];
        expect(era).toBe(member?.era);
        expect(shareKW).toBeGreaterThanOrEqual((member?.capability.minPowerKW ?? 0) - 1e-9);
        expect(shareKW).toBeLessThanOrEqual((member?.capability.maxPowerKW ?? 0) + 1e-9);
      }
    }),
  );
});

test("no member is told less than it can run at, more than its ramp reaches, or beyond the operator's limit", () => {
  const cars = fc
    .array(fc.record({ phases: fc.constantFrom(1, 3), presentKW: number(-7, 0), limitKW: number(-22, 0) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((list) =>
      list.map(({ phases, presentKW, limitKW }, index) => ({
        era: `car-${index}`,
        measuredKW: presentKW,
        limits: [{ source: "operator" as const, minPowerKW: limitKW }],
        capability: { ...charger(phases * 7.36), minRunKW: phases * 1.38, rampRateKWPerMin: 2 },
      })),
    );
  fc.assert(
    fc.property(cars, number(-150, 0), number(0, 5), (list, powerKW, minutes) => {
      const { setpoints } = splitOverMembers(powerKW, list, minutes * MINUTE_MS);
      for (const [index, { powerKW: shareKW }] of setpoints.entries()) {
        const { measuredKW, limits, capability } = list[index] as (typeof list)[number];
        const lowestKW = measuredKW - 2 * minutes;
        const highestKW = measuredKW + 2 * minutes;
        expect(shareKW).toBeGreaterThanOrEqual(
          Math.max(lowestKW, Math.min(limits[0]?.minPowerKW ?? 0, highestKW)) - 1e-9,
        );
        expect(shareKW).toBeLessThanOrEqual(Math.max(Math.min(0, highestKW), -1e9) + 1e-9);
        // Where it can be off in time it is off, or runs as a car can.
        if (highestKW >= 0 && shareKW < 0) expect(-shareKW).toBeGreaterThanOrEqual(capability.minRunKW - 1e-9);
      }
    }),
  );
});

describe("a group's power goes", () => {
  const two = [
    { era: "a", capability: { ...charger(11), minRunKW: 4.14 } },
    { era: "b", capability: { ...charger(11), minRunKW: 4.14 } },
  ];
  const sharesOf = (powerKW: number, list: readonly GroupMember[]) =>
    splitOverMembers(powerKW, list, MINUTE_MS).setpoints.map((one) => one.powerKW);

  test("to one car alone where it is too little for two", () => {
    expect(sharesOf(-6, two)).toEqual([-6, 0]);
    expect(sharesOf(-12, two)).toEqual([-6, -6]);
    expect(sharesOf(-3, two)).toEqual([0, 0]);
  });

  test("to whom it is worth more, where all have bid", () => {
    const bid = (pricePerKWh: number): BidCurve => ({
      shape: "STEP",
      currency: "EUR",
      points: [
        { pricePerKWh, powerKW: -11 },
        { pricePerKWh: pricePerKWh + 0.01, powerKW: 0 },
      ],
    });
    const [a, b] = two as [GroupMember, GroupMember];
    expect(
      sharesOf(-14, [
        { ...a, curve: bid(0.1) },
        { ...b, curve: bid(0.3) },
      ]),
    ).toEqual([-4.14, expect.closeTo(-9.86, 9)]);
    expect(
      sharesOf(-16, [
        { ...a, curve: bid(0.1) },
        { ...b, curve: bid(0.3) },
      ]),
    ).toEqual([-5, -11]);
    // One that has not bid says nothing about worth, so all share alike.
    expect(sharesOf(-16, [a, { ...b, curve: bid(0.3) }])).toEqual([-8, -8]);
  });

  test("to nobody who has not said what it can do", () => {
    expect(sharesOf(-5, [{ era: "silent" }, ...two])).toEqual([0, -5, 0]);
  });
});

test("clamping never leaves any limit, and never turns a sign", () => {
  const limit = fc.record({ minPowerKW: number(-22, 0), maxPowerKW: number(0, 22) });
  fc.assert(
    fc.property(number(-50, 50), fc.array(limit, { maxLength: 5 }), (powerKW, list) => {
      const clamped = clampByLimits(
        powerKW,
        list.map((one) => ({ source: "operator" as const, ...one })),
      );
      for (const one of list) {
        expect(clamped.powerKW).toBeGreaterThanOrEqual(one.minPowerKW);
        expect(clamped.powerKW).toBeLessThanOrEqual(one.maxPowerKW);
      }
      expect(clamped.powerKW * powerKW).toBeGreaterThanOrEqual(0);
      expect(clamped.boundBy === undefined).toBe(clamped.powerKW === powerKW);
    }),
  );
});

test("whoever is told last, the sum of all devices stays under the fuse", () => {
  fc.assert(
    fc.property(fc.array(number(-22, 11), { minLength: 2, maxLength: 8 }), number(5, 60), (wishes, maxImportKW) => {
      const targets: number[] = [];
      for (const wish of wishes) {
        const others = targets.map((targetKW) => ({ targetKW, measuredKW: 0, worstKW: -22 }));
        const fuse = fuseLimit({ maxImportKW }, others);
        targets.push(clampByLimits(wish, fuse ? [fuse] : []).powerKW);
      }
      const consumption = targets.filter((powerKW) => powerKW < 0).reduce((sum, powerKW) => sum - powerKW, 0);
      expect(consumption).toBeLessThanOrEqual(maxImportKW + 1e-9);
    }),
  );
});

test("a device nobody has heard of counts with the worst it could do", () => {
  expect(fuseLimit({ maxImportKW: 20 }, [{ worstKW: -11 }])?.minPowerKW).toBe(-9);
  expect(fuseLimit({}, [{ worstKW: -11 }])).toBeUndefined();
});

test("amps are never more than the power allows, and at most a tenth less", () => {
  fc.assert(
    fc.property(number(0, 50), fc.constantFrom(1, 2, 3), number(200, 250), (powerKW, phases, voltageV) => {
      const limitA = ampsFromKW(powerKW, { phases, voltageV });
      expect(kWFromAmps(limitA, { phases, voltageV })).toBeLessThanOrEqual(powerKW + 1e-6);
      expect(powerKW - kWFromAmps(limitA, { phases, voltageV })).toBeLessThanOrEqual(
        (0.1 * voltageV * phases) / 1000 + 1e-6,
      );
      expect(Math.abs(limitA * 10 - Math.round(limitA * 10))).toBeLessThan(1e-9);
    }),
  );
  // The seed's 50 kW are 72.4 A on each of three phases, and not 208 A on one.
  expect(ampsFromKW(50, { phases: 3, voltageV: 230 })).toBe(72.4);
  expect(ampsFromKW(11.04, { phases: 3, voltageV: 230 })).toBe(16);
});
