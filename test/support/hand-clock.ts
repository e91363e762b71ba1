import type { Clock } from "../../src/clock.ts";

/** A clock that stands still until it is moved by hand; sleepers wake in the order of their times. */
export class HandClock implements Clock {
  #wallMs: number;
  #elapsedMs = 0;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  constructor(wallMs = Date.UTC(2026, 5, 15, 12)) {
    this.#wallMs = wallMs;
  }

  now(): number {
    return this.#wallMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        atMs: this.#elapsedMs + ms,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", onAbort);
    });
  }

  /** Both times go on, as in ordinary life. Nothing that sleeps gets its turn before this returns. */
  advance(ms: number): void {
    this.#elapsedMs += ms;
    this.#wallMs += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.atMs <= this.#elapsedMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.atMs > this.#elapsedMs);
    for (const sleeper of due.sort((a, b) => a.atMs - b.atMs)) sleeper.wake();
  }

  /** Goes on in small steps and lets what woke do its work at each. */
  async run(ms: number, stepMs = 100): Promise<void> {
    for (let done = 0; done < ms; done += stepMs) {
      this.advance(Math.min(stepMs, ms - done));
      await settle();
    }
  }

  /** Only the wall clock jumps, as when the network sets it. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }
}

/** Lets all promises that can go on do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
