import { setTimeout as pause } from "node:timers/promises";
import type { AskedProgram } from "../bench/asked-program.ts";
import { percentile } from "../bench/percentile.ts";
import { FuzzCharger } from "./fuzz-charger.ts";
import type { FuzzFailure, FuzzReport, FuzzRun } from "./fuzz-target.ts";
import type { Outcome } from "./outcome.ts";

/** Inputs that are under way at one time. */
const AT_A_TIME = 8;
const RECENT = 16;
const PROGRESS_EVERY = 10_000;
const CONTROL_EVERY_MS = 20;
/** Until what closed connections leave behind is gone. */
const SETTLE_MS = 1500;

/** No answer may take longer. */
const SLOW_MS = 50;
export const SILENT_MS = 20_000;
/** Inputs that seemed slow are sent again alone: what is slow by itself is slow each time. */
const REPEATS = 5;

/** Between the middle and the end of a run; less than a message of each would take. */
const GROWTH_MB = 1;
const MOST_FAILURES = 20;

/** The program that is fuzzed is gone; nothing more can be learnt. */
export class Crashed extends Error {}

/** Sends inputs one after the other, over connections of its own. */
export interface FuzzSender {
  /** @throws Crashed where the subject is gone and no connection is to be had */
  send(index: number, withinMs: number): Promise<Outcome>;
  close(): Promise<void>;
}

export interface Campaign {
  readonly name: string;
  /** What is fuzzed, in a process of its own; it answers `heap` in bytes. */
  readonly subject: AskedProgram;
  /** A bare server that tells how busy the machine is; it answers `url`. */
  readonly control: AskedProgram;
  sender(): FuzzSender;
  /** Brings what the subject keeps to one and the same state, so that its memory can be compared. */
  settle?(): Promise<void>;
  /** An input, for a person. */
  shown(index: number): string;
  /** What else was counted. */
  figures?(): Readonly<Record<string, number>>;
}

/** A run: many senders at once, then what was seen of crashes, hangs, slowness, internal errors and memory. */
export class FuzzCampaign {
  readonly #options: FuzzRun;
  readonly #campaign: Campaign;
  readonly #failures: FuzzFailure[] = [];
  readonly #suspects: { readonly index: number; readonly tookMs: number }[] = [];
  readonly #tookMs: number[] = [];
  readonly #controlMs: number[] = [];
  /** Inputs that were sent last: a crash may come a moment after its cause. */
  readonly #recent: number[] = [];
  readonly #over = new AbortController();
  #next: number;
  #sent = 0;
  #closed = 0;

  constructor(options: FuzzRun, campaign: Campaign) {
    this.#options = options;
    this.#campaign = campaign;
    this.#next = options.from;
  }

