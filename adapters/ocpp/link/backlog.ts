import type { Clock } from "../../../src/clock.ts";
import type { InboundPace } from "./inbound-pace.ts";

/** What a frame holds, or nothing where it was binary. */
export type FrameText = string | undefined;

/** Frames that may wait. A charger has one call outstanding and one answer to give, so this many is a flood. */
const MAX_WAITING = 64;

/** A charger that is over its rate for so long on end has more to say than can be of use. */
const MAX_OVERLOAD_MS = 300_000;

/** Frames of a charger that sends faster than it may, in their order, each handled when its time has come. */
export class Backlog {
  readonly #clock: Clock;
  readonly #pace: InboundPace;
  readonly #sinceMs: number;
  readonly #waiting: FrameText[] = [];

  constructor(clock: Clock, pace: InboundPace) {
    this.#clock = clock;
    this.#pace = pace;
    this.#sinceMs = clock.elapsedMs();
  }

  add(frame: FrameText): void {
    this.#waiting.push(frame);
  }

  /** Whether it is more than can be put down to a busy hour, so that the link is to be closed. */
  get isFlood(): boolean {
    return this.#waiting.length > MAX_WAITING || this.#clock.elapsedMs() - this.#sinceMs > MAX_OVERLOAD_MS;
  }

  /**
   * Handles what waits until there is nothing more.
   * @throws the signal's reason when it aborts
   */
  async run(handle: (frame: FrameText) => void, signal: AbortSignal): Promise<void> {
    while (this.#waiting.length > 0) {
      const waitMs = this.#pace.waitMs(this.#waiting[0]?.length ?? 0, this.#clock.elapsedMs());
      if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
      else handle(this.#waiting.shift());
      signal.throwIfAborted();
    }
  }
}
