import { describe, expect, test } from "vitest";
import { limitFromBackend } from "../../adapters/ocpp/proxy/backend-limit.ts";
import { readBackendProfile } from "../../adapters/ocpp/proxy/backend-profile.ts";
import { BackendProfiles } from "../../adapters/ocpp/proxy/backend-profiles.ts";
import type { OcppVersion } from "../../adapters/ocpp/version.ts";

const NOON_MS = Date.UTC(2026, 5, 1, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const THREE_PHASES = { phases: 3, voltageV: 230 };

const at = (timeMs: number) => new Date(timeMs).toISOString();

interface Wanted {
  readonly id?: number;
  readonly connector?: number;
  readonly stackLevel?: number;
  readonly purpose?: string;
  readonly kind?: string;
  readonly more?: Record<string, unknown>;
  readonly schedule?: Record<string, unknown>;
}

/** A 1.6 profile in watts, from noon on. */
function profile(limitW: number, wanted: Wanted = {}) {
  return {
    chargingProfileId: wanted.id ?? 1,
    stackLevel: wanted.stackLevel ?? 0,
    chargingProfilePurpose: wanted.purpose ?? "TxDefaultProfile",
    chargingProfileKind: wanted.kind ?? "Absolute",
    ...wanted.more,
    chargingSchedule: {
      startSchedule: at(NOON_MS),
      chargingRateUnit: "W",
      chargingSchedulePeriod: [{ startPeriod: 0, limit: limitW }],
      ...wanted.schedule,
    },
  };
}

function kept(...list: readonly (readonly [limitW: number, wanted?: Wanted])[]): BackendProfiles {
  const profiles = new BackendProfiles();
  for (const [index, [limitW, wanted = {}]] of list.entries()) {
    const raw = profile(limitW, { id: index + 1, ...wanted });
    const read = readBackendProfile("ocpp1.6", wanted.connector ?? 1, raw);
    if ("code" in read) throw new Error(read.text);
    expect(profiles.set(read, raw, NOON_MS)).toBe("kept");
  }
  return profiles;
}

const running = { id: "7", startedAtMs: NOON_MS + HOUR_MS };
const wattsAt = (profiles: BackendProfiles, timeMs: number, transaction?: typeof running) =>
  profiles.limitsAt(1, timeMs, transaction).connector?.value;

describe("of the profiles that say something now", () => {
  test("the highest stack level counts, and below it the next while the highest is silent", () => {
    const profiles = kept([9000, { stackLevel: 0 }], [3000, { stackLevel: 5, schedule: { duration: 3600 } }]);
    expect(wattsAt(profiles, NOON_MS)).toBe(3000);
    expect(wattsAt(profiles, NOON_MS + HOUR_MS)).toBe(9000);
    expect(profiles.limitsAt(1, NOON_MS, undefined).nextChangeMs).toBe(NOON_MS + HOUR_MS);
  });

  test("one for the transaction goes before the default, whatever their levels, and needs a transaction", () => {
    const profiles = kept([3000, { stackLevel: 9 }], [8000, { purpose: "TxProfile", stackLevel: 0 }]);
    expect(wattsAt(profiles, NOON_MS)).toBe(3000);
    expect(wattsAt(profiles, NOON_MS, running)).toBe(8000);
    profiles.endTransaction(1);
    expect(wattsAt(profiles, NOON_MS, running)).toBe(3000);
  });

  test("one for another transaction says nothing", () => {
    const profiles = kept([8000, { purpose: "TxProfile", more: { transactionId: 8 } }]);
    expect(wattsAt(profiles, NOON_MS, running)).toBeUndefined();
  });

  test("one of the connector goes before one of the whole station", () => {
    const profiles = kept([3000, { connector: 0 }], [8000, { connector: 1 }]);
    expect(wattsAt(profiles, NOON_MS)).toBe(8000);
    expect(profiles.limitsAt(2, NOON_MS, undefined).connector?.value).toBe(3000);
  });

  test("a new one takes the place of the old one at its purpose, level and connector", () => {
    const profiles = kept([3000, { id: 1 }], [8000, { id: 2 }]);
    expect(profiles.kept).toHaveLength(1);
    expect(wattsAt(profiles, NOON_MS)).toBe(8000);
  });
});

describe("a schedule", () => {
  test("that is relative counts from the start of the transaction", () => {
    const periods = [
      { startPeriod: 0, limit: 9000 },
      { startPeriod: 1800, limit: 2000 },
    ];
    const profiles = kept([0, { kind: "Relative", schedule: { chargingSchedulePeriod: periods } }]);
    expect(wattsAt(profiles, NOON_MS + 2 * HOUR_MS)).toBeUndefined();
    expect(wattsAt(profiles, running.startedAtMs, running)).toBe(9000);
    expect(wattsAt(profiles, running.startedAtMs + 1_800_000, running)).toBe(2000);
  });

  test("that recurs begins anew each day", () => {
    const periods = [
      { startPeriod: 0, limit: 9000 },
      { startPeriod: 7200, limit: 2000 },
    ];
    const wanted = {
      kind: "Recurring",
      more: { recurrencyKind: "Daily" },
      schedule: { chargingSchedulePeriod: periods },
    };
    const profiles = kept([0, wanted]);
    for (const day of [0, 1, 30]) {
      expect(wattsAt(profiles, NOON_MS + day * DAY_MS + HOUR_MS)).toBe(9000);
      expect(wattsAt(profiles, NOON_MS + day * DAY_MS + 3 * HOUR_MS)).toBe(2000);
    }
    expect(profiles.limitsAt(1, NOON_MS + 3 * HOUR_MS, undefined).nextChangeMs).toBe(NOON_MS + DAY_MS);
  });

  test("says nothing before validFrom and from validTo on", () => {
    const more = { validFrom: at(NOON_MS + HOUR_MS), validTo: at(NOON_MS + 2 * HOUR_MS) };
    const profiles = kept([9000, { more }]);
    expect(wattsAt(profiles, NOON_MS + HOUR_MS - 1)).toBeUndefined();
    expect(wattsAt(profiles, NOON_MS + HOUR_MS)).toBe(9000);
    expect(wattsAt(profiles, NOON_MS + 2 * HOUR_MS)).toBeUndefined();
  });
});

describe("as a limit of ours", () => {
  test("import is negative, and the cap of the station lies over the connector's", () => {
    const profiles = kept([9000], [4000, { purpose: "ChargePointMaxProfile", connector: 0 }]);
    const limits = profiles.limitsAt(1, NOON_MS, undefined);
    expect(limitFromBackend(limits, THREE_PHASES, 1)).toEqual({ source: "backend", minPowerKW: -4 });
    expect(limitFromBackend(limits, THREE_PHASES, 2)).toEqual({ source: "backend", minPowerKW: -2 });
  });

  test("amps are per phase, and one phase of a profile gives a third", () => {
    const inAmps = (phases?: number) => {
      const period = { startPeriod: 0, limit: 16, ...(phases === undefined ? {} : { numberPhases: phases }) };
      const schedule = { chargingRateUnit: "A", chargingSchedulePeriod: [period] };
      return kept([0, { schedule }]).limitsAt(1, NOON_MS, undefined);
    };
    expect(limitFromBackend(inAmps(), THREE_PHASES, 1)?.minPowerKW).toBeCloseTo(-11.04, 9);
    expect(limitFromBackend(inAmps(1), THREE_PHASES, 1)?.minPowerKW).toBeCloseTo(-3.68, 9);
    expect(limitFromBackend(inAmps(), { phases: 1, voltageV: 230 }, 1)?.minPowerKW).toBeCloseTo(-3.68, 9);
  });

  test("a limit of 0 is a bound, and none is none", () => {
    const zero = limitFromBackend(kept([0]).limitsAt(1, NOON_MS, undefined), THREE_PHASES, 1);
    expect(zero).toEqual({ source: "backend", minPowerKW: 0 });
    expect(limitFromBackend(kept().limitsAt(1, NOON_MS, undefined), THREE_PHASES, 1)).toBeUndefined();
  });
});

describe("a profile is refused, with the fault named,", () => {
  const read = (raw: Record<string, unknown>, connector = 1, version: OcppVersion = "ocpp1.6") => {
    const outcome = readBackendProfile(version, connector, raw);
    return "code" in outcome ? outcome.text : "read";
  };
  test.each([
    ["whose limit is negative", profile(-5), /period 0 has no limit of 0 or more/],
    ["in a unit that there is not", profile(5, { schedule: { chargingRateUnit: "kW" } }), /must be A or W/],
    ["without periods", profile(5, { schedule: { chargingSchedulePeriod: [] } }), /no period/],
    ["that is absolute without a start", profile(5, { schedule: { startSchedule: undefined } }), /needs startSchedule/],
    ["with a start that is no time", profile(5, { schedule: { startSchedule: "soon" } }), /startSchedule is no time/],
    ["that recurs without saying when", profile(5, { kind: "Recurring" }), /needs recurrencyKind/],
    ["with a purpose that is not known", profile(5, { purpose: "TxWish" }), /chargingProfilePurpose/],
    ["for the station at one connector", profile(5, { purpose: "ChargePointMaxProfile" }), /belongs to connector 0/],
    ["with no stack level", profile(5, { more: { stackLevel: undefined } }), /stackLevel/],
  ])("%s", (_name, raw, expected) => {
    expect(read(raw)).toMatch(expected);
  });

  test("whose periods are out of order", () => {
    const periods = [
      { startPeriod: 0, limit: 1 },
      { startPeriod: 60, limit: 1 },
      { startPeriod: 30, limit: 1 },
    ];
    expect(read(profile(0, { schedule: { chargingSchedulePeriod: periods } }))).toMatch(/go on in order/);
  });
});
