import { createSocket, type Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { createServer, type IncomingMessage, type ObserveWriteStream, type OutgoingMessage, type Server } from "coap";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { CoapBehaviour } from "./behaviour.ts";
import { CONTENT_FORMAT, Refusal, type SimResource } from "./resource.ts";

const FORMAT_NUMBERS: Readonly<Record<string, number>> = {
  "text/plain": CONTENT_FORMAT.text,
  "application/link-format": CONTENT_FORMAT.linkFormat,
  "application/json": CONTENT_FORMAT.json,
  "application/cbor": CONTENT_FORMAT.cbor,
  "application/senml+json": CONTENT_FORMAT.senmlJson,
};

/** How often a watched resource is looked at, ms. */
const LOOK_MS = 200;
/** Those who watch; a device with little memory has room for few. */
const MAX_WATCHERS = 16;

interface Watcher {
  readonly stream: ObserveWriteStream;
  readonly resource: SimResource;
  last: Buffer;
}

/** A CoAP server over UDP that is as strict as a device: wrong paths, methods, formats and payloads get their code. */
export class CoapServer {
  readonly #resources: ReadonlyMap<string, SimResource>;
  readonly #behaviour: CoapBehaviour;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #watchers = new Set<Watcher>();
  #server: Server | undefined;
  #socket: Socket | undefined;
  #life = new AbortController();

  constructor(resources: ReadonlyMap<string, SimResource>, behaviour: CoapBehaviour, clock: Clock, log: Log) {
    this.#resources = resources;
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#log = log;
  }

  /** @param port 0 takes a free one @throws Error when the port is taken */
  async listen(port: number, host: string): Promise<{ host: string; port: number }> {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, host, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    const server = createServer({ type: host.includes(":") ? "udp6" : "udp4" });
    server.on("request", (request: IncomingMessage, response: OutgoingMessage) => this.#answer(request, response));
    server.on("error", (error: Error) => this.#log.warn("CoAP simulator", { fault: error.message }));
    server.listen(new GatedSocket(socket, () => this.#behaviour.silent) as never);
    this.#life = new AbortController();
    this.#server = server;
    this.#socket = socket;
    void this.#tellChanges(this.#life.signal);
    return { host, port: socket.address().port };
  }

  async close(): Promise<void> {
    this.#life.abort(new Error("closed"));
    for (const watcher of this.#watchers) watcher.stream.destroy();
    this.#watchers.clear();
    this.#server?.close();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #answer(request: IncomingMessage, response: OutgoingMessage): void {
    response.on("error", (error: Error) => this.#log.debug("CoAP simulator", { fault: error.message }));
    try {
      this.#serve(request, response);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fail(response, error.code, error.message);
    }
  }

  #serve(request: IncomingMessage, response: OutgoingMessage): void {
    const path = request.url.split("?")[0] ?? "";
    const resource = path === "/.well-known/core" ? this.#links : this.#resources.get(path);
    if (resource === undefined) throw new Refusal("4.04", "no such resource");
    if (request.method === "GET") this.#get(request, response, resource);
    else this.#put(request, response, resource);
  }

  #put(request: IncomingMessage, response: OutgoingMessage, resource: SimResource): void {
    if (request.method !== "PUT" && request.method !== "POST") throw new Refusal("4.05", "not allowed");
    if (this.#behaviour.refuses || resource.write === undefined) throw new Refusal("4.05", "not allowed");
    // A write without its format can't be understood; a text needs none (RFC 7252, 5.5.1).
    const format = formatOf(request, "Content-Format") ?? CONTENT_FORMAT.text;
    if (format !== resource.format) throw new Refusal("4.15", "another format");
    if (!this.#behaviour.ignoresWrites) resource.write(request.payload);
    response.code = "2.04";
    response.end();
  }

  #get(request: IncomingMessage, response: OutgoingMessage, resource: SimResource): void {
    const accept = formatOf(request, "Accept");
    if (accept !== undefined && accept !== resource.format) throw new Refusal("4.06", "another format");
    const payload = this.#behaviour.talksNonsense ? Buffer.from("\x00\xff\xfe\x1b{]", "latin1") : resource.read();
    const wants = request.headers["Observe"] === 0;
    response.setOption("Content-Format", uint(resource.format));
    if (!wants) {
      response.code = "2.05";
      response.end(payload);
      return;
    }
    const stream = response as unknown as ObserveWriteStream;
    stream.statusCode = "2.05";
    if (!resource.observable || this.#behaviour.tellsNothing || this.#watchers.size >= MAX_WATCHERS) {
      answerPlainly(stream, payload);
      return;
    }
    const watcher: Watcher = { stream, resource, last: payload };
    stream.on("finish", () => this.#watchers.delete(watcher));
    this.#watchers.add(watcher);
    stream.write(payload);
  }

  /** `/.well-known/core` (RFC 6690). */
  readonly #links: SimResource = {
    format: CONTENT_FORMAT.linkFormat,
    read: () => {
      const links = [...this.#resources].map(([path, { format, type, observable }]) => {
        const rt = type === undefined ? "" : `;rt="${type}"`;
        return `<${path}>${rt};ct=${format}${observable ? ";obs" : ""}`;
      });
      return Buffer.from(links.join(","));
    },
  };

  async #tellChanges(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(LOOK_MS, signal);
      } catch {
        return;
      }
      if (this.#behaviour.silent) continue;
      for (const watcher of this.#watchers) {
        const now = watcher.resource.read();
        if (now.equals(watcher.last)) continue;
        watcher.last = now;
        watcher.stream.write(this.#behaviour.talksNonsense ? Buffer.from([0xff]) : now);
      }
    }
  }
}

/** The server's way to the network, which can be shut in both directions. It has of a socket what the library asks for. */
class GatedSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #isShut: () => boolean;

  constructor(socket: Socket, isShut: () => boolean) {
    super();
    this.#socket = socket;
    this.#isShut = isShut;
    socket.on("message", (message, from) => {
      if (!isShut()) this.emit("message", message, from);
    });
    socket.on("error", (error) => this.emit("error", error));
  }

  send(message: Buffer, offset: number, length: number, port: number, address: string, done?: () => void): void {
    if (this.#isShut()) done?.();
    // A client that is gone is nothing to a server.
    else this.#socket.send(message, offset, length, port, address, () => done?.());
  }

  address() {
    return this.#socket.address();
  }
}

function fail(response: OutgoingMessage, code: string, reason: string): void {
  // An observe stream names its code otherwise.
  response.code = code;
  response.statusCode = code;
  response.end(Buffer.from(reason));
}

/** Answers a request to observe as a plain GET. The library's own `write` would say that changes will be told. */
function answerPlainly(stream: ObserveWriteStream, payload: Buffer): void {
  (stream as unknown as { _doSend(payload: Buffer): void })._doSend(payload);
}

function formatOf(request: IncomingMessage, option: "Accept" | "Content-Format"): number | undefined {
  const format: unknown = request.headers[option];
  if (format === undefined || format === null) return undefined;
  return typeof format === "number" ? format : (FORMAT_NUMBERS[String(format)] ?? -1);
}

function uint(value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.of(value);
}
