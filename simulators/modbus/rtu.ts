import type { FrameReader, Framing, ModbusFrame } from "./frame.ts";

/** Unit, function code and checksum. */
const LEAST_BYTES = 4;
const MOST_BYTES = 256;
const CHECKSUM_BYTES = 2;

/**
 * A silence within a frame after which the rest of it is not waited for any more. The standard says 1.5 characters; what
 * comes through sockets, terminals and USB is later than that and still one frame.
 */
const BROKEN_OFF_MS = 100;

/** Functions whose request is unit, function, four bytes and checksum; and those that carry a byte count at this place. */
const SHORT_REQUESTS: readonly number[] = [1, 2, 3, 4, 5, 6];
const BYTE_COUNT_AT: Readonly<Record<number, number>> = { 15: 6, 16: 6, 23: 10 };
const MASK_WRITE = 22;

/** Modbus RTU: a checksum at the end, and nothing that says how long a frame is. */
export const rtuFraming: Framing = {
  name: "rtu",
  isBus: true,
  reader: () => new RtuReader(),
  encode: ({ unit, pdu }) => {
    const bytes = Buffer.alloc(1 + pdu.length + CHECKSUM_BYTES);
    bytes.writeUInt8(unit, 0);
    pdu.copy(bytes, 1);
    bytes.writeUInt16LE(crc16(bytes.subarray(0, -CHECKSUM_BYTES)), bytes.length - CHECKSUM_BYTES);
    return bytes;
  },
};

/** Checksum of a frame, to be sent low byte first (Modbus over serial line 1.02, 6.2.2). */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

/**
 * Reads requests. The function code tells how long one is; a frame with a wrong checksum is passed over together with
 * all that came with it, and after a silence it begins anew, as the standard asks of a device.
 */
class RtuReader implements FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #lastMs = 0;

  *push(chunk: Buffer, atMs: number): Generator<ModbusFrame> {
    if (atMs - this.#lastMs > BROKEN_OFF_MS) this.#rest = Buffer.alloc(0);
    this.#lastMs = atMs;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= LEAST_BYTES) {
      const length = this.#length();
      if (length === undefined || length > this.#rest.length) {
        if (this.#rest.length > MOST_BYTES) this.#rest = Buffer.alloc(0);
        return;
      }
      const frame = this.#rest.subarray(0, length);
      const body = frame.subarray(0, -CHECKSUM_BYTES);
      if (crc16(body) !== frame.readUInt16LE(body.length)) {
        this.#rest = Buffer.alloc(0);
        return;
      }
      this.#rest = this.#rest.subarray(length);
      yield { transaction: 0, unit: frame.readUInt8(0), pdu: body.subarray(1) };
    }
  }

  /** Bytes of the request that begins the rest; nothing while that is not known. */
  #length(): number | undefined {
    const functionCode = this.#rest.readUInt8(1);
    if (SHORT_REQUESTS.includes(functionCode)) return 8;
    if (functionCode === MASK_WRITE) return 10;
    const place = BYTE_COUNT_AT[functionCode];
    if (place !== undefined) {
      return this.#rest.length > place ? place + 1 + this.#rest.readUInt8(place) + CHECKSUM_BYTES : undefined;
    }
    // A function that this device has not heard of ends where the line fell silent, which is where the chunk ends.
    return this.#rest.length;
  }
}
