import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type OcpiClient, OcpiClientError } from "./ocpi-client.ts";
import type { OcpiModule } from "./ocpi-version.ts";

/** Objects that may wait for a peer that is away; the oldest go first beyond it. A peer can always read them here. */
const MAX_WAITING = 1_000;
const RETRY_MS = 60_000;

export interface PeerPushOptions {
  readonly peer: string;
  /** A client with the token that holds now. @throws RangeError if it is not known where the peer is, or with which token */
  readonly client: () => OcpiClient;
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiting {
  readonly module: OcpiModule;
  readonly object: object;
}

/** Tells one peer what is new, one after the other; of an object that changes meanwhile only the newest. */
export class PeerPush {
  readonly #options: PeerPushOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #signal: AbortSignal;
  #sending: Promise<void> | undefined;

  constructor(options: PeerPushOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  tell(module: OcpiModule, id: string, object: object): void {
    const key = `${module} ${id}`;
    // A change keeps its place, so that a session that changes all the time does not wait for ever.
    this.#waiting.set(key, { module, object });
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing is being sent any more; after the signal aborts that is soon. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    const { clock, log, peer } = this.#options;
    while (!this.#signal.aborted) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      const [key, { module, object }] = next;
      this.#waiting.delete(key);
      try {
        const client = this.#options.client();
        if (module === "cdrs") await client.postCdr(object, this.#signal);
        else await client.put(module, object, this.#signal);
      } catch (error) {
        if (this.#signal.aborted) break;
        const reason = error instanceof Error ? error.message : String(error);
        log.warn("an OCPI peer was not told", { peer, object: key, reason });
        if (!(error instanceof OcpiClientError && error.fault === "unreachable")) continue;
        // What is newer by now has its own place; what is not comes again.
        if (!this.#waiting.has(key)) this.#waiting.set(key, { module, object });
        await clock.sleep(RETRY_MS, this.#signal).catch(() => {});
      }
    }
    this.#sending = undefined;
  }
}
