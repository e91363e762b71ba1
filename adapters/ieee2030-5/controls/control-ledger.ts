import { canonicalMRID } from "../identity.ts";
import { type ControlPower, samePower } from "./control-power.ts";

/** Values of EventStatus.currentStatus that we use. `scheduled` (0) never, since our events start at once. */
export const EVENT_ACTIVE = 1;
export const EVENT_CANCELLED = 2;
export const EVENT_SUPERSEDED = 4;

/** One DERControl. All but its status is fixed once a device may have seen it (2030.5-2018, 10.2.3.3). */
export interface ControlEvent {
  /** Its place under the list's address. */
  readonly id: number;
  readonly mRID: string;
  readonly setpointId: string;
  readonly power: ControlPower;
  /** Epoch seconds, as all times of 2030.5. */
  readonly creationTimeS: number;
  readonly startS: number;
  /** Exclusive. */
  readonly endS: number;
  readonly status: typeof EVENT_ACTIVE | typeof EVENT_CANCELLED | typeof EVENT_SUPERSEDED;
  /** Epoch seconds at which the status became what it is. */
  readonly statusSinceS: number;
}

/** Events that are listed at once; more than a device gets within one of their lifetimes, and it bounds the answer. */
const MOST_LISTED = 32;
/** mRIDs kept after their event left the list, because a device still reports its end. */
const MOST_REMEMBERED = 128;

/**
 * The DERControls of one device. A new target is a new event that supersedes the one before; a release cancels. Neither
 * takes an event off the list before its own end, because for a device removal says nothing.
 */
export class ControlLedger {
  readonly #newMRID: () => string;
  #events: ControlEvent[] = [];
  #remembered: string[] = [];
  #lastId = 0;
  #lastCreationS = 0;

  constructor(newMRID: () => string) {
    this.#newMRID = newMRID;
  }

  /** Puts a new event in force from now until its end, and marks the one in force superseded. */
  publish(setpointId: string, power: ControlPower, untilMs: number, nowMs: number): ControlEvent {
    const startS = Math.floor(nowMs / 1000);
    this.#endCurrent(EVENT_SUPERSEDED, startS);
    // Of two overlapping events the later creationTime wins, so two within one second must still differ.
    this.#lastCreationS = Math.max(startS, this.#lastCreationS + 1);
    this.#lastId += 1;
    const event: ControlEvent = {
      id: this.#lastId,
      mRID: this.#newMRID(),
      setpointId,
      power,
      creationTimeS: this.#lastCreationS,
      startS,
      endS: endSecond(untilMs, startS),
      status: EVENT_ACTIVE,
      statusSinceS: startS,
    };
    this.#events.push(event);
    if (this.#events.length > MOST_LISTED) this.#events.shift();
    this.#remembered.push(canonicalMRID(event.mRID));
    if (this.#remembered.length > MOST_REMEMBERED) this.#remembered.shift();
    return event;
  }

  /** Cancels the event in force; returns it, or nothing if there was none. */
  cancel(nowMs: number): ControlEvent | undefined {
    return this.current(nowMs) === undefined ? undefined : this.#endCurrent(EVENT_CANCELLED, Math.floor(nowMs / 1000));
  }

  /** The event in force. */
  current(nowMs: number): ControlEvent | undefined {
    return this.listed(nowMs).find((event) => event.status === EVENT_ACTIVE);
  }

  /** The event in force, if it already says just this. */
  standing(power: ControlPower, untilMs: number, nowMs: number): ControlEvent | undefined {
    const current = this.current(nowMs);
    if (current === undefined || !samePower(current.power, power)) return undefined;
    return current.endS === endSecond(untilMs, current.startS) ? current : undefined;
  }

  /**
   * All events whose end has not come, in the list's own order: by start, and of one start the newest first
   * (2030.5-2018, DERControlList).
   */
  listed(nowMs: number): readonly ControlEvent[] {
    this.#events = this.#events.filter((event) => event.endS * 1000 > nowMs);
    return [...this.#events].sort((a, b) => a.startS - b.startS || b.creationTimeS - a.creationTimeS);
  }

  /** True for an mRID that was given out not too long ago. */
  knows(mRID: string): boolean {
    return this.#remembered.includes(canonicalMRID(mRID));
  }

  #endCurrent(status: ControlEvent["status"], nowS: number): ControlEvent | undefined {
    const index = this.#events.findIndex((event) => event.status === EVENT_ACTIVE);
    const event = this.#events[index];
    if (event === undefined) return undefined;
    const ended = { ...event, status, statusSinceS: Math.max(nowS, event.startS) };
    this.#events[index] = ended;
    return ended;
  }
}

/**
 * Ends count in whole seconds. Rounding up lets a device hold at most a second longer; rounding down would let it fall
 * back for a moment between two targets that follow each other without a gap.
 */
function endSecond(untilMs: number, startS: number): number {
  return Math.max(Math.ceil(untilMs / 1000), startS + 1);
}
