import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { type Clock, withDeadline } from "../clock.ts";
import type { Log } from "../log.ts";
import { parseStrictJson } from "../market/strict-json.ts";
import { OcpiClient } from "./ocpi-client.ts";
import type { OcpiConfig } from "./ocpi-config.ts";
import { CredentialsModule } from "./ocpi-credentials.ts";
import { OCPI_STATUS, OcpiFault } from "./ocpi-fault.ts";
import { envelopeText, messageIds, type OcpiReply, routingHeaders } from "./ocpi-message.ts";
import { type Caller, type OcpiPeer, OcpiPeers, readPeers } from "./ocpi-peers.ts";
import { registerAt } from "./ocpi-registration.ts";
import { answerOf, type OcpiRoute, routeOf } from "./ocpi-router.ts";
import { checkObject, type OcpiObject } from "./ocpi-schemas.ts";
import type { OcpiKey, OcpiStore } from "./ocpi-store.ts";
import type { OcpiModule, OcpiVersion } from "./ocpi-version.ts";
import { type OcpiChange, ReceivedObjects } from "./received-objects.ts";
import { TokenBackoff } from "./token-backoff.ts";

/** A CDR with a period for each 5 minutes of a week fits in. */
const MAX_BODY_BYTES = 1_048_576;
/** A body beyond this is not even read to its end. */
const MAX_DISCARDED_BYTES = 4_194_304;
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8192;
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 15_000;
const CLOSE_GRACE_MS = 2000;

export interface OcpiServerOptions {
  readonly config: OcpiConfig;
  /** Stays open when the server closes. */
  readonly store: OcpiStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** A new unique id, for example a UUID. */
  readonly newId: () => string;
  /** Called after something that others told us has been stored. */
  readonly changed?: (change: OcpiChange) => void;
}

/**
 * OCPI 2.2.1 and 2.3.0 on one port: versions, credentials, and locations, tariffs, sessions and CDRs as Sender and as
 * Receiver. One bad request stops nothing else.
 */
export class OcpiServer implements AsyncDisposable {
  readonly #options: OcpiServerOptions;
  readonly #backoff: TokenBackoff;
  readonly #received: ReceivedObjects;
  readonly #closing = new AbortController();
  #server: Server | undefined;
  #peers: OcpiPeers | undefined;
  #base = "";
  #closed: Promise<void> | undefined;

  constructor(options: OcpiServerOptions) {
    this.#options = options;
    this.#backoff = new TokenBackoff(options.clock);
    this.#received = new ReceivedObjects(options.store, (change) => this.#told(change));
  }

  /** Where peers begin: the versions endpoint. */
  get versionsUrl(): string {
    return `${this.#base}/versions`;
  }

