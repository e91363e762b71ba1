import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Log } from "../../../src/log.ts";
import { type Lfdi, lfdiFromCertificate } from "../identity.ts";
import { SEP_CIPHERS, SEP_SIGNATURES, SEP_TLS } from "../sep-tls.ts";
import { type Answer, failure } from "./answer.ts";
import { SEP_XML } from "./media-type.ts";
import type { TlsFiles } from "./tls-files.ts";

/** A client whose certificate an authority of ours signed. */
export interface Peer {
  readonly lfdi: Lfdi;
  readonly address: string;
}

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles;
  /** How long a device may say nothing between two polls. */
  readonly longestPauseMs: number;
  readonly log: Log;
  /** Answers a request; a throw is answered 500 and logged. */
  readonly answer: (peer: Peer, request: IncomingMessage) => Promise<Answer>;
  /** A known peer sent something that is not even HTTP. */
  readonly notHttp: (peer: Peer, reason: string) => void;
}

const LEAST_KEEP_ALIVE_MS = 120_000;
const HANDSHAKE_MS = 10_000;
const REQUEST_MS = 30_000;
const MOST_CONNECTIONS = 256;
const MOST_HEADER_BYTES = 8192;
/** Requests that are answered at one time, over all connections; who comes beyond that is asked to come again. */
const MOST_REQUESTS = 64;
const COME_AGAIN_S = 5;

/** TLS and HTTP of the 2030.5 server: mutual authentication, bounds, and an answer to every request. */
export class Sep2Server implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #peers = new WeakMap<Socket, Peer>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #requests = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Opens the listener. @returns where it really is @throws Error when the port or the certificates are no good */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port, tls, longestPauseMs } = this.#options;
    const server = createServer({
      ...tls,
      requestCert: true,
      rejectUnauthorized: true,
      ...SEP_TLS,
      ciphers: SEP_CIPHERS,
      sigalgs: SEP_SIGNATURES,
      honorCipherOrder: true,
      handshakeTimeout: HANDSHAKE_MS,
      keepAliveTimeout: keepAliveMs(longestPauseMs),
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      maxHeaderSize: MOST_HEADER_BYTES,
    });
    server.maxConnections = MOST_CONNECTIONS;
    this.#server = server;
    this.#watch(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#options.log.error("2030.5 listener failed", { err: error }));
        resolve();
      });
    });
    const address = server.address() as AddressInfo;
    return { host: address.family === "IPv6" ? `[${address.address}]` : address.address, port: address.port };
  }

  /** @param longestPauseMs how long a device may say nothing from now on */
  keepOpen(longestPauseMs: number): void {
    if (this.#server !== undefined) this.#server.keepAliveTimeout = keepAliveMs(longestPauseMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #watch(server: Server): void {
    const { log } = this.#options;
    server.on("connection", (socket: Socket) => {
      // Also those whose handshake never ends, which the HTTP layer does not know of.
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
    server.on("secureConnection", (socket: TLSSocket) => {
      const der = socket.getPeerCertificate().raw;
      if (der === undefined) return;
      this.#peers.set(socket, { lfdi: lfdiFromCertificate(der), address: socket.remoteAddress ?? "unknown" });
    });
    server.on("tlsClientError", (error, socket) => {
      log.info("2030.5 TLS handshake refused", { address: socket.remoteAddress, reason: error.message });
      socket.destroy();
    });
    server.on("clientError", (error, socket) => {
      const peer = this.#peers.get(socket as Socket);
      if (peer !== undefined) this.#options.notHttp(peer, error.message);
      if (!socket.writable) socket.destroy();
      else
        socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () =>
          socket.destroy(),
        );
    });
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => {});
    response.on("error", () => {});
    if (this.#requests >= MOST_REQUESTS) {
      send(request, response, { ...failure(503, "too many requests at once"), retryAfterS: COME_AGAIN_S });
      return;
    }
    this.#requests += 1;
    try {
      const peer = request.socket instanceof TLSSocket ? this.#peers.get(request.socket) : undefined;
      const answer =
        peer === undefined ? failure(403, "no client certificate") : await this.#options.answer(peer, request);
      send(request, response, answer);
    } catch (error) {
      // The client went away while its body was read: nobody is left to answer, and nothing is wrong here.
      if (request.destroyed && !request.complete) return;
      this.#options.log.error("2030.5 request failed", { err: error, method: request.method, url: request.url });
      send(request, response, failure(500, "internal error"));
    } finally {
      this.#requests -= 1;
    }
  }
}

/** Some clients take a closed connection for the end of the world, so it must live from poll to poll. */
function keepAliveMs(longestPauseMs: number): number {
  return Math.max(LEAST_KEEP_ALIVE_MS, 2.5 * longestPauseMs);
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const text = answer.document ?? answer.reason ?? "";
  response.statusCode = answer.status;
  if (answer.location !== undefined) response.setHeader("Location", answer.location);
  if (answer.retryAfterS !== undefined) response.setHeader("Retry-After", answer.retryAfterS);
  if (answer.allow !== undefined) response.setHeader("Allow", answer.allow);
  if (answer.document !== undefined) response.setHeader("Content-Type", SEP_XML);
  else if (text !== "") response.setHeader("Content-Type", "text/plain; charset=utf-8");
  if (answer.status !== 204) response.setHeader("Content-Length", Buffer.byteLength(text));
  // A body that nobody reads would stand in the way of the next request on this connection.
  if (!request.complete || answer.closes === true) response.setHeader("Connection", "close");
  response.end(request.method === "HEAD" ? undefined : text);
}
