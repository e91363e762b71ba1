import { z } from "zod";
import { backoffMs, type Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Bell } from "../ieee2030-5/controls/bell.ts";
import { element, writeXml } from "../ieee2030-5/xml/xml-write.ts";
import type { AdapterMemory } from "../kind.ts";
import type { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";

/** Responses that wait; the oldest is dropped beyond this. */
const MOST_WAITING = 500;
const RETRY_BASE_MS = 2_000;
const RETRY_CAP_MS = 60_000;

const owedResponse = z.object({
  replyTo: z.string(),
  lfdi: z.string(),
  subject: z.string(),
  status: z.number(),
  /** Server time, epoch seconds. */
  createdAtS: z.number(),
});

export type OwedResponse = Readonly<z.output<typeof owedResponse>>;

export interface ResponseOutboxOptions {
  readonly connection: UtilityConnection;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly memory: AdapterMemory;
}

/** Where they are kept: by a number that grows, so that they come back in their order. */
const KEPT = "response/";

/** Responses on their way to the server, in order, each until it is taken or refused for good; over a restart too. */
export class ResponseOutbox {
  readonly #waiting: { readonly key: string; readonly response: OwedResponse }[] = [];
  readonly #bell = new Bell();
  readonly #connection: UtilityConnection;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #memory: AdapterMemory;
  #last = 0;

  constructor({ connection, clock, log, random, memory }: ResponseOutboxOptions) {
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
    this.#random = random;
    this.#memory = memory;
    for (const key of memory.keys(KEPT)) {
      const parsed = owedResponse.safeParse(memory.get(key));
      this.#last = Math.max(this.#last, Number(key.slice(KEPT.length)) || 0);
      if (parsed.success) this.#waiting.push({ key, response: parsed.data });
    }
    this.#waiting.sort((a, b) => Number(a.key.slice(KEPT.length)) - Number(b.key.slice(KEPT.length)));
  }

  add(response: OwedResponse): void {
    const key = `${KEPT}${++this.#last}`;
    this.#waiting.push({ key, response });
    this.#memory.set(key, response).catch((error: unknown) => this.#noteLoss(error));
    const [oldest] = this.#waiting;
    if (this.#waiting.length > MOST_WAITING && oldest !== undefined) {
      this.#done(oldest.key);
      this.#log.warn("a response to the utility was dropped: too many wait", { limit: MOST_WAITING });
    }
    this.#bell.ring();
  }

  /** Sends until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; ) {
      const [first] = this.#waiting;
      try {
        if (first === undefined) await this.#bell.wait(this.#clock, RETRY_CAP_MS, signal);
        else {
          await this.#connection.post(first.response.replyTo, responseDocument(first.response), signal);
          this.#done(first.key);
          attempt = 0;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof UtilityFault)) throw error;
        if (error.isFinal && first !== undefined) {
          this.#log.warn("the utility refused a response", {
            status: first.response.status,
            reason: error.message,
          });
          this.#done(first.key);
        } else {
          const waitMs = Math.max(
            error.retryAfterMs ?? 0,
            backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS, this.#random),
          );
          attempt += 1;
          await this.#clock.sleep(waitMs, signal).catch(() => {});
        }
      }
    }
  }

  #done(key: string): void {
    const place = this.#waiting.findIndex((one) => one.key === key);
    if (place >= 0) this.#waiting.splice(place, 1);
    this.#memory.forget(key).catch((error: unknown) => this.#noteLoss(error));
  }

  #noteLoss(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#log.warn("a response to the utility may be lost, or sent twice, over a restart", { reason });
  }
}

function responseDocument({ lfdi, subject, status, createdAtS }: OwedResponse): string {
  return writeXml(
    element("DERControlResponse", [
      element("createdDateTime", createdAtS),
      element("endDeviceLFDI", lfdi),
      element("status", status),
      element("subject", subject),
    ]),
  );
}
