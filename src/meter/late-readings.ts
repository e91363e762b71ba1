import type { Era } from "../model/resource.ts";
import type { RegisterSample } from "../settlement/interval-energy.ts";

/** Readings of one resource that are held back; beyond it they are given out as they are. */
const MAX_HELD = 5_000;
/** Nothing is held back for longer, however slowly a device tells what it kept. */
const MAX_HOLD_MS = 1_800_000;

interface Held {
  readonly samples: RegisterSample[];
  /** Elapsed time at which the holding began, and of the last reading that came late. */
  readonly sinceMs: number;
  touchedMs: number;
}

/**
 * Puts readings in the order of their own time. After an outage a device tells what is now before, between or after what
 * it kept meanwhile; whoever took the first for all there is would book the outage as a gap. So after a gap readings are
 * held back until none has come late for a while.
 */
export class LateReadings {
  readonly #waitMs: number;
  readonly #isGap: (era: Era, fromMs: number, untilMs: number) => boolean;
  readonly #lastMs = new Map<Era, number>();
  readonly #held = new Map<Era, Held>();

  /**
   * @param waitMs elapsed time without a late reading after which none is expected any more
   * @param isGap whether energy between two readings that follow each other would be nobody's
   */
  constructor(waitMs: number, isGap: (era: Era, fromMs: number, untilMs: number) => boolean) {
    this.#waitMs = waitMs;
    this.#isGap = isGap;
  }

  /** Until where readings were given out before a restart, wall time. */
  resume(era: Era, atMs: number): void {
    this.#lastMs.set(era, atMs);
  }

  /**
   * Takes a reading and says which ones are due, in the order of their time.
   * @param elapsedMs elapsed time now
   * @param isLate it was measured while the link was down
   */
  take(era: Era, sample: RegisterSample, elapsedMs: number, isLate: boolean): readonly RegisterSample[] {
    const held = this.#held.get(era);
    const lastMs = this.#lastMs.get(era);
    if (held === undefined) {
      if (lastMs === undefined || !this.#isGap(era, lastMs, sample.atMs)) {
        this.#lastMs.set(era, Math.max(sample.atMs, lastMs ?? sample.atMs));
        return [sample];
      }
      this.#held.set(era, { samples: [sample], sinceMs: elapsedMs, touchedMs: elapsedMs });
      return [];
    }
    held.samples.push(sample);
    if (isLate) held.touchedMs = elapsedMs;
    const isQuiet = elapsedMs - held.touchedMs > this.#waitMs;
    const isEnough = held.samples.length >= MAX_HELD || elapsedMs - held.sinceMs > MAX_HOLD_MS;
    return isQuiet || isEnough ? this.#release(era) : [];
  }

  /** All that is held back, for example when the gateway stops. */
  takeAll(): readonly (readonly [Era, readonly RegisterSample[]])[] {
    return [...this.#held.keys()].map((era) => [era, this.#release(era)] as const);
  }

  #release(era: Era): readonly RegisterSample[] {
    const samples = (this.#held.get(era)?.samples ?? []).sort((a, b) => a.atMs - b.atMs);
    this.#held.delete(era);
    const last = samples.at(-1);
    if (last !== undefined) this.#lastMs.set(era, last.atMs);
    return samples;
  }
}
