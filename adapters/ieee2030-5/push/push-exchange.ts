import { type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { DEFAULT_CIPHERS } from "node:tls";
import { type Clock, withDeadline } from "../../../src/clock.ts";
import { SEP_XML } from "../server/media-type.ts";
import { readBody } from "../server/request-body.ts";
import { MAX_XML_BYTES } from "../xml/xml-parse.ts";

/**
 * Devices of an authority of one's own often speak the one cipher that the standard demands (2030.5-2018, 6.7), which no
 * list of defaults has; the level, since newer OpenSSL rates its short tag below its own. Weak hashes stay out.
 */
const OWN_AUTHORITY = {
  ciphers: `${DEFAULT_CIPHERS}:ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0`,
  sigalgs: "ECDSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256:RSA+SHA384",
} as const;

/** Certificates for an https device; absent parts take the system's own. PEM. */
export interface PushTls {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export interface PushRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly url: string;
  readonly body?: string;
  readonly tls: PushTls;
  readonly deadlineMs: number;
}

export interface PushAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Where the device put what was posted. */
  readonly location?: string;
}

/**
 * One request on a connection of its own; redirects are not followed, since an order must not go where nobody configured.
 * @throws DeadlineError when no whole answer came in time, another Error when the device is not there
 */
export function exchange(clock: Clock, wanted: PushRequest, signal: AbortSignal): Promise<PushAnswer> {
  return withDeadline(clock, wanted.deadlineMs, signal, async (deadline) => {
    const response = await send(wanted, deadline);
    const body = await readBody(response, MAX_XML_BYTES);
    const { location } = response.headers;
    return { status: response.statusCode ?? 0, body, ...(location !== undefined && { location }) };
  });
}

function send(wanted: PushRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, url, body, tls } = wanted;
  const isSecure = new URL(url).protocol === "https:";
  const headers: Record<string, string> = { accept: SEP_XML };
  if (body !== undefined) {
    headers["content-type"] = SEP_XML;
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  const options: RequestOptions = { method, headers, agent: false, signal };
  return new Promise((resolve, reject) => {
    const outgoing = isSecure
      ? requestHttps(
          url,
          { ...options, ...tls, ...(tls.ca !== undefined && OWN_AUTHORITY), minVersion: "TLSv1.2" },
          resolve,
        )
      : requestHttp(url, options, resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
