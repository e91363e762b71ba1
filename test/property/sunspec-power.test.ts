import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  kWFromRawPercent,
  kWFromRawWatts,
  rawPercentFromKW,
  rawWattsFromKW,
  reversionSeconds,
  storageRates,
} from "../../adapters/modbus/sunspec/power-conversion.ts";

const ratingKW = fc.double({ min: 0.1, max: 1000, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const percentScale = fc.constantFrom(-2, -1, 0);
const wattScale = fc.constantFrom(-1, 0, 1, 2);

describe("a limit in percent of a rating", () => {
  test("is never above the order and less than one step below it", () =>
    fc.assert(
      fc.property(ratingKW, share, percentScale, (rating, part, scale) => {
        const orderKW = rating * part;
        const appliedKW = kWFromRawPercent(rawPercentFromKW(orderKW, rating, scale), rating, scale);
        const stepKW = (rating * 10 ** scale) / 100;
        expect(appliedKW).toBeLessThanOrEqual(orderKW + stepKW * 2e-6);
        expect(appliedKW).toBeGreaterThan(orderKW - stepKW);
      }),
    ));

  test("a whole number of steps comes back exactly, and more than the rating is 100 %", () =>
    fc.assert(
      fc.property(ratingKW, fc.integer({ min: 0, max: 100 }), percentScale, (rating, percent, scale) => {
        const raw = percent * 10 ** -scale;
        expect(rawPercentFromKW(kWFromRawPercent(raw, rating, scale), rating, scale)).toBe(Math.round(raw));
        expect(rawPercentFromKW(rating * 2, rating, scale)).toBe(100 * 10 ** -scale);
      }),
    ));
});

describe("a signed setpoint in watts", () => {
  const orders = fc.double({ min: -1000, max: 1000, noNaN: true });

  test("keeps its sign, is never stronger than the order, and is less than one step weaker", () =>
    fc.assert(
      fc.property(orders, wattScale, (orderKW, scale) => {
        const appliedKW = kWFromRawWatts(rawWattsFromKW(orderKW, scale), scale);
        const stepKW = 10 ** scale / 1000;
        expect(appliedKW * orderKW).toBeGreaterThanOrEqual(0);
        expect(Math.abs(appliedKW)).toBeLessThanOrEqual(Math.abs(orderKW) + stepKW * 2e-6);
        expect(Math.abs(appliedKW)).toBeGreaterThan(Math.abs(orderKW) - stepKW);
      }),
    ));

  test("generation is positive on the wire, as in the core", () => {
    expect(rawWattsFromKW(2.5, 0)).toBe(2500);
    expect(rawWattsFromKW(-2.5, 0)).toBe(-2500);
    expect(Object.is(rawWattsFromKW(-0.0001, 0), 0)).toBe(true);
  });
});

describe("the storage rates of model 124", () => {
  const orders = fc.double({ min: -1, max: 1, noNaN: true });

  test("force the direction of the order with a negative limit of the other, and are never stronger than it", () =>
    fc.assert(
      fc.property(ratingKW, ratingKW, orders, percentScale, (maxChargeKW, maxDischargeKW, part, scale) => {
        const orderKW = part * Math.min(maxChargeKW, maxDischargeKW);
        const rates = storageRates(orderKW, { maxChargeKW, maxDischargeKW }, scale);
        const stepKW = (Math.max(maxChargeKW, maxDischargeKW) * 10 ** scale) / 100;
        expect(rates.appliedKW * orderKW).toBeGreaterThanOrEqual(0);
        expect(Math.abs(rates.appliedKW)).toBeLessThanOrEqual(Math.abs(orderKW) + stepKW * 2e-6);
        expect(Math.abs(rates.appliedKW)).toBeGreaterThan(Math.abs(orderKW) - stepKW);
        if (rates.appliedKW < 0) {
          expect(rates.mode).toBe(2);
          expect(rates.outRate).toBeLessThan(0);
          expect(rates.inRate).toBeUndefined();
        } else if (rates.appliedKW > 0) {
          expect(rates.mode).toBe(1);
          expect(rates.inRate).toBeLessThan(0);
          expect(rates.outRate).toBeUndefined();
        } else {
          expect(rates).toMatchObject({ mode: 3, inRate: 0, outRate: 0 });
        }
      }),
    ));

  test("charging is negative: -3 kW of 5 kW limits the discharge to -60 %", () => {
    const ratings = { maxChargeKW: 4, maxDischargeKW: 5 };
    expect(storageRates(-3, ratings, -2)).toEqual({ mode: 2, outRate: -6000, appliedKW: -3 });
    expect(storageRates(2, ratings, -2)).toEqual({ mode: 1, inRate: -5000, appliedKW: 2 });
  });
});

test("a reversion time is never 0, never longer than configured, and covers what is left of the target", () =>
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: 10_000_000 }), fc.integer({ min: 5, max: 3600 }), (leftMs, revertS) => {
      const seconds = reversionSeconds(leftMs, revertS);
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(revertS);
      if (seconds < revertS) expect(seconds * 1000).toBeGreaterThanOrEqual(leftMs);
      expect((seconds - 1) * 1000).toBeLessThan(Math.max(leftMs, 1));
    }),
  ));
