import { canonicalMRID } from "../identity.ts";
import {
  type ControlEvent,
  EVENT_ACTIVE,
  EVENT_CANCELLED,
  EVENT_CANCELLED_RANDOMLY,
  EVENT_SCHEDULED,
  EVENT_SUPERSEDED,
  isOpen,
  NOT_RANDOMIZED,
  type Randomization,
  randomS,
} from "./control-event.ts";
import { type ControlPower, samePower } from "./control-power.ts";
import { eventAt } from "./event-status.ts";

export type { ControlEvent } from "./control-event.ts";

/** A power to come. */
export interface PlannedPower {
  readonly setpointId: string;
  readonly power: ControlPower;
  /** Epoch ms. */
  readonly fromMs: number;
  /** Epoch ms, exclusive. */
  readonly untilMs: number;
}

/** Events to come that are listed at once: a day of half hours. */
const MOST_PLANNED = 48;
/** Superseded events that are listed until their end; a device that sees what superseded them needs no more of them. */
const MOST_SUPERSEDED = 32;
/** Events that are listed at once: a plan, one that was cancelled, and the superseded. It bounds the answer, too. */
export const MOST_LISTED = 2 * MOST_PLANNED + MOST_SUPERSEDED;
/** mRIDs kept after their event left the list, because a device still reports its end. */
const MOST_REMEMBERED = 256;

/**
 * The DERControls of one device. A new target is a new event that supersedes the one before; a release cancels. Neither
 * takes an event off the list before its own end, because for a device removal says nothing.
 */
export class ControlLedger {
  readonly #newMRID: () => string;
  readonly #randomization: Randomization;
  #events: ControlEvent[] = [];
  #remembered: string[] = [];
  /** Events that were planned and that nobody has ordered yet. */
  readonly #ahead = new Set<number>();
  #lastId = 0;
  #lastCreationS = 0;

  constructor(newMRID: () => string, randomization: Randomization = NOT_RANDOMIZED) {
    this.#newMRID = newMRID;
    this.#randomization = randomization;
  }

  /** Puts a new event in force from now until its end, and marks the one in force superseded. */
  publish(setpointId: string, power: ControlPower, untilMs: number, nowMs: number): ControlEvent {
    return this.#add(setpointId, power, Math.floor(nowMs / 1000), untilMs, nowMs);
  }

  /**
   * Lists what is to come, ahead of its start, so that a device needs no poll in the moment of the start. It replaces what
   * was planned before: what is the same stays the same event; what is no longer wanted is superseded by what comes in its
   * place, or cancelled, also where it has begun meanwhile and nobody has ordered it.
   *
   * @param planned what holds now, whose order comes by itself, and what comes next
   */
  plan(planned: readonly PlannedPower[], nowMs: number): void {
    const nowS = Math.floor(nowMs / 1000);
    this.#settle(nowS);
    const current = planned.filter(({ fromMs }) => fromMs <= nowMs).map(({ setpointId }) => setpointId);
    const coming = planned.filter(({ fromMs }) => fromMs > nowMs).slice(0, MOST_PLANNED);
    const ahead = this.#events.filter((event) => isOpen(event) && this.#ahead.has(event.id));
    const missing = coming.filter((one) => !ahead.some((event) => says(event, one)));
    for (const { setpointId, power, fromMs, untilMs } of missing) {
      this.#ahead.add(this.#add(setpointId, power, startSecond(fromMs), untilMs, nowMs).id);
    }
    this.#settle(nowS);
    for (const event of ahead) {
      const isWanted = current.includes(event.setpointId) || coming.some((one) => says(event, one));
      if (!isWanted) this.#takeBack(event.id, missing, nowS);
    }
  }

  /** A planned event is ordered now: from here on it ends as every order does. */
  claim(id: number): void {
    this.#ahead.delete(id);
  }

  /** Cancels the event in force; returns it, or nothing if there was none. */
  cancel(nowMs: number): ControlEvent | undefined {
    const current = this.current(nowMs);
    if (current === undefined) return undefined;
    const status = randomS(current) > 0 ? EVENT_CANCELLED_RANDOMLY : EVENT_CANCELLED;
    const statusSinceS = Math.max(Math.floor(nowMs / 1000), current.startS);
    return this.#change(current.id, (event) => ({ ...event, status, statusSinceS }));
  }

  /** The event in force. */
  current(nowMs: number): ControlEvent | undefined {
    return this.listed(nowMs).find((event) => event.status === EVENT_ACTIVE);
  }

