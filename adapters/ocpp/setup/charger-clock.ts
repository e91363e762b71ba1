import { type JsonRecord, recordsAt, textAt } from "../link/json.ts";
import { canonicalMs } from "../link/timestamp.ts";

/** Times that agree this closely come from a clock that runs as ours does. Most chargers say whole seconds. */
const AGREE_MS = 2_500;

/** A clock that is less wrong than this is right: it is no more than the way of the message and the rounding. */
const RIGHT_MS = 2_000;

/** A time that is behind is believed when another one agrees so much later: one alone may have been kept while offline. */
const CONFIRMED_AFTER_MS = 1_000;

/** So many times, so far apart, outweigh an earlier one that was less behind. */
const AGREEING = 3;
const APART_MS = 3_000;

/** So often may a clock be set anew before it is none. */
const MAX_STEPS = 3;

/** A clock that has not moved for so long does not run. */
const FROZEN_MS = 20_000;

/** A clock that was never set says a time before this. */
const NEVER_SET_MS = Date.UTC(2015, 0, 1);

/** A time in a message, by the charger's clock. */
export interface TimeSaid {
  /** Epoch ms. */
  readonly timeMs: number;
  /** True where it may be the time of something that happened long before the message. */
  readonly mayBeOld: boolean;
}

interface Said {
  readonly skewMs: number;
  readonly atMs: number;
}

/** One list for all that are not behind. */
const NEVER: readonly Said[] = [];

/**
 * A charger's own clock, seen from the times in its messages. Each message took its way, and some were kept while the link was
 * down: so the true difference is the largest that was seen, until several later ones agree on a smaller one.
 */
export class ChargerClock {
  #best: (Said & { readonly isSure: boolean }) | undefined;
  #behind: readonly Said[] = NEVER;
  #steps = 0;
  #lastTimeMs: number | undefined;
  #sameSinceMs = 0;
  #isFrozen = false;

  /** How far the clock is ahead of ours, ms, negative where it is behind; 0 where it is right, or nothing is sure. */
  get skewMs(): number {
    const best = this.#best;
    return best === undefined || !best.isSure || Math.abs(best.skewMs) < RIGHT_MS ? 0 : Math.round(best.skewMs);
  }

  /** False where no time of day can be told to this charger: its clock stands still, or jumps about. */
  get isSteady(): boolean {
    return this.#steps <= MAX_STEPS && !this.#isFrozen;
  }

  /** For a person; nothing where the clock is right. */
  get fault(): string | undefined {
    if (!this.isSteady) return "the charger's clock stands still or jumps: its times are not used";
    const { skewMs } = this;
    if (skewMs === 0) return undefined;
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    return `the charger's clock is ${seconds} s ${skewMs > 0 ? "fast" : "slow"}: times are told to it by its own clock`;
  }

  /** The charger was told the time, or began anew: what it said before says nothing about now. */
  restart(): void {
    this.#best = undefined;
    this.#behind = NEVER;
    this.#steps = 0;
    this.#lastTimeMs = undefined;
    this.#isFrozen = false;
  }

  /**
   * @param nowMs our wall time at arrival
   * @param atMs our elapsed time at arrival
   */
  note({ timeMs, mayBeOld }: TimeSaid, nowMs: number, atMs: number): void {
    const skewMs = timeMs - nowMs;
    // No message is older than a clock that was never set, and none comes from the future.
    const isSure = skewMs > -RIGHT_MS || timeMs < NEVER_SET_MS;
    if (mayBeOld && !isSure) return;
    if (!mayBeOld) this.#watchItRun(timeMs, atMs);
    const best = this.#best;
    if (best === undefined) this.#best = { skewMs, atMs, isSure };
    else if (skewMs > best.skewMs + AGREE_MS) this.#step({ skewMs, atMs, isSure });
    else if (skewMs >= best.skewMs - AGREE_MS) {
      const isSureNow = best.isSure || atMs - best.atMs >= CONFIRMED_AFTER_MS;
      // Mostly it says what was known.
      if (skewMs > best.skewMs || isSureNow !== best.isSure) {
        this.#best = { skewMs: Math.max(best.skewMs, skewMs), atMs: best.atMs, isSure: isSureNow };
      }
      this.#behind = NEVER;
    } else this.#fellBehind({ skewMs, atMs });
  }

  #fellBehind(said: Said): void {
    this.#behind = [...this.#behind, said].slice(-AGREEING);
    const skews = this.#behind.map((one) => one.skewMs);
    const skewMs = Math.max(...skews);
    const [first] = this.#behind;
    const isApart = first !== undefined && said.atMs - first.atMs >= APART_MS;
    if (skews.length < AGREEING || !isApart || skewMs - Math.min(...skews) > AGREE_MS) return;
    this.#step({ skewMs, atMs: said.atMs, isSure: true });
  }

  #step(said: Said & { readonly isSure: boolean }): void {
    if (this.#best?.isSure) this.#steps += 1;
    this.#best = said;
    this.#behind = NEVER;
  }

  #watchItRun(timeMs: number, atMs: number): void {
    if (timeMs !== this.#lastTimeMs) {
      this.#lastTimeMs = timeMs;
      this.#sameSinceMs = atMs;
    }
    this.#isFrozen = atMs - this.#sameSinceMs >= FROZEN_MS;
  }
}

/** The time in a message, by the charger's clock; nothing where it holds none, or one of a time when it was offline. */
export function timeSaidIn(action: string, payload: JsonRecord): TimeSaid | undefined {
  if (payload["offline"] === true) return undefined;
  switch (action) {
    case "MeterValues":
      return timeFrom(textAt(recordsAt(payload, "meterValue").at(-1) ?? {}, "timestamp"), false);
    case "TransactionEvent":
      return timeFrom(textAt(payload, "timestamp"), false);
    case "NotifyReport":
    case "NotifyEvent":
      return timeFrom(textAt(payload, "generatedAt"), false);
    // That of the last change.
    case "StatusNotification":
      return timeFrom(textAt(payload, "timestamp"), true);
    default:
      return undefined;
  }
}

/** As it stands: a clock that never was set begins in 1970, and that is just what is to be found out. */
function timeFrom(text: string | undefined, mayBeOld: boolean): TimeSaid | undefined {
  if (text === undefined) return undefined;
  const timeMs = canonicalMs(text) ?? Date.parse(/(Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`);
  return Number.isFinite(timeMs) ? { timeMs, mayBeOld } : undefined;
}
