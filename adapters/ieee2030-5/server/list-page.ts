import { type OutElement, tag } from "../xml/xml-write.ts";

/** Which part of a list is asked for. */
export interface ListQuery {
  /** First item, from 0. */
  readonly start: number;
  /** Most items wanted; 0 asks for the size alone. */
  readonly limit: number;
  /** Only items later than this, epoch seconds; for lists in order of time. */
  readonly after?: number;
}

/** More than any list here holds, and a bound on what one answer costs. */
const MOST_ITEMS = 255;

/**
 * Reads `s`, `l` and `a` (2030.5-2018, 4.6: without `l` a client gets one item).
 * @returns nothing when one of them is no number
 */
export function readListQuery(query: URLSearchParams): ListQuery | undefined {
  const start = numberOf(query.get("s"), 0);
  const limit = numberOf(query.get("l"), 1);
  const after = numberOf(query.get("a"), -1);
  if (start === undefined || limit === undefined || after === undefined) return undefined;
  return { start, limit: Math.min(limit, MOST_ITEMS), ...(after < 0 ? {} : { after }) };
}

/** The items asked for, and how many there are in all. */
export function pageOf<T>(
  items: readonly T[],
  query: ListQuery,
): { readonly all: number; readonly page: readonly T[] } {
  return { all: items.length, page: items.slice(query.start, query.start + query.limit) };
}

/** A list document; `all` counts every item, `results` those in it. */
export function listDocument(
  name: string,
  attributes: OutElement["attributes"],
  all: number,
  page: readonly OutElement[],
): OutElement {
  return tag(name, { ...attributes, all, results: page.length }, page);
}

function numberOf(text: string | null, ifAbsent: number): number | undefined {
  if (text === null) return ifAbsent;
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
