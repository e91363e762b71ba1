import { describe, expect, test } from "vitest";
import { curveFault, powerRangeAt } from "../../src/model/bid-curve.ts";
import { localDay } from "../../src/ocpi/local-time.ts";
import type { OcpiTariff } from "../../src/ocpi/ocpi-objects.ts";
import { bidCurveFromTariff } from "../../src/ocpi/tariff-curve.ts";
import { type PriceSlot, tariffSlots } from "../../src/ocpi/tariff-slots.ts";
import { aTariff, energyElement } from "../support/ocpi-objects.ts";

const ZONE = "Europe/Brussels";

function shown(tariff: OcpiTariff, date: string, timeZone = ZONE): string[] {
  const { slots } = tariffSlots(tariff, localDay(date, timeZone), timeZone);
  const time = (ms: number) => new Date(ms).toISOString().slice(5, 16);
  return slots.map(({ startMs, endMs, pricePerKWh }) => `${time(startMs)} ${time(endMs)} ${pricePerKWh}`);
}

describe("prices over a day", () => {
  test("18.0 stays 18.0, in its own currency", () => {
    const { slots, notIncluded } = tariffSlots(
      aTariff("2.2.1"),
      localDay("2026-06-15", "Asia/Kolkata"),
      "Asia/Kolkata",
    );
    expect(slots).toEqual([
      {
        startMs: Date.UTC(2026, 5, 14, 18, 30),
        endMs: Date.UTC(2026, 5, 15, 18, 30),
        pricePerKWh: 18,
        currency: "INR",
        tax: "excluded",
      },
    ]);
    expect(notIncluded).toEqual([]);
  });

  test("a window over midnight holds at both ends of the day", () => {
    const tariff = aTariff("2.2.1", {
      elements: [energyElement(10, { start_time: "22:00", end_time: "06:00" }), energyElement(20)],
    });
    expect(shown(tariff, "2026-06-15")).toEqual([
      "06-14T22:00 06-15T04:00 10",
      "06-15T04:00 06-15T20:00 20",
      "06-15T20:00 06-15T22:00 10",
    ]);
  });

  test("00:00 ends the day, and the first element that fits wins", () => {
    const tariff = aTariff("2.2.1", {
      elements: [
        energyElement(30, { start_time: "18:00", end_time: "00:00" }),
        energyElement(25, { start_time: "12:00", end_time: "20:00" }),
        energyElement(20),
      ],
    });
    expect(shown(tariff, "2026-06-15")).toEqual([
      "06-14T22:00 06-15T10:00 20",
      "06-15T10:00 06-15T16:00 25",
      "06-15T16:00 06-15T22:00 30",
    ]);
  });

  test("days of the week and dates are the location's own", () => {
    const tariff = aTariff("2.2.1", {
      elements: [
        energyElement(1, { start_date: "2026-06-20", end_date: "2026-06-21" }),
        energyElement(5, { day_of_week: ["SATURDAY", "SUNDAY"] }),
        energyElement(9),
      ],
    });
    expect(shown(tariff, "2026-06-19")).toEqual(["06-18T22:00 06-19T22:00 9"]);
    expect(shown(tariff, "2026-06-20")).toEqual(["06-19T22:00 06-20T22:00 1"]);
    expect(shown(tariff, "2026-06-21")).toEqual(["06-20T22:00 06-21T22:00 5"]);
  });

  test("the day on which the clocks go forward has 23 hours, the other one 25 and 02:30 twice", () => {
    const tariff = aTariff("2.2.1", {
      elements: [energyElement(1, { start_time: "02:30", end_time: "03:30" }), energyElement(2)],
    });
    expect(shown(tariff, "2026-03-29")).toEqual([
      "03-28T23:00 03-29T01:00 2",
      "03-29T01:00 03-29T01:30 1",
      "03-29T01:30 03-29T22:00 2",
    ]);
    expect(shown(tariff, "2026-10-25")).toEqual([
      "10-24T22:00 10-25T00:30 2",
      "10-25T00:30 10-25T01:00 1",
      "10-25T01:00 10-25T01:30 2",
      "10-25T01:30 10-25T02:30 1",
      "10-25T02:30 10-25T23:00 2",
    ]);
  });

  test("there is no price where the tariff is not valid", () => {
    const tariff = aTariff("2.2.1", { start_date_time: "2026-06-15T08:00:00Z", end_date_time: "2026-06-15T09:00:00Z" });
    expect(shown(tariff, "2026-06-15")).toEqual(["06-15T08:00 06-15T09:00 18"]);
    expect(shown(tariff, "2026-06-17")).toEqual([]);
  });

  test("a price by duration changes in the middle of the session", () => {
    const tariff = aTariff("2.2.1", { elements: [energyElement(0, { max_duration: 1800 }), energyElement(0.25)] });
    const startMs = Date.UTC(2026, 5, 15, 10, 7);
    const { slots } = tariffSlots(tariff, { startMs, endMs: startMs + 3_600_000 }, ZONE, { startMs });
    expect(slots.map(({ startMs: at, pricePerKWh }) => [(at - startMs) / 60_000, pricePerKWh])).toEqual([
      [0, 0],
      [30, 0.25],
    ]);
  });

  test("a price by power or energy is told for a power or energy only", () => {
    const tariff = aTariff("2.2.1", { elements: [energyElement(1, { max_power: 16 }), energyElement(2)] });
    const day = localDay("2026-06-15", ZONE);
    expect(() => tariffSlots(tariff, day, ZONE)).toThrow(/element 0 is restricted by power/);
    expect(tariffSlots(tariff, day, ZONE, { powerKW: 11 }).slots[0]?.pricePerKWh).toBe(1);
    expect(tariffSlots(tariff, day, ZONE, { powerKW: 16 }).slots[0]?.pricePerKWh).toBe(2);
    const firstFree = aTariff("2.2.1", { elements: [energyElement(0, { max_kwh: 1 }), energyElement(0.2)] });
    expect(tariffSlots(firstFree, day, ZONE, { energyKWh: 0.5 }).slots[0]?.pricePerKWh).toBe(0);
    expect(tariffSlots(firstFree, day, ZONE, { energyKWh: 1 }).slots[0]?.pricePerKWh).toBe(0.2);
  });

  test("reservations price no energy, and costs beside energy are named", () => {
    const tariff = aTariff("2.2.1", {
      elements: [
        energyElement(99, { reservation: "RESERVATION" }),
        {
          price_components: [
            { type: "FLAT", price: 0.5, step_size: 1 },
            { type: "ENERGY", price: 18, step_size: 1 },
          ],
        },
        { price_components: [{ type: "PARKING_TIME", price: 5, step_size: 300 }] },
      ],
      max_price: { excl_vat: 10 },
    });
    const { slots, notIncluded } = tariffSlots(tariff, localDay("2026-06-15", ZONE), ZONE);
    expect(slots[0]?.pricePerKWh).toBe(18);
    expect(notIncluded).toEqual(["FLAT", "PARKING_TIME", "max_price"]);
  });

  test.each([
    ["2.2.1", undefined, "excluded"],
    ["2.3.0", "NO", "excluded"],
    ["2.3.0", "YES", "included"],
    ["2.3.0", "N/A", "none"],
  ] as const)("%s with tax_included %s is %s, and the rate is kept as it is", (version, tax_included, tax) => {
    const tariff = aTariff(version, {
      elements: [energyElement(18, undefined, 21)],
      ...(tax_included && { tax_included }),
    });
    expect(tariffSlots(tariff, localDay("2026-06-15", ZONE), ZONE).slots[0]).toMatchObject({
      tax,
      vatPercent: 21,
      pricePerKWh: 18,
    });
  });

  test.each([
    [{ start_date_time: "yesterday" }, /start_date_time "yesterday"/],
    [{ elements: [energyElement(1, { start_time: "25:00" })] }, /"25:00" is not a time of day/],
  ])("a tariff that can't be read is refused: %j", (changes, fault) => {
    expect(() => tariffSlots(aTariff("2.2.1", changes), localDay("2026-06-15", ZONE), ZONE)).toThrow(fault);
  });

  test("a day and a zone must exist", () => {
    expect(() => localDay("2026-02-30", ZONE)).toThrow(/not a date/);
    expect(() => localDay("2026-06-15", "Europe/Atlantis")).toThrow(RangeError);
  });
});

