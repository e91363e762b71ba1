import { createSocket, type Socket } from "node:dgram";
import {
  blockOf,
  blockOption,
  CODE,
  type CoapMessage,
  type CoapOption,
  decodeCoap,
  encodeCoap,
  OPTION,
  pathOf,
  queryOf,
  TYPE,
  uintBytes,
} from "./coap-message.ts";

const LARGEST_SZX = 6;

/** What a resource has. */
export interface CoapDocument {
  /** IANA's number of the content-format; absent: the device does not say. */
  readonly format?: number;
  readonly body: Buffer;
}

export interface Datagram {
  readonly afterMs: number;
  readonly bytes: Buffer;
}

/** What a device says to one datagram of the client, and whether a write was carried out. */
export interface CoapReply {
  readonly datagrams: readonly Datagram[];
  readonly obeys: boolean;
}

export interface CoapScene {
  readonly request: CoapMessage;
  /** The right answer. */
  readonly answer: CoapMessage;
}

/** A CoAP device whose answers are whatever the teller makes of the right ones, and who knows what was really written. */
export class LyingCoapDevice implements AsyncDisposable {
  readonly #socket: Socket = createSocket("udp4");
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Blocks of a write that is under way, by path. */
  readonly #parts = new Map<string, Buffer>();
  readonly #written = new Map<string, Buffer>();
  document: (path: string, query: string) => CoapDocument | undefined = () => undefined;
  tell: ((scene: CoapScene) => CoapReply) | undefined;
  requests = 0;
  /** When the last datagram went out, by `performance.now()`. */
  saidAtMs = 0;

  async listen(): Promise<number> {
    this.#socket.on("message", (bytes, from) => this.#take(bytes, from.port));
    await new Promise<void>((resolve) => this.#socket.bind(0, "127.0.0.1", resolve));
    return this.#socket.address().port;
  }

  /** True if the last write that was carried out had these bytes. */
  hasWritten(path: string, bytes: Buffer): boolean {
    return this.#written.get(path)?.equals(bytes) === true;
  }

  /** As before anything was written. */
  forget(): void {
    this.#parts.clear();
    this.#written.clear();
    this.requests = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #take(bytes: Buffer, port: number): void {
    const request = decodeCoap(bytes);
    // What the client acknowledges or resets needs no word.
    if (request.code < CODE.get || request.code > CODE.put) return;
    this.requests += 1;
    const { answer, keep } = this.#answer(request);
    const reply = this.tell?.({ request, answer }) ?? right(answer);
    if (reply.obeys) keep();
    for (const { afterMs, bytes: each } of reply.datagrams) this.#say(each, port, afterMs);
  }

  #answer(request: CoapMessage): { readonly answer: CoapMessage; readonly keep: () => void } {
    const path = pathOf(request);
    const base = { type: TYPE.acknowledgement, id: request.id, token: request.token };
    if (request.code !== CODE.get) return this.#writtenBy({ ...base, payload: Buffer.alloc(0) }, request, path);
    const document = this.document(path, queryOf(request));
    const keep = () => {};
    if (document === undefined)
      return { answer: { ...base, code: CODE.notFound, options: [], payload: Buffer.alloc(0) }, keep };
    const { body, format } = document;
    const { num, szx } = blockOf(request, OPTION.block2) ?? { num: 0, szx: LARGEST_SZX };
    const size = 16 << szx;
    const options: CoapOption[] = [];
    if (request.options.some(([number]) => number === OPTION.observe)) options.push([OPTION.observe, uintBytes(1)]);
    if (format !== undefined) options.push([OPTION.contentFormat, uintBytes(format)]);
    if (body.length > size)
      options.push(blockOption(OPTION.block2, { num, more: (num + 1) * size < body.length, szx }));
    const payload = body.subarray(num * size, (num + 1) * size);
    return { answer: { ...base, code: CODE.content, options, payload }, keep };
  }

  #writtenBy(base: Omit<CoapMessage, "code" | "options">, request: CoapMessage, path: string) {
    const block = blockOf(request, OPTION.block1);
    const before = block === undefined ? Buffer.alloc(0) : (this.#parts.get(path) ?? Buffer.alloc(0));
    // A block that comes again, or that does not follow, takes the place of what was there.
    const whole = Buffer.concat([before.subarray(0, (block?.num ?? 0) * (16 << (block?.szx ?? 0))), request.payload]);
    const isLast = block?.more !== true;
    const isHole = block !== undefined && before.length < block.num * (16 << block.szx);
    if (isHole) return { answer: { ...base, code: CODE.incomplete, options: [] }, keep: () => {} };
    const options: CoapOption[] = block === undefined ? [] : [blockOption(OPTION.block1, block)];
    const keep = () => {
      this.#parts.set(path, whole);
      if (isLast) this.#written.set(path, whole);
    };
    return { answer: { ...base, code: isLast ? CODE.changed : CODE.goOn, options }, keep };
  }

  #say(bytes: Buffer, port: number, afterMs: number): void {
    const send = () => {
      this.saidAtMs = performance.now();
      this.#socket.send(bytes, port, "127.0.0.1", () => {});
    };
    if (afterMs === 0) {
      send();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, afterMs);
    this.#timers.add(timer);
  }
}

export function right(answer: CoapMessage): CoapReply {
  return { datagrams: [{ afterMs: 0, bytes: encodeCoap(answer) }], obeys: true };
}
