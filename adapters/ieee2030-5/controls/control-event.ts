import type { ControlPower } from "./control-power.ts";
import { isOrder, type OrderedControls } from "./operator-order.ts";

/** EventStatus.currentStatus. `completed` of the 2023 edition is never written: what has ended leaves the list. */
export const EVENT_SCHEDULED = 0;
export const EVENT_ACTIVE = 1;
export const EVENT_CANCELLED = 2;
export const EVENT_CANCELLED_RANDOMLY = 3;
export const EVENT_SUPERSEDED = 4;

type EventStatusCode =
  | typeof EVENT_SCHEDULED
  | typeof EVENT_ACTIVE
  | typeof EVENT_CANCELLED
  | typeof EVENT_CANCELLED_RANDOMLY
  | typeof EVENT_SUPERSEDED;

/**
 * Within how many seconds a device moves start and duration of an event, once per event. -3600..3600, 0 for not at all;
 * negative moves to earlier, and to shorter.
 */
export interface Randomization {
  readonly startS: number;
  readonly durationS: number;
}

export const NOT_RANDOMIZED: Randomization = { startS: 0, durationS: 0 };

/** One DERControl. All but its status is fixed once a device may have seen it (2030.5-2018, 10.2.3.3). */
export interface ControlEvent {
  /** Its place under the list's address. */
  readonly id: number;
  readonly mRID: string;
  readonly setpointId: string;
  /** A power of the market's, or what an operator orders. */
  readonly power: ControlPower | OrderedControls;
  /** Epoch seconds, as all times of 2030.5. */
  readonly creationTimeS: number;
  /** Epoch seconds at which it was listed; `creationTimeS` may be a little later, to tell it from another. */
  readonly publishedS: number;
  readonly startS: number;
  /** Exclusive. */
  readonly endS: number;
  readonly randomization: Randomization;
  readonly status: EventStatusCode;
  /** Epoch seconds at which the status became what it is. */
  readonly statusSinceS: number;
  /** Epoch seconds since which another event overlaps it; absent while none does. */
  readonly potentiallySupersededS?: number;
}

/** True until an event is cancelled or superseded, whether its time has come or not. */
export function isOpen(event: ControlEvent): boolean {
  return event.status === EVENT_SCHEDULED || event.status === EVENT_ACTIVE;
}

/** True for an event that an operator has ordered, and no market. */
export function isOperators(event: ControlEvent): event is OperatorEvent {
  return isOrder(event.power);
}

export type OperatorEvent = ControlEvent & { readonly power: OrderedControls };

/** Seconds by which a device that was told of a random cancellation may still go on. */
export function randomS({ randomization }: ControlEvent): number {
  return Math.max(Math.abs(randomization.startS), Math.abs(randomization.durationS));
}
