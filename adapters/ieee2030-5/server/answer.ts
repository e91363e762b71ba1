import type { ControlEvent } from "../controls/control-event.ts";
import { type OutElement, writeXml } from "../xml/xml-write.ts";

/** What the server answers to one request. */
export interface Answer {
  readonly status: number;
  /** The document, for a GET. */
  readonly document?: string;
  /** The same before it was written. */
  readonly element?: OutElement;
  /** Controls in the document, which the device knows once it has it. */
  readonly controls?: readonly ControlEvent[];
  /** Where a POST put what it made. */
  readonly location?: string;
  /** What may be done instead, for a 405. */
  readonly allow?: string;
  /** Seconds after which it may go better, for a 503. */
  readonly retryAfterS?: number;
  /** For a person who tries it by hand. */
  readonly reason?: string;
  /** True to end the connection as well, so that who has no business here holds none. */
  readonly closes?: boolean;
}

export function found(document: OutElement, controls: readonly ControlEvent[] = []): Answer {
  return { status: 200, document: writeXml(document), element: document, controls };
}

export function created(location: string): Answer {
  return { status: 201, location };
}

export function changed(location?: string): Answer {
  return location === undefined ? { status: 204 } : { status: 204, location };
}

export function failure(status: number, reason: string): Answer {
  return { status, reason };
}
