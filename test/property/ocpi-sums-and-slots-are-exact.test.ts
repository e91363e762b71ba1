import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { curveFault } from "../../src/model/bid-curve.ts";
import { cdrFromIntervals } from "../../src/ocpi/cdr-from-intervals.ts";
import { settlementFromCdr } from "../../src/ocpi/cdr-settlement.ts";
import { gridPowerFromChargeKW } from "../../src/ocpi/connector-power.ts";
import { type EnergyInterval, ocpiEnergyWh } from "../../src/ocpi/energy-interval.ts";
import { localDay, wallTimeAt } from "../../src/ocpi/local-time.ts";
import { numberFromScaled, scaledFromNumber } from "../../src/ocpi/ocpi-number.ts";
import type { OcpiTariff, TariffRestrictions } from "../../src/ocpi/ocpi-objects.ts";
import { msFromOcpiTime, ocpiTimeFromMs } from "../../src/ocpi/ocpi-time.ts";
import { OCPI_VERSIONS } from "../../src/ocpi/ocpi-version.ts";
import { bidCurveFromTariff, powersOf } from "../../src/ocpi/tariff-curve.ts";
import { energyPriceAt } from "../../src/ocpi/tariff-price.ts";
import { tariffSlots } from "../../src/ocpi/tariff-slots.ts";
import { aTariff, cdrLocation, driverToken, energyElement } from "../support/ocpi-objects.ts";

const START = Date.UTC(2026, 5, 15);

const facts = {
  countryCode: "IN",
  partyId: "ECO",
  id: "C-1",
  cdrToken: driverToken,
  authMethod: "WHITELIST",
  location: cdrLocation,
  lastUpdatedMs: START,
} as const;

/** Prices in 10^-4, so that none has to be rounded. */
const price = fc.integer({ min: -50_000, max: 500_000 }).map((units) => units / 10_000);
const wh = fc.integer({ min: 0, max: 60_000 });

