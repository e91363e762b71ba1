import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, withDeadline } from "../clock.ts";
import { isLoopback } from "../config/loopback.ts";
import type { Log } from "../log.ts";
import { type Answer, nack } from "./answer.ts";
import { type InboundMessage, MAX_MESSAGE_BYTES } from "./message-body.ts";

/** Connections at the same time; each holds at most one message of 64 KiB. */
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 8192;
/** A body beyond this is not even read to its end. */
const MAX_DISCARDED_BYTES = 1_048_576;
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How long requests that are being answered may take at the end. */
const CLOSE_GRACE_MS = 2000;

export interface WebhookOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Messages come to `{path}/{action}`, for example `/beckn` for `/beckn/on_confirm`. */
  readonly path: string;
  /** May be false only on loopback. */
  readonly requireSignature: boolean;
  readonly receive: (message: InboundMessage) => Promise<Answer>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The door for the market's messages over HTTP: `POST {path}/{action}` with JSON. One bad request stops nothing else. */
export class Webhook implements AsyncDisposable {
  readonly #options: WebhookOptions;
  readonly #server: Server;
  readonly #prefix: string;
  #closing: Promise<void> | undefined;

  /** @throws RangeError if signatures are not required though others can reach the address */
  constructor(options: WebhookOptions) {
    if (!options.requireSignature && !isLoopback(options.host)) {
      throw new RangeError(`the webhook on ${options.host} can be reached by others, so signatures must be required`);
    }
    this.#options = options;
    this.#prefix = `${options.path.replace(/\/+$/, "")}/`;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("clientError", refuseUnreadable);
  }

  /** Listens until `signal` aborts; resolves with where it really is. */
  async start(signal: AbortSignal): Promise<{ readonly host: string; readonly port: number; readonly url: string }> {
    signal.throwIfAborted();
    const { host, port, log } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (error) => log.error("webhook failed", { err: error }));
    signal.addEventListener("abort", () => void this[Symbol.asyncDispose](), { once: true });
    const address = this.#server.address() as AddressInfo;
    const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
    const url = `http://${name}:${address.port}${this.#prefix.slice(0, -1)}`;
    return { host: address.address, port: address.port, url };
  }

  /** Takes nothing new, lets what is being answered end, closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const never = new AbortController().signal;
    await withDeadline(this.#options.clock, CLOSE_GRACE_MS, never, () => closed).catch(() => {});
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      if (body !== undefined) send(response, await this.#answer(request, body));
    } catch (error) {
      this.#options.log.error("webhook request failed", { err: error });
      send(response, nack(500, "INTERNAL", "", "the request could not be handled"));
    }
  }

  async #answer(request: IncomingMessage, body: Buffer | "too large"): Promise<Answer> {
    const target = (request.url ?? "").split("?", 1)[0] ?? "";
    if (!target.startsWith(this.#prefix)) {
      return nack(404, "ROUTE_UNKNOWN", "", `messages come to ${this.#prefix}{action}`);
    }
    if (request.method !== "POST") {
      return { ...nack(405, "METHOD_NOT_ALLOWED", "", "messages come with POST"), headers: { allow: "POST" } };
    }
    if (body === "too large") {
      const answer = nack(413, "BODY_TOO_LARGE", "", `a message may have at most ${MAX_MESSAGE_BYTES} bytes`);
      return { ...answer, headers: { connection: "close" } };
    }
    if (!/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
      return nack(415, "CONTENT_TYPE", "", "expected content-type application/json");
    }
    if ((request.headers["content-encoding"] ?? "identity") !== "identity") {
      return nack(415, "CONTENT_ENCODING", "", "messages come uncompressed");
    }
    const answer = await this.#options.receive({
      body,
      authorization: request.headers.authorization,
      digestHeader: headerText(request.headers["digest"]),
      action: target.slice(this.#prefix.length),
      requireSignature: this.#options.requireSignature,
    });
    if (answer.status !== 401) return answer;
    const headers = { ...answer.headers, "www-authenticate": 'Signature headers="(created) (expires) digest"' };
    return { ...answer, headers };
  }
}

function send(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(answer.body),
    ...answer.headers,
  });
  response.end(answer.body);
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
      if (size <= MAX_MESSAGE_BYTES) chunks.push(chunk);
      else chunks.length = 0;
      if (size > MAX_DISCARDED_BYTES) {
        request.pause();
        resolve("too large");
      }
    });
    request.on("end", () => resolve(size > MAX_MESSAGE_BYTES ? "too large" : Buffer.concat(chunks)));
    request.on("error", () => resolve(undefined));
    request.on("close", () => resolve(undefined));
  });
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}

/** What is not even HTTP, or too slow, or with too large a head. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [line, code] = UNREADABLE.get(error.code ?? "") ?? ["400 Bad Request", "REQUEST_UNREADABLE"];
  const { body } = nack(400, code, "", "the request could not be read");
  socket.end(
    `HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const UNREADABLE = new Map([
  ["HPE_HEADER_OVERFLOW", ["431 Request Header Fields Too Large", "HEADERS_TOO_LARGE"]],
  ["ERR_HTTP_REQUEST_TIMEOUT", ["408 Request Timeout", "REQUEST_TIMEOUT"]],
]) as ReadonlyMap<string, readonly [string, string]>;
