import fc from "fast-check";
import { expect, test } from "vitest";
import { turnSign } from "../../simulators/charger/power/import-sign.ts";
import { type ChargingProfile, periodAt } from "../../simulators/charger/profiles/charging-profile.ts";
import { compositeSchedule } from "../../simulators/charger/profiles/composite-schedule.ts";
import { effectiveLimit, limitKW, type Wiring } from "../../simulators/charger/profiles/effective-limit.ts";

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const moment = { nowMs: NOW_MS, transactionStartMs: NOW_MS - 120_000 };

const wiring: fc.Arbitrary<Wiring> = fc.record({
  phases: fc.constantFrom(1 as const, 3 as const),
  maxA: fc.constantFrom(16, 32),
  voltageV: fc.constantFrom(230, 240),
});

const seconds = (least: number, most: number) => fc.integer({ min: least, max: most }).map((value) => value * 1000);

const period = fc.record(
  { limit: fc.integer({ min: 0, max: 400 }).map((tenths) => tenths / 10), phases: fc.constantFrom(1, 3) },
  { requiredKeys: ["limit"] },
);

const profile: fc.Arbitrary<ChargingProfile> = fc
  .record(
    {
      id: fc.nat(),
      connectorId: fc.constantFrom(0, 1),
      purpose: fc.constantFrom("max" as const, "tx-default" as const, "tx" as const),
      stackLevel: fc.nat({ max: 8 }),
      kind: fc.constantFrom("Absolute" as const, "Relative" as const),
      startScheduleMs: seconds(-300, 300).map((offsetMs) => NOW_MS + offsetMs),
      durationMs: seconds(1, 600),
      validFromMs: seconds(-300, 300).map((offsetMs) => NOW_MS + offsetMs),
      validToMs: seconds(-300, 600).map((offsetMs) => NOW_MS + offsetMs),
      unit: fc.constantFrom("A" as const, "W" as const),
      periods: fc.array(period, { minLength: 1, maxLength: 4 }),
    },
    { requiredKeys: ["id", "connectorId", "purpose", "stackLevel", "kind", "startScheduleMs", "unit", "periods"] },
  )
  .map((made) => ({
    ...made,
    periods: made.periods.map((entry, index) => ({
      ...entry,
      startMs: index * 45_000,
      limit: made.unit === "W" ? entry.limit * 690 : entry.limit,
    })),
  }));

const profiles = fc.array(profile, { maxLength: 8 });

test("no profile makes a charger give more than its cable carries, on more phases than it has", () => {
  fc.assert(
    fc.property(profiles, wiring, (installed, wires) => {
      const limit = effectiveLimit(installed, moment, wires);
      expect(limit.limitA).toBeGreaterThanOrEqual(0);
      expect(limit.limitA).toBeLessThanOrEqual(wires.maxA);
      expect(limit.phases).toBeLessThanOrEqual(wires.phases);
    }),
  );
});

test("a maximum in watts is never exceeded, however many phases a transaction uses", () => {
  fc.assert(
    fc.property(profiles, wiring, fc.integer({ min: 0, max: 22_000 }), (installed, wires, capW) => {
      const cap: ChargingProfile = {
        id: -1,
        connectorId: 0,
        purpose: "max",
        stackLevel: 9,
        kind: "Absolute",
        startScheduleMs: NOW_MS,
        unit: "W",
        periods: [{ startMs: 0, limit: capW }],
      };
      expect(limitKW(effectiveLimit([...installed, cap], moment, wires), wires)).toBeLessThanOrEqual(
        capW / 1000 + 1e-9,
      );
    }),
  );
});

test("the order in which profiles arrived does not matter", () => {
  fc.assert(
    fc.property(profiles, wiring, (installed, wires) => {
      // Two at one place cannot be installed together, so they do not meet here either.
      const places = new Map(
        installed.map((entry) => [`${entry.purpose}/${entry.stackLevel}/${entry.connectorId}`, entry]),
      );
      const distinct = [...places.values()];
      expect(effectiveLimit(distinct.toReversed(), moment, wires)).toEqual(effectiveLimit(distinct, moment, wires));
    }),
  );
});

test("a profile that does not hold now changes nothing", () => {
  fc.assert(
    fc.property(profiles, profile, wiring, (installed, other, wires) => {
      fc.pre(periodAt(other, moment) === undefined);
      expect(effectiveLimit([...installed, other], moment, wires)).toEqual(effectiveLimit(installed, moment, wires));
    }),
  );
});

test("the composite schedule says at every second what binds at that second", () => {
  fc.assert(
    fc.property(profiles, wiring, fc.integer({ min: 0, max: 299 }), (installed, wires, second) => {
      const schedule = compositeSchedule(installed, moment, { durationMs: 300_000, unit: "A", wiring: wires });
      const said = schedule.findLast((entry) => entry.startPeriod <= second);
      const binds = effectiveLimit(installed, { ...moment, nowMs: NOW_MS + second * 1000 }, wires);
      expect(said?.limit).toBeCloseTo(binds.limitA, 0);
      expect(binds.limitA - (said?.limit ?? Number.NaN)).toBeLessThan(0.1 + 1e-6);
      expect(said?.numberPhases).toBe(binds.phases);
    }),
  );
});

test("a daily schedule holds again a day later, and not in between", () => {
  const daily: ChargingProfile = {
    id: 1,
    connectorId: 1,
    purpose: "tx-default",
    stackLevel: 0,
    kind: "Recurring",
    recurrenceMs: 86_400_000,
    startScheduleMs: NOW_MS,
    durationMs: 3_600_000,
    unit: "A",
    periods: [{ startMs: 0, limit: 8 }],
  };
  const at = (hours: number) => periodAt(daily, { nowMs: NOW_MS + hours * 3_600_000 })?.limit;
  expect([-1, 0, 0.9, 1, 23.9, 24, 24.9, 25, 240].map(at)).toEqual([
    undefined,
    8,
    8,
    undefined,
    undefined,
    8,
    8,
    undefined,
    8,
  ]);
});

test("the sign turns once: twice is the same power, and zero stays plain zero", () => {
  fc.assert(
    fc.property(fc.double({ min: -400, max: 400, noNaN: true }), (powerKW) => {
      expect(turnSign(turnSign(powerKW))).toBe(powerKW === 0 ? 0 : powerKW);
      if (powerKW > 0) expect(turnSign(powerKW)).toBeLessThan(0);
    }),
  );
  expect(Object.is(turnSign(0), 0) && Object.is(turnSign(-0), 0)).toBe(true);
});
