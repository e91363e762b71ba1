import type { Duplex } from "node:stream";
import type { Clock } from "../../../src/clock.ts";
import { crc16 } from "./crc16.ts";
import { type Aftermath, type ExpectedAnswer, expectedAnswer, FramedPort } from "./framed-port.ts";

const EXCEPTION_BYTES = 5;
const EXCEPTION_BIT = 0x80;
/** Longest serial frame (Modbus over Serial Line V1.02, 2.5.1), and an echo before it. */
const MOST_BYTES = 2 * 256;
/** Bridges and USB adapters hand a frame over in parts, with pauses of their own. */
const DAMAGED_AFTER_MS = 100;

/** What is known of a line over all its connections. */
export interface LineMemory {
  /** Whether we hear what we send, as with many half-duplex adapters; absent while it is not known. */
  echoes?: boolean | undefined;
  /** A person said so; it is not found out. */
  readonly told: boolean;
}

/**
 * Serial framing over a serial port or through a plain TCP bridge. Frames have neither a number nor an address, so that a
 * late answer looks like the answer to the next request of its kind. Therefore an answer counts only after its request,
 * with the unit, function, length, checksum and, for a write, address that it must have; what arrives at any other time is dropped; and after
 * an overdue answer the line is listened to in silence before anything else is sent.
 *
 * Emits `garbage` with a reason when an answer came whose checksum is wrong, and nothing more comes.
 */
export class RtuPort extends FramedPort {
  readonly #clock: Clock;
  readonly #memory: LineMemory;
  #request: Buffer | undefined;
  #expected: ExpectedAnswer | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #abandoned = false;
  #onLate: (() => void) | undefined;
  #stray = 0;
  #waitForMore: AbortController | undefined;

  constructor(stream: Duplex, clock: Clock, memory: LineMemory) {
    super(stream);
    this.#clock = clock;
    this.#memory = memory;
  }

  override get strayBytes(): number {
    return this.#stray + this.#bytes.length;
  }

  override write(frame: Buffer): void {
    this.#forget();
    this.#expected = expectedAnswer(frame);
    this.#request = frame;
    this.#bytes = Buffer.alloc(0);
    this.#abandoned = false;
    this.#stray = 0;
    this.stream.write(frame);
  }

  override abandon(): void {
    if (this.#request !== undefined) this.#abandoned = true;
  }

  override async quiet(ms: number): Promise<Aftermath> {
    if (!this.#abandoned) return "answered-late";
    this.#waitForMore?.abort();
    const stop = new AbortController();
    const late = new Promise<Aftermath>((resolve) => {
      this.#onLate = () => resolve("answered-late");
    });
    const silent = this.#clock.sleep(ms, stop.signal).then(
      (): Aftermath => "silent",
      (): Aftermath => "silent",
    );
    try {
      return await Promise.race([late, silent]);
    } finally {
      stop.abort();
      this.#onLate = undefined;
      this.#forget();
    }
  }

  protected override receive(chunk: Buffer): void {
    const [request, expected] = [this.#request, this.#expected];
    if (request === undefined || expected === undefined) {
      this.#stray += chunk.length;
      return;
    }
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (this.#bytes.length > MOST_BYTES) {
      this.#stray += this.#bytes.length - MOST_BYTES;
      this.#bytes = this.#bytes.subarray(-MOST_BYTES);
    }
    const from = this.#searchFrom(request, expected);
    const found = from === undefined ? undefined : this.#frameFrom(from, expected);
    if (found === undefined) {
      this.#watchForDamage(request, expected);
      return;
    }
    this.#learnEcho(request, expected, found.start);
    const wasAbandoned = this.#abandoned;
    this.#forget();
    if (wasAbandoned) this.#onLate?.();
    else this.emit("data", found.frame);
  }

  /** A damaged answer is told when nothing more comes, not when its time is over. */
  #watchForDamage(request: Buffer, expected: ExpectedAnswer): void {
    this.#waitForMore?.abort();
    this.#waitForMore = undefined;
    if (this.#abandoned || !this.#isWhole(request, expected)) return;
    const wait = new AbortController();
    this.#waitForMore = wait;
    this.#clock.sleep(DAMAGED_AFTER_MS, wait.signal).then(
      () => {
        if (this.#request === request && !this.#abandoned) {
          this.emit("garbage", `a damaged answer: ${expected.length} bytes with a wrong checksum`);
        }
      },
      () => {},
    );
  }

  /** As many bytes as the answer has, that begin as it does; not what others say, and not an echo. */
  #isWhole(request: Buffer, expected: ExpectedAnswer): boolean {
    const echo = this.#bytes.indexOf(request);
    const bytes = echo < 0 ? this.#bytes : this.#bytes.subarray(echo + request.length);
    for (let start = 0; start + expected.length <= bytes.length; start++) {
      if (begins(bytes, start, expected)) return true;
    }
    return false;
  }

  /**
   * Where the answer can begin. The answer to functions 5 and 6 is the request once more, so that on a line that echoes
   * only the second one is the device's.
   */
  #searchFrom(request: Buffer, expected: ExpectedAnswer): number | undefined {
    if (!isRepeated(expected) || this.#memory.echoes !== true) return 0;
    const echo = this.#bytes.indexOf(request);
    return echo < 0 ? undefined : echo + request.length;
  }

  #frameFrom(from: number, expected: ExpectedAnswer): { readonly start: number; readonly frame: Buffer } | undefined {
    const bytes = this.#bytes;
    for (let start = from; start + EXCEPTION_BYTES <= bytes.length; start++) {
      const isException =
        bytes[start] === expected.unit && bytes[start + 1] === (expected.functionCode | EXCEPTION_BIT);
      if (!isException && !begins(bytes, start, expected)) continue;
      const end = start + (isException ? EXCEPTION_BYTES : expected.length);
      if (end > bytes.length || crc16(bytes, start, end) !== 0) continue;
      return { start, frame: Buffer.from(bytes.subarray(start, end)) };
    }
    return undefined;
  }

  /** No echo of the other functions looks like an answer, so that they tell whether the line echoes. */
  #learnEcho(request: Buffer, expected: ExpectedAnswer, start: number): void {
    if (this.#memory.told || isRepeated(expected)) return;
    if (start === 0) this.#memory.echoes = false;
    else if (this.#bytes.subarray(start - request.length, start).equals(request)) this.#memory.echoes = true;
  }

  #forget(): void {
    this.#waitForMore?.abort();
    this.#request = undefined;
    this.#expected = undefined;
    this.#abandoned = false;
    this.#stray += this.#bytes.length;
    this.#bytes = Buffer.alloc(0);
  }
}

function begins(bytes: Buffer, start: number, { unit, functionCode, begins: rest }: ExpectedAnswer): boolean {
  if (bytes[start] !== unit || bytes[start + 1] !== functionCode) return false;
  return rest.every((byte, index) => bytes[start + 2 + index] === byte);
}

function isRepeated({ functionCode }: ExpectedAnswer): boolean {
  return functionCode === 5 || functionCode === 6;
}
