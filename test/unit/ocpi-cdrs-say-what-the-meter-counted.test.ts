import { describe, expect, test } from "vitest";
import { type CdrFacts, cdrFromIntervals, creditCdr, sessionFromIntervals } from "../../src/ocpi/cdr-from-intervals.ts";
import { settlementFromCdr } from "../../src/ocpi/cdr-settlement.ts";
import type { EnergyInterval } from "../../src/ocpi/energy-interval.ts";
import { checkObject } from "../../src/ocpi/ocpi-schemas.ts";
import { OCPI_VERSIONS } from "../../src/ocpi/ocpi-version.ts";
import { aCdr, cdrLocation, driverToken, energyElement } from "../support/ocpi-objects.ts";

const START = Date.UTC(2026, 5, 15, 10);
const QUARTER = 15 * 60_000;

const facts: CdrFacts = {
  countryCode: "IN",
  partyId: "ECO",
  id: "C-1",
  sessionId: "S-1",
  cdrToken: driverToken,
  authMethod: "WHITELIST",
  location: cdrLocation,
  lastUpdatedMs: START + 3_600_000,
};

function interval(index: number, changes: Partial<EnergyInterval> = {}): EnergyInterval {
  const startMs = START + index * QUARTER;
  return { startMs, endMs: startMs + QUARTER, importWh: 0, exportWh: 0, pricePerKWh: 18, currency: "INR", ...changes };
}

const noTax = { tax: { basis: "none" }, rounding: "half-even" } as const;

