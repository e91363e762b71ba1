import { type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { type Clock, withDeadline } from "../../../src/clock.ts";
import { SEP_XML } from "../server/media-type.ts";
import { readBody } from "../server/request-body.ts";
import { MAX_XML_BYTES } from "../xml/xml-parse.ts";

/** Certificates for an https device; absent parts take the system's own. PEM. */
export interface PushTls {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export interface PushRequest {
  readonly method: "GET" | "PUT";
  readonly url: string;
  readonly body?: string;
  readonly tls: PushTls;
  readonly deadlineMs: number;
}

export interface PushAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * One request on a connection of its own; redirects are not followed, since an order must not go where nobody configured.
 * @throws DeadlineError when no whole answer came in time, another Error when the device is not there
 */
export function exchange(clock: Clock, wanted: PushRequest, signal: AbortSignal): Promise<PushAnswer> {
  return withDeadline(clock, wanted.deadlineMs, signal, async (deadline) => {
    const response = await send(wanted, deadline);
    return { status: response.statusCode ?? 0, body: await readBody(response, MAX_XML_BYTES) };
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
      ? requestHttps(url, { ...options, ...tls, minVersion: "TLSv1.2" }, resolve)
      : requestHttp(url, options, resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
