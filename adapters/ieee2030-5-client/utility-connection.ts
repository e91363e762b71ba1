import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type Clock, withDeadline } from "../../src/clock.ts";
import { canonicalLfdi, type Lfdi, lfdiFromCertificate } from "../ieee2030-5/identity.ts";
import { SEP_CLIENT_CIPHERS, SEP_SIGNATURES, SEP_TLS } from "../ieee2030-5/sep-tls.ts";
import { isXml, SEP_XML } from "../ieee2030-5/server/media-type.ts";
import { BodyTooLong, readBody } from "../ieee2030-5/server/request-body.ts";
import type { TlsFiles } from "../ieee2030-5/server/tls-files.ts";
import type { XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import { MAX_XML_BYTES, parseXml } from "../ieee2030-5/xml/xml-parse.ts";
import { UtilityFault } from "./utility-fault.ts";

const DEADLINE_MS = 20_000;
const JSON_TYPE = "application/json";
const MOST_REDIRECTS = 3;
const MOST_RETRY_AFTER_S = 3600;

type Method = "GET" | "PUT" | "POST" | "DELETE";

interface Reply {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
}

export interface UtilityConnectionOptions {
  readonly url: string;
  readonly tls: TlsFiles;
  readonly serverLfdi?: Lfdi | undefined;
  readonly clock: Clock;
}

/** Requests to one 2030.5 server, over mutual TLS on connections that stay open between polls. */
export class UtilityConnection {
  readonly #options: UtilityConnectionOptions;
  readonly #origin: string;
  readonly #agent: Agent;

  constructor(options: UtilityConnectionOptions) {
    this.#options = options;
    this.#origin = new URL(options.url).origin;
    const { serverLfdi } = options;
    this.#agent = new Agent({
      ...options.tls,
      keepAlive: true,
      maxSockets: 2,
      ...SEP_TLS,
      ciphers: SEP_CLIENT_CIPHERS,
      sigalgs: SEP_SIGNATURES,
      checkServerIdentity: (host, certificate) => serverFault(host, certificate, serverLfdi),
    });
  }

  /** The document behind a link. @throws UtilityFault, or BadDocument where what came can't be read */
  async get(href: string, signal: AbortSignal): Promise<XmlElement> {
    const reply = await this.#send("GET", href, undefined, signal);
    if (!isXml(reply.type)) throw new UtilityFault(`GET ${href} came as ${reply.type}, expected ${SEP_XML}`);
    return parseXml(reply.body);
  }

  /** A document that is no XML. @throws UtilityFault */
  async getJson(href: string, signal: AbortSignal): Promise<unknown> {
    const { body } = await this.#send("GET", href, undefined, signal, JSON_TYPE);
    try {
      return JSON.parse(body.toString("utf8")) as unknown;
    } catch (cause) {
      throw new UtilityFault(`GET ${href} brought no JSON`, { cause });
    }
  }

  /** @returns href of what was made, where the server says one @throws UtilityFault */
  async post(href: string, document: string, signal: AbortSignal): Promise<string | undefined> {
    return (await this.#send("POST", href, document, signal)).location;
  }

  /** @throws UtilityFault */
  async put(href: string, document: string, signal: AbortSignal): Promise<void> {
    await this.#send("PUT", href, document, signal);
  }

  /** @throws UtilityFault */
  async delete(href: string, signal: AbortSignal): Promise<void> {
    await this.#send("DELETE", href, undefined, signal);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(
    method: Method,
    href: string,
    document: string | undefined,
    signal: AbortSignal,
    accept = SEP_XML,
  ): Promise<Reply> {
    let url = this.#resolve(href, this.#options.url);
    for (let redirects = 0; ; redirects++) {
      const reply = await this.#exchange(method, url, document, accept, signal);
      const { status, location } = reply;
      if (status >= 200 && status < 300) return reply;
      if (REDIRECTS.includes(status) && location !== undefined && redirects < MOST_REDIRECTS) {
        url = this.#resolve(location, url.href);
        continue;
      }
      throw new UtilityFault(`${method} ${url.pathname} was answered with ${status}`, {
        status,
        retryAfterMs: retryAfterMs(reply.retryAfter),
      });
    }
  }

  /** A link to another host would hand our identity to whoever is there. */
  #resolve(href: string, base: string): URL {
    if (!URL.canParse(href, base)) throw new UtilityFault(`"${href.slice(0, 80)}" is no link`);
    const url = new URL(href, base);
    if (url.origin !== this.#origin)
      throw new UtilityFault(`the link ${url.href.slice(0, 120)} leaves ${this.#origin}`);
    return url;
  }

  async #exchange(
    method: Method,
    url: URL,
    document: string | undefined,
    accept: string,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { clock } = this.#options;
    try {
      return await withDeadline(clock, DEADLINE_MS, signal, async (deadline) => {
        const response = await this.#open(method, url, document, accept, deadline);
        const body = await readBody(response, MAX_XML_BYTES).catch((error: unknown) => {
          // What nobody reads would keep its connection for ever.
          response.destroy();
          throw error;
        });
        const { statusCode = 0, headers } = response;
        return {
          status: statusCode,
          location: headers.location,
          retryAfter: headers["retry-after"],
          type: headers["content-type"],
          body,
        };
      });
    } catch (cause) {
      signal.throwIfAborted();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new UtilityFault(`${method} ${url.pathname}: ${reason}`, {
        cause,
        isSilence: !(cause instanceof BodyTooLong),
      });
    }
  }

  #open(
    method: Method,
    url: URL,
    document: string | undefined,
    accept: string,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const headers: Record<string, string> = { accept };
    if (document !== undefined) {
      headers["content-type"] = SEP_XML;
      headers["content-length"] = String(Buffer.byteLength(document));
    }
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.#agent, signal }, resolve);
      outgoing.on("error", reject);
      outgoing.end(document);
    });
  }
}

const REDIRECTS: readonly number[] = [301, 302, 307, 308];

/** Certificates of this field often have no host name: then the configured LFDI takes its place. */
function serverFault(host: string, certificate: PeerCertificate, serverLfdi: Lfdi | undefined): Error | undefined {
  if (serverLfdi === undefined) return checkServerIdentity(host, certificate);
  const lfdi = lfdiFromCertificate(certificate.raw);
  return lfdi === canonicalLfdi(serverLfdi) ? undefined : new Error(`the server is ${lfdi}, expected ${serverLfdi}`);
}

function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,6}$/.test(text)) return undefined;
  return Math.min(Number(text), MOST_RETRY_AFTER_S) * 1000;
}
