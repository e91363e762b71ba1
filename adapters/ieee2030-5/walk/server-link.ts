import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { PeerCertificate } from "node:tls";
import { type Clock, withDeadline } from "../../../src/clock.ts";
import { canonicalLfdi, type Lfdi, lfdiFromCertificate } from "../identity.ts";
import { SEP_CLIENT_CIPHERS, SEP_TLS } from "../sep-tls.ts";
import { SEP_XML } from "../server/media-type.ts";
import { readBody } from "../server/request-body.ts";
import type { TlsFiles } from "../server/tls-files.ts";
import { MAX_XML_BYTES } from "../xml/xml-parse.ts";

const DEADLINE_MS = 10_000;

export interface ServerAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** One 2030.5 server, asked as a client asks it: one connection, one request after the other. */
export class ServerLink implements Disposable {
  readonly #agent: Agent;
  readonly #clock: Clock;

  /**
   * @param serverLfdi whose certificate must stand at the other end. Absent: the one that the host name demands. Many
   * 2030.5 servers have no host name in their certificates; the authority is checked in any case
   */
  constructor(clock: Clock, tls: TlsFiles, serverLfdi: Lfdi | undefined) {
    this.#clock = clock;
    this.#agent = new Agent({
      ...tls,
      keepAlive: true,
      maxSockets: 1,
      ...SEP_TLS,
      ciphers: SEP_CLIENT_CIPHERS,
      ...(serverLfdi !== undefined && { checkServerIdentity: (_, peer) => lfdiFault(peer, serverLfdi) }),
    });
  }

  /** @throws DeadlineError when no whole answer came in time, another Error when the server is not there */
  async get(url: URL, signal: AbortSignal): Promise<ServerAnswer> {
    return await withDeadline(this.#clock, DEADLINE_MS, signal, async (deadline) => {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { agent: this.#agent, headers: { accept: SEP_XML }, signal: deadline };
        request(url, options, resolve).on("error", reject).end();
      });
      const body = await readBody(response, MAX_XML_BYTES);
      return { status: response.statusCode ?? 0, contentType: response.headers["content-type"], body };
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function lfdiFault(peer: PeerCertificate, wanted: Lfdi): Error | undefined {
  const lfdi = lfdiFromCertificate(peer.raw);
  return lfdi === canonicalLfdi(wanted) ? undefined : new Error(`the server's LFDI is ${lfdi}, expected ${wanted}`);
}
