import type { XmlNode } from "../der/xml-out.ts";

/** What goes back to a client. */
export interface Answer {
  readonly status: number;
  readonly document?: XmlNode;
  /** Of the one document here that is no XML. */
  readonly json?: unknown;
  /** For a person. */
  readonly reason?: string;
  /** Where a new resource is. */
  readonly location?: string;
  readonly allow?: string;
}

export function refusal(status: number, reason: string): Answer {
  return { status, reason };
}
