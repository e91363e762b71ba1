import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChargingNeed, rangeOf } from "../../src/bidding/charging-need.ts";
import { slotEnergyKWh } from "../../src/bidding/charging-ramp.ts";
import { curveFromObjective } from "../../src/bidding/curve-from-objective.ts";
import { curveFromStorage, type StorageState } from "../../src/bidding/curve-from-storage.ts";
import { snapToRunnable } from "../../src/bidding/semi-continuous.ts";
import { urgency } from "../../src/bidding/urgency.ts";
import { type BidCurve, curveFault, powerRangeAt } from "../../src/model/bid-curve.ts";

const HOUR_MS = 3_600_000;
const SLOT_MS = 900_000;

/** A car's wish, and how its charger is built. */
const wish = fc.record({
  slots: fc.integer({ min: 1, max: 16 }),
  maxKW: fc.double({ min: 1.5, max: 22, noNaN: true }),
  /** Share of what full power could deliver in all the time. */
  effort: fc.double({ min: 0.01, max: 1, noNaN: true }),
  minRunKW: fc.constantFrom(0, 1.38),
  rampRateKWPerMin: fc.constantFrom(undefined, 0.5, 2),
  chargingEfficiency: fc.constantFrom(1, 0.9),
  reserveShare: fc.constantFrom(0, 0.1),
  maxPricePerKWh: fc.constantFrom(undefined, 0.1, 0.3),
  seed: fc.integer(),
});

type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

function needAt(
  of: Wish,
  slot: number,
  deliveredKWh: number,
  presentKW: number,
  targetChargeKWh: number,
): ChargingNeed {
  return {
    objective: {
      targetChargeKWh,
      deadlineMs: of.slots * SLOT_MS,
      ...(of.maxPricePerKWh !== undefined && { maxPricePerKWh: of.maxPricePerKWh }),
    },
    deliveredKWh,
    maxKW: of.maxKW,
    minRunKW: of.minRunKW,
    presentKW,
    ...(of.rampRateKWPerMin !== undefined && { rampRateKWPerMin: of.rampRateKWPerMin }),
    chargingEfficiency: of.chargingEfficiency,
    reserveShare: of.reserveShare,
    slotStartMs: slot * SLOT_MS,
    slotEndMs: (slot + 1) * SLOT_MS,
    currency: "EUR",
  };
}

/** The target that takes this share of full effort from now on. */
function targetOf(of: Wish): number {
  const most = urgency(needAt(of, 0, 0, 0, 1e9));
  const fullKWh = 1e9 / of.chargingEfficiency - most.shortfallKWh;
  return Math.max(0.05, fullKWh * of.effort * of.chargingEfficiency);
}

/** Whoever sets the prices is against the car: at a jump it gets the least of what it accepts. */
function drive(of: Wish, targetKWh: number, prices: readonly number[]): { deliveredKWh: number; curves: BidCurve[] } {
  let deliveredKWh = 0;
  let presentKW = 0;
  const curves: BidCurve[] = [];
  for (let slot = 0; slot < of.slots; slot++) {
    const need = needAt(of, slot, deliveredKWh, presentKW, targetKWh);
    const curve = curveFromObjective(need);
    curves.push(curve);
    const { highKW } = powerRangeAt(curve, prices[slot] ?? 0);
    const drawKW = -snapToRunnable(highKW, of.minRunKW, urgency(need).mustKW > 0);
    deliveredKWh += slotEnergyKWh(rangeOf(need), drawKW, SLOT_MS / HOUR_MS);
    presentKW = drawKW;
  }
  return { deliveredKWh, curves };
}