  /** The event in force, or that begins within this second, if it already says just this. */
  standing(power: ControlPower, untilMs: number, nowMs: number): ControlEvent | undefined {
    return this.listed(nowMs).find(
      (event) =>
        isOpen(event) &&
        event.startS * 1000 - nowMs < 1000 &&
        samePower(event.power, power) &&
        event.endS === endSecond(untilMs, event.startS),
    );
  }

  /**
   * All events whose end has not come, in the list's own order: by start, and of one start the newest first
   * (2030.5-2018, DERControlList).
   */
  listed(nowMs: number): readonly ControlEvent[] {
    this.#settle(Math.floor(nowMs / 1000));
    this.#events = this.#events.filter((event) => event.endS * 1000 > nowMs);
    for (const id of this.#ahead) if (!this.#events.some((event) => event.id === id)) this.#ahead.delete(id);
    return [...this.#events].sort((a, b) => a.startS - b.startS || b.creationTimeS - a.creationTimeS);
  }

  /** True for an mRID that was given out not too long ago. */
  knows(mRID: string): boolean {
    return this.#remembered.includes(canonicalMRID(mRID));
  }

  #takeBack(id: number, instead: readonly PlannedPower[], nowS: number): void {
    this.#ahead.delete(id);
    this.#change(id, (event) => {
      if (!isOpen(event)) return event;
      const isReplaced = instead.some((one) => startSecond(one.fromMs) < event.endS && event.startS < endOf(one));
      const status = isReplaced ? EVENT_SUPERSEDED : EVENT_CANCELLED;
      return { ...event, status, statusSinceS: nowS, ...(isReplaced && { potentiallySupersededS: nowS }) };
    });
  }

  #add(setpointId: string, power: ControlPower, startS: number, untilMs: number, nowMs: number): ControlEvent {
    const nowS = Math.floor(nowMs / 1000);
    // Of two overlapping events the later creationTime wins, so two within one second must still differ.
    this.#lastCreationS = Math.max(nowS, this.#lastCreationS + 1);
    this.#lastId += 1;
    const event: ControlEvent = {
      id: this.#lastId,
      mRID: this.#newMRID(),
      setpointId,
      power,
      creationTimeS: this.#lastCreationS,
      publishedS: nowS,
      startS,
      endS: endSecond(untilMs, startS),
      randomization: this.#randomization,
      status: startS > nowS ? EVENT_SCHEDULED : EVENT_ACTIVE,
      statusSinceS: nowS,
    };
    this.#events.push(event);
    this.#settle(nowS);
    this.#keepShort();
    this.#remembered.push(canonicalMRID(event.mRID));
    if (this.#remembered.length > MOST_REMEMBERED) this.#remembered.shift();
    return event;
  }

  /** A device would carry out what goes before it was cancelled in its eyes, so that the superseded go first. */
  #keepShort(): void {
    const superseded = this.#events.filter(({ status }) => status === EVENT_SUPERSEDED);
    if (superseded.length <= MOST_SUPERSEDED && this.#events.length <= MOST_LISTED) return;
    const goes = superseded[0] ?? this.#events.find((event) => !isOpen(event)) ?? this.#events[0];
    this.#events = this.#events.filter((event) => event !== goes);
  }

  /** Lets every event have the status that it has now. */
  #settle(nowS: number): void {
    for (const [index, event] of this.#events.entries()) this.#events[index] = eventAt(event, this.#events, nowS);
  }

  #change(id: number, how: (event: ControlEvent) => ControlEvent): ControlEvent | undefined {
    const index = this.#events.findIndex((event) => event.id === id);
    const event = this.#events[index];
    if (event === undefined) return undefined;
    const after = how(event);
    this.#events[index] = after;
    return after;
  }
}

function says(event: ControlEvent, { setpointId, power, fromMs, untilMs }: PlannedPower): boolean {
  return (
    event.setpointId === setpointId &&
    samePower(event.power, power) &&
    event.startS === startSecond(fromMs) &&
    event.endS === endSecond(untilMs, event.startS)
  );
}

/** Starts to come count in whole seconds, rounded as ends are, so that what follows neither overlaps nor leaves a gap. */
function startSecond(fromMs: number): number {
  return Math.ceil(fromMs / 1000);
}

function endOf({ fromMs, untilMs }: PlannedPower): number {
  return endSecond(untilMs, startSecond(fromMs));
}

/**
 * Ends count in whole seconds. Rounding up lets a device hold at most a second longer; rounding down would let it fall
 * back for a moment between two targets that follow each other without a gap.
 */
function endSecond(untilMs: number, startS: number): number {
  return Math.max(Math.ceil(untilMs / 1000), startS + 1);
}
