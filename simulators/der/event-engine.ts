import type { DerControl, RefusedControl } from "./control.ts";
import { type ControlModes, collide } from "./control-modes.ts";
import { type Addressee, RESPONSE, type ResponseStatus } from "./responses.ts";

/** A control as one program lists it; the lower the primacy, the stronger. */
export interface ListedControl {
  readonly primacy: number;
  readonly control: DerControl | RefusedControl;
}

/** Something to tell the server about an event; with a reason when it is a complaint. */
export interface Answer {
  readonly to: Addressee;
  readonly status: ResponseStatus;
  readonly reason?: string;
}

export interface EngineOptions {
  /** Uniform in [0, 1), for the randomized start and end. */
  readonly random: () => number;
  /** Why the device does not want a sound control, or nothing. */
  readonly objection: (modes: ControlModes) => string | undefined;
  /** True if a person opts out of a control that the device could follow; never, unless given. */
  readonly optsOut?: () => boolean;
}

/** EventStatus.currentStatus. A server sets `completed` only since the 2023 edition. */
const STATUS = { scheduled: 0, active: 1, cancelled: 2, cancelledRandomly: 3, superseded: 4, completed: 5 } as const;

/** Both clocks count whole seconds, and a list is a moment old when it is read. */
const TOLERANCE_S = 2;

/** Events that are remembered, so that none is answered twice. */
const MAX_EVENTS = 512;

interface Event {
  readonly control: DerControl;
  readonly primacy: number;
  readonly order: number;
  phase: "waiting" | "running" | "over";
  startS: number;
  endS: number;
  /** Set by a cancellation that ends at a random moment. */
  endsCancelled: boolean;
}

/**
 * The rules for DERControl events: which one holds now, and what the server is told about each. It knows no network and
 * no clock; instants are seconds by the server's clock, handed in.
 */
