import type { DeviceFault } from "../../../src/model/adapter.ts";
import { canonicalMRID } from "../identity.ts";
import { MOST_LISTED } from "./control-ledger.ts";
import { type ResponseEdition, type ResponseMeanings, responseMeanings } from "./response-meanings.ts";

/** How long to wait for what, elapsed ms. */
export interface AnswerTiming {
  /** From the order until the device must have fetched or answered it. */
  readonly deadlineMs: number;
  /** From the fetch until a device that answers nothing, but goes on polling, is taken to have accepted. */
  readonly quietMs: number;
  /** A poll this long after the fetch is a poll of its own, and not the rest of the same round. */
  readonly nextPollMs: number;
  /** From "received" until the word of its start, or of its refusal, should be here. */
  readonly graceMs: number;
}

/** What became of an event at its device, as far as it can be told now. */
export type AnswerOutcome =
  | { readonly kind: "accepted"; readonly how: string }
  | { readonly kind: "failed"; readonly fault: DeviceFault; readonly detail: string }
  | { readonly kind: "waiting"; readonly forMs: number };

interface Dealing {
  readonly mRID: string;
  fetchedAtMs?: number;
  answer?: { readonly status: number; readonly atMs: number };
  /** All that it answered, in order. */
  readonly statuses: number[];
}

/** Events whose dealings are kept: all that can be listed at once, and some that have just left the list. */
const MOST_KEPT = MOST_LISTED + 16;
/** Responses to one event that are kept. */
const MOST_STATUSES = 12;

/** What one device did about the events it was given: fetched them, answered them, or talked nonsense. */
export class ControlAnswers {
  readonly #timing: AnswerTiming;
  readonly #meanings: ResponseMeanings;
  #dealings: Dealing[] = [];
  #garbledAtMs: number | undefined;
  #garbledAnswerAtMs: number | undefined;

  constructor(timing: AnswerTiming, edition: ResponseEdition = "2018") {
    this.#timing = timing;
    this.#meanings = responseMeanings(edition);
  }

  fetched(mRID: string, atMs: number): void {
    this.#dealing(mRID).fetchedAtMs ??= atMs;
  }

  /** A Response came. A later one replaces it: "received", then "started". */
  responded(mRID: string, status: number, atMs: number): void {
    const dealing = this.#dealing(mRID);
    dealing.statuses.push(status);
    if (dealing.statuses.length > MOST_STATUSES) dealing.statuses.shift();
    // A device that only received is still undecided. One that has started may yet opt out; "received" undoes nothing.
    const { received, refusals } = this.#meanings;
    const isOpen = dealing.answer === undefined || received.includes(dealing.answer.status);
    if (isOpen || refusals.has(status)) dealing.answer = { status, atMs };
  }

  /** Something unintelligible came; `asResponse` if it came to where Responses go. */
  garbled(asResponse: boolean, atMs: number): void {
    this.#garbledAtMs = atMs;
    if (asResponse) this.#garbledAnswerAtMs = atMs;
  }

  wasFetched(mRID: string): boolean {
    return this.#find(mRID)?.fetchedAtMs !== undefined;
  }

  wasRefused(mRID: string): boolean {
    return this.#meanings.refusals.has(this.#find(mRID)?.answer?.status ?? -1);
  }

  /** What it answered to an event, for a person: "Responses 1 (received), 2 (started)". */
  told(mRID: string): string {
    const { statuses, fetchedAtMs } = this.#find(mRID) ?? {};
    if (statuses !== undefined && statuses.length > 0) {
      return `Responses ${statuses.map((status) => `${status} (${this.#meanings.text(status)})`).join(", ")}`;
    }
    return fetchedAtMs === undefined ? "it has not fetched it" : "it fetched it and sent no Response";
  }

  /**
   * @param askedAtMs when the order was given or repeated
   * @param polledAtMs when the device last asked for anything at all
   */
  outcome(mRID: string, askedAtMs: number, polledAtMs: number | undefined, nowMs: number): AnswerOutcome {
    const { deadlineMs, quietMs, nextPollMs, graceMs } = this.#timing;
    const { answer, fetchedAtMs } = this.#find(mRID) ?? {};
    const leftMs = askedAtMs + deadlineMs - nowMs;

    if (answer !== undefined) {
      const { refusals, started, received } = this.#meanings;
      const refusal = refusals.get(answer.status);
      if (refusal !== undefined) return failed("refused", `Response ${answer.status}: ${refusal}`);
      if (started.includes(answer.status)) return { kind: "accepted", how: `Response ${answer.status}, started` };
      if (received.includes(answer.status)) {
        // What was received ahead of its start says nothing yet of the start.
        const graceLeftMs = Math.max(answer.atMs, askedAtMs) + graceMs - nowMs;
        if (graceLeftMs > 0) return { kind: "waiting", forMs: graceLeftMs };
        return { kind: "accepted", how: `Response ${answer.status}, received` };
      }
    }
    if (since(this.#garbledAnswerAtMs, askedAtMs)) return failed("protocol", "its Response could not be read");
    if (fetchedAtMs !== undefined && since(polledAtMs, fetchedAtMs + nextPollMs)) {
      const quietLeftMs = Math.min(fetchedAtMs + quietMs - nowMs, leftMs);
      if (quietLeftMs > 0) return { kind: "waiting", forMs: quietLeftMs };
      if (since(this.#garbledAtMs, askedAtMs)) return failed("protocol", "what it sent since could not be read");
      return { kind: "accepted", how: "fetched by the device, which sent no Response" };
    }
    if (leftMs > 0) return { kind: "waiting", forMs: leftMs };
    if (since(this.#garbledAtMs, askedAtMs)) return failed("protocol", "what it sent could not be read");
    if (fetchedAtMs !== undefined) return failed("timeout", "it fetched the control, then neither answered nor polled");
    return since(polledAtMs, askedAtMs)
      ? failed("timeout", `it polls, but did not fetch its controls within ${deadlineMs} ms`)
      : failed("unreachable", `it did not poll within ${deadlineMs} ms`);
  }

  #find(mRID: string): Dealing | undefined {
    const wanted = canonicalMRID(mRID);
    return this.#dealings.find((dealing) => dealing.mRID === wanted);
  }

  #dealing(mRID: string): Dealing {
    const found = this.#find(mRID);
    if (found !== undefined) return found;
    const dealing: Dealing = { mRID: canonicalMRID(mRID), statuses: [] };
    this.#dealings.push(dealing);
    if (this.#dealings.length > MOST_KEPT) this.#dealings.shift();
    return dealing;
  }
}

function failed(fault: DeviceFault, detail: string): AnswerOutcome {
  return { kind: "failed", fault, detail };
}

function since(atMs: number | undefined, fromMs: number): boolean {
  return atMs !== undefined && atMs >= fromMs;
}