describe.each(OCPI_VERSIONS)("OCPI %s", (version) => {
  test("5.5 kWh at 18.0 are 99.0, whichever way they came in", () => {
    const intervals = [2000, 2000, 1500, 0].map((importWh, index) => interval(index, { importWh }));
    const { cdr, unroundedCost, roundedPrices } = cdrFromIntervals(intervals, facts, { version, ...noTax });
    expect(cdr).toMatchObject({
      total_energy: 5.5,
      total_time: 1,
      total_parking_time: 0.25,
      currency: "INR",
      start_date_time: "2026-06-15T10:00:00Z",
      end_date_time: "2026-06-15T11:00:00Z",
    });
    expect(cdr.total_cost).toEqual(
      version === "2.2.1" ? { excl_vat: 99, incl_vat: 99 } : { before_taxes: 99, taxes: [] },
    );
    expect(cdr.total_energy_cost).toEqual(cdr.total_cost);
    expect({ unroundedCost, roundedPrices }).toEqual({ unroundedCost: "99", roundedPrices: 0 });
    expect(() => checkObject(version, "cdrs", cdr)).not.toThrow();
  });

  test("each interval is a period, also where the price stays, and names the tariff with its price", () => {
    const intervals = [
      interval(0, { importWh: 1000, pricePerKWh: 0.08 }),
      interval(1, { importWh: 1000, pricePerKWh: 0.08 }),
      interval(2, { importWh: 1000, pricePerKWh: 0.12 }),
    ];
    const { cdr } = cdrFromIntervals(intervals, facts, { version, ...noTax });
    expect(cdr.charging_periods).toEqual([
      {
        start_date_time: "2026-06-15T10:00:00Z",
        dimensions: [{ type: "ENERGY", volume: 1 }],
        tariff_id: "market-INR-0.08",
      },
      {
        start_date_time: "2026-06-15T10:15:00Z",
        dimensions: [{ type: "ENERGY", volume: 1 }],
        tariff_id: "market-INR-0.08",
      },
      {
        start_date_time: "2026-06-15T10:30:00Z",
        dimensions: [{ type: "ENERGY", volume: 1 }],
        tariff_id: "market-INR-0.12",
      },
    ]);
    expect(cdr.tariffs?.map(({ id, elements }) => [id, elements[0]?.price_components])).toEqual([
      ["market-INR-0.08", [{ type: "ENERGY", price: 0.08, step_size: 1 }]],
      ["market-INR-0.12", [{ type: "ENERGY", price: 0.12, step_size: 1 }]],
    ]);
    expect(cdr.tariffs?.every((tariff) => tariff.tax_included === (version === "2.3.0" ? "N/A" : undefined))).toBe(
      true,
    );
  });

  test("what is fed back is negative energy and negative money", () => {
    const intervals = [
      interval(0, { importWh: 1000 }),
      interval(1, { importWh: 250, exportWh: 3250, pricePerKWh: 20 }),
    ];
    const { cdr } = cdrFromIntervals(intervals, facts, { version, ...noTax });
    expect(cdr.charging_periods[1]?.dimensions).toEqual([{ type: "ENERGY", volume: -3 }]);
    expect(cdr.total_energy).toBe(-2);
    expect(cdr.total_cost).toMatchObject(version === "2.2.1" ? { excl_vat: -42 } : { before_taxes: -42 });
  });

  test("a session shows import and export beside the net, a CDR may not", () => {
    const intervals = [interval(0, { importWh: 250, exportWh: 3250 })];
    const session = sessionFromIntervals(intervals, { ...facts, id: "S-1", status: "ACTIVE" }, { version, ...noTax });
    expect(session.charging_periods?.[0]?.dimensions).toEqual([
      { type: "ENERGY", volume: -3 },
      { type: "ENERGY_IMPORT", volume: 0.25 },
      { type: "ENERGY_EXPORT", volume: 3.25 },
    ]);
    expect(session).toMatchObject({
      kwh: -3,
      status: "ACTIVE",
      location_id: "LOC1",
      evse_uid: "3256",
      connector_id: "1",
    });
    expect(session).not.toHaveProperty("end_date_time");
    expect(() => checkObject(version, "sessions", session)).not.toThrow();
  });

  test("taxes on top: net and gross are rounded once each and the tax is the difference", () => {
    const intervals = [interval(0, { importWh: 333, pricePerKWh: 0.3333 })];
    const tax = { basis: "excluded", percent: 21, name: "BTW" } as const;
    const { cdr } = cdrFromIntervals(intervals, facts, { version, tax, rounding: "half-up" });
    // 0.333 × 0.3333 = 0.1109889; with 21 % 0.134296569
    expect(cdr.total_cost).toEqual(
      version === "2.2.1"
        ? { excl_vat: 0.11, incl_vat: 0.13 }
        : { before_taxes: 0.11, taxes: [{ name: "BTW", percentage: 21, amount: 0.02 }] },
    );
  });

  test("a tax that nobody named is not made up", () => {
    const rule = { version, tax: { basis: "excluded" }, rounding: "half-even" } as const;
    const { cdr } = cdrFromIntervals([interval(0, { importWh: 1000 })], facts, rule);
    expect(cdr.total_cost).toEqual(version === "2.2.1" ? { excl_vat: 18 } : { before_taxes: 18, taxes: [] });
  });

  test("a credit takes the total back and keeps all else", () => {
    const { cdr } = cdrFromIntervals([interval(0, { importWh: 5500 })], facts, { version, ...noTax });
    const credit = creditCdr(cdr, START + 7_200_000);
    expect(credit).toEqual({
      ...cdr,
      id: "C-1-C",
      credit: true,
      credit_reference_id: "C-1",
      total_cost: version === "2.2.1" ? { excl_vat: -99, incl_vat: -99 } : { before_taxes: -99, taxes: [] },
      last_updated: "2026-06-15T12:00:00Z",
    });
    expect(() => checkObject(version, "cdrs", credit)).not.toThrow();
    expect(() => creditCdr(credit, START)).toThrow(/credit itself/);
    expect(() => creditCdr({ ...cdr, id: "x".repeat(38) }, START)).toThrow(/39/);
  });

  test("a CDR read back gives the intervals, and finds nothing wrong", () => {
    const intervals = [interval(0, { importWh: 1234 }), interval(1, { exportWh: 17, pricePerKWh: -0.5 }), interval(2)];
    const { cdr } = cdrFromIntervals(intervals, facts, { version, ...noTax });
    const settlement = settlementFromCdr(cdr);
    expect(settlement.faults).toEqual([]);
    expect(settlement.lines).toEqual(
      intervals.map(({ startMs, endMs, importWh, exportWh, pricePerKWh }) => ({
        startMs,
        endMs,
        netImportWh: importWh - exportWh,
        // 2.2.1 has no word for "no taxes apply"; its prices are without VAT.
        price: { pricePerKWh, currency: "INR", tax: version === "2.2.1" ? "excluded" : "none" },
        tariffId: `market-INR-${pricePerKWh}`,
      })),
    );
  });
});

test("taxes within the price: what is before them is told", () => {
  const tax = { basis: "included", percent: 10, name: "GST" } as const;
  const rule = { version: "2.3.0", tax, rounding: "half-even" } as const;
  const { cdr } = cdrFromIntervals([interval(0, { importWh: 5500 })], facts, rule);
  expect(cdr.total_cost).toEqual({ before_taxes: 90, taxes: [{ name: "GST", percentage: 10, amount: 9 }] });
  expect(cdr.tariffs?.[0]).toMatchObject({ tax_included: "YES" });
  expect(settlementFromCdr(cdr).faults).toEqual([]);
  expect(() => cdrFromIntervals([interval(0)], facts, { ...rule, version: "2.2.1" })).toThrow(/2.2.1 never include/);
});

test("the cost is rounded once: 96 intervals of 137 Wh at 0.0912 are 1.20, not 0.96", () => {
  const intervals = Array.from({ length: 96 }, (_, index) =>
    interval(index, { importWh: 137, pricePerKWh: 0.091234, currency: "EUR" }),
  );
  const statement = cdrFromIntervals(intervals, facts, { version: "2.2.1", ...noTax });
  expect(statement.cdr.total_cost).toMatchObject({ excl_vat: 1.2 });
  expect(statement).toMatchObject({
    unroundedCost: "1.1994624",
    roundedPrices: 96,
    decimals: 2,
    rounding: "half-even",
  });
});

