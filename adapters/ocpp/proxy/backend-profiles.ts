import type { RateUnit } from "../control/import-limit.ts";
import type { JsonRecord } from "../link/json.ts";
import type { BackendProfile, BackendPurpose, ClearCriteria } from "./backend-profile.ts";

/** Profiles kept for one station. A backend that needs more is not in its right mind. */
const MAX_PROFILES = 64;

/** What runs on a connector now, as far as profiles care. */
export interface RunningTransaction {
  /** The backend's own id. */
  readonly id: string;
  readonly startedAtMs: number;
}

/** A limit as the backend wrote it: amps on each of `phases`, or watts in all. */
export interface WireLimit {
  readonly unit: RateUnit;
  readonly value: number;
  readonly phases: number;
}

/** What the backend allows at one moment; absent is no limit. */
export interface BackendLimits {
  /** For the connector. */
  readonly connector?: WireLimit;
  /** For the station, over all its connectors. */
  readonly station?: WireLimit;
  /** Wall time at which this may be different; absent where nothing is to come. */
  readonly nextChangeMs?: number;
}

/**
 * The charging profiles that a backend has set on a charger through us, stacked as OCPP says: a profile of the transaction
 * goes before the default, of several the highest stack level that says something now, and the station's own cap lies over
 * all (OCPP 1.6, 3.13.2; 2.0.1 part 2, K01).
 */
export class BackendProfiles {
  #profiles: readonly Kept[];

  constructor(kept: readonly Kept[] = []) {
    this.#profiles = kept.slice(-MAX_PROFILES);
  }

  /** All of them with their time of arrival, as they are kept over a restart. */
  get kept(): readonly Kept[] {
    return this.#profiles;
  }

  /** A profile takes the place of one with its id, and of one at the same purpose, stack level and connector. */
  set(profile: BackendProfile, raw: JsonRecord, nowMs: number): "kept" | "full" {
    const others = this.#profiles.filter((one) => one.profile.id !== profile.id && !samePlace(one.profile, profile));
    if (others.length >= MAX_PROFILES) return "full";
    this.#profiles = [...others, { profile, raw, arrivedAtMs: nowMs }];
    return "kept";
  }

  /** @returns how many went */
  clear(criteria: ClearCriteria): number {
    const before = this.#profiles.length;
    this.#profiles = this.#profiles.filter((one) => !matches(one.profile, criteria));
    return before - this.#profiles.length;
  }

  /** The transaction is over, and with it what was set for it. */
  endTransaction(connector: number): boolean {
    return this.clear({ connector, purpose: "transaction" }) > 0;
  }

  /** A new value for a dynamic profile; false where there is none with this id. */
  update(id: number, limit: number, nowMs: number): boolean {
    const old = this.#profiles.find((one) => one.profile.id === id);
    const [first] = old?.profile.periods ?? [];
    if (old?.profile.kind !== "Dynamic" || first === undefined) return false;
    return this.set({ ...old.profile, periods: [{ ...first, limit }] }, old.raw, nowMs) === "kept";
  }

  limitsAt(connector: number, nowMs: number, transaction: RunningTransaction | undefined): BackendLimits {
    const changes: number[] = [];
    const pick = (purpose: BackendPurpose, connectors: readonly number[]) =>
      this.#limitOf(purpose, connectors, nowMs, transaction, changes);
    const own = transaction === undefined ? undefined : pick("transaction", [connector]);
    const usual = pick("default", [connector]) ?? pick("default", [0]);
    const station = pick("station", [0]);
    const inForce = own ?? usual;
    const next = changes.filter((timeMs) => timeMs > nowMs && Number.isFinite(timeMs));
    return {
      ...(inForce === undefined ? {} : { connector: inForce }),
      ...(station === undefined ? {} : { station }),
      ...(next.length === 0 ? {} : { nextChangeMs: Math.min(...next) }),
    };
  }

  #limitOf(
    purpose: BackendPurpose,
    connectors: readonly number[],
    nowMs: number,
    transaction: RunningTransaction | undefined,
    changes: number[],
  ): WireLimit | undefined {
    const candidates = this.#profiles
      .filter(({ profile }) => profile.purpose === purpose && connectors.includes(profile.connector))
      .filter(({ profile }) => profile.transactionId === undefined || profile.transactionId === transaction?.id)
      .sort((a, b) => b.profile.stackLevel - a.profile.stackLevel);
    let found: WireLimit | undefined;
    for (const kept of candidates) {
      const limit = limitOf(kept, nowMs, transaction, changes);
      found ??= limit;
    }
    return found;
  }
}

/** A profile, and when it came: a schedule without a start of its own counts from there. */
export interface Kept {
  readonly profile: BackendProfile;
  /** As the backend wrote it; it may ask for it. */
  readonly raw: JsonRecord;
  readonly arrivedAtMs: number;
}

function limitOf(
  { profile, arrivedAtMs }: Kept,
  nowMs: number,
  transaction: RunningTransaction | undefined,
  changes: number[],
): WireLimit | undefined {
  const { validFromMs = Number.NEGATIVE_INFINITY, validToMs = Number.POSITIVE_INFINITY } = profile;
  changes.push(validFromMs, validToMs);
  const startMs = startOf(profile, arrivedAtMs, nowMs, transaction);
  if (startMs === undefined) return undefined;
  const endMs =
    startMs + Math.min(profile.durationMs ?? Number.POSITIVE_INFINITY, profile.everyMs ?? Number.POSITIVE_INFINITY);
  changes.push(startMs, endMs, ...profile.periods.map((period) => startMs + period.startMs));
  if (profile.everyMs !== undefined) changes.push(startMs + profile.everyMs);
  if (nowMs < validFromMs || nowMs >= validToMs || nowMs < startMs || nowMs >= endMs) return undefined;
  const period = profile.periods.findLast(({ startMs: fromMs }) => startMs + fromMs <= nowMs);
  if (period === undefined) return undefined;
  return { unit: profile.unit, value: period.limit, phases: period.phases ?? 3 };
}

/** Wall time at which the schedule that concerns `nowMs` began. */
function startOf(
  profile: BackendProfile,
  arrivedAtMs: number,
  nowMs: number,
  transaction: RunningTransaction | undefined,
): number | undefined {
  if (profile.kind === "Relative") return transaction?.startedAtMs;
  const { startMs = arrivedAtMs, everyMs } = profile;
  if (everyMs === undefined || nowMs < startMs) return startMs;
  return startMs + Math.floor((nowMs - startMs) / everyMs) * everyMs;
}

function samePlace(a: BackendProfile, b: BackendProfile): boolean {
  return a.purpose === b.purpose && a.stackLevel === b.stackLevel && a.connector === b.connector;
}

/** An id alone decides; else all the other criteria must fit. */
function matches(profile: BackendProfile, { id, connector, purpose, stackLevel }: ClearCriteria): boolean {
  if (id !== undefined) return profile.id === id;
  return (
    (connector === undefined || profile.connector === connector) &&
    (purpose === undefined || profile.purpose === purpose) &&
    (stackLevel === undefined || profile.stackLevel === stackLevel)
  );
}
