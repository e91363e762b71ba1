import { canonicalMRID } from "../identity.ts";
import { controlNames } from "./control-base.ts";
import {
  type ControlEvent,
  EVENT_ACTIVE,
  EVENT_CANCELLED,
  EVENT_CANCELLED_RANDOMLY,
  EVENT_SCHEDULED,
  EVENT_SUPERSEDED,
  isOpen,
  isOperators,
  NOT_RANDOMIZED,
  type OperatorEvent,
  type Randomization,
  randomS,
} from "./control-event.ts";
import { contend } from "./control-names.ts";
import { type ControlPower, samePower } from "./control-power.ts";
import { eventAt } from "./event-status.ts";
import { isOrder, type OperatorOrder } from "./operator-order.ts";

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
/** Orders of an operator that are listed until their end, whatever has become of them. */
export const MOST_ORDERS = 16;
/** Events of the market that are listed at once: a plan, one that was cancelled, and the superseded. */
const MOST_OF_MARKET = 2 * MOST_PLANNED + MOST_SUPERSEDED;
/** Events that are listed at once. It bounds the answer, too. */
export const MOST_LISTED = MOST_OF_MARKET + MOST_ORDERS;
/** What an operator's event is called where others bear the name of their setpoint. */
const ORDERED = "operator";
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

  /**
   * Lists what an operator orders. It goes before what the market has ordered of the same.
   * @param startS epoch seconds; absent, or past: at once
   * @returns nothing where there are too many
   */
  order(order: OperatorOrder, startS: number | undefined, endS: number, nowMs: number): OperatorEvent | undefined {
    const nowS = Math.floor(nowMs / 1000);
    if (this.orders(nowMs).length >= MOST_ORDERS) return undefined;
    const power = { order };
    return { ...this.#addEvent(ORDERED, power, Math.max(startS ?? nowS, nowS), endS, nowMs), power };
  }

  /** What an operator has ordered and whose end has not come, whatever has become of it. */
  orders(nowMs: number): readonly OperatorEvent[] {
    return this.listed(nowMs).filter(isOperators);
  }

  /** Orders of an operator from before a restart; under the mRIDs that the device knows. */
  restore(events: readonly OperatorEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#remember(event.mRID);
      this.#lastId = Math.max(this.#lastId, event.id);
      this.#lastCreationS = Math.max(this.#lastCreationS, event.creationTimeS);
    }
  }

  /** Takes back an operator's order that is open. @returns false if there is none with this mRID */
  cancelOrder(mRID: string, nowMs: number): boolean {
    const event = this.orders(nowMs).find((one) => canonicalMRID(one.mRID) === canonicalMRID(mRID));
    if (event === undefined || !isOpen(event)) return false;
    this.#cancel(event, nowMs);
    return true;
  }

  /** The first open order of an operator between two instants that stands against this power. */
  orderAgainst(power: ControlPower, fromMs: number, untilMs: number, nowMs: number): OperatorEvent | undefined {
    const names = controlNames(power);
    return this.orders(nowMs).find(
      (event) =>
        isOpen(event) &&
        event.startS * 1000 < untilMs &&
        event.endS * 1000 > fromMs &&
        contend(names, controlNames(event.power)),
    );
  }

  /** A planned event is ordered now: from here on it ends as every order does. */
  claim(id: number): void {
    this.#ahead.delete(id);
  }

  /** Cancels the market's event in force; returns it, or nothing if there was none. */
  cancel(nowMs: number): ControlEvent | undefined {
    const current = this.current(nowMs);
    return current && this.#cancel(current, nowMs);
  }

  /** The market's event in force. */
  current(nowMs: number): ControlEvent | undefined {
    return this.listed(nowMs).find((event) => event.status === EVENT_ACTIVE && !isOperators(event));
  }

  /** The market's event in force, or that begins within this second, if it already says just this. */
  standing(power: ControlPower, untilMs: number, nowMs: number): ControlEvent | undefined {
    return this.listed(nowMs).find(
      (event) =>
        isOpen(event) &&
        event.startS * 1000 - nowMs < 1000 &&
        !isOrder(event.power) &&
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

  #cancel(event: ControlEvent, nowMs: number): ControlEvent | undefined {
    const status = randomS(event) > 0 && event.status === EVENT_ACTIVE ? EVENT_CANCELLED_RANDOMLY : EVENT_CANCELLED;
    const statusSinceS = Math.floor(nowMs / 1000);
    return this.#change(event.id, (before) => ({ ...before, status, statusSinceS }));
  }

  #add(setpointId: string, power: ControlPower, startS: number, untilMs: number, nowMs: number): ControlEvent {
    return this.#addEvent(setpointId, power, startS, endSecond(untilMs, startS), nowMs);
  }

  #addEvent(
    setpointId: string,
    power: ControlEvent["power"],
    startS: number,
    endS: number,
    nowMs: number,
  ): ControlEvent {
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
      endS,
      randomization: this.#randomization,
      status: startS > nowS ? EVENT_SCHEDULED : EVENT_ACTIVE,
      statusSinceS: nowS,
    };
    this.#events.push(event);
    this.#settle(nowS);
    this.#keepShort();
    this.#remember(event.mRID);
    return event;
  }

  #remember(mRID: string): void {
    this.#remembered.push(canonicalMRID(mRID));
    if (this.#remembered.length > MOST_REMEMBERED) this.#remembered.shift();
  }

  /** A device would carry out what goes before it was cancelled in its eyes, so that the superseded go first. */
  #keepShort(): void {
    const events = this.#events.filter((event) => !isOperators(event));
    const superseded = events.filter(({ status }) => status === EVENT_SUPERSEDED);
    if (superseded.length <= MOST_SUPERSEDED && events.length <= MOST_OF_MARKET) return;
    const goes = superseded[0] ?? events.find((event) => !isOpen(event)) ?? events[0];
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
    !isOrder(event.power) &&
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
