import { backoffMs, type Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { HttpFault } from "./sep-client.ts";

interface Waiting {
  readonly href: string;
  readonly xml: string;
}

export interface OutboxOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly send: (href: string, xml: string, signal: AbortSignal) => Promise<unknown>;
  /** True while nothing may be sent. */
  readonly isHeld: () => boolean;
}

const MAX_WAITING = 200;

/** Responses on their way to the server: in order, retried until the server takes or refuses them. */
export class ResponseOutbox {
  readonly #options: OutboxOptions;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Queues a document; when too many wait, the oldest is dropped. */
  push(href: string, xml: string, signal: AbortSignal): void {
    this.#waiting.push({ href, xml });
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#options.log.warn("a response was dropped, too many wait");
    }
    this.#draining ??= this.#drain(signal);
  }

  /** Resolves when nothing is being sent any more. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { clock, log, random, send, isHeld } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const next = this.#waiting[0];
      if (next === undefined) {
        // At once and not when the promise settles, or a push in between would wait for the push after it.
        this.#draining = undefined;
        return;
      }
      try {
        if (isHeld()) {
          await clock.sleep(200, signal);
          continue;
        }
        await send(next.href, next.xml, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        const detail = error instanceof Error ? error.message : String(error);
        log.warn("a response did not arrive", { href: next.href, detail });
        if (!(error instanceof HttpFault && error.isFinal)) {
          await clock.sleep(backoffMs(failures++, 250, 15_000, random), signal).catch(() => {});
          continue;
        }
      }
      // The queue may have lost its oldest meanwhile.
      if (this.#waiting[0] === next) this.#waiting.shift();
    }
  }
}
