import { backoffMs, type Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Bell } from "../ieee2030-5/controls/bell.ts";
import type { Lfdi } from "../ieee2030-5/identity.ts";
import { element, writeXml } from "../ieee2030-5/xml/xml-write.ts";
import type { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";

/** Responses that wait; the oldest is dropped beyond this. */
const MOST_WAITING = 500;
const RETRY_BASE_MS = 2_000;
const RETRY_CAP_MS = 60_000;

export interface OwedResponse {
  readonly replyTo: string;
  readonly lfdi: Lfdi;
  readonly subject: string;
  readonly status: number;
  /** Server time, epoch seconds. */
  readonly createdAtS: number;
}

/** Responses on their way to the server, in order, each until it is taken or refused for good. */
export class ResponseOutbox {
  readonly #waiting: OwedResponse[] = [];
  readonly #bell = new Bell();
  readonly #connection: UtilityConnection;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;

  constructor(connection: UtilityConnection, clock: Clock, log: Log, random: () => number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
    this.#random = random;
  }

  add(response: OwedResponse): void {
    this.#waiting.push(response);
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
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
          await this.#connection.post(first.replyTo, responseDocument(first), signal);
          this.#done(first);
          attempt = 0;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof UtilityFault)) throw error;
        if (error.isFinal && first !== undefined) {
          this.#log.warn("the utility refused a response", { status: first.status, reason: error.message });
          this.#done(first);
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

  #done(response: OwedResponse): void {
    const place = this.#waiting.indexOf(response);
    if (place >= 0) this.#waiting.splice(place, 1);
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
