import { createServer, type Server, type Socket } from "node:net";
import type { Framing, ModbusFrame } from "../simulators/modbus/frame.ts";
import { answerRequest, EXCEPTION, type RegisterBank } from "../simulators/modbus/modbus-request.ts";
import type { Answer, Step } from "./modbus-answers.ts";
import { truthAt } from "./modbus-truth.ts";

const MOST_EARLIER = 8;

/** What a device says to one request. */
export type Teller = (scene: {
  readonly request: ModbusFrame;
  readonly answer: ModbusFrame;
  readonly earlier: readonly Buffer[];
}) => Answer;

/** A Modbus device whose answers are whatever the teller makes of the right ones, and who knows what is true. */
export class LyingDevice implements AsyncDisposable {
  readonly #framing: Framing;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Sockets in the middle of something, and what is to be said behind it. */
  readonly #speaking = new Map<Socket, (readonly Step[])[]>();
  /** How often a socket broke off in a frame: whatever was to come before that would be taken for the rest of it. */
  readonly #breaks = new WeakMap<Socket, number>();
  /** What was really written, by unit and address. */
  readonly #written = new Map<string, number>();
  /** What each register holds where nothing was written; another register map while one is served. */
  memory: RegisterBank["read"] | undefined;
  tell: Teller | undefined;
  requests = 0;
  /** How long after its request the last answer that was held back really went out, ms. */
  heldBackMs = 0;

  constructor(framing: Framing) {
    this.#framing = framing;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no TCP address");
    return address.port;
  }

  /** True if the last write to each of these registers carried this value. */
  hasWritten(unit: number, address: number, values: readonly number[]): boolean {
    return values.every((value, index) => this.#written.get(`${unit}/${address + index}`) === value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#speaking.delete(socket);
    });
    const reader = this.#framing.reader();
    const earlier: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      for (const request of reader.push(chunk, performance.now())) this.#answer(socket, request, earlier);
    });
  }

  #answer(socket: Socket, request: ModbusFrame, earlier: Buffer[]): void {
    this.requests += 1;
    const { unit } = request;
    const kept: [key: string, value: number][] = [];
    const pdu = answerRequest(request.pdu, {
      read: (space, address, count) =>
        this.memory?.(space, address, count) ??
        Array.from({ length: count }, (_, index) => truthAt(unit, address + index)),
      write: (_, address, values) => {
        if (this.memory !== undefined) return EXCEPTION.illegalAddress;
        kept.push(...values.map((value, index): [string, number] => [`${unit}/${address + index}`, value]));
        return undefined;
      },
    });
    const answer = { ...request, pdu };
    const right = this.#framing.encode(answer);
    const reply = this.tell?.({ request, answer, earlier }) ?? {
      steps: [{ afterMs: 0, bytes: right }],
      obeys: true,
    };
    if (reply.obeys) for (const [key, value] of kept) this.#written.set(key, value);
    earlier.push(right);
    if (earlier.length > MOST_EARLIER) earlier.shift();
    this.#play(socket, reply.steps);
  }

  /** What it says in several pieces it says to the end before it says anything else, as every device does. */
  #play(socket: Socket, steps: readonly Step[]): void {
    const [first] = steps;
    if (first === undefined) return;
    const breaks = this.#breaks.get(socket) ?? 0;
    const askedAtMs = performance.now();
    this.#after(first.afterMs, () => {
      if (first.afterMs > 0) this.heldBackMs = performance.now() - askedAtMs;
      if ((this.#breaks.get(socket) ?? 0) !== breaks) return;
      const waiting = this.#speaking.get(socket);
      if (waiting !== undefined) waiting.push(steps);
      else {
        this.#speaking.set(socket, []);
        this.#speak(socket, steps);
      }
    });
  }

  #speak(socket: Socket, [step, ...rest]: readonly Step[]): void {
    if (step?.bytes !== undefined && socket.writable) socket.write(step.bytes);
    if (step?.breaksOff === true) {
      this.#breaks.set(socket, (this.#breaks.get(socket) ?? 0) + 1);
      this.#speaking.get(socket)?.splice(0);
    }
    if (step?.end === "fin") socket.end();
    else if (step?.end === "rst") socket.resetAndDestroy();
    const [next] = rest;
    if (next !== undefined) {
      this.#after(next.afterMs, () => this.#speak(socket, rest));
      return;
    }
    const waiting = this.#speaking.get(socket) ?? [];
    const then = waiting.shift();
    if (then === undefined) this.#speaking.delete(socket);
    else this.#speak(socket, then);
  }

  #after(ms: number, go: () => void): void {
    if (ms === 0) {
      go();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      go();
    }, ms);
    this.#timers.add(timer);
  }
}
