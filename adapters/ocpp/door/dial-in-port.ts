import { createServer, type IncomingMessage, type Server, type ServerOptions, STATUS_CODES } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "../../../src/log.ts";
import type { LinkWatch, Watched } from "../link/link-watch.ts";
import type { ConnectionCount } from "./connection-count.ts";
import { withoutTrailingSlash } from "./handshake.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import type { TlsFiles } from "./tls-files.ts";

export interface PortOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Absent: plain `ws`. */
  readonly tls?: TlsFiles;
  readonly count: ConnectionCount;
  readonly watch: LinkWatch;
  /** From the connection until a charger is let in. */
  readonly handshakeTimeoutMs: number;
  readonly elapsedMs: () => number;
  readonly log: Log;
  onRefused(reason: RefusalReason): void;
  /** Judges an upgrade, and either completes it or says why not. */
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, isTls: boolean): Promise<Refusal | undefined>;
}

const HTTP_SPARE_MS = 5_000;

/** Where a connection comes from, address and port; kept at the socket, so that all sockets share their listeners. */
const PLACE = Symbol("place");
type ArrivedSocket = Socket & { [PLACE]?: string };

/** One TCP port that chargers dial in to, with or without TLS. */
export class DialInPort implements Watched {
  readonly #options: PortOptions;
  readonly #server: Server | TlsServer;
  /** Connections on which nobody has been let in yet, with the elapsed time at which that is over. */
  readonly #waiting = new Map<string, { readonly socket: Socket; readonly untilMs: number }>();
  readonly #onClose: (this: ArrivedSocket) => void;

  constructor(options: PortOptions) {
    this.#options = options;
    const limits: ServerOptions = {
      // Behind our own limit, which is counted.
      headersTimeout: options.handshakeTimeoutMs + HTTP_SPARE_MS,
      requestTimeout: options.handshakeTimeoutMs + HTTP_SPARE_MS,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
    };
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createServer(limits)
        : createTlsServer({
            ...limits,
            ...tls.options,
            handshakeTimeout: options.handshakeTimeoutMs,
            // A charger without a certificate may still have a password; which it must have is decided later.
            requestCert: tls.knowsChargers,
            rejectUnauthorized: false,
          });
    const { count } = options;
    const waiting = this.#waiting;
    this.#onClose = function leave(this: ArrivedSocket) {
      const place = this[PLACE];
      if (place === undefined) return;
      waiting.delete(place);
      count.leave(addressIn(place));
    };
    const server = this.#server;
    server.on("request", (_request, response) => {
      response.writeHead(426, { Connection: "close" }).end("OCPP over WebSocket only\n");
    });
    server.on("clientError", (_error, socket) => socket.destroy());
    server.on("tlsClientError", (_error, socket: Socket) => socket.destroy());
    // Before the TLS server's own, so that this connection already has the new certificate.
    server.prependListener("connection", (socket: Socket) => this.#onConnection(socket));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#onUpgrade(request, socket, head);
    });
  }

  /** `ws://host:port/path` or `wss://..` where it really listens; absent before `listen`. */
  get url(): string | undefined {
    const address = this.#server.address();
    if (address === null || typeof address === "string") return undefined;
    const scheme = this.#options.tls === undefined ? "ws" : "wss";
    return `${scheme}://${hostAndPort(address)}${withoutTrailingSlash(this.#options.path)}`;
  }

  /** @throws Error that names the address */
  async listen(): Promise<void> {
    const { host, port, log, watch } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const onError = (error: Error) => {
        reject(new Error(`OCPP cannot listen on ${host} port ${port}: ${error.message}`, { cause: error }));
      };
      this.#server.once("error", onError);
      this.#server.listen(port, host, () => {
        this.#server.off("error", onError);
        this.#server.on("error", (error) => log.error("the OCPP listener failed", { err: error }));
        resolve();
      });
    });
    watch.add(this);
  }

  /** Connections that were let in are for their stations to close. */
  async close(): Promise<void> {
    this.#options.watch.remove(this);
    for (const { socket } of this.#waiting.values()) socket.destroy();
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  look(nowMs: number): void {
    for (const { socket, untilMs } of this.#waiting.values()) {
      if (nowMs < untilMs) continue;
      this.#options.onRefused("timeout");
      socket.destroy();
    }
  }

  #onConnection(socket: ArrivedSocket): void {
    const { count, tls, handshakeTimeoutMs, elapsedMs } = this.#options;
    socket.on("error", destroy);
    const address = socket.remoteAddress;
    if (address === undefined || !count.enter(address)) {
      if (address !== undefined) this.#options.onRefused("connections");
      socket.destroy();
      return;
    }
    const place = placeOf(socket);
    socket[PLACE] = place;
    this.#waiting.set(place, { socket, untilMs: elapsedMs() + handshakeTimeoutMs });
    socket.on("close", this.#onClose);
    const renewed = tls?.renewed();
    if (renewed !== undefined) (this.#server as TlsServer).setSecureContext(renewed);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // HTTP has taken its own listeners away by now; over TLS this is another socket than the connection's.
    if (this.#options.tls !== undefined) socket.on("error", destroy);
    const place = placeOf(request.socket);
    this.#options
      .onUpgrade(request, socket, head, this.#options.tls !== undefined)
      .then((refusal) => {
        if (refusal === undefined) {
          // From here on the WebSocket sees to its errors.
          socket.off("error", destroy);
          this.#waiting.delete(place);
          return;
        }
        this.#options.onRefused(refusal.reason);
        refuse(socket, refusal);
      })
      .catch((error: unknown) => {
        this.#options.log.error("a charger's handshake failed", { err: error });
        socket.destroy();
      });
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}

function placeOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function addressIn(place: string): string {
  return place.slice(0, place.lastIndexOf(" "));
}

function refuse(socket: Duplex, { status, why, retryAfterMs }: Refusal): void {
  const body = `${why}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    "Content-Type: text/plain",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Basic realm="ocpp"'] : []),
    ...(retryAfterMs === undefined ? [] : [`Retry-After: ${Math.ceil(retryAfterMs / 1000)}`]),
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function hostAndPort({ address, family, port }: AddressInfo): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
