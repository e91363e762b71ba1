import type { Log } from "../../src/log.ts";
import type { OnChargerEvent } from "./charger-event.ts";
import type { SchemaFailure } from "./link/charger-socket.ts";
import type { ExtraFrame } from "./link/frame-sieve.ts";

/** A message of 2.1 that wants no answer, as it came from the CSMS. */
export interface ReceivedSend {
  readonly action: string;
  readonly payload: unknown;
}

const MOST_KEPT = 200;

/** What a charger remembers of what went over the link, for whoever tests with it. Each list keeps the last 200. */
export class MessageRecord {
  readonly profiles: unknown[] = [];
  readonly violations: string[] = [];
  readonly sends: ReceivedSend[] = [];
  readonly resultErrors: string[] = [];
  readonly #log: Log;
  readonly #onEvent: OnChargerEvent;

  constructor(log: Log, onEvent: OnChargerEvent) {
    this.#log = log;
    this.#onEvent = onEvent;
  }

  addProfile(payload: unknown): void {
    keep(this.profiles, payload);
  }

  addViolation({ method, outbound, error }: SchemaFailure): void {
    const text = `${method} ${outbound ? "out" : "in"}: ${error.message}`;
    keep(this.violations, text);
    this.#onEvent({ event: "violation", by: outbound ? "charger" : "csms", text });
    this.#log.warn("a message does not pass the schema", { text });
  }

  addExtra(frame: ExtraFrame): void {
    if (frame.kind === "send") keep(this.sends, { action: frame.action, payload: frame.payload });
    else {
      keep(this.resultErrors, `${frame.code}: ${frame.text}`);
      this.#log.warn("the CSMS cannot use an answer", { code: frame.code, text: frame.text });
    }
  }
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MOST_KEPT) list.shift();
}