const intervals: fc.Arbitrary<EnergyInterval[]> = fc
  .array(fc.record({ minutes: fc.integer({ min: 1, max: 60 }), importWh: wh, exportWh: wh, pricePerKWh: price }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((parts) => {
    let startMs = START;
    return parts.map(({ minutes, ...rest }) => {
      const interval = { startMs, endMs: startMs + minutes * 60_000, currency: "EUR", ...rest };
      startMs = interval.endMs;
      return interval;
    });
  });

describe("a CDR of any intervals", () => {
  test("its periods add up to its energy, exactly, and its cost is off by no more than half a cent", () => {
    fc.assert(
      fc.property(intervals, fc.constantFrom(...OCPI_VERSIONS), (list, version) => {
        const rule = { version, tax: { basis: "none" }, rounding: "half-even" } as const;
        const { cdr, unroundedCost } = cdrFromIntervals(list, facts, rule);
        expect(cdr.charging_periods).toHaveLength(list.length);
        const volumes = cdr.charging_periods.map(({ dimensions }) => dimensions[0]?.volume ?? Number.NaN);
        // In 10^-4 kWh: adding the JSON numbers themselves would add their binary errors.
        const sum = volumes.reduce((total, volume) => total + scaledFromNumber(volume, 4), 0n);
        expect(sum).toBe(scaledFromNumber(cdr.total_energy, 4));
        const exact = list.reduce(
          (total, { importWh, exportWh, pricePerKWh }) =>
            total + BigInt(importWh - exportWh) * BigInt(Math.round(pricePerKWh * 10_000)),
          0n,
        );
        expect(Number(unroundedCost)).toBe(Number(exact) / 1e7);
        const cost = "excl_vat" in cdr.total_cost ? cdr.total_cost.excl_vat : cdr.total_cost.before_taxes;
        const off = scaledFromNumber(cost, 7) - exact;
        expect(off >= -50_000n && off <= 50_000n).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test("read back it is the same intervals, and the lines add up to the total", () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const rule = { version: "2.3.0", tax: { basis: "none" }, rounding: "half-up" } as const;
        const { cdr } = cdrFromIntervals(list, facts, rule);
        const { lines, netImportWh, faults } = settlementFromCdr(cdr);
        expect(faults).toEqual([]);
        expect(lines.map((line) => line.netImportWh)).toEqual(list.map((each) => each.importWh - each.exportWh + 0));
        expect(lines.map((line) => line.price?.pricePerKWh)).toEqual(list.map((each) => each.pricePerKWh));
        expect(lines.reduce((sum, line) => sum + line.netImportWh, 0)).toBe(netImportWh);
      }),
      { numRuns: 100 },
    );
  });

  test("net, tax and gross add up in both versions, at any rate", () => {
    fc.assert(
      fc.property(intervals, fc.integer({ min: 0, max: 4000 }), (list, rate) => {
        const tax = { basis: "excluded", percent: rate / 100 } as const;
        const of = (version: "2.2.1" | "2.3.0") =>
          cdrFromIntervals(list, facts, { version, tax, rounding: "half-even" }).cdr.total_cost;
        const [old, now] = [of("2.2.1"), of("2.3.0")];
        if (!("excl_vat" in old) || "excl_vat" in now) throw new Error("the versions are mixed up");
        expect(now.before_taxes).toBe(old.excl_vat);
        const gross = scaledFromNumber(now.before_taxes, 4) + scaledFromNumber(now.taxes?.[0]?.amount ?? 0, 4);
        expect(gross).toBe(scaledFromNumber(old.incl_vat ?? Number.NaN, 4));
      }),
      { numRuns: 80 },
    );
  });
});

const timeOfDay = fc
  .integer({ min: 0, max: 95 })
  .map((quarter) => new Date(quarter * 900_000).toISOString().slice(11, 16));
const restrictions: fc.Arbitrary<TariffRestrictions> = fc.record(
  {
    start_time: timeOfDay,
    end_time: timeOfDay,
    day_of_week: fc.subarray(["MONDAY", "WEDNESDAY", "SUNDAY"] as const, { minLength: 1 }),
    start_date: fc.constantFrom("2026-03-28", "2026-10-25", "2026-06-15"),
    end_date: fc.constantFrom("2026-03-29", "2026-10-26", "2026-12-01"),
  },
  { requiredKeys: [] },
);
const tariff: fc.Arbitrary<OcpiTariff> = fc
  .array(fc.tuple(price, restrictions), { minLength: 1, maxLength: 5 })
  .map((elements) => aTariff("2.2.1", { elements: elements.map(([each, when]) => energyElement(each, when)) }));
const zone = fc.constantFrom("Europe/Brussels", "Asia/Kolkata", "America/Santiago", "Australia/Lord_Howe", "UTC");
const date = fc.constantFrom(
  "2026-03-28",
  "2026-03-29",
  "2026-04-05",
  "2026-09-06",
  "2026-10-04",
  "2026-10-25",
  "2026-06-15",
);

describe("the slots of any tariff", () => {
  test("cover each moment of the day exactly once, with the price that holds there", () => {
    fc.assert(
      fc.property(
        tariff,
        zone,
        date,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (each, where, day, at) => {
          const span = localDay(day, where);
          const { slots } = tariffSlots(each, span, where);
          expect(slots[0]?.startMs).toBe(span.startMs);
          expect(slots.at(-1)?.endMs).toBe(span.endMs);
          for (const [index, slot] of slots.entries()) {
            expect(slot.endMs).toBeGreaterThan(slot.startMs);
            const next = slots[index + 1];
            if (next !== undefined) expect(next.startMs).toBe(slot.endMs);
          }
          const moment = span.startMs + Math.floor(at * (span.endMs - span.startMs));
          const [holding] = slots.filter(({ startMs, endMs }) => startMs <= moment && moment < endMs);
          expect(holding?.pricePerKWh).toBe(energyPriceAt(each, moment, where).pricePerKWh);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("days follow one another without gap or overlap, and show their own date", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 730 }), zone, (offset, where) => {
        const day = (index: number) => new Date(Date.UTC(2025, 0, 1 + index)).toISOString().slice(0, 10);
        const { startMs, endMs } = localDay(day(offset), where);
        expect(localDay(day(offset + 1), where).startMs).toBe(endMs);
        expect(wallTimeAt(startMs, where).date).toBe(day(offset));
        expect(wallTimeAt(startMs - 1000, where).date).toBe(day(offset - 1));
      }),
      { numRuns: 100 },
    );
  });
});

describe("signs and numbers", () => {
  test("a curve of a tariff never falls; supply never takes power, demand never gives it", () => {
    const side = fc.constantFrom("supply", "demand");
    const power = fc.double({ min: 0.001, max: 1000, noNaN: true });
    fc.assert(
      fc.property(
        side,
        power,
        price,
        fc.option(fc.double({ min: 0.01, max: 5, noNaN: true })),
        (who, maxPowerKW, at, width) => {
          const slot = { startMs: 0, endMs: 1, pricePerKWh: at, currency: "EUR", tax: "none" } as const;
          const slope = width === null ? {} : { slopeFromPricePerKWh: at - width };
          const { curve } = bidCurveFromTariff(slot, { side: who, maxPowerKW, currency: "EUR", ...slope });
          expect(curveFault(curve.points)).toBeUndefined();
          expect(curve.points.every(({ powerKW }) => (who === "supply" ? powerKW >= 0 : powerKW <= 0))).toBe(true);
          const [lowKW, highKW] = powersOf(who, maxPowerKW);
          expect(highKW - lowKW).toBe(maxPowerKW);
        },
      ),
    );
  });

  test("charging is consumption: OCPI's plus is our minus, for power and for energy", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), wh, wh, (chargeKW, importWh, exportWh) => {
        expect(gridPowerFromChargeKW(chargeKW) + chargeKW).toBe(0);
        expect(ocpiEnergyWh({ importWh, exportWh }) + ocpiEnergyWh({ importWh: exportWh, exportWh: importWh })).toBe(0);
        expect(ocpiEnergyWh({ importWh, exportWh: 0 })).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("a number with 4 decimals goes through an integer unchanged", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (units) => {
        const value = numberFromScaled(BigInt(units), 4);
        expect(scaledFromNumber(value, 4)).toBe(BigInt(units));
        expect(JSON.stringify(value)).toMatch(/^-?\d+(\.\d{1,4})?$/);
      }),
    );
  });

  test("a time goes through its text unchanged", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), (ms) => {
        expect(msFromOcpiTime(ocpiTimeFromMs(ms))).toBe(ms);
        expect(ocpiTimeFromMs(ms).length).toBeLessThanOrEqual(25);
      }),
    );
  });
});
