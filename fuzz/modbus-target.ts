import { setTimeout as pause } from "node:timers/promises";
import { modbus } from "../adapters/modbus/index.ts";
import { AskedProgram } from "../bench/asked-program.ts";
import { Opened } from "../bench/opened.ts";
import type { Framing } from "../simulators/modbus/frame.ts";
import { mbapFraming } from "../simulators/modbus/mbap.ts";
import { rtuFraming } from "../simulators/modbus/rtu.ts";
import { askInTime, settledHeapMB } from "./ask-in-time.ts";
import { chanceOf } from "./chance.ts";
import type { FuzzFailure, FuzzReport, FuzzRun, FuzzTarget } from "./fuzz-target.ts";
import { LyingDevice } from "./lying-device.ts";
import { mutatedReply, rightReply } from "./modbus-mutation.ts";
import { askOf, type ModbusAsk, type ModbusOutcome, probeAfter, truthOf } from "./modbus-truth.ts";
import { mutatedMap } from "./mutated-map.ts";

/** Framings over TCP that a device's config can ask for; the inputs take turns in blocks. */
const FRAMINGS: readonly Framing[] = [mbapFraming, rtuFraming].filter(
  ({ name }) => name === "tcp" || modbus.deviceSchema.safeParse({ host: "127.0.0.1", framing: name }).success,
);
/** Inputs that are under way at one time, each on a link of its own. */
const AT_A_TIME = 12;
/** How many times faster time runs for the subject, and its longest wait for an answer in that time. */
const HASTE = 25;
const TIMEOUT_MS = 1000;
/**
 * On a bus a client that gave up listens for as long again. What a busy machine sent still later can't be told from the
 * answer to the next request by anybody, and is not held against it.
 */
const LISTENED_FOR_MS = (1.7 * TIMEOUT_MS) / HASTE;
/** One input in so many is a map of registers and not an answer. */
const MAP_EVERY = 20;

const PROBES = 400;
const PROBE_EVERY_MS = 10;
const MOST_REQUESTS_FOR_A_MAP = 3000;
const PROGRESS_EVERY = 10_000;
const RECENT = 24;
const GROWTH_MB = 1.5;
const MOST_FAILURES = 20;

/** Wrong answers of devices to the real link, and wrong register maps to the whole adapter, over real sockets. */
export const modbusTarget: FuzzTarget = {
  name: "modbus",
  title: "answers of devices, to the Modbus link and the SunSpec adapter over TCP",
  run: async (options) => {
    const args = [String(HASTE), String(TIMEOUT_MS)];
    await using subject = await AskedProgram.start("fuzz/modbus-subject.js", args, ["--expose-gc"]);
    return await new ModbusFuzz(options, subject).run();
  },
};

/** One link with the device at its other end. */
interface Line {
  readonly id: number;
  readonly framing: Framing;
  readonly device: LyingDevice;
  readonly port: number;
}

class ModbusFuzz {
  readonly #options: FuzzRun;
  readonly #subject: AskedProgram;
  readonly #failures: FuzzFailure[] = [];
  /** Inputs that were sent last: a crash may come a moment after its cause. */
  readonly #recent: number[] = [];
  readonly #counts = { values: 0, written: 0, errors: 0, maps: 0, readings: 0, probes: 0, tooLate: 0 };
  readonly #faults = new Map<string, number>();
  #next: number;
  #sent = 0;

  constructor(options: FuzzRun, subject: AskedProgram) {
    this.#options = options;
    this.#subject = subject;
    this.#next = options.from;
  }

