import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";

/** Setpoints that one resource may have here; the oldest go first beyond it. */
const MAX_SETPOINTS = 500;

/** More edges than this are never needed: between readings that are further apart than an interval there is a gap. */
const MAX_EDGES = 1_000;

/** A setpoint and the time in which it can hold: never before it was known. */
interface Window {
  readonly setpoint: Setpoint;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Which setpoint held when, and where energy has to be cut so that no interval has two of them, or two sessions. */
export class SetpointTimeline {
  readonly #intervalMs: number;
  readonly #windows = new Map<Era, Window[]>();
  readonly #passedMs = new Map<Era, number>();
  readonly #cuts = new Map<Era, number[]>();

  /** @param intervalMs length of a market interval; they begin at whole multiples of it since 1970 (UTC) */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  add(setpoint: Setpoint): void {
    const { era, validFromMs, validUntilMs: untilMs, receivedAtMs } = setpoint;
    // What was metered by now can't be cut any more, even where the device's clock is ahead of ours.
    const fromMs = Math.max(validFromMs, receivedAtMs, this.#passedMs.get(era) ?? 0);
    if (fromMs >= untilMs) return;
    const windows = this.#windows.get(era) ?? [];
    windows.push({ setpoint, fromMs, untilMs });
    if (windows.length > MAX_SETPOINTS) windows.shift();
    this.#windows.set(era, windows);
  }

  /**
   * Cuts here too, for example where a car is plugged in.
   * @returns where it is cut: not before what was metered by now
   */
  cut(era: Era, atMs: number): number {
    const cutMs = Math.max(atMs, this.#passedMs.get(era) ?? 0);
    const cuts = this.#cuts.get(era) ?? [];
    cuts.push(cutMs);
    if (cuts.length > MAX_SETPOINTS) cuts.shift();
    this.#cuts.set(era, cuts);
    return cutMs;
  }

  withdraw(setpointIds: ReadonlySet<string>, nowMs: number): void {
    for (const [era, windows] of this.#windows) {
      const endMs = Math.max(nowMs, this.#passedMs.get(era) ?? 0);
      const kept = windows.map((window) =>
        setpointIds.has(window.setpoint.id) ? { ...window, untilMs: Math.min(window.untilMs, endMs) } : window,
      );
      this.#windows.set(
        era,
        kept.filter((window) => window.fromMs < window.untilMs),
      );
    }
  }

  /** All up to here was metered and cut: what ended by now is no more needed. */
  passed(era: Era, atMs: number): void {
    this.#passedMs.set(era, Math.max(atMs, this.#passedMs.get(era) ?? 0));
    const cuts = this.#cuts.get(era);
    if (cuts !== undefined)
      this.#cuts.set(
        era,
        cuts.filter((cutMs) => cutMs > atMs),
      );
    const windows = this.#windows.get(era);
    if (windows?.some((window) => window.untilMs <= atMs)) {
      this.#windows.set(
        era,
        windows.filter((window) => window.untilMs > atMs),
      );
    }
  }

  /** Of the setpoints whose time it is, the one that was received last. */
  holdingAt(era: Era, atMs: number): Setpoint | undefined {
    let holding: Setpoint | undefined;
    for (const { setpoint, fromMs, untilMs } of this.#windows.get(era) ?? []) {
      if (fromMs > atMs || untilMs <= atMs) continue;
      if (holding === undefined || setpoint.receivedAtMs >= holding.receivedAtMs) holding = setpoint;
    }
    return holding;
  }

  /** Ascending, from `fromMs` to `untilMs`, both included. */
  edgesBetween(era: Era, fromMs: number, untilMs: number): readonly number[] {
    const edges = new Set<number>();
    const first = Math.ceil(fromMs / this.#intervalMs) * this.#intervalMs;
    for (let edgeMs = first; edgeMs <= untilMs && edges.size < MAX_EDGES; edgeMs += this.#intervalMs) edges.add(edgeMs);
    for (const window of this.#windows.get(era) ?? []) {
      for (const edgeMs of [window.fromMs, window.untilMs])
        if (edgeMs >= fromMs && edgeMs <= untilMs) edges.add(edgeMs);
    }
    for (const edgeMs of this.#cuts.get(era) ?? []) if (edgeMs >= fromMs && edgeMs <= untilMs) edges.add(edgeMs);
    return [...edges].sort((a, b) => a - b);
  }
}
