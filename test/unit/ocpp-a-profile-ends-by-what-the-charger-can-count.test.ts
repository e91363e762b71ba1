import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Profile, profileFields } from "../../adapters/ocpp/control/charging-profile.ts";

const NOW_MS = Date.UTC(2026, 10, 23, 14);
const MINUTE_MS = 60_000;

const profile = (more: Partial<Profile> = {}) =>
  profileFields({
    id: 7012,
    connector: 1,
    purpose: "TxProfile",
    kind: "Relative",
    stackLevel: 1,
    transactionId: 815,
    limit: { unit: "A", value: 10 },
    phases: 3,
    nowMs: NOW_MS,
    untilMs: NOW_MS + 15 * MINUTE_MS,
    ...more,
  });

describe("a relative profile", () => {
  test("counts from the start of the transaction, where that is known, and needs no clock then", () => {
    const { head, schedule } = profile({ transactionSinceMs: NOW_MS - 10 * MINUTE_MS, clockless: true });
    expect(schedule).not.toHaveProperty("startSchedule");
    expect(schedule["duration"]).toBe(25 * 60);
    expect(head).not.toHaveProperty("validTo");
  });

  test("has both ends where the charger has a clock", () => {
    const { head, schedule } = profile({ transactionSinceMs: NOW_MS - 10 * MINUTE_MS });
    expect(schedule["duration"]).toBe(25 * 60);
    expect(head["validTo"]).toBe("2026-11-23T14:15:00Z");
  });

  test("has no length where the transaction began nobody knows when: too short a one would be over already", () => {
    const { head, schedule } = profile({ clockless: true });
    expect(schedule).not.toHaveProperty("duration");
    // Then a time that may be wrong is better than none.
    expect(head).toHaveProperty("validTo");
  });

  test("for a transaction still to come is bounded by the time that is left, where there is no clock", () => {
    const base = { purpose: "TxDefaultProfile" as const, clockless: true };
    const { transactionId: _, ...idle } = { ...base, transactionId: 0 };
    const { schedule } = profileFields({
      id: 7011,
      connector: 1,
      kind: "Relative",
      stackLevel: 1,
      limit: { unit: "A", value: 10 },
      nowMs: NOW_MS,
      untilMs: NOW_MS + 15 * MINUTE_MS,
      ...idle,
    });
    expect(schedule["duration"]).toBe(15 * 60);
  });

  test("says the fallback behind the target where it can count", () => {
    const { head, schedule } = profile({
      transactionSinceMs: NOW_MS - 10 * MINUTE_MS,
      afterwards: { unit: "A", value: 6 },
    });
    expect(schedule["chargingSchedulePeriod"]).toMatchObject([
      { startPeriod: 0, limit: 10 },
      { startPeriod: 1500, limit: 6 },
    ]);
    expect(head).not.toHaveProperty("validTo");
    expect(schedule).not.toHaveProperty("duration");
  });
});

test("whatever is asked, a profile that is to end says an end, or what follows it", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("Absolute" as const, "Relative" as const),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 86_400 }),
      (kind, clockless, sinceIsKnown, shared, leftS) => {
        const { head, schedule } = profile({
          kind,
          untilMs: NOW_MS + leftS * 1000,
          ...(clockless ? { clockless } : {}),
          ...(sinceIsKnown ? { transactionSinceMs: NOW_MS - MINUTE_MS } : {}),
          ...(shared ? { afterwards: { unit: "A" as const, value: 6 } } : {}),
        });
        const periods = schedule["chargingSchedulePeriod"] as readonly { startPeriod: number }[];
        expect("validTo" in head || "duration" in schedule || periods.length === 2).toBe(true);
        if ("duration" in schedule) expect(schedule["duration"]).toBeGreaterThan(0);
        expect(periods.every(({ startPeriod }, index) => index === 0 || startPeriod > 0)).toBe(true);
      },
    ),
  );
});
