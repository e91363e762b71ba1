import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Log } from "../../../src/log.ts";
import type { AdapterContext } from "../../kind.ts";
import type { OcppShared } from "../config.ts";
import type { Station } from "../station.ts";
import { OCPP_VERSIONS, type OcppVersion } from "../version.ts";
import { authorizationMatches, chooseVersion, identityFromUrl, withoutTrailingSlash } from "./handshake.ts";
import { LoginGuard } from "./login-guard.ts";
import type { StrangerList } from "./stranger-list.ts";

const MAX_CONNECTIONS = 512;
const KIBIBYTE = 1024;

/** An upgrade that is not wanted, as HTTP says it. */
interface Refusal {
  readonly status: number;
  readonly why: string;
}

/** The port that chargers dial in to: it lets the known ones through and turns the rest away. */
export class DialInServer {
  readonly #shared: OcppShared;
  readonly #log: Log;
  readonly #strangers: StrangerList;
  readonly #station: (identity: string) => Station | undefined;
  readonly #logins: LoginGuard;
  readonly #http: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #upgraders: Readonly<Record<OcppVersion, WebSocketServer>> = {
    "ocpp1.6": upgrader("ocpp1.6", 64 * KIBIBYTE),
    // A NotifyReport of a whole station is long.
    "ocpp2.0.1": upgrader("ocpp2.0.1", 1024 * KIBIBYTE),
    "ocpp2.1": upgrader("ocpp2.1", 1024 * KIBIBYTE),
  };

  constructor(
    shared: OcppShared,
    context: AdapterContext,
    strangers: StrangerList,
    station: (identity: string) => Station | undefined,
  ) {
    this.#shared = shared;
    this.#log = context.log;
    this.#strangers = strangers;
    this.#station = station;
    this.#logins = new LoginGuard(context.clock);
    this.#http = createServer(
      {
        headersTimeout: 10_000,
        requestTimeout: 15_000,
        connectionsCheckingInterval: 5000,
        maxHeaderSize: 16 * KIBIBYTE,
      },
      (_request, response) => response.writeHead(426, { Connection: "close" }).end("OCPP over WebSocket only\n"),
    );
    this.#http.maxConnections = MAX_CONNECTIONS;
    this.#http.on("clientError", (_error, socket) => socket.destroy());
    this.#http.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  /** `ws://host:port/path` where it really listens; absent before `listen`. */
  get url(): string | undefined {
    const address = this.#http.address();
    if (address === null || typeof address === "string") return undefined;
    return `ws://${hostAndPort(address)}${withoutTrailingSlash(this.#shared.path)}`;
  }

  listen(): Promise<void> {
    const { host, port } = this.#shared;
    return new Promise((resolve, reject) => {
      const onError = (error: Error) => {
        reject(new Error(`OCPP cannot listen on ${host} port ${port}: ${error.message}`, { cause: error }));
      };
      this.#http.once("error", onError);
      this.#http.listen(port, host, () => {
        this.#http.off("error", onError);
        this.#http.on("error", (error) => this.#log.error("the OCPP listener failed", { err: error }));
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#http.listening) return;
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeAllConnections();
    await closed;
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      this.#log.error("a charger's handshake failed", { err: error });
      socket.destroy();
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const from = request.socket.remoteAddress ?? "unknown";
    const outcome = this.#admit(request, from);
    if ("status" in outcome) return refuse(socket, outcome);
    const { station, version } = outcome;
    if (!(await station.admits())) return refuse(socket, { status: 409, why: "this identity is connected already" });
    if (socket.destroyed) return;
    this.#upgraders[version].handleUpgrade(request, socket, head, (webSocket) => {
      station.attach(webSocket, version, from);
    });
  }

  /** Everything that can be said without waiting. */
  #admit(request: IncomingMessage, from: string): { station: Station; version: OcppVersion } | Refusal {
    // A charger is no browser: a page that someone on site opens must not reach this port.
    if (request.headers.origin !== undefined) return { status: 403, why: "browsers are not served" };
    const url = identityFromUrl(request.url, this.#shared.path);
    if (url.kind === "undecodable") return { status: 400, why: "the identity is badly percent-encoded" };
    if (url.kind === "elsewhere") {
      return { status: 404, why: `the address must be ${withoutTrailingSlash(this.#shared.path)}/IDENTITY` };
    }
    const { identity } = url;
    const station = this.#station(identity);
    if (station === undefined) return this.#turnAway(identity, from, { status: 404, why: "unknown charger" });
    if (station.password !== undefined) {
      if (this.#logins.isBlocked(from, identity)) return { status: 429, why: "too many wrong passwords" };
      if (!authorizationMatches(request.headers.authorization, identity, station.password)) {
        this.#logins.noteFailure(from, identity);
        return this.#turnAway(identity, from, { status: 401, why: "wrong or missing password" });
      }
    }
    const version = chooseVersion(request.headers["sec-websocket-protocol"], station.withoutSubprotocol);
    if (version !== undefined) return { station, version };
    return this.#turnAway(identity, from, {
      status: 400,
      why: `no subprotocol of ${OCPP_VERSIONS.join(", ")} offered`,
    });
  }

  #turnAway(identity: string, from: string, refusal: Refusal): Refusal {
    const isNew = this.#strangers.note(identity, from, refusal.why);
    if (isNew) this.#log.warn("a charger was turned away", { charger: identity.slice(0, 48), from, why: refusal.why });
    return refusal;
  }
}

function upgrader(version: OcppVersion, maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered].find((word) => word.toLowerCase() === version) ?? false,
  });
}

function refuse(socket: Duplex, { status, why }: Refusal): void {
  const body = `${why}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    "Content-Type: text/plain",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Basic realm="ocpp"'] : []),
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function hostAndPort({ address, family, port }: AddressInfo): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
