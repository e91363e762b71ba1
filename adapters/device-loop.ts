import { backoffMs, type Clock } from "../src/clock.ts";
import { DeviceError } from "../src/model/adapter.ts";
import type { Era } from "../src/model/resource.ts";

const TICK_MS = 1000;
/** A round that was due long ago waits so long all the same, so that no device takes all the time there is. */
const LEAST_PAUSE_MS = 10;
const LONGEST_RETRY_MS = 30_000;

export interface DeviceLoopParts {
  readonly era: Era;
  /** Elapsed ms between two readings; the first pause after a failure is no longer. */
  readonly pollMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Elapsed ms at which the next thing is due. */
  readonly nextMs: () => number;
  /** One round of watching the link, keeping the target and measuring. @throws whatever ended it */
  readonly round: (signal: AbortSignal) => Promise<void>;
  /** A round has failed; the next one comes after a pause that grows from failure to failure. */
  readonly onFailure: (error: unknown) => void;
  /** The core's error for whatever went wrong while the device was asked for something. */
  readonly faultFrom: (error: unknown, era: Era, attempted: string) => DeviceError;
}

/**
 * The life of one device that is asked: round after round from `begin` until `close`, and in between what callers ask for.
 */
export class DeviceLoop {
  readonly #parts: DeviceLoopParts;
  readonly #life = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;
  #retryAtMs = 0;

  constructor(parts: DeviceLoopParts) {
    this.#parts = parts;
  }

  /** True from `begin` on. */
  get hasBegun(): boolean {
    return this.#running !== undefined;
  }

  begin(): void {
    this.#running ??= this.#run(this.#life.signal);
  }

  /** Ends the rounds and what was asked for. */
  async close(): Promise<void> {
    this.#life.abort(new Error("the adapter is closed"));
    await this.#running;
  }

  /**
   * Does what a caller asks for, until his signal aborts or the device is closed.
   * @param attempted for a person: "hold -3 kW"
   * @throws the reason of the caller's signal where that ended it, and else a DeviceError
   */
  async asked<T>(signal: AbortSignal, attempted: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { era, faultFrom } = this.#parts;
    try {
      return await this.alive(signal, work);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (this.#life.signal.aborted) throw new DeviceError("unreachable", era, `${attempted}: the adapter is closed`);
      throw faultFrom(error, era, attempted);
    }
  }

  /** As `asked`, with whatever error the work ends in. */
  async alive<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const life = this.#life.signal;
    // A signal made of several is kept by each of them for good on Node 20, and this one lives as long as the device.
    const inner = new AbortController();
    const onAbort = () => inner.abort(signal.aborted ? signal.reason : life.reason);
    if (signal.aborted || life.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    life.addEventListener("abort", onAbort);
    try {
      return await work(inner.signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
      life.removeEventListener("abort", onAbort);
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, nextMs } = this.#parts;
    while (!signal.aborted) {
      await this.#tick(signal);
      const leftMs = Math.max(nextMs(), this.#retryAtMs) - clock.elapsedMs();
      try {
        await clock.sleep(Math.min(Math.max(leftMs, LEAST_PAUSE_MS), TICK_MS), signal);
      } catch {
        return;
      }
    }
  }

  /** Never throws. */
  async #tick(signal: AbortSignal): Promise<void> {
    const { pollMs, clock, random, round, onFailure } = this.#parts;
    if (clock.elapsedMs() < this.#retryAtMs) return;
    try {
      await round(signal);
      this.#failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      const pauseMs = backoffMs(this.#failures, Math.min(pollMs, TICK_MS), LONGEST_RETRY_MS, random);
      this.#retryAtMs = clock.elapsedMs() + pauseMs;
      this.#failures += 1;
      onFailure(error);
    }
  }
}