test.each([
  ["half-even", 500, 0.02],
  ["half-even", 1500, 0.08],
  ["half-up", 500, 0.03],
  ["half-up", 1500, 0.08],
] as const)("%s: %i Wh at 0.05 cost %d", (rounding, importWh, cost) => {
  const intervals = [interval(0, { importWh, pricePerKWh: 0.05, currency: "EUR" })];
  const { cdr } = cdrFromIntervals(intervals, facts, { version: "2.2.1", tax: { basis: "none" }, rounding });
  expect(cdr.total_cost).toMatchObject({ excl_vat: cost });
});

test.each([
  ["JPY", 0, 123],
  ["EUR", 2, 123.46],
  ["KWD", 3, 123.457],
])("%s has %i decimals", (currency, decimals, cost) => {
  const intervals = [
    interval(0, { importWh: 1_000_000, pricePerKWh: 0.1235, currency }),
    interval(1, { importWh: 0, currency }),
  ];
  const changed = [{ ...intervals[0], importWh: 999_650 } as EnergyInterval];
  const statement = cdrFromIntervals(changed, facts, { version: "2.2.1", ...noTax });
  expect(statement).toMatchObject({ decimals, cdr: { total_cost: { excl_vat: cost } } });
});

test.each([
  ["nothing", [], /no interval/],
  ["half a Wh", [interval(0, { importWh: 0.5 })], /interval 0: importWh must be whole Wh/],
  ["negative import", [interval(0, { importWh: -1 })], /interval 0: importWh/],
  ["an overlap", [interval(0), interval(0)], /interval 1: begins before/],
  ["two currencies", [interval(0), interval(1, { currency: "EUR" })], /interval 1: is in EUR, the first one in INR/],
  ["no price", [interval(0, { pricePerKWh: Number.NaN })], /interval 0: pricePerKWh/],
  ["a gap", [interval(0), interval(2)], /interval 1: begins after a gap/],
])("intervals with %s are refused", (_name, intervals, fault) => {
  expect(() => cdrFromIntervals(intervals, facts, { version: "2.2.1", ...noTax })).toThrow(fault);
});

test("a gap becomes a period of its own only where that was asked for", () => {
  const { cdr } = cdrFromIntervals([interval(0), interval(2)], facts, { version: "2.2.1", ...noTax, gaps: "zero" });
  expect(cdr.charging_periods[1]).toEqual({
    start_date_time: "2026-06-15T10:15:00Z",
    dimensions: [{ type: "ENERGY", volume: 0 }],
  });
});

test("a CDR of another operator that does not add up is told so", () => {
  const wrong = aCdr("2.2.1", { total_energy: 6, total_energy_cost: { excl_vat: 90 } });
  expect(settlementFromCdr(wrong).faults).toEqual([
    "the periods add up to 5.5 kWh and total_energy is 6 kWh",
    "the periods cost 99 INR and total_energy_cost is 90",
  ]);
  const [period] = aCdr("2.2.1").charging_periods;
  const unknown = aCdr("2.2.1", { charging_periods: period ? [{ ...period, tariff_id: "nobody" }] : [] });
  const settlement = settlementFromCdr(unknown);
  expect(settlement.faults).toEqual(['charging_periods[0] names tariff "nobody", which the CDR does not contain']);
  expect(settlement.lines[0]).not.toHaveProperty("price");
  expect(settlement).not.toHaveProperty("energyCost");
});

test("a tariff by time of day prices each period of a CDR in the zone of the location", () => {
  const [tariff] = aCdr("2.3.0").tariffs ?? [];
  if (tariff === undefined) throw new Error("no tariff");
  const nightly = {
    ...tariff,
    elements: [energyElement(10, { start_time: "22:00", end_time: "06:00" }), energyElement(20)],
  };
  const cdr = aCdr("2.3.0", {
    tariffs: [nightly],
    start_date_time: "2026-06-15T19:30:00Z",
    end_date_time: "2026-06-15T20:30:00Z",
    charging_periods: [
      { start_date_time: "2026-06-15T19:30:00Z", dimensions: [{ type: "ENERGY", volume: 1 }], tariff_id: "flat" },
      { start_date_time: "2026-06-15T20:00:00Z", dimensions: [{ type: "ENERGY", volume: 1 }], tariff_id: "flat" },
    ],
    total_energy: 2,
    total_cost: { before_taxes: 30, taxes: [] },
  });
  const prices = (timeZone: string) =>
    settlementFromCdr(cdr, { timeZone }).lines.map(({ price }) => price?.pricePerKWh);
  expect(prices("Europe/Brussels")).toEqual([20, 10]);
  expect(prices("UTC")).toEqual([20, 20]);
});
