import type { XmlNode } from "../der/xml-out.ts";
import { withAttributes } from "./documents.ts";

/** Largest page, whatever a client asks for. */
const MAX_PAGE = 100;

/** One page of a list: `s` is its start, `l` its length, 1 unless given (2030.5-2018, 6.6). */
export function listPage(
  name: string,
  href: string,
  items: readonly XmlNode[],
  query: URLSearchParams,
  attributes: { readonly pollRate?: number; readonly subscribable?: number } = {},
): XmlNode {
  const start = countFrom(query.get("s"), 0);
  const length = Math.min(countFrom(query.get("l"), 1), MAX_PAGE);
  const content = items.slice(start, start + length);
  return withAttributes({ name, content }, { href, ...attributes, all: items.length, results: content.length });
}

function countFrom(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}