  /**
   * Reads the tokens and listens until `signal` aborts.
   * @throws Error naming a file that can't be read, or the address that can't be opened
   */
  async start(
    signal: AbortSignal,
  ): Promise<{ readonly host: string; readonly port: number; readonly versionsUrl: string }> {
    signal.throwIfAborted();
    const { config, store } = this.#options;
    this.#peers = new OcpiPeers(await readPeers(config), store, config.acceptRawTokens);
    const server = await this.#create();
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(new Error(`ocpi ${config.host}:${config.port} can't be opened: ${error.message}`)),
      );
      server.listen(config.port, config.host, () => resolve());
    });
    server.on("error", (error) => this.#options.log.error("ocpi failed", { err: error }));
    this.#server = server;
    signal.addEventListener("abort", () => void this[Symbol.asyncDispose](), { once: true });
    const { address, port } = server.address() as AddressInfo;
    const scheme = config.tls === undefined ? "http" : "https";
    const own = `${scheme}://${isIP(address) === 6 ? `[${address}]` : address}:${port}${config.path}`;
    this.#base = (config.publicUrl ?? own).replace(/\/+$/, "");
    return { host: address, port, versionsUrl: this.versionsUrl };
  }

  /**
   * Offers an object of ours, new or changed, to all peers that may see it.
   * @throws OcpiFault naming the field if it is not as the version demands it; RangeError when the store is full
   */
  async publish(version: OcpiVersion, module: OcpiModule, object: object): Promise<void> {
    const checked = checkObject(version, module, object);
    await this.#options.store.put(this.#ownKey(version, module, checked), checked);
  }

  /** Takes an offered object back. @returns false if there was none */
  async withdraw(version: OcpiVersion, module: OcpiModule, id: string): Promise<boolean> {
    const { countryCode, partyId } = this.#options.config;
    return this.#options.store.remove({ side: "ours", version, module, countryCode, partyId, id });
  }

  /**
   * Asks and tells a peer of the config, with the token that holds now.
   * @throws RangeError if the peer is not known, or it is not known where it is or with which token
   */
  client(peerName: string): OcpiClient {
    const { config, clock, random, newId } = this.#options;
    const { peer, peers } = this.#peer(peerName);
    const registration = peers.registrationOf(peer);
    const versionsUrl = registration?.versionsUrl ?? peer.config.versionsUrl;
    const token = registration?.tokenOut ?? peer.ourToken;
    if (versionsUrl === undefined) throw new RangeError(`ocpi peer ${peerName} has no versionsUrl`);
    if (token === undefined) throw new RangeError(`ocpi peer ${peerName} has no ourToken, and has not registered`);
    const version = registration?.version ?? peer.config.version;
    const [them] = peer.config.parties;
    return new OcpiClient({ versionsUrl, token, version, us: config, ...(them && { them }), clock, random, newId });
  }

  /** Begins the credentials handshake with a peer, or renews its tokens. @throws OcpiClientError; then all is as before */
  async register(peerName: string, signal: AbortSignal): Promise<void> {
    const { peer, peers } = this.#peer(peerName);
    await registerAt(peer, peers, this.client(peerName), this.#options.config, this.versionsUrl, signal);
  }

  /** Takes nothing new, lets what is being answered end, closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    this.#closing.abort(new Error("the OCPI server is closing"));
    const never = new AbortController().signal;
    await withDeadline(this.#options.clock, CLOSE_GRACE_MS, never, () => closed).catch(() => {});
    server.closeAllConnections();
    await closed;
  }

  #peer(name: string): { peer: OcpiPeer; peers: OcpiPeers } {
    const peers = this.#peers;
    if (peers === undefined) throw new Error("the OCPI server has not been started");
    const peer = peers.byName(name);
    if (peer === undefined) throw new RangeError(`there is no ocpi peer "${name}"`);
    return { peer, peers };
  }

  #ownKey(version: OcpiVersion, module: OcpiModule, object: OcpiObject): OcpiKey {
    const [countryCode, partyId, id] = [object["country_code"], object["party_id"], object["id"]].map(String);
    return { side: "ours", version, module, countryCode: countryCode ?? "", partyId: partyId ?? "", id: id ?? "" };
  }

  async #create(): Promise<Server> {
    const bounds = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    };
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const { tls } = this.#options.config;
    const server =
      tls === undefined
        ? createServer(bounds, serve)
        : createSecureServer(
            { ...bounds, cert: await readFile(tls.certFile), key: await readFile(tls.keyFile) },
            serve,
          );
    server.maxConnections = MAX_CONNECTIONS;
    return server;
  }

  #told(change: OcpiChange): void {
    try {
      this.#options.changed?.(change);
    } catch (error) {
      this.#options.log.error("ocpi change could not be used", { err: error, module: change.key.module });
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers: Record<string, string> = messageIds(request.headers, this.#options.newId);
    let reply: OcpiReply;
    try {
      const body = await readBody(request);
      if (body === undefined) return;
      reply = await this.#answer(request, body, headers);
    } catch (error) {
      reply = this.#failure(error);
    }
    if (response.headersSent || response.destroyed) return;
    const text = envelopeText(reply, this.#options.clock.now());
    response.writeHead(reply.httpStatus ?? 200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      "cache-control": "no-store",
      ...headers,
      ...reply.headers,
    });
    response.end(text);
  }

  async #answer(
    request: IncomingMessage,
    body: Buffer | "too large",
    headers: Record<string, string>,
  ): Promise<OcpiReply> {
    const caller = this.#callerOf(request);
    const target = new URL(request.url ?? "/", "http://localhost");
    const { segments, route } = this.#routeOf(target.pathname);
    // A registration token opens versions and credentials only (transport chapter, authorization).
    if (caller.access === "registration" && route.kind === "module") throw unauthorized();
    if (body === "too large") {
      throw new OcpiFault(OCPI_STATUS.clientError, `a body may have at most ${MAX_BODY_BYTES} bytes`, {
        httpStatus: 413,
        headers: { connection: "close" },
      });
    }
    if (route.kind === "module") {
      // Configuration modules are not routed (transport chapter, message routing).
      Object.assign(headers, routingHeaders(request.headers, this.#options.config, caller.peer));
    }
    const ids = route.kind === "module" ? route.ids : [];
    const endpoint = segments.slice(0, segments.length - ids.length);
    return answerOf(
      {
        config: this.#options.config,
        store: this.#options.store,
        received: this.#received,
        credentials: this.#credentials(),
      },
      route,
      caller,
      {
        method: request.method ?? "GET",
        ids,
        query: target.searchParams,
        body: bodyOf(request, body),
        peer: caller.peer,
        url: [this.#base, ...endpoint].join("/"),
        signal: this.#closing.signal,
      },
      this.#base,
    );
  }

  #callerOf(request: IncomingMessage): Caller {
    const address = request.socket.remoteAddress ?? "";
    const caller = this.#peers?.callerOf(request.headers.authorization);
    if (caller !== undefined) {
      this.#backoff.succeeded(address);
      return caller;
    }
    const waitS = this.#backoff.failed(address);
    this.#options.log.warn("ocpi token is not known", { address, held: waitS !== undefined });
    if (waitS === undefined) throw unauthorized();
    throw new OcpiFault(OCPI_STATUS.clientError, "too many wrong tokens", {
      httpStatus: 429,
      headers: { "Retry-After": String(waitS), connection: "close" },
    });
  }

  #routeOf(pathname: string): { segments: string[]; route: OcpiRoute } {
    const { path, versions } = this.#options.config;
    const prefix = `${path}/`;
    let segments: string[] = [];
    try {
      if (pathname.startsWith(prefix)) segments = pathname.slice(prefix.length).split("/").map(decodeURIComponent);
    } catch {
      throw new OcpiFault(OCPI_STATUS.clientError, "the path is not readable", { httpStatus: 400 });
    }
    // Endpoints are used with and without a slash at the end.
    if (segments.at(-1) === "") segments.pop();
    return { segments, route: routeOf(segments, versions) };
  }

  #credentials(): CredentialsModule {
    const { config, clock, random, newId } = this.#options;
    const peers = this.#peers;
    if (peers === undefined) throw new Error("the OCPI server has not been started");
    return new CredentialsModule(config, peers, (versionsUrl, token, version) =>
      new OcpiClient({ versionsUrl, token, version, us: config, clock, random, newId, attempts: 1 }).endpoints(
        this.#closing.signal,
      ),
    );
  }

  #failure(error: unknown): OcpiReply {
    if (error instanceof OcpiFault) {
      if (error.statusCode >= OCPI_STATUS.serverError) {
        this.#options.log.warn("ocpi request failed", { reason: error.message, statusCode: error.statusCode });
      }
      const { statusCode, message, httpStatus, headers } = error;
      return { statusCode, message, httpStatus, headers };
    }
    this.#options.log.error("ocpi request failed", { err: error });
    return { statusCode: OCPI_STATUS.serverError, message: "internal error", httpStatus: 500 };
  }
}

function unauthorized(): OcpiFault {
  // 2004 is about a driver's token, so a credentials token that nobody knows is the general 2000.
  return new OcpiFault(OCPI_STATUS.clientError, "the credentials token is missing or not known", {
    httpStatus: 401,
    headers: { "WWW-Authenticate": "Token" },
  });
}

const WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

/** @throws OcpiFault with HTTP 400 or 415: such a request never reaches the OCPI layer (status_codes chapter) */
function bodyOf(request: IncomingMessage, body: Buffer): unknown {
  if (!WITH_BODY.has(request.method ?? "")) return undefined;
  if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
    throw new OcpiFault(OCPI_STATUS.clientError, "expected content-type application/json", { httpStatus: 415 });
  }
  if ((request.headers["content-encoding"] ?? "identity") !== "identity") {
    throw new OcpiFault(OCPI_STATUS.clientError, "bodies come uncompressed", { httpStatus: 415 });
  }
  const json = parseStrictJson(body);
  if (json.ok) return json.value;
  const place = json.path === "" ? "" : `${json.path}: `;
  throw new OcpiFault(OCPI_STATUS.clientError, `${place}${json.fault}`, { httpStatus: 400 });
}

/**
 * The whole body, or nothing if the sender went away. What is too large is read on for a while and thrown away: a sender
 * that is cut off in the middle would see a broken connection in place of the answer.
 */
function readBody(request: IncomingMessage): Promise<Buffer | "too large" | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
      if (size > MAX_DISCARDED_BYTES) {
        request.pause();
        resolve("too large");
      }
    });
    request.on("end", () => resolve(size > MAX_BODY_BYTES ? "too large" : Buffer.concat(chunks)));
    request.on("error", () => resolve(undefined));
    request.on("close", () => resolve(undefined));
  });
}
