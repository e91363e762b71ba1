import { controlNames } from "./control-base.ts";
import {
  type ControlEvent,
  EVENT_ACTIVE,
  EVENT_CANCELLED,
  EVENT_SCHEDULED,
  EVENT_SUPERSEDED,
  isOpen,
  isOperators,
} from "./control-event.ts";
import { contend } from "./control-names.ts";

/**
 * The event with the status that it has now. Events conflict control by control (2030.5-2018, 10.2.3.3): one whose controls
 * all stand in a later-made event is superseded when that one begins. One of which only some do would go on with the rest,
 * which is nobody's order; it is marked as potentially superseded, and cancelled when the later one begins.
 *
 * @param all events of the same program, this one among them
 */
export function eventAt(event: ControlEvent, all: readonly ControlEvent[], nowS: number): ControlEvent {
  if (!isOpen(event)) return event;
  const rivals = all.filter((other) => isOpen(other) && isRival(other, event)).sort((a, b) => a.startS - b.startS);
  const next = rivals[0];
  // One that would never get to begin is over at once; one that runs goes on until the other begins.
  if (next !== undefined && (next.startS <= nowS || next.startS <= event.startS)) {
    const statusSinceS = Math.min(nowS, Math.max(next.startS, next.publishedS));
    return covers(next, event)
      ? { ...event, status: EVENT_SUPERSEDED, statusSinceS, potentiallySupersededS: statusSinceS }
      : { ...event, status: EVENT_CANCELLED, statusSinceS };
  }
  const marked = partly(event, rivals);
  if (marked.status === EVENT_SCHEDULED && event.startS <= nowS) {
    return { ...marked, status: EVENT_ACTIVE, statusSinceS: Math.max(event.startS, event.publishedS) };
  }
  return marked;
}

function partly(event: ControlEvent, rivals: readonly ControlEvent[]): ControlEvent {
  const partial = rivals.find((other) => touches(other, event) && !covers(other, event));
  if (partial === undefined || event.potentiallySupersededS !== undefined) return event;
  return { ...event, potentiallySupersededS: partial.publishedS };
}

/**
 * True for an event that was made later and overlaps in time. The market means the whole device with each of its orders;
 * an operator means what the order names, and never gives way to the market.
 */
function isRival(other: ControlEvent, event: ControlEvent): boolean {
  const isLater = other.creationTimeS > event.creationTimeS && other.startS < event.endS && event.startS < other.endS;
  if (!isLater || (!isOperators(other) && !isOperators(event))) return isLater;
  return isOperators(other) && contend(controlNames(other.power), controlNames(event.power));
}

function covers(other: ControlEvent, event: ControlEvent): boolean {
  const names = controlNames(other.power);
  return controlNames(event.power).every((name) => names.includes(name));
}

function touches(other: ControlEvent, event: ControlEvent): boolean {
  const names = controlNames(other.power);
  return controlNames(event.power).some((name) => names.includes(name));
}
