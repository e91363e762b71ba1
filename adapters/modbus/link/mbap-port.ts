import { crc16 } from "./crc16.ts";
import { type Aftermath, FramedPort } from "./framed-port.ts";

const HEADER_BYTES = 6;
const CHECKSUM_BYTES = 2;
/** Unit, function and at most 252 bytes of data (Modbus Messaging on TCP/IP V1.0b, 3.1.3). */
const LONGEST = 254;

/**
 * Modbus TCP: a header with a number that the answer repeats. An answer with another number is a late or doubled one and
 * is dropped. Emits `garbage` with a reason when the bytes are no Modbus TCP, after which nothing more can be read.
 */
export class MbapPort extends FramedPort {
  #transaction = 0;
  #awaited = -1;
  #rest: Buffer | undefined;
  #broken = false;
  #stray = 0;

  override get strayBytes(): number {
    return this.#stray;
  }

  override write(frame: Buffer): void {
    this.#transaction = this.#transaction === 0xffff ? 1 : this.#transaction + 1;
    this.#awaited = this.#transaction;
    this.#stray = 0;
    const length = frame.length - CHECKSUM_BYTES;
    const message = Buffer.allocUnsafe(HEADER_BYTES + length);
    message.writeUInt16BE(this.#transaction, 0);
    message.writeUInt16BE(0, 2);
    message.writeUInt16BE(length, 4);
    frame.copy(message, HEADER_BYTES, 0, length);
    this.stream.write(message);
  }

  override abandon(): void {
    this.#awaited = -1;
  }

  override async quiet(): Promise<Aftermath> {
    return "silent";
  }

  protected override receive(chunk: Buffer): void {
    if (this.#broken) return;
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const protocol = bytes.readUInt16BE(2);
      const length = bytes.readUInt16BE(4);
      if (protocol !== 0 || length < 2 || length > LONGEST) {
        this.#broken = true;
        this.#rest = undefined;
        this.emit("garbage", `bytes that are no Modbus TCP (${bytes.subarray(0, HEADER_BYTES).toString("hex")}...)`);
        return;
      }
      if (bytes.length < HEADER_BYTES + length) break;
      const message = bytes.subarray(0, HEADER_BYTES + length);
      bytes = bytes.subarray(message.length);
      this.#take(message);
    }
    this.#rest = bytes.length > 0 ? bytes : undefined;
  }

  #take(message: Buffer): void {
    if (message.readUInt16BE(0) !== this.#awaited) {
      this.#stray += message.length;
      return;
    }
    this.#awaited = -1;
    // The codec reads serial frames and checks their checksum.
    const length = message.length - HEADER_BYTES;
    const frame = Buffer.allocUnsafe(length + CHECKSUM_BYTES);
    message.copy(frame, 0, HEADER_BYTES);
    frame.writeUInt16LE(crc16(frame, 0, length), length);
    this.emit("data", frame);
  }
}
