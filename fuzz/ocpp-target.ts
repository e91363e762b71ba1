import { setTimeout as pause } from "node:timers/promises";
import { OCPP_VERSIONS } from "../adapters/ocpp/version.ts";
import { AskedProgram } from "../bench/asked-program.ts";
import { percentile } from "../bench/percentile.ts";
import { chanceOf } from "./chance.ts";
import { FuzzCharger, type Outcome } from "./fuzz-charger.ts";
import type { FuzzFailure, FuzzReport, FuzzRun, FuzzTarget } from "./fuzz-target.ts";
import { type Input, mutate } from "./json-mutation.ts";
import { STATION_MESSAGES } from "./ocpp-messages.ts";

const STATIONS = 300;
/** Inputs that are under way at one time. */
const AT_A_TIME = 8;
const RECENT = 16;
const PROGRESS_EVERY = 10_000;
const CONTROL_EVERY_MS = 20;
/** Until what closed connections leave behind is gone. */
const SETTLE_MS = 1500;

/** No answer may take longer. */
const SLOW_MS = 50;
const SILENT_MS = 20_000;
/** Inputs that seemed slow and are sent again alone, several times: what is slow by itself is slow each time. */
const MOST_SUSPECTS = 20;
const REPEATS = 5;

/** Between the middle and the end of a run; less than a message of each would take. */
const GROWTH_MB = 1;
const SHOWN_LETTERS = 2000;
const MOST_FAILURES = 20;

/** Frames of chargers, right and wrong, to the real adapter over real sockets. */
export const ocppTarget: FuzzTarget = {
  name: "ocpp",
  title: "frames of chargers, to the OCPP adapter over WebSocket",
  run: async (options) => {
    const flags = ["--expose-gc"];
    await using subject = await AskedProgram.start("fuzz/ocpp-subject.js", [String(STATIONS)], flags);
    await using control = await AskedProgram.start("bench/ocpp-server.js", ["floor"]);
    return await new OcppFuzz(options, subject).run(control);
  },
};

/** The adapter's process is gone; nothing more can be learnt. */
class Crashed extends Error {}

class OcppFuzz {
  readonly #options: FuzzRun;
  readonly #subject: AskedProgram;
  readonly #failures: FuzzFailure[] = [];
  readonly #suspects: { readonly index: number; readonly tookMs: number }[] = [];
  readonly #tookMs: number[] = [];
  readonly #controlMs: number[] = [];
  /** Inputs that were sent last: a crash may come a moment after its cause. */
  readonly #recent: number[] = [];
  readonly #over = new AbortController();
  #url = "";
  #station = 0;
  #next: number;
  #sent = 0;
  #closed = 0;

  constructor(options: FuzzRun, subject: AskedProgram) {
    this.#options = options;
    this.#subject = subject;
    this.#next = options.from;
  }

  async run(control: AskedProgram): Promise<FuzzReport> {
    const { count, from, seed, judgesTime } = this.#options;
    this.#url = await this.#subject.ask<string>("url");
    const controlling = this.#watchMachine(await control.ask<string>("url"));
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
      target: ocppTarget.name,
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
      },
    };
  }

  async #sendUntil(end: number): Promise<void> {
    await Promise.all(Array.from({ length: AT_A_TIME }, () => this.#work(end)));
  }

  /** Sends one input after the other, each when the one before has been answered. */
  async #work(end: number): Promise<void> {
    const chargers = new Map<string, FuzzCharger>();
    while (this.#next < end && this.#failures.length < MOST_FAILURES) {
      const index = this.#next++;
      this.#recent.push(index);
      if (this.#recent.length > RECENT) this.#recent.shift();
      const version = versionOf(index);
      const charger = await this.#connected(chargers.get(version), version);
      chargers.set(version, charger);
      const outcome = await charger.send(index, inputOf(this.#options.seed, index), SILENT_MS);
      this.#judge(index, outcome);
      if (++this.#sent % PROGRESS_EVERY === 0) this.#options.progress(`${this.#sent} of ${this.#options.count}`);
    }
    await Promise.all([...chargers.values()].map((charger) => charger.close()));
  }

  /** The connection that is there, or a new one as another station: this one may have to wait for what it has sent. */
  async #connected(before: FuzzCharger | undefined, version: string): Promise<FuzzCharger> {
    if (before?.isOpen) return before;
    for (let attempt = 0; attempt < STATIONS; attempt++) {
      if (!this.#subject.isRunning) throw new Crashed("gone");
      const identity = `FUZZ-${this.#station++ % STATIONS}`;
      const charger = await FuzzCharger.dial(`${this.#url}/${identity}`, version, this.#options.seed);
      if (charger !== undefined) return charger;
      await pause(5);
    }
    throw new Error("no station is let in any more");
  }

  #judge(index: number, outcome: Outcome): void {
    if (outcome.kind === "closed") {
      this.#closed += 1;
      if (!this.#subject.isRunning) throw new Crashed("gone");
    } else if (outcome.kind === "silent") {
      if (!this.#subject.isRunning) throw new Crashed("gone");
      this.#fail({ kind: "hang", what: `no answer and no end within ${SILENT_MS / 1000} s`, index });
    } else {
      this.#tookMs.push(outcome.tookMs);
      if (outcome.tookMs > SLOW_MS) this.#suspects.push({ index, tookMs: outcome.tookMs });
      if (outcome.internalError) this.#fail({ kind: "internal-error", what: "it was answered InternalError", index });
    }
  }

  /** A machine that was busy elsewhere is not slow again each time; the adapter is. */
  async #confirmSuspects(): Promise<void> {
    let charger: FuzzCharger | undefined;
    const slowest = this.#suspects.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, MOST_SUSPECTS);
    for (const { index } of slowest) {
      const tookMs: number[] = [];
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        charger = await this.#connected(charger, versionOf(index));
        const outcome = await charger.send(index, inputOf(this.#options.seed, index), SILENT_MS);
        if (outcome.kind === "answered") tookMs.push(outcome.tookMs);
      }
      await charger?.close();
      const least = Math.min(...tookMs);
      if (tookMs.length === REPEATS && least > SLOW_MS) {
        this.#fail({ kind: "slow", what: `${rounded(least)} ms or more each of ${REPEATS} times`, index });
      }
    }
  }

  /** What is in use with no connection open. */
  async #heapMB(): Promise<number> {
    await pause(SETTLE_MS);
    return (await this.#subject.ask<number>("heap")) / 1024 / 1024;
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
    this.#failures.push(index === undefined ? failure : { ...failure, input: shown(this.#options.seed, index) });
  }
}

/** The versions take turns. */
function versionOf(index: number): string {
  return OCPP_VERSIONS[index % OCPP_VERSIONS.length] ?? "ocpp1.6";
}

function inputOf(seed: number, index: number): Input {
  const chance = chanceOf(seed, index);
  return mutate(chance.pick(STATION_MESSAGES[versionOf(index)] ?? []), chance);
}

function shown(seed: number, index: number): string {
  const { bytes, isBinary } = inputOf(seed, index);
  const text = JSON.stringify(bytes.toString("utf8"));
  const cut = text.length > SHOWN_LETTERS ? `${text.slice(0, SHOWN_LETTERS)}... (${bytes.length} bytes)` : text;
  return `${versionOf(index)}${isBinary ? " binary" : ""} ${cut}`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