  async run(): Promise<FuzzReport> {
    const { count, from, seed } = this.#options;
    const heapMB = { middle: 0, end: 0 };
    try {
      await this.#sendUntil(from + Math.floor(count / 2), 0);
      heapMB.middle = await settledHeapMB(this.#subject);
      await this.#sendUntil(from + count, AT_A_TIME);
      heapMB.end = await settledHeapMB(this.#subject);
      const grownMB = heapMB.end - heapMB.middle;
      if (count > MAP_EVERY && grownMB > GROWTH_MB) {
        this.#fail("memory", `${rounded(grownMB)} MB more in use at the end than in the middle`);
      }
    } catch (error) {
      if (this.#subject.isRunning) throw error;
      for (const index of this.#recent) this.#fail("crash", "the process ended after this or one of the others", index);
    }
    return {
      target: modbusTarget.name,
      seed,
      sent: this.#sent,
      failures: this.#failures,
      figures: {
        right_values_taken: this.#counts.values,
        writes_confirmed: this.#counts.written,
        answers_refused: this.#counts.errors,
        ...Object.fromEntries([...this.#faults].map(([fault, times]) => [`refused_${fault}`, times])),
        requests_for_a_right_answer: this.#counts.probes,
        too_late_to_tell: this.#counts.tooLate,
        maps: this.#counts.maps,
        maps_read: this.#counts.readings,
        heap_middle_mb: rounded(heapMB.middle),
        heap_end_mb: rounded(heapMB.end),
      },
    };
  }

  async #sendUntil(end: number, firstWorker: number): Promise<void> {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => this.#work(firstWorker + index, end)));
    await this.#ask("close", {});
  }

  async #work(worker: number, end: number): Promise<void> {
    await using opened = new Opened();
    const lines: Line[] = [];
    for (const [place, framing] of FRAMINGS.entries()) {
      const id = worker * FRAMINGS.length + place;
      const device = opened.use(new LyingDevice(framing));
      const port = await device.listen();
      lines.push({ id, framing, device, port });
      await this.#ask("open", { worker: id, port, framing: framing.name });
    }
    while (this.#next < end && this.#failures.length < MOST_FAILURES) {
      const index = this.#next++;
      this.#recent.push(index);
      if (this.#recent.length > RECENT) this.#recent.shift();
      const isMap = index % MAP_EVERY === MAP_EVERY - 1;
      const line = lines[isMap ? 0 : Math.floor(index / MAP_EVERY) % lines.length];
      if (line === undefined) throw new Error("there is no framing");
      if (isMap) await this.#tryMap(index, line);
      else await this.#tryAnswer(index, line);
      if (++this.#sent % PROGRESS_EVERY === 0) this.#options.progress(`${this.#sent} of ${this.#options.count}`);
    }
  }

  async #tryAnswer(index: number, line: Line): Promise<void> {
    const { id, framing, device } = line;
    device.heldBackMs = 0;
    const chance = chanceOf(this.#options.seed, index);
    const ask = askOf(chance);
    let mutation: string | undefined;
    device.tell = ({ request, answer, earlier }) => {
      // The rest of a request that took several, and those that come after it, are answered rightly.
      if (mutation !== undefined) return rightReply({ answer, framing });
      const scene = {
        request,
        answer,
        earlier,
        framing,
        chance: chance.fork("answer"),
        patienceMs: TIMEOUT_MS / HASTE,
      };
      const reply = mutatedReply(scene);
      mutation = reply.name;
      return reply;
    };
    const outcome = await this.#ask<ModbusOutcome>("ask", { worker: id, ask });
    mutation ??= "no request came";
    this.#judge(index, `${framing.name}, ${mutation}`, ask, outcome, line);
    await this.#untilRight(index, `${framing.name}, after ${mutation}`, ask, line);
  }

  #judge(index: number, where: string, ask: ModbusAsk, outcome: ModbusOutcome, { framing, device }: Line): void {
    if (outcome.kind === "error") {
      this.#counts.errors += 1;
      if (outcome.fault === undefined) this.#fail("internal-error", `${where}: ${outcome.message}`, index, ask);
      else this.#faults.set(outcome.fault, (this.#faults.get(outcome.fault) ?? 0) + 1);
    } else if (ask.kind === "read" && outcome.kind === "values") {
      this.#counts.values += 1;
      const truth = truthOf(ask);
      if (outcome.values.length === truth.length && truth.every((value, place) => value === outcome.values[place]))
        return;
      if (framing.isBus && device.heldBackMs > LISTENED_FOR_MS) this.#counts.tooLate += 1;
      else {
        this.#fail(
          "wrong-value",
          `${where}: ${outcome.values.length} registers were taken that are not the true ones`,
          index,
          ask,
        );
      }
    } else if (ask.kind === "write" && outcome.kind === "written") {
      this.#counts.written += 1;
      if (!device.hasWritten(ask.unit, ask.address, ask.values)) {
        this.#fail("wrong-value", `${where}: a write was taken for done, and the device has not done it`, index, ask);
      }
    } else this.#fail("internal-error", `${where}: ${outcome.kind} for a ${ask.kind}`, index, ask);
  }

  /** Whatever was said, the link must come to a right answer again, and take no other on the way. */
  async #untilRight(index: number, where: string, before: ModbusAsk, line: Line): Promise<void> {
    const chance = chanceOf(this.#options.seed, index).fork("probe");
    for (let attempt = 0; attempt < PROBES; attempt++) {
      const probe = probeAfter(before, chance);
      this.#counts.probes += 1;
      const outcome = await this.#ask<ModbusOutcome>("ask", { worker: line.id, ask: probe });
      if (outcome.kind === "values") {
        this.#judge(index, `${where}, the next request`, probe, outcome, line);
        return;
      }
      if (outcome.kind === "error" && outcome.fault === undefined) {
        this.#fail("internal-error", `${where}: ${outcome.message}`, index, probe);
      }
      await pause(PROBE_EVERY_MS);
    }
    this.#fail("hang", `${where}: no right answer came through again`, index, before);
  }

  async #tryMap(index: number, { device, port }: Line): Promise<void> {
    const chance = chanceOf(this.#options.seed, index);
    this.#counts.maps += 1;
    device.tell = undefined;
    device.memory = mutatedMap(chance);
    device.requests = 0;
    const outcome = await this.#ask<{ reading?: Record<string, unknown> } & Partial<ModbusOutcome>>("device", { port });
    device.memory = undefined;
    if (outcome.kind === "error" && !("fault" in outcome))
      this.#fail("internal-error", `a map: ${outcome.message}`, index);
    if (device.requests > MOST_REQUESTS_FOR_A_MAP)
      this.#fail("hang", `a map: ${device.requests} requests for it`, index);
    if (outcome.reading === undefined) return;
    this.#counts.readings += 1;
    // A reading comes as JSON, where a number that is none is null.
    const bad = numbersIn(outcome.reading).filter((value) => value === null);
    if (bad.length > 0)
      this.#fail("wrong-value", `a map: a value that is no number: ${JSON.stringify(outcome.reading)}`, index);
  }

  #ask<T>(question: string, input: unknown): Promise<T> {
    return askInTime(this.#subject, question, input);
  }

  #fail(kind: FuzzFailure["kind"], what: string, index?: number, ask?: ModbusAsk): void {
    if (this.#failures.length >= MOST_FAILURES) return;
    this.#failures.push({
      kind,
      what,
      ...(index === undefined ? {} : { index }),
      ...(ask === undefined ? {} : { input: JSON.stringify(ask) }),
    });
  }
}

/** All that is no text, object or list in it. */
function numbersIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(numbersIn);
  return typeof value === "string" || typeof value === "boolean" ? [] : [value];
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
