import { lookup } from "node:dns/promises";
import type { Agent, IncomingMessage, ObserveReadStream, OutgoingMessage } from "coap";
import { type Clock, DeadlineError, withDeadlineOf } from "../../../src/clock.ts";
import { CoapError, faultOfCode } from "./coap-error.ts";
import { contentFormatOf, uintOption } from "./coap-options.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { PeerSocket } from "./peer-socket.ts";
import { openPlainPath } from "./plain-path.ts";

export interface PreSharedKey {
  readonly identity: string;
  readonly key: Uint8Array;
}

export interface CoapEndpoint {
  readonly host: string;
  readonly port: number;
  /** Given: DTLS. */
  readonly psk?: PreSharedKey;
  /** Longest time for one exchange with all its retransmissions and blocks, elapsed ms. */
  readonly deadlineMs: number;
  /** Bytes of payload in one message, a power of 2 from 16 to 1024; more goes in blocks. */
  readonly blockBytes: number;
}

export interface CoapRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  /** Parts of the query, for example `["sep=1"]`. */
  readonly query?: readonly string[];
  /** Number of the content-format that is asked for. */
  readonly accept?: number;
  readonly contentFormat?: number;
  readonly payload?: Uint8Array;
}

export interface CoapAnswer {
  /** `2.05` and the like; all else is a `CoapError`. */
  readonly code: string;
  /** Number of the content-format; undefined if the device did not say. */
  readonly contentFormat: number | undefined;
  readonly payload: Buffer;
}

/** What answers one request after another: a device, or what was written down of one. */
export interface CoapAsker {
  /** @throws CoapError for everything but a 2.xx answer */
  ask(request: CoapRequest, signal: AbortSignal): Promise<CoapAnswer>;
}

/** Who watches a resource. */
export interface Observer {
  onNotification(answer: CoapAnswer): void;
  /** No notification comes any more. */
  onEnd(reason: CoapError): void;
}

/** An answer may have so many bytes, with the overhead of its blocks; a device may send blocks without an end. */
const MAX_ANSWER_BYTES = 128 * 1024;

/** One connection to the device: an agent of the library on a socket that leads there only. */
interface Session {
  readonly agent: Agent;
  readonly socket: PeerSocket;
  /** Requests under way and resources that are watched, each with what ends it. */
  readonly open: Map<OutgoingMessage, (reason: CoapError) => void>;
}

/**
 * Exchanges with one device, one at a time (NSTART is 1, RFC 7252, 4.7), each with a deadline of its own. After whatever
 * went wrong on the way the connection is given up, and the next exchange makes a new one.
 */
export class CoapLink implements CoapAsker {
  readonly #endpoint: CoapEndpoint;
  readonly #clock: Clock;
  readonly #turns = new OneAtATime();
  #session: Session | undefined;
  #address: string | undefined;
  /** Ends the exchange that is under way. */
  #current: AbortController | undefined;
  #isClosed = false;

  constructor(endpoint: CoapEndpoint, clock: Clock) {
    this.#endpoint = endpoint;
    this.#clock = clock;
  }

  /** Where the device was reached last; undefined before that. */
  get address(): string | undefined {
    return this.#address;
  }

