import type { Control } from "./program-book.ts";

/** EventStatus.currentStatus. */
export const STATUS = { scheduled: 0, active: 1, cancelled: 2, superseded: 4 } as const;

/** What a server reports of an event now, and since when; never "scheduled" once it has begun. */
export function eventStatus(control: Control, nowS: number): { status: number; sinceS: number } {
  const { ended, startS, creationTimeS } = control;
  if (ended !== undefined && ended.atS <= nowS) return { status: ended.status, sinceS: ended.atS };
  if (startS <= nowS) return { status: STATUS.active, sinceS: Math.max(startS, Math.min(creationTimeS, nowS)) };
  return { status: STATUS.scheduled, sinceS: Math.min(creationTimeS, nowS) };
}
