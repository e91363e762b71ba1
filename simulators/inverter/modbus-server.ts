import { createServer, type Server, type Socket } from "node:net";
import type { Log } from "../../src/log.ts";
import { type MbapFrame, MbapReader } from "./mbap.ts";

export interface ModbusServerOptions {
  readonly log: Log;
  /** Asked for each new connection; one more than this is reset, as devices with one or two sockets do. */
  maxConnections(): number;
  /** The bytes to send for a request, or nothing. */
  answer(frame: MbapFrame): Buffer | undefined;
}

/** A Modbus TCP server: frames in, frames out, in order, any number in one packet. It knows no registers. */
export class ModbusServer implements AsyncDisposable {
  readonly #options: ModbusServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: ModbusServerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
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
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    // A peer that resets is ordinary; the close that follows tidies up.
    socket.on("error", () => {});
    if (this.#sockets.size >= this.#options.maxConnections()) {
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    const reader = new MbapReader();
    socket.on("drain", () => socket.resume());
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) {
          const bytes = this.#options.answer(frame);
          // A peer that asks and never reads is not read from until it does.
          if (bytes !== undefined && !socket.write(bytes)) socket.pause();
        }
      } catch (error) {
        this.#options.log.debug("dropped a peer that does not speak Modbus", { err: error });
        socket.destroy();
      }
    });
  }
}
