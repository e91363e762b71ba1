import { setTimeout as pause } from "node:timers/promises";
import { AskedProgram } from "../bench/asked-program.ts";
import { Opened } from "../bench/opened.ts";
import { percentile } from "../bench/percentile.ts";
import { askInTime, settledHeapMB } from "./ask-in-time.ts";
import { type Chance, chanceOf } from "./chance.ts";
import { mutatedAnswer, mutatedNotifications } from "./coap-answers.ts";
import { mutatedDevice, mutatedValueDocument, PROFILE_IDS, valueDocument } from "./coap-documents.ts";
import { OPTION } from "./coap-message.ts";
import { askOf, type CoapAsk, type CoapOutcome, digestOf, probeAfter } from "./coap-truth.ts";
import type { FuzzFailure, FuzzReport, FuzzRun, FuzzTarget } from "./fuzz-target.ts";
import { type CoapReply, type CoapScene, LyingCoapDevice, right } from "./lying-coap-device.ts";

/** Inputs that are under way at one time, each on a link of its own. */
const AT_A_TIME = 12;
/** How many times faster time runs for the subject, and its longest wait for an answer in that time. */
const HASTE = 25;
const DEADLINE_MS = 1500;
const PATIENCE_MS = DEADLINE_MS / HASTE;
/** One input in so many is a whole device and not an answer. */
const DEVICE_EVERY = 20;

const PROBES = 200;
const PROBE_EVERY_MS = 10;
const MOST_REQUESTS_FOR_A_DEVICE = 4000;
const PROGRESS_EVERY = 10_000;
const RECENT = 24;
const GROWTH_MB = 1.5;
const MOST_FAILURES = 20;
/** No answer may keep the gateway busy for longer. Inputs that seemed to are sent again alone. */
const SLOW_MS = 50;
const REPEATS = 5;

/** Wrong datagrams and payloads of CoAP devices to the real link, and wrong devices to the whole adapter, over UDP. */
export const coapTarget: FuzzTarget = {
  name: "coap",
  title: "datagrams and payloads of devices, to the CoAP link and adapter over UDP",
  run: async (options) => {
    const args = [String(HASTE), String(DEADLINE_MS)];
    await using subject = await AskedProgram.start("fuzz/coap-subject.js", args, ["--expose-gc"]);
    return await new CoapFuzz(options, subject).run();
  },
};

/** One link with the device at its other end. */
interface Line {
  readonly id: number;
  readonly device: LyingCoapDevice;
  readonly port: number;
}

class CoapFuzz {
  readonly #options: FuzzRun;
  readonly #subject: AskedProgram;
  readonly #failures: FuzzFailure[] = [];
  /** Inputs that were sent last: a crash may come a moment after its cause. */
  readonly #recent: number[] = [];
  readonly #counts = { payloads: 0, values: 0, written: 0, unread: 0, refused: 0, probes: 0, devices: 0, readings: 0 };
  readonly #faults = new Map<string, number>();
  readonly #tookMs: number[] = [];
  readonly #suspects: { readonly index: number; readonly tookMs: number }[] = [];
  #next: number;
  #sent = 0;

  constructor(options: FuzzRun, subject: AskedProgram) {
    this.#options = options;
    this.#subject = subject;
    this.#next = options.from;
  }

