import { setMaxListeners } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { type Answerer, Conversation } from "./conversation.ts";
import type { Framing } from "./frame.ts";

/** Connections that are dead and open; one more, and the oldest is closed after all. */
const MOST_DEAD = 64;

/** A TCP server for Modbus in one framing: frames in, frames out, any number in one packet. It knows no registers. */
export class ModbusServer implements AsyncDisposable {
  readonly #options: {
    readonly framing: Framing;
    readonly answerer: Answerer;
    readonly clock: Clock;
    readonly log: Log;
  };
  readonly #server: Server;
  readonly #sockets = new Map<Socket, Conversation>();
  readonly #stop = new AbortController();

  constructor(options: { framing: Framing; answerer: Answerer; clock: Clock; log: Log }) {
    this.#options = options;
    // Every answer that is held back listens for the end.
    setMaxListeners(0, this.#stop.signal);
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  /** @throws Error when the port is taken */
  async listen(port: number, host: string): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error) => this.#options.log.warn("modbus server failed", { err: error }));
        resolve();
      });
    });
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the Modbus server has no TCP address");
    return { host: address.address, port: address.port };
  }

  /** Resets every connection; new ones are welcome at once. */
  dropConnections(): void {
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy();
  }

  /** Every connection is dead from now on and does not say so; new ones are welcome. */
  killConnections(): void {
    for (const conversation of this.#sockets.values()) conversation.die();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    // A peer that resets is ordinary; the close that follows tidies up.
    socket.on("error", () => {});
    const dead = [...this.#sockets].filter(([, conversation]) => conversation.isDead);
    if (dead.length > MOST_DEAD) dead[0]?.[0].destroy();
    if (this.#sockets.size - dead.length >= this.#options.answerer.behaviour.maxConnections) {
      socket.resetAndDestroy();
      return;
    }
    const conversation = new Conversation(
      { input: socket, output: socket, reset: () => socket.resetAndDestroy(), giveUp: () => socket.destroy() },
      { ...this.#options, signal: this.#stop.signal },
    );
    this.#sockets.set(socket, conversation);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("end", () => {
      if (!conversation.isDead) socket.end();
    });
  }
}