describe("the curve of a tariff", () => {
  const slot: PriceSlot = { startMs: 0, endMs: 1, pricePerKWh: 0.18, currency: "INR", tax: "excluded", vatPercent: 18 };

  test("an operator's offer is the seed's: nothing up to 0.15, 60 kW from 0.18", () => {
    const options = { side: "supply", maxPowerKW: 60, currency: "INR", slopeFromPricePerKWh: 0.15 } as const;
    const { curve, tax, vatPercent } = bidCurveFromTariff(slot, options);
    expect(curve).toEqual({
      shape: "LINEAR",
      currency: "INR",
      points: [
        { pricePerKWh: 0.15, powerKW: 0 },
        { pricePerKWh: 0.18, powerKW: 60 },
      ],
    });
    expect({ tax, vatPercent }).toEqual({ tax: "excluded", vatPercent: 18 });
  });

  test("a driver takes power up to the tariff and none above", () => {
    const { curve } = bidCurveFromTariff(
      { ...slot, pricePerKWh: 18 },
      { side: "demand", maxPowerKW: 11, currency: "INR" },
    );
    expect(curveFault(curve.points)).toBeUndefined();
    expect(powerRangeAt(curve, 17.99)).toEqual({ lowKW: -11, highKW: -11 });
    expect(powerRangeAt(curve, 18)).toEqual({ lowKW: -11, highKW: 0 });
    expect(powerRangeAt(curve, 18.01)).toEqual({ lowKW: 0, highKW: 0 });
  });

  test("another currency, a power of nothing and a slope that falls are refused", () => {
    const options = { side: "supply", maxPowerKW: 60, currency: "INR" } as const;
    expect(() => bidCurveFromTariff(slot, { ...options, currency: "EUR" })).toThrow(/in INR and the market in EUR/);
    expect(() => bidCurveFromTariff(slot, { ...options, maxPowerKW: 0 })).toThrow(/above 0/);
    expect(() => bidCurveFromTariff(slot, { ...options, slopeFromPricePerKWh: 0.18 })).toThrow(/start below/);
  });
});