  async run(): Promise<FuzzReport> {
    const { count, from, seed, judgesTime } = this.#options;
    const heapMB = { middle: 0, end: 0 };
    try {
      await this.#sendUntil(from + Math.floor(count / 2), 0);
      heapMB.middle = await settledHeapMB(this.#subject);
      await this.#sendUntil(from + count, AT_A_TIME);
      heapMB.end = await settledHeapMB(this.#subject);
      if (judgesTime) await this.#confirmSuspects();
      const grownMB = heapMB.end - heapMB.middle;
      if (count > DEVICE_EVERY && grownMB > GROWTH_MB)
        this.#fail("memory", `${rounded(grownMB)} MB more in use at the end than in the middle`);
    } catch (error) {
      if (this.#subject.isRunning) throw error;
      for (const index of this.#recent) this.#fail("crash", "the process ended after this or one of the others", index);
    }
    return {
      target: coapTarget.name,
      seed,
      sent: this.#sent,
      failures: this.#failures,
      figures: {
        answer_ms_p50: rounded(percentile(this.#tookMs, 50)),
        answer_ms_p99: rounded(percentile(this.#tookMs, 99)),
        answer_ms_max: rounded(percentile(this.#tookMs, 100)),
        seemed_slow: this.#suspects.length,
        wrong_payloads: this.#counts.payloads,
        values_taken: this.#counts.values,
        payloads_without_value: this.#counts.unread,
        writes_confirmed: this.#counts.written,
        answers_refused: this.#counts.refused,
        ...Object.fromEntries([...this.#faults].map(([fault, times]) => [`refused_${fault}`, times])),
        requests_for_a_right_answer: this.#counts.probes,
        devices: this.#counts.devices,
        devices_read: this.#counts.readings,
        heap_middle_mb: rounded(heapMB.middle),
        heap_end_mb: rounded(heapMB.end),
      },
    };
  }

  async #sendUntil(end: number, firstLine: number): Promise<void> {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => this.#work(firstLine + index, end)));
    await this.#ask("close", {});
  }

  async #work(id: number, end: number): Promise<void> {
    await using opened = new Opened();
    const line = await this.#line(id, opened);
    while (this.#next < end && this.#failures.length < MOST_FAILURES) {
      const index = this.#next++;
      this.#recent.push(index);
      if (this.#recent.length > RECENT) this.#recent.shift();
      if (isDevice(index)) await this.#tryDevice(index, line);
      else {
        const tookMs = await this.#tryAnswer(index, line);
        if (tookMs !== undefined) this.#took(index, tookMs);
      }
      if (++this.#sent % PROGRESS_EVERY === 0) this.#options.progress(`${this.#sent} of ${this.#options.count}`);
    }
  }

  async #line(id: number, opened: Opened): Promise<Line> {
    const device = opened.use(new LyingCoapDevice());
    const port = await device.listen();
    await this.#ask("open", { line: id, port });
    return { id, device, port };
  }

  #took(index: number, tookMs: number): void {
    this.#tookMs.push(tookMs);
    if (tookMs > SLOW_MS) this.#suspects.push({ index, tookMs });
  }

  /** @returns how long the gateway took from the last datagram to its word, ms; undefined where it waited for more */
  async #tryAnswer(index: number, line: Line): Promise<number | undefined> {
    const { id, device } = line;
    const chance = chanceOf(this.#options.seed, index);
    const ask = askOf(chance);
    const wrong = wrongnessOf(ask, chance.fork("answer"));
    device.forget();
    device.document = (path, query) => wrong.document?.(path) ?? documentFor(path, query);
    device.tell = wrong.tell;
    const outcome = await this.#ask<CoapOutcome>("ask", { line: id, ask });
    const tookMs = performance.now() - device.saidAtMs;
    device.tell = undefined;
    device.document = documentFor;
    const { name, isTrue } = wrong.said();
    if (wrong.document !== undefined) this.#counts.payloads += 1;
    this.#judge(index, name, ask, outcome, line, isTrue);
    await this.#untilRight(index, `after ${name}`, ask, line);
    const isWaiting = outcome.kind === "error" && outcome.fault === "timeout";
    return isWaiting || ask.kind === "observe" ? undefined : tookMs;
  }

  #judge(index: number, where: string, ask: CoapAsk, outcome: CoapOutcome, line: Line, isTrue: boolean): void {
    if (outcome.kind === "error") {
      this.#counts.refused += 1;
      if (outcome.fault === undefined) this.#fail("internal-error", `${where}: ${outcome.message}`, index, ask);
      else this.#faults.set(outcome.fault, (this.#faults.get(outcome.fault) ?? 0) + 1);
    } else if (outcome.kind === "written" && ask.kind === "write") {
      this.#counts.written += 1;
      if (isTrue && !line.device.hasWritten(ask.path, Buffer.from(ask.payload)))
        this.#fail("wrong-value", `${where}: a write was taken for done, and the device has not done it`, index, ask);
    } else if (outcome.kind === "read" && ask.kind !== "write") {
      if (outcome.value === undefined) this.#counts.unread += 1;
      else this.#counts.values += 1;
      // A number comes as JSON, where one that is none is null.
      if (outcome.value === null) this.#fail("wrong-value", `${where}: a value that is no number`, index, ask);
      const body = valueDocument(ask.path, ask.value, ask.padding)?.body ?? Buffer.alloc(0);
      const isWhole = outcome.digest === digestOf(body);
      if (isTrue && !isWhole)
        this.#fail("wrong-value", `${where}: a payload was taken that is not the true one`, index, ask);
      const isLinks = ask.path.startsWith("/.");
      if (isWhole && (isLinks ? outcome.fault !== undefined : outcome.value !== ask.value))
        this.#fail(
          "wrong-value",
          `${where}: ${outcome.value ?? outcome.fault} was read of a right payload`,
          index,
          ask,
        );
    } else this.#fail("internal-error", `${where}: ${outcome.kind} for a ${ask.kind}`, index, ask);
  }

  /** Whatever was said, the link must come to a right answer again, and take no other on the way. */
  async #untilRight(index: number, where: string, before: CoapAsk, line: Line): Promise<void> {
    const chance = chanceOf(this.#options.seed, index).fork("probe");
    for (let attempt = 0; attempt < PROBES; attempt++) {
      const probe = probeAfter(before, chance);
      this.#counts.probes += 1;
      const outcome = await this.#ask<CoapOutcome>("ask", { line: line.id, ask: probe });
      if (outcome.kind === "read") {
        this.#judge(index, `${where}, the next request`, probe, outcome, line, true);
        return;
      }
      if (outcome.kind === "error" && outcome.fault === undefined)
        this.#fail("internal-error", `${where}: ${outcome.message}`, index, probe);
      await pause(PROBE_EVERY_MS);
    }
    this.#fail("hang", `${where}: no right answer came through again`, index, before);
  }

  async #tryDevice(index: number, { device, port }: Line): Promise<void> {
    const chance = chanceOf(this.#options.seed, index);
    const profile = chance.pick(PROFILE_IDS);
    const documents = mutatedDevice(profile, chance);
    this.#counts.devices += 1;
    device.forget();
    device.tell = undefined;
    device.document = (path) => documents.get(path);
    const asked = { port, profile };
    const outcome = await this.#ask<{ reading?: Record<string, unknown> } & Partial<CoapOutcome>>("device", asked);
    device.document = documentFor;
    const where = `a device of ${profile}`;
    if (outcome.kind === "error" && !("fault" in outcome))
      this.#fail("internal-error", `${where}: ${outcome.message}`, index);
    if (device.requests > MOST_REQUESTS_FOR_A_DEVICE)
      this.#fail("hang", `${where}: ${device.requests} requests for it`, index);
    if (outcome.reading === undefined) return;
    this.#counts.readings += 1;
    if (numbersIn(outcome.reading).includes(null))
      this.#fail("wrong-value", `${where}: a value that is no number: ${JSON.stringify(outcome.reading)}`, index);
  }

  /** A machine that was busy elsewhere is not slow again each time; the adapter is. */
  async #confirmSuspects(): Promise<void> {
    await using opened = new Opened();
    const line = await this.#line(2 * AT_A_TIME, opened);
    for (const { index } of this.#suspects.toSorted((a, b) => b.tookMs - a.tookMs)) {
      if (this.#failures.length >= MOST_FAILURES) break;
      let least = Number.POSITIVE_INFINITY;
      for (let repeat = 0; repeat < REPEATS && least > SLOW_MS; repeat++)
        least = Math.min(least, (await this.#tryAnswer(index, line)) ?? 0);
      if (least > SLOW_MS) this.#fail("slow", `${rounded(least)} ms or more each of ${REPEATS} times`, index);
    }
    await this.#ask("close", {});
  }

  #ask<T>(question: string, input: unknown): Promise<T> {
    return askInTime(this.#subject, question, input);
  }

  #fail(kind: FuzzFailure["kind"], what: string, index?: number, ask?: CoapAsk): void {
    if (this.#failures.length >= MOST_FAILURES) return;
    this.#failures.push({
      kind,
      what,
      ...(index === undefined ? {} : { index }),
      ...(ask === undefined ? {} : { input: JSON.stringify(ask) }),
    });
  }
}

function isDevice(index: number): boolean {
  return index % DEVICE_EVERY === DEVICE_EVERY - 1;
}

/** What a resource has when nothing is wrong: the client says in the query which value it is to be. */
function documentFor(path: string, query: string) {
  const [value = "", padding = ""] = query.replace("v=", "").split("/");
  return valueDocument(path, Number(value), Number(padding));
}

interface Wrongness {
  readonly document?: (path: string) => ReturnType<typeof valueDocument>;
  readonly tell?: (scene: CoapScene) => CoapReply;
  /** What was said in the end, and whether what is taken of it must be the whole true payload. */
  said(): { readonly name: string; readonly isTrue: boolean };
}

/** One thing that is wrong with what the device says to an ask: its payload, one of its datagrams, or what it tells later. */
function wrongnessOf(ask: CoapAsk, chance: Chance): Wrongness {
  if (ask.kind !== "write" && chance.integer(0, 1) === 0) {
    const { path, value, padding } = ask;
    const body = mutatedValueDocument(path, value, padding, chance);
    return {
      document: (asked) => (asked === path ? body : undefined),
      said: () => ({ name: "a payload", isTrue: false }),
    };
  }
  const which = chance.integer(0, 3);
  let requests = 0;
  let said = { name: "right", isTrue: true };
  return {
    tell: (scene) => {
      const isFirst = requests === 0;
      const isChosen = requests++ === which || (isFirst && scene.answer.options.every(isNoBlock));
      // The rest of what takes several datagrams is answered rightly.
      if (!isChosen || said.name !== "right") return right(scene.answer);
      if (ask.kind === "observe" && chance.integer(0, 1) === 0) {
        said = { name: "notifications", isTrue: true };
        const { datagrams } = right(scene.answer);
        return { datagrams: [...datagrams, ...mutatedNotifications({ answer: scene.answer, chance })], obeys: true };
      }
      const mutation = mutatedAnswer({ ...scene, chance, patienceMs: PATIENCE_MS });
      said = mutation;
      return mutation;
    },
    said: () => said,
  };
}

function isNoBlock([number]: readonly [number, Buffer]): boolean {
  return number !== OPTION.block1 && number !== OPTION.block2;
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
