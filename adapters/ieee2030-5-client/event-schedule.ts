import { MODES, type Mode } from "./control-values.ts";
import type { EventMemory, KeptEvent } from "./kept-events.ts";
import { type DefaultControl, STATUS, type UtilityEvent } from "./utility-event.ts";

/** Response.status values of both editions, as far as they agree. */
export const RESPONSE = {
  received: 1,
  started: 2,
  completed: 3,
  cancelled: 6,
  superseded: 7,
  notSupported: 251,
  notApplicable: 252,
  invalid: 253,
  late: 254,
} as const;

/** Something to tell the server about an event. */
export interface EventAnswer {
  readonly event: Pick<UtilityEvent, "mRID" | "replyTo" | "responseRequired">;
  readonly status: number;
}

/** A control that holds now, and where it comes from. */
export interface HeldControl {
  readonly value: number;
  /** Time in which it is to be reached, s; absent where the default's gradient holds. */
  readonly rampS?: number;
  /** Absent for a default. */
  readonly mRID?: string;
  readonly primacy: number;
  /** Server time, epoch ms; absent for a default. */
  readonly untilMs?: number;
}

export type HeldControls = ReadonlyMap<Mode, HeldControl>;

interface Known {
  event: UtilityEvent;
  /** Server time, epoch ms: with its random parts, which are drawn once. */
  readonly startMs: number;
  endMs: number;
  state: "ahead" | "running" | "over";
  /** Controls in which another event has taken its place; they do not come back when that one ends. */
  readonly lost: Set<Mode>;
  /** Response.status values that it came to, those of before a restart too. */
  readonly reached: Set<number>;
  /** The server has withdrawn it, by this status. */
  withdrawnBy?: number;
}

/** Events that are remembered; those that ended first are forgotten beyond this. */
const MOST_EVENTS = 1000;
/** How long an event is remembered after its end, ms: as long it may still be on the server's list. */
const REMEMBERED_MS = 86_400_000;

export interface EventScheduleOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onAnswer: (answer: EventAnswer) => void;
  /** Response to an event of which nothing is supported: 252 (2018) or 251 (2023). */
  readonly unsupportedStatus: number;
  /** Absent: nothing outlives a restart. */
  readonly memory?: EventMemory;
}

/**
 * Which control of the utility holds when, one control at a time: an event may give way in one and go on in the other. Less
 * primacy goes first, then the later creation. An event never changes but in its status, and being no longer on the list
 * ends none.
 */
export class EventSchedule {
  readonly #options: EventScheduleOptions;
  readonly #known = new Map<string, Known>();
  #defaults: readonly DefaultControl[] = [];

  constructor(options: EventScheduleOptions) {
    this.#options = options;
  }

  get defaults(): readonly DefaultControl[] {
    return this.#defaults;
  }

  setDefaults(defaults: readonly DefaultControl[]): void {
    this.#defaults = defaults;
  }

  /** setGradW of the strongest default that says one, hundredths of a percent of setMaxW per second. */
  get gradient(): number | undefined {
    const saying = this.#defaults.filter(({ gradient }) => gradient !== undefined);
    return saying.sort((a, b) => a.primacy - b.primacy)[0]?.gradient;
  }

  /** Takes note of what is on the server's lists. @param nowMs server time, epoch ms */
  take(events: readonly UtilityEvent[], nowMs: number): void {
    for (const event of events) {
      const known = this.#known.get(event.mRID);
      if (known === undefined) this.#add(event, nowMs);
      else this.#update(known, event, nowMs);
    }
    this.#forget(nowMs);
  }

