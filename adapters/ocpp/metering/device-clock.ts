/** An older sample than this was not measured just now. */
const LIVE_WITHIN_MS = 60_000;

/** So many samples of the same age in a row mean a clock that is wrong, not a replay. */
const STEADY_SAMPLES = 3;
const STEADY_WITHIN_MS = 3000;

/** How far apart in arrival two samples must be for their ages to say something. */
const APART_MS = 500;

/** What a sample's own time is worth. */
export interface Timing {
  /** Absent where the charger's clock cannot be believed. */
  readonly deviceTimeMs?: number;
  readonly replayed: boolean;
}

/**
 * Tells samples that a charger kept while it was offline from those of a charger whose clock is wrong. After an outage
 * old samples come in a burst, and their age shrinks from one to the next; a wrong clock gives every sample the same age.
 */
export class DeviceClock {
  #lastAgeMs: number | undefined;
  #lastReceivedMs = 0;
  #steady = 0;

  judge(takenAtMs: number | undefined, receivedAtMs: number): Timing {
    if (takenAtMs === undefined) return { replayed: false };
    const ageMs = receivedAtMs - takenAtMs;
    if (Math.abs(ageMs) <= LIVE_WITHIN_MS) {
      this.#lastAgeMs = undefined;
      return { deviceTimeMs: takenAtMs, replayed: false };
    }
    // From the future: the clock is fast, and the sample is as live as any.
    if (ageMs < 0) return { replayed: false };
    const steady = this.#lastAgeMs !== undefined && Math.abs(ageMs - this.#lastAgeMs) <= STEADY_WITHIN_MS;
    if (!steady) this.#steady = 1;
    else if (receivedAtMs - this.#lastReceivedMs >= APART_MS) this.#steady += 1;
    this.#lastAgeMs = ageMs;
    this.#lastReceivedMs = receivedAtMs;
    return this.#steady >= STEADY_SAMPLES ? { replayed: false } : { deviceTimeMs: takenAtMs, replayed: true };
  }
}