  /** @throws CoapError for everything but a 2.xx answer */
  async ask(request: CoapRequest, signal: AbortSignal): Promise<CoapAnswer> {
    const what = `${request.method} ${request.path}`;
    return this.#turns.run(signal, () =>
      this.#exchange(request, what, signal, async (session, inner) => {
        const message = this.#message(session, request, false);
        const response = await this.#response(session, message, request.payload, inner);
        // The library would keep a request whose answer came in a message of its own.
        if (session.open.delete(message)) abandon(session.agent, message);
        return answerOf(response, what);
      }),
    );
  }

  /**
   * Asks for a resource, and for word of each change (RFC 7641).
   * @returns the answer, and whether the device will tell changes; it need not
   * @throws CoapError
   */
  async observe(
    request: CoapRequest,
    observer: Observer,
    signal: AbortSignal,
  ): Promise<{ readonly answer: CoapAnswer; readonly isObserved: boolean; stop(): void }> {
    const what = `observe ${request.path}`;
    return this.#turns.run(signal, () =>
      this.#exchange(request, what, signal, async (session, inner) => {
        const message = this.#message(session, request, true);
        const response = await this.#response(session, message, undefined, inner);
        const stream = response as ObserveReadStream;
        const stop = () => this.#stop(session, message, stream);
        const isObserved = response.code.startsWith("2.") && typeof response.headers["Observe"] === "number";
        if (isObserved) this.#watch(session, message, stream, observer, what);
        else stop();
        return { answer: answerOf(response, what), isObserved, stop };
      }),
    );
  }

  /** Gives up the connection; the next exchange makes a new one. */
  drop(reason: CoapError): void {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    const open = [...session.open];
    session.open.clear();
    for (const [message, end] of open) {
      abandon(session.agent, message);
      end(reason);
    }
    session.socket.removeAllListeners();
    session.socket.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.abort(closed());
    this.drop(closed());
  }

  async #exchange<T>(
    request: CoapRequest,
    what: string,
    signal: AbortSignal,
    work: (session: Session, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { deadlineMs } = this.#endpoint;
    // A signal made of several is kept by each of them for good on Node 20, and these live as long as the device.
    const current = new AbortController();
    const onAbort = () => current.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#current = current;
    try {
      return await withDeadlineOf(this.#clock, deadlineMs, current, async (inner) => {
        const session = await this.#open(inner);
        session.socket.forgetReceived();
        return work(session, inner);
      });
    } catch (error) {
      if (error instanceof CoapError && error.code !== undefined) throw error;
      if (signal.aborted) throw signal.reason;
      const isLost = error instanceof CoapError;
      const isShut = !isLost && this.#session === undefined && this.#endpoint.psk !== undefined;
      const fault = isShut ? handshakeFault(error, what) : faultOf(error, what, deadlineMs, request);
      this.drop(fault);
      throw fault;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#current = undefined;
    }
  }

  async #open(signal: AbortSignal): Promise<Session> {
    if (this.#isClosed) throw closed();
    if (this.#session !== undefined) return this.#session;
    const { host, port, psk, deadlineMs } = this.#endpoint;
    const { address, family } = await lookup(host);
    this.#address = address;
    const peer = { address, port, family: family === 6 ? (6 as const) : (4 as const) };
    // Loaded here, so that a gateway without such a device has none of it in its memory.
    const { Agent } = await import("coap");
    let session: Session | undefined;
    const lose = (error: unknown) => {
      if (session !== undefined && this.#session === session) this.drop(lost(error));
    };
    const socket = new PeerSocket(peer, lose);
    const onDatagram = (datagram: Buffer) => {
      if (session !== undefined) this.#receive(session, datagram);
    };
    const events = { onDatagram, onLost: lose };
    const path =
      psk === undefined
        ? await openPlainPath(peer, events)
        : await (await import("./dtls-path.ts")).openDtlsPath(
            { ...peer, ...psk, handshakeMs: deadlineMs },
            events,
            signal,
          );
    if (signal.aborted) {
      path.close();
      throw signal.reason;
    }
    socket.use(path);
    // The library asks of a socket what `PeerSocket` has, and no more.
    const agent = new Agent({ socket: socket as never });
    agent.on("error", lose);
    session = { agent, socket, open: new Map() };
    this.#session = session;
    return session;
  }

  #receive(session: Session, datagram: Buffer): void {
    session.socket.receive(datagram);
    if (session.socket.receivedBytes <= MAX_ANSWER_BYTES || this.#session !== session) return;
    this.drop(new CoapError("protocol", `the device sent more than ${MAX_ANSWER_BYTES} bytes for one answer`));
  }

  #message(session: Session, request: CoapRequest, observe: boolean): OutgoingMessage {
    const { host, port, blockBytes } = this.#endpoint;
    const { method, path, query, accept, contentFormat, payload } = request;
    const message = session.agent.request({
      host,
      port,
      method,
      pathname: path,
      ...(query === undefined ? {} : { query: query.join("&") }),
      ...(observe ? { observe: true } : {}),
    });
    const block = Buffer.of(Math.log2(blockBytes) - 4);
    if (accept !== undefined) message.setOption("Accept", uintOption(accept));
    if (contentFormat !== undefined) message.setOption("Content-Format", uintOption(contentFormat));
    if (payload !== undefined && payload.length > blockBytes) message.setOption("Block1", block);
    if (method === "GET" && blockBytes < 1024) message.setOption("Block2", block);
    return message;
  }

  #response(
    session: Session,
    message: OutgoingMessage,
    payload: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { agent, open } = session;
    return new Promise<IncomingMessage>((resolve, reject) => {
      const fail = (reason: unknown) => {
        if (open.delete(message)) abandon(agent, message);
        reject(reason);
      };
      const onDeadline = () => fail(signal.reason);
      signal.addEventListener("abort", onDeadline, { once: true });
      open.set(message, reject);
      message.on("response", (response) => {
        signal.removeEventListener("abort", onDeadline);
        resolve(response);
      });
      message.on("error", fail);
      message.on("timeout", fail);
      message.end(payload === undefined ? undefined : Buffer.from(payload));
    });
  }

  #watch(
    session: Session,
    message: OutgoingMessage,
    stream: ObserveReadStream,
    observer: Observer,
    what: string,
  ): void {
    let isFirst = true;
    const end = (reason: CoapError) => {
      this.#stop(session, message, stream);
      observer.onEnd(reason);
    };
    session.open.set(message, (reason) => observer.onEnd(reason));
    stream.on("error", (error: unknown) => end(lost(error)));
    stream.on("data", (payload: Buffer) => {
      session.socket.forgetReceived();
      // The first is the answer itself.
      if (isFirst) {
        isFirst = false;
        return;
      }
      const fault = faultOfCode(stream.code, what);
      if (fault !== undefined) end(fault);
      else observer.onNotification({ code: stream.code, contentFormat: contentFormatOf(stream), payload });
    });
  }

  #stop(session: Session, message: OutgoingMessage, stream: ObserveReadStream): void {
    if (!session.open.delete(message)) return;
    // The next notification gets a reset, which ends the observation (RFC 7641, 3.6).
    if (typeof stream.close === "function") stream.close();
    abandon(session.agent, message);
  }
}

