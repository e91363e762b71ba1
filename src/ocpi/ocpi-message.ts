import type { IncomingHttpHeaders } from "node:http";
import { invalidParameters, OCPI_STATUS, type OcpiStatusCode } from "./ocpi-fault.ts";
import { type OcpiPeer, speaksFor } from "./ocpi-peers.ts";
import { ocpiTimeFromMs } from "./ocpi-time.ts";
import { isSameParty, type OcpiParty } from "./ocpi-version.ts";

/** A request after it was read, with the peer it comes from. */
export interface OcpiRequest {
  readonly method: string;
  /** What follows the endpoint in the path, decoded. */
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed JSON of POST, PUT and PATCH. */
  readonly body: unknown;
  readonly peer: OcpiPeer;
  /** The endpoint's own address, for links. */
  readonly url: string;
  readonly signal: AbortSignal;
}

/** What a request is answered. */
export interface OcpiReply {
  readonly data?: unknown;
  /** Default 1000. */
  readonly statusCode?: OcpiStatusCode;
  readonly message?: string;
  /** Default 200. */
  readonly httpStatus?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The envelope of every answer (transport chapter, response format). */
export function envelopeText(reply: OcpiReply, nowMs: number): string {
  return JSON.stringify({
    ...(reply.data !== undefined && { data: reply.data }),
    status_code: reply.statusCode ?? OCPI_STATUS.success,
    ...(reply.message !== undefined && { status_message: reply.message.slice(0, 500) }),
    timestamp: ocpiTimeFromMs(nowMs),
  });
}

const MESSAGE_ID = /^[\x21-\x7e]{1,128}$/;

/** X-Request-ID and X-Correlation-ID go back as they came; one that is missing or unusable gets a new value. */
export function messageIds(headers: IncomingHttpHeaders, newId: () => string): Record<string, string> {
  return Object.fromEntries(
    ["X-Request-ID", "X-Correlation-ID"].map((name) => {
      const value = headers[name.toLowerCase()];
      return [name, typeof value === "string" && MESSAGE_ID.test(value) ? value : newId()];
    }),
  );
}

/**
 * The routing headers of the answer: from us to whoever asked.
 * @throws OcpiFault 2001 if the request is for another party, or in the name of one that the peer may not speak for
 */
export function routingHeaders(headers: IncomingHttpHeaders, us: OcpiParty, peer: OcpiPeer): Record<string, string> {
  const to = partyFrom(headers, "to");
  if (to !== undefined && !isSameParty(to, us)) {
    throw invalidParameters(`OCPI-to-*: ${to.countryCode}*${to.partyId} is not served here`);
  }
  const from = partyFrom(headers, "from");
  if (from !== undefined && !speaksFor(peer, from)) {
    throw invalidParameters(`OCPI-from-*: this token does not belong to ${from.countryCode}*${from.partyId}`);
  }
  const [first] = peer.config.parties;
  const asker = from ?? first;
  return {
    "OCPI-from-country-code": us.countryCode,
    "OCPI-from-party-id": us.partyId,
    ...(asker !== undefined && { "OCPI-to-country-code": asker.countryCode, "OCPI-to-party-id": asker.partyId }),
  };
}

/** Both halves or nothing. */
function partyFrom(headers: IncomingHttpHeaders, direction: "to" | "from"): OcpiParty | undefined {
  const countryCode = headers[`ocpi-${direction}-country-code`];
  const partyId = headers[`ocpi-${direction}-party-id`];
  if (countryCode === undefined && partyId === undefined) return undefined;
  if (typeof countryCode !== "string" || !/^[A-Za-z]{2}$/.test(countryCode)) {
    throw invalidParameters(`OCPI-${direction}-country-code: must be two letters`);
  }
  if (typeof partyId !== "string" || !/^[A-Za-z0-9]{3}$/.test(partyId)) {
    throw invalidParameters(`OCPI-${direction}-party-id: must be three letters or digits`);
  }
  return { countryCode, partyId };
}
