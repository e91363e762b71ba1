import type { Readable, Writable } from "node:stream";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { ModbusBehaviour } from "./behaviour.ts";
import type { FrameReader, Framing, ModbusFrame } from "./frame.ts";
import type { Reply, WireFaults } from "./wire-faults.ts";

/** Whoever answers requests. */
export interface Answerer {
  readonly behaviour: Readonly<ModbusBehaviour>;
  readonly faults: WireFaults;
  /** The right answer, or nothing where it is not meant. */
  answer(request: ModbusFrame, framing: Framing): ModbusFrame | undefined;
}

/** The byte stream that a peer is at the other end of. */
export interface Wire {
  readonly input: Readable;
  readonly output: Writable;
  /** Breaks it off. What cannot break, as a serial line, does nothing. */
  reset(): void;
  /** Ends it after bytes that are no Modbus. What cannot end goes on. */
  giveUp(): void;
}

/** Requests that wait for an answer that takes its time. */
const MOST_WAITING = 32;

/** Requests in, answers out, in their order, over one byte stream. */
export class Conversation {
  readonly #wire: Wire;
  readonly #framing: Framing;
  readonly #answerer: Answerer;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #reader: FrameReader;
  #answers = 0;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  #isDead = false;

  constructor(
    wire: Wire,
    options: { framing: Framing; answerer: Answerer; clock: Clock; log: Log; signal: AbortSignal },
  ) {
    this.#wire = wire;
    this.#framing = options.framing;
    this.#answerer = options.answerer;
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#reader = options.framing.reader();
    wire.output.on("drain", () => this.#resume());
    wire.input.on("data", (chunk: Buffer) => {
      try {
        for (const request of this.#reader.push(chunk, this.#clock.elapsedMs())) this.#take(request);
      } catch (error) {
        options.log.debug("dropped a peer that does not speak Modbus", { err: error });
        wire.giveUp();
      }
    });
  }

  /** From now on nothing is read, and nothing is said. */
  die(): void {
    this.#isDead = true;
    this.#wire.input.pause();
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  #take(request: ModbusFrame): void {
    if (this.#isDead) return;
    const answer = this.#answerer.answer(request, this.#framing);
    const reply = this.#answerer.faults.reply(request, answer, this.#framing);
    if (reply.echo !== undefined) this.#wire.output.write(reply.echo);
    if (answer !== undefined) this.#answers += 1;
    const limit = this.#answerer.behaviour.diesAfterAnswers;
    const diesNow = limit !== undefined && this.#answers >= limit;
    if (reply.afterMs === 0 && reply.gapMs === 0 && this.#waiting === 0) {
      for (const [index, piece] of reply.pieces.entries()) this.#send(piece, index, reply);
      if (diesNow) this.die();
      return;
    }
    this.#waiting += 1;
    if (this.#waiting >= MOST_WAITING) this.#wire.input.pause();
    this.#last = this.#last.then(async () => {
      try {
        for (const [index, piece] of reply.pieces.entries()) {
          const waitMs = index === 0 ? reply.afterMs : reply.gapMs;
          if (waitMs > 0) await this.#clock.sleep(waitMs, this.#signal);
          this.#send(piece, index, reply);
        }
        if (diesNow) this.die();
      } catch {
        // The simulator ends; nobody waits for this answer any more.
      } finally {
        this.#waiting -= 1;
        this.#resume();
      }
    });
  }

  #send(piece: Buffer, index: number, { pieces, resets }: Reply): void {
    const { input, output } = this.#wire;
    if (this.#isDead || !output.writable) return;
    const isLast = index === pieces.length - 1;
    // Behind what was written, else the reset overtakes it.
    const hasRoom = output.write(piece, resets && isLast ? () => this.#wire.reset() : undefined);
    // A peer that asks and never reads is not read from until it does.
    if (!hasRoom) input.pause();
  }

  #resume(): void {
    if (!this.#isDead && this.#waiting < MOST_WAITING && !this.#wire.output.writableNeedDrain)
      this.#wire.input.resume();
  }
}