function closed(): CoapError {
  return new CoapError("unreachable", "the link is closed");
}

function answerOf(response: IncomingMessage, what: string): CoapAnswer {
  const fault = faultOfCode(response.code, what);
  if (fault !== undefined) throw fault;
  return { code: response.code, contentFormat: contentFormatOf(response), payload: response.payload };
}

/** Stops the timers of a request; what it still tells concerns nobody. */
function abandon(agent: Agent, message: OutgoingMessage): void {
  message.removeAllListeners();
  message.on("error", () => {});
  agent.abort(message);
}

function lost(error: unknown): CoapError {
  if (error instanceof CoapError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CoapError("unreachable", message, { cause: error });
}

/** What a wrong key looks like from here: some servers say no, and others nothing at all. */
function handshakeFault(error: unknown, what: string): CoapError {
  const { message } = lost(error);
  const text = `${what}: no DTLS session: ${message}; identity or key may be wrong, or it speaks no DTLS`;
  return new CoapError("unreachable", text, { cause: error });
}

function faultOf(error: unknown, what: string, deadlineMs: number, { payload }: CoapRequest): CoapError {
  if (error instanceof DeadlineError) {
    const unknown = payload === undefined ? "" : "; whether it arrived is unknown";
    return new CoapError("timeout", `${what}: no answer within ${deadlineMs} ms${unknown}`, { cause: error });
  }
  const { fault, message } = lost(error);
  return new CoapError(fault, `${what}: ${message}`, { cause: error });
}
