import fc from "fast-check";
import { expect, test } from "vitest";
import { splitOverMembers } from "../../src/dispatch/group-split.ts";
import { fuseLimit } from "../../src/dispatch/site-fuse.ts";
import { clampByLimits } from "../../src/model/limit.ts";
import { ampsFromKW, kWFromAmps } from "../../src/model/units.ts";

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const members = fc
  .array(fc.record({ minPowerKW: number(-22, 0), maxPowerKW: number(0, 22) }), { minLength: 1, maxLength: 20 })
  .map((list) => list.map((member, index) => ({ era: `m${index}`, ...member })));

test("a group's shares add up to its power as far as the members can carry it, and none exceeds its member", () => {
  fc.assert(
    fc.property(members, number(-500, 500), (list, powerKW) => {
      const shares = splitOverMembers(powerKW, list);
      const roomKW = list.reduce((sum, member) => sum + (powerKW < 0 ? -member.minPowerKW : member.maxPowerKW), 0);
      const carried = [...shares.values()].reduce((sum, share) => sum + share, 0);
      expect(Math.abs(carried)).toBeCloseTo(Math.min(Math.abs(powerKW), roomKW), 9);
      for (const member of list) {
        const share = shares.get(member.era) ?? Number.NaN;
        expect(share).toBeGreaterThanOrEqual(member.minPowerKW - 1e-9);
        expect(share).toBeLessThanOrEqual(member.maxPowerKW + 1e-9);
      }
    }),
  );
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