  /** Programs that the server has for us no more take their events with them. */
  keepPrograms(programs: ReadonlySet<string>): void {
    for (const known of this.#known.values()) if (!programs.has(known.event.program)) known.state = "over";
  }

  /** Moves events on and says what holds. @param nowMs server time, epoch ms */
  heldAt(nowMs: number): HeldControls {
    const due = [...this.#known.values()].filter((known) => known.state !== "over" && known.startMs <= nowMs);
    const held = new Map<Mode, HeldControl>();
    for (const mode of MODES) {
      const candidates = due.filter(
        (known) => known.endMs > nowMs && known.event.values[mode] !== undefined && !known.lost.has(mode),
      );
      const winner = candidates.reduce<Known | undefined>(
        (best, one) => (best === undefined || goesBefore(one.event, best.event) ? one : best),
        undefined,
      );
      for (const loser of candidates) {
        if (loser === winner) continue;
        loser.lost.add(mode);
        this.#keep(loser);
      }
      const value = winner?.event.values[mode];
      if (winner !== undefined && value !== undefined) {
        const { mRID, primacy, rampS } = winner.event;
        held.set(mode, { value, mRID, primacy, untilMs: winner.endMs, ...(rampS !== undefined && { rampS }) });
      }
    }
    for (const known of due) this.#moveOn(known, nowMs);
    for (const mode of MODES) {
      const fallback = held.has(mode) ? undefined : this.#defaultOf(mode);
      if (fallback !== undefined) held.set(mode, fallback);
    }
    return held;
  }

  /** Server time, epoch ms, at which something begins or ends next; absent while nothing is ahead. */
  nextChangeMs(nowMs: number): number | undefined {
    const times = [...this.#known.values()]
      .filter(({ state }) => state !== "over")
      .flatMap(({ startMs, endMs }) => [startMs, endMs])
      .filter((time) => time > nowMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #add(event: UtilityEvent, nowMs: number): void {
    const { startMs, endMs, reached, lost } = this.#options.memory?.get(event.mRID) ?? this.#drawnTimes(event);
    const known: Known = { event, startMs, endMs, state: "ahead", lost: new Set(lost), reached: new Set(reached) };
    this.#known.set(event.mRID, known);
    if (reached.some((status) => status !== RESPONSE.received && status !== RESPONSE.started)) {
      known.state = "over";
      return;
    }
    if (reached.includes(RESPONSE.started) && endMs <= nowMs) {
      // It ended while we were away: what its end was like nobody here can say.
      known.state = "over";
      return;
    }
    if ((event.startS + event.durationS) * 1000 <= nowMs || endMs <= nowMs) {
      known.state = "over";
      this.#answer(known, RESPONSE.late);
      return;
    }
    this.#answer(known, RESPONSE.received);
    if (!isKnownStatus(event.status)) {
      known.state = "over";
      this.#answer(known, RESPONSE.invalid);
    } else if (Object.keys(event.values).length === 0) {
      known.state = "over";
      this.#answer(known, this.#options.unsupportedStatus);
    } else this.#update(known, event, nowMs);
  }

  #update(known: Known, event: UtilityEvent, nowMs: number): void {
    // Only the status may change; a program's primacy is the program's own and may change too.
    known.event = { ...known.event, status: event.status, primacy: event.primacy };
    if (known.state === "over" || known.withdrawnBy !== undefined) return;
    switch (event.status) {
      case STATUS.cancelled:
        known.withdrawnBy = RESPONSE.cancelled;
        known.endMs = Math.min(known.endMs, nowMs);
        break;
      case STATUS.cancelledRandomised: {
        const { randomizeStartS, randomizeDurationS } = event;
        const mostS = Math.max(Math.abs(randomizeStartS), Math.abs(randomizeDurationS));
        const delayMs = known.state === "running" ? Math.abs(this.#drawn(mostS)) * 1000 : 0;
        known.withdrawnBy = RESPONSE.cancelled;
        known.endMs = Math.min(known.endMs, nowMs + delayMs);
        break;
      }
      case STATUS.superseded:
        known.withdrawnBy = RESPONSE.superseded;
        known.endMs = Math.min(known.endMs, nowMs);
        break;
      default:
        return;
    }
    if (known.state === "ahead" && known.endMs <= nowMs) this.#end(known, known.withdrawnBy);
  }

  #moveOn(known: Known, nowMs: number): void {
    const modes = Object.keys(known.event.values) as Mode[];
    if (known.endMs <= nowMs) {
      const wasRunning = known.state === "running";
      this.#end(known, known.withdrawnBy ?? (wasRunning ? RESPONSE.completed : RESPONSE.late));
    } else if (modes.every((mode) => known.lost.has(mode))) this.#end(known, RESPONSE.superseded);
    else if (known.state === "ahead") {
      known.state = "running";
      this.#answer(known, RESPONSE.started);
    }
  }

  #end(known: Known, status: number): void {
    known.state = "over";
    this.#answer(known, status);
  }

  /** A bit of `responseRequired` asks for each kind of answer; each is given once, over a restart too. */
  #answer(known: Known, status: number): void {
    const { event, reached } = known;
    if (reached.has(status)) return;
    reached.add(status);
    this.#keep(known);
    const bit = status === RESPONSE.received ? 1 : 2;
    if (event.replyTo !== undefined && (event.responseRequired & bit) !== 0) this.#options.onAnswer({ event, status });
  }

  #keep({ event, startMs, endMs, reached, lost }: Known): void {
    this.#options.memory?.put(event.mRID, { startMs, endMs, reached: [...reached], lost: [...lost] });
  }

  #drawnTimes(event: UtilityEvent): KeptEvent {
    const startMs = (event.startS + this.#drawn(event.randomizeStartS)) * 1000;
    const durationS = Math.max(0, event.durationS + this.#drawn(event.randomizeDurationS));
    return { startMs, endMs: startMs + durationS * 1000, reached: [], lost: [] };
  }

  #defaultOf(mode: Mode): HeldControl | undefined {
    const [first] = this.#defaults
      .filter(({ values }) => values[mode] !== undefined)
      .sort((a, b) => a.primacy - b.primacy);
    const value = first?.values[mode];
    if (first === undefined || value === undefined) return undefined;
    const { primacy, rampS } = first;
    return { value, primacy, ...(rampS !== undefined && { rampS }) };
  }

  /** A random whole number of seconds between 0 and `mostS`, which may be negative. */
  #drawn(mostS: number): number {
    return Math.trunc(this.#options.random() * (mostS + Math.sign(mostS)));
  }

  #forget(nowMs: number): void {
    for (const [mRID, { state, endMs }] of this.#known) {
      if (state === "over" && endMs < nowMs - REMEMBERED_MS) this.#drop(mRID);
    }
    if (this.#known.size <= MOST_EVENTS) return;
    const byEnd = [...this.#known].sort(([, a], [, b]) => a.endMs - b.endMs);
    for (const [mRID] of byEnd.slice(0, this.#known.size - MOST_EVENTS)) this.#drop(mRID);
  }

  #drop(mRID: string): void {
    this.#known.delete(mRID);
    this.#options.memory?.forget(mRID);
  }
}

function goesBefore(a: UtilityEvent, b: UtilityEvent): boolean {
  if (a.primacy !== b.primacy) return a.primacy < b.primacy;
  if (a.creationTimeS !== b.creationTimeS) return a.creationTimeS > b.creationTimeS;
  // Made in the same second: some rule that stays the same.
  return a.mRID > b.mRID;
}

function isKnownStatus(status: number): boolean {
  return Object.values(STATUS).some((known) => known === status);
}