  async run(): Promise<FuzzReport> {
    const { count, from, seed, judgesTime } = this.#options;
    const controlling = this.#watchMachine(await this.#campaign.control.ask<string>("url"));
    const heapMB = { middle: 0, end: 0 };
    try {
      await this.#sendUntil(from + Math.floor(count / 2));
      heapMB.middle = await this.#heapMB();
      await this.#sendUntil(from + count);
      heapMB.end = await this.#heapMB();
      if (judgesTime) await this.#confirmSuspects();
      const grownMB = heapMB.end - heapMB.middle;
      if (grownMB > GROWTH_MB) {
        this.#fail({ kind: "memory", what: `${rounded(grownMB)} MB more in use at the end than in the middle` });
      }
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
      for (const index of this.#recent) {
        this.#fail({ kind: "crash", what: "the process ended after this or one of the others", index });
      }
    }
    this.#over.abort("over");
    await controlling;
    return {
      target: this.#campaign.name,
      seed,
      sent: this.#sent,
      failures: this.#failures,
      figures: {
        answer_ms_p50: rounded(percentile(this.#tookMs, 50)),
        answer_ms_p99: rounded(percentile(this.#tookMs, 99)),
        answer_ms_max: rounded(percentile(this.#tookMs, 100)),
        control_ms_p99: rounded(percentile(this.#controlMs, 99)),
        control_ms_max: rounded(percentile(this.#controlMs, 100)),
        seemed_slow: this.#suspects.length,
        links_closed_by_adapter: this.#closed,
        heap_middle_mb: rounded(heapMB.middle),
        heap_end_mb: rounded(heapMB.end),
        ...this.#campaign.figures?.(),
      },
    };
  }

  async #sendUntil(end: number): Promise<void> {
    await Promise.all(Array.from({ length: AT_A_TIME }, () => this.#work(end)));
  }

  /** Sends one input after the other, each when the one before has been answered. */
  async #work(end: number): Promise<void> {
    const sender = this.#campaign.sender();
    while (this.#next < end && this.#failures.length < MOST_FAILURES) {
      const index = this.#next++;
      this.#recent.push(index);
      if (this.#recent.length > RECENT) this.#recent.shift();
      this.#judge(index, await sender.send(index, SILENT_MS));
      if (++this.#sent % PROGRESS_EVERY === 0) this.#options.progress(`${this.#sent} of ${this.#options.count}`);
    }
    await sender.close();
  }

  #judge(index: number, outcome: Outcome): void {
    const isGone = outcome.kind !== "answered" && !this.#campaign.subject.isRunning;
    if (isGone) throw new Crashed("gone");
    if (outcome.kind === "closed") this.#closed += 1;
    else if (outcome.kind === "silent") {
      this.#fail({ kind: "hang", what: `no answer and no end within ${SILENT_MS / 1000} s`, index });
    } else {
      this.#tookMs.push(outcome.tookMs);
      if (outcome.tookMs > SLOW_MS) this.#suspects.push({ index, tookMs: outcome.tookMs });
      if (outcome.internalError)
        this.#fail({ kind: "internal-error", what: "the answer was an internal error", index });
    }
  }

  /** A machine that was busy elsewhere is not slow again each time; the adapter is. */
  async #confirmSuspects(): Promise<void> {
    const sender = this.#campaign.sender();
    for (const { index } of this.#suspects.toSorted((a, b) => b.tookMs - a.tookMs)) {
      if (this.#failures.length >= MOST_FAILURES) break;
      let least = Number.POSITIVE_INFINITY;
      for (let repeat = 0; repeat < REPEATS && least > SLOW_MS; repeat++) {
        const outcome = await sender.send(index, SILENT_MS);
        least = outcome.kind === "answered" ? Math.min(least, outcome.tookMs) : 0;
      }
      if (least > SLOW_MS) {
        this.#fail({ kind: "slow", what: `${rounded(least)} ms or more each of ${REPEATS} times`, index });
      }
    }
    await sender.close();
  }

  /** What is in use with no connection open. */
  async #heapMB(): Promise<number> {
    await this.#campaign.settle?.();
    await pause(SETTLE_MS);
    return (await this.#campaign.subject.ask<number>("heap")) / 1024 / 1024;
  }

  /** A right message to a bare server all the while: what it waits for is the machine. */
  async #watchMachine(url: string): Promise<void> {
    const charger = await FuzzCharger.dial(`${url}/CONTROL`, "ocpp1.6", 0);
    const nothing = { bytes: Buffer.from('[2,"x","Heartbeat",{}]'), isBinary: false };
    while (!this.#over.signal.aborted && charger?.isOpen) {
      const outcome = await charger.send(0, nothing, SILENT_MS);
      if (outcome.kind === "answered") this.#controlMs.push(outcome.tookMs);
      await pause(CONTROL_EVERY_MS);
    }
    await charger?.close();
  }

  #fail(failure: Omit<FuzzFailure, "input">): void {
    if (this.#failures.length >= MOST_FAILURES) return;
    const { index } = failure;
    this.#failures.push(index === undefined ? failure : { ...failure, input: this.#campaign.shown(index) });
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