export class EventEngine {
  readonly #options: EngineOptions;
  readonly #events = new Map<string, Event>();
  /** Complaints that were made, so that a list that is read every minute brings each only once. */
  readonly #complaints = new Set<string>();
  #seen = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Events that hold now, strongest first. */
  running(): readonly DerControl[] {
    return [...this.#events.values()]
      .filter((event) => event.phase === "running")
      .sort((a, b) => (outranks(a, b) ? -1 : 1))
      .map((event) => event.control);
  }

  /** What is remembered of an event, by its mRID in the form in which it is compared. */
  find(id: string): { readonly phase: "waiting" | "running" | "over"; readonly fingerprint: string } | undefined {
    const event = this.#events.get(id);
    return event && { phase: event.phase, fingerprint: event.control.fingerprint };
  }

  /** All that the running events ask for together; `undefined` when there is none. */
  modes(): ControlModes | undefined {
    const running = this.running();
    return running.length === 0 ? undefined : Object.assign({}, ...running.map(({ modes }) => modes).reverse());
  }

  /** Takes in the lists as they are now. An event that is missing from them goes on: removal is not cancellation. */
  see(listed: readonly ListedControl[], nowS: number): Answer[] {
    const answers: Answer[] = [];
    for (const { control, primacy } of listed) {
      if ("reason" in control) {
        answers.push(...this.#complain(control.addressee, control.status, control.reason));
        continue;
      }
      const known = this.#events.get(control.id);
      if (known === undefined) answers.push(...this.#meet(control, primacy, nowS));
      else answers.push(...this.#update(known, control, nowS));
    }
    this.#forget(new Set(listed.map(({ control }) => ("id" in control ? control.id : ""))));
    return [...answers, ...this.tick(nowS)];
  }

  /** Starts and ends what is due. */
  tick(nowS: number): Answer[] {
    const answers: Answer[] = [];
    const live = [...this.#events.values()].filter((event) => event.phase !== "over");
    for (const event of live) {
      if (nowS < event.endS) continue;
      const ran = event.phase === "running";
      const status = event.endsCancelled ? RESPONSE.cancelled : ran ? RESPONSE.completed : RESPONSE.tooLate;
      answers.push(...end(event, status));
    }
    // Those that are due contend with each other, whether they run already or not.
    const due = live.filter((event) => event.phase !== "over" && nowS >= event.startS);
    for (const event of due) {
      const beaten = due.some((other) => outranks(other, event) && collide(other.control.modes, event.control.modes));
      if (beaten) answers.push(...end(event, RESPONSE.superseded));
    }
    for (const event of due) {
      if (event.phase !== "waiting") continue;
      event.phase = "running";
      answers.push({ to: event.control.addressee, status: RESPONSE.started });
    }
    return answers;
  }

  /** An event that was not listed before. */
  #meet(control: DerControl, primacy: number, nowS: number): Answer[] {
    const to = control.addressee;
    const event = this.#remember(control, primacy);
    const objection = lateOrEarly(control, nowS) ?? untimely(control, nowS);
    if (objection !== undefined) return [...end(event), ...this.#complain(to, objection.status, objection.reason)];
    switch (control.status) {
      case STATUS.cancelled:
      case STATUS.cancelledRandomly:
        return end(event, RESPONSE.cancelled);
      case STATUS.superseded:
        return end(event, RESPONSE.superseded);
      case STATUS.scheduled:
      case STATUS.active: {
        const reason = this.#options.objection(control.modes);
        if (reason !== undefined) return [...end(event), ...this.#complain(to, RESPONSE.notApplicable, reason)];
        const received: Answer = { to, status: RESPONSE.received };
        return this.#options.optsOut?.() ? [received, ...end(event, RESPONSE.optOut)] : [received];
      }
      default:
        // A status of a later edition: the event is left alone, as the standard asks.
        return end(event);
    }
  }

  /** An event that was listed before. */
  #update(event: Event, control: DerControl, nowS: number): Answer[] {
    if (control.fingerprint !== event.control.fingerprint) {
      const reason = "an event never changes under its mRID but for its status; it needs a new mRID";
      return this.#complain(control.addressee, RESPONSE.invalid, reason);
    }
    if (event.phase === "over" || event.endsCancelled) return [];
    switch (control.status) {
      case STATUS.cancelled:
        return end(event, RESPONSE.cancelled);
      case STATUS.cancelledRandomly: {
        const spreadS = Math.max(Math.abs(control.randomizeStartS), Math.abs(control.randomizeDurationS));
        event.endS = Math.min(event.endS, nowS + spreadS * this.#options.random());
        event.endsCancelled = true;
        return [];
      }
      case STATUS.superseded:
        return end(event, RESPONSE.superseded);
      default: {
        if (control.status === STATUS.active && control.randomizeStartS === 0) event.startS = 0;
        const objection = untimely(control, nowS);
        // It was taken in good faith and goes on; the server hears that its list is wrong.
        return objection === undefined ? [] : this.#complain(control.addressee, objection.status, objection.reason);
      }
    }
  }

  #remember(control: DerControl, primacy: number): Event {
    const { random } = this.#options;
    const startS = control.startS + Math.round(control.randomizeStartS * random());
    const durationS = Math.max(0, control.durationS + Math.round(control.randomizeDurationS * random()));
    const event: Event = {
      control,
      primacy,
      order: this.#seen++,
      phase: "waiting",
      // A server that says "active" knows its clock better than we do.
      startS: control.status === STATUS.active && control.randomizeStartS === 0 ? 0 : startS,
      endS: startS + durationS,
      endsCancelled: false,
    };
    this.#events.set(control.id, event);
    return event;
  }

  #complain(to: Addressee, status: ResponseStatus, reason: string): Answer[] {
    const complaint = `${to.mRID} ${reason}`;
    if (this.#complaints.has(complaint)) return [];
    if (this.#complaints.size >= MAX_EVENTS) this.#complaints.clear();
    this.#complaints.add(complaint);
    return [{ to, status, reason }];
  }

  /** Drops the oldest events that are over and no longer listed; when there are still too many, the oldest of all. */
  #forget(listed: ReadonlySet<string>): void {
    for (const [id, event] of this.#events) {
      if (this.#events.size <= MAX_EVENTS) return;
      if (event.phase === "over" && !listed.has(id)) this.#events.delete(id);
    }
    for (const id of this.#events.keys()) {
      if (this.#events.size <= MAX_EVENTS) return;
      this.#events.delete(id);
    }
  }
}

/** Lower primacy first, then the later creation; at the same second the one that was there first stays. */
function outranks(one: Event, other: Event): boolean {
  if (one === other) return false;
  if (one.primacy !== other.primacy) return one.primacy < other.primacy;
  if (one.control.creationTimeS !== other.control.creationTimeS) {
    return one.control.creationTimeS > other.control.creationTimeS;
  }
  return one.order < other.order;
}

function end(event: Event, status?: ResponseStatus): Answer[] {
  event.phase = "over";
  return status === undefined ? [] : [{ to: event.control.addressee, status }];
}

function lateOrEarly(control: DerControl, nowS: number): { status: ResponseStatus; reason: string } | undefined {
  const open = control.status === STATUS.scheduled || control.status === STATUS.active;
  if (!open || control.startS + control.durationS > nowS) return undefined;
  return { status: RESPONSE.tooLate, reason: "the event had ended when it was first seen" };
}

/** A status that the server must not report at this time. */
function untimely(control: DerControl, nowS: number): { status: ResponseStatus; reason: string } | undefined {
  const invalid = (reason: string) => ({ status: RESPONSE.invalid, reason });
  if (control.statusTimeS > nowS + TOLERANCE_S) return invalid("EventStatus.dateTime is in the future");
  if (control.status === STATUS.scheduled && control.startS < nowS - TOLERANCE_S) {
    return invalid("the status is scheduled though the start has passed");
  }
  if (control.status === STATUS.active && control.startS > nowS + TOLERANCE_S) {
    return invalid("the status is active though the start is still to come");
  }
  return undefined;
}
