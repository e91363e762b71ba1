import { invalidParameters } from "./ocpi-fault.ts";
import { msFromOcpiTime } from "./ocpi-time.ts";
import type { OcpiModule } from "./ocpi-version.ts";

/** Most objects of a page (X-Limit). A CDR with a period for each market interval can be large. */
export const PAGE_LIMITS: Readonly<Record<OcpiModule, number>> = {
  locations: 50,
  tariffs: 100,
  sessions: 50,
  cdrs: 20,
};

const PARAMETERS = new Set(["date_from", "date_to", "offset", "limit"]);

export interface PageQuery {
  readonly offset: number;
  readonly limit: number;
  /** Inclusive, epoch ms. */
  readonly fromMs?: number;
  /** Exclusive, epoch ms. */
  readonly toMs?: number;
}

/** @throws OcpiFault 2001 naming the parameter */
export function pageQueryOf(query: URLSearchParams, most: number): PageQuery {
  for (const name of PARAMETERS) {
    if (query.getAll(name).length > 1) throw invalidParameters(`${name}: is given more than once`);
  }
  const limit = wholeNumber(query, "limit") ?? most;
  if (limit === 0) throw invalidParameters("limit: must be 1 or more");
  const fromMs = instant(query, "date_from");
  const toMs = instant(query, "date_to");
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs) {
    throw invalidParameters("date_to: must not be before date_from");
  }
  return {
    offset: wholeNumber(query, "offset") ?? 0,
    limit: Math.min(limit, most),
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
  };
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw invalidParameters(`${name}: must be a whole number, 0 or more`);
  return Number(value);
}

function instant(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const ms = msFromOcpiTime(value);
  if (ms === undefined) throw invalidParameters(`${name}: must be a UTC time such as 2026-06-15T12:00:00Z`);
  return ms;
}

/** Headers of a page: how many there are in all, the most of a page, and where the next one is (transport, pagination). */
export function pageHeaders(
  url: string,
  query: URLSearchParams,
  page: { readonly offset: number; readonly limit: number; readonly most: number; readonly total: number },
): Record<string, string> {
  const headers: Record<string, string> = { "X-Total-Count": String(page.total), "X-Limit": String(page.most) };
  if (page.offset + page.limit >= page.total) return headers;
  const next = new URLSearchParams();
  // The link carries the filters of the request, and nothing that is not one.
  for (const name of ["date_from", "date_to"]) {
    const value = query.get(name);
    if (value !== null) next.set(name, value);
  }
  next.set("offset", String(page.offset + page.limit));
  next.set("limit", String(page.limit));
  return { ...headers, Link: `<${url}?${next}>; rel="next"` };
}

/** The address of the next page, if there is one. */
export function nextPageUrl(link: string | undefined): string | undefined {
  for (const part of (link ?? "").split(/,\s*(?=<)/)) {
    const match = /^<([^>]{1,2000})>\s*;(.*)$/.exec(part.trim());
    if (match !== null && /(^|;)\s*rel="?next"?\s*(;|$)/i.test(match[2] ?? "")) return match[1];
  }
  return undefined;
}
