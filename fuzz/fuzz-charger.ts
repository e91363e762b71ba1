import { WebSocket } from "ws";
import { chanceOf } from "./chance.ts";
import { type Input, mutate } from "./json-mutation.ts";
import { STATION_ANSWERS } from "./ocpp-messages.ts";
import type { Outcome } from "./outcome.ts";

const OPEN_WITHIN_MS = 10_000;

/** One connection to the adapter that says wrong things and sees whether it is still answered. */
export class FuzzCharger {
  readonly #socket: WebSocket;
  readonly #seed: number;
  #index = 0;
  #probe = 0;
  #internalError = false;
  #answered: (() => void) | undefined;

  private constructor(socket: WebSocket, seed: number) {
    this.#socket = socket;
    this.#seed = seed;
    socket.on("message", (data: Buffer) => this.#onFrame(data.toString()));
  }

  /** @returns nothing where it was refused */
  static async dial(url: string, version: string, seed: number): Promise<FuzzCharger | undefined> {
    const socket = new WebSocket(url, [version], { perMessageDeflate: false, handshakeTimeout: OPEN_WITHIN_MS });
    socket.on("error", () => {});
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("open", () => resolve(true));
      socket.once("close", () => resolve(false));
    });
    return isOpen ? new FuzzCharger(socket, seed) : undefined;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends an input and, behind it, a message that has an answer. */
  send(index: number, { bytes, isBinary }: Input, withinMs: number): Promise<Outcome> {
    this.#index = index;
    this.#internalError = false;
    const probe = `probe-${++this.#probe}`;
    return new Promise((resolve) => {
      const sentAtMs = performance.now();
      const end = (outcome: Outcome) => {
        clearTimeout(timer);
        this.#socket.off("close", onClose);
        this.#answered = undefined;
        resolve(outcome);
      };
      const onClose = () => end({ kind: "closed" });
      const timer = setTimeout(() => end({ kind: "silent" }), withinMs);
      this.#socket.once("close", onClose);
      this.#answered = () =>
        end({ kind: "answered", tookMs: performance.now() - sentAtMs, internalError: this.#internalError });
      this.#socket.send(bytes, { binary: isBinary });
      this.#socket.send(`[2,"${probe}","Heartbeat",{}]`);
    });
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.terminate();
    await closed;
  }

  #onFrame(text: string): void {
    const [type, id, word] = JSON.parse(text) as [number, string, string];
    if (type === 2) this.#answerCall(id, word);
    else if (id === `probe-${this.#probe}`) this.#answered?.();
    else if (type === 4 && word === "InternalError") this.#internalError = true;
  }

  /** What it is asked it answers rightly, wrongly or not at all. */
  #answerCall(id: string, action: string): void {
    const chance = chanceOf(this.#seed, this.#index).fork("answer");
    const answer = [
      3,
      id,
      STATION_ANSWERS[action] ?? { status: chance.pick(["Accepted", "Rejected", "NotSupported"]) },
    ];
    const mood = chance.integer(0, 9);
    if (mood === 0 || !this.isOpen) return;
    if (mood < 6) {
      this.#socket.send(JSON.stringify(answer));
      return;
    }
    const { bytes, isBinary } = mutate(answer, chance);
    this.#socket.send(bytes, { binary: isBinary });
  }
}