const prices = fc.array(fc.double({ min: -0.2, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 });

describe("a car's bids", () => {
  test("bring the energy by the deadline if it was possible, whatever the prices", () => {
    fc.assert(
      fc.property(wish, prices, (of, series) => {
        const targetKWh = targetOf(of);
        fc.pre(urgency(needAt(of, 0, 0, 0, targetKWh)).shortfallKWh < 1e-9);
        // Where a car can't run slowly, the last bit may be one step of the meter.
        expect(drive(of, targetKWh, series).deliveredKWh * of.chargingEfficiency).toBeGreaterThan(targetKWh - 0.002);
      }),
      { numRuns: 2000 },
    );
  });

  test("are sound curves within what the charger can do, and buy nothing above the highest price but what can't wait", () => {
    fc.assert(
      fc.property(wish, prices, (of, series) => {
        const targetKWh = targetOf(of);
        for (const [slot, curve] of drive(of, targetKWh, series).curves.entries()) {
          expect(curveFault(curve.points)).toBeUndefined();
          for (const { powerKW } of curve.points) {
            expect(powerKW).toBeLessThanOrEqual(0);
            expect(powerKW).toBeGreaterThanOrEqual(-of.maxKW - 1e-9);
          }
          if (of.maxPricePerKWh === undefined || slot > 0) continue;
          const { mustKW, floorKW } = urgency(needAt(of, 0, 0, 0, targetKWh));
          const { highKW } = powerRangeAt(curve, of.maxPricePerKWh + 1e-6);
          expect(-highKW).toBeLessThanOrEqual(Math.max(mustKW, floorKW, mustKW > 0 ? of.minRunKW : 0) + 1e-9);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("a battery's bid", () => {
  const state = fc
    .record({
      energyShare: fc.double({ min: 0, max: 1, noNaN: true }),
      capacityKWh: fc.double({ min: 2, max: 50, noNaN: true }),
      reserveShare: fc.double({ min: 0, max: 0.5, noNaN: true }),
      powerKW: fc.double({ min: 0.5, max: 20, noNaN: true }),
      wearPerKWh: fc.double({ min: 0, max: 0.05, noNaN: true }),
      roundTripEfficiency: fc.double({ min: 0.6, max: 1, noNaN: true }),
      forecast: fc.array(fc.double({ min: 0, max: 0.5, noNaN: true }), { maxLength: 8 }),
    })
    .map(
      (of): StorageState => ({
        band: { minPowerKW: -of.powerKW, maxPowerKW: of.powerKW },
        energyKWh: of.energyShare * of.capacityKWh,
        capacityKWh: of.capacityKWh,
        reserveKWh: of.reserveShare * of.capacityKWh,
        value: {
          storedValuePerKWh: 0.12,
          wearPerKWh: of.wearPerKWh,
          roundTripEfficiency: of.roundTripEfficiency,
          spreadPerKWh: 0.01,
        },
        slotStartMs: 0,
        slotEndMs: SLOT_MS,
        forecast: of.forecast.map((pricePerKWh, index) => ({
          startMs: (index + 1) * SLOT_MS,
          endMs: (index + 2) * SLOT_MS,
          pricePerKWh,
        })),
        currency: "EUR",
      }),
    );

  test("never loses money on energy that is bought and sold at prices of one curve, after losses and wear", () => {
    fc.assert(
      fc.property(state, (of) => {
        const curve = curveFromStorage(of);
        expect(curveFault(curve.points)).toBeUndefined();
        const buys = curve.points.filter(({ powerKW }) => powerKW < -1e-9).map(({ pricePerKWh }) => pricePerKWh);
        const sells = curve.points.filter(({ powerKW }) => powerKW > 1e-9).map(({ pricePerKWh }) => pricePerKWh);
        if (buys.length === 0 || sells.length === 0) return;
        const costOfOneSold = Math.max(...buys) / of.value.roundTripEfficiency;
        expect(Math.min(...sells)).toBeGreaterThanOrEqual(costOfOneSold - 1e-9);
      }),
      { numRuns: 1000 },
    );
  });

  test("gives no more in the slot than lies above its reserve, and takes no more than fits", () => {
    fc.assert(
      fc.property(state, (of) => {
        const curve = curveFromStorage(of);
        const oneWay = Math.sqrt(of.value.roundTripEfficiency);
        const mostKW = Math.max(...curve.points.map(({ powerKW }) => powerKW));
        const leastKW = Math.min(...curve.points.map(({ powerKW }) => powerKW));
        const slotHours = SLOT_MS / HOUR_MS;
        expect((Math.max(0, mostKW) * slotHours) / oneWay).toBeLessThanOrEqual(
          Math.max(0, of.energyKWh - of.reserveKWh) + 1e-6,
        );
        expect(-Math.min(0, leastKW) * slotHours * oneWay).toBeLessThanOrEqual(of.capacityKWh - of.energyKWh + 1e-6);
      }),
      { numRuns: 1000 },
    );
  });
});
