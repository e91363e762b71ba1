import type { FrameReader, Framing, ModbusFrame } from "./frame.ts";

/** Transaction, protocol and length, 2 bytes each; the unit belongs to what the length counts. */
const PREFIX_BYTES = 6;

/** Unit, function code and at least no data; unit and a PDU of 253 bytes (Modbus over TCP implementation guide, 3.1.3). */
const LEAST_LENGTH = 2;
const MOST_LENGTH = 254;

/** Modbus TCP: a header with a transaction and a length before each frame. */
export const mbapFraming: Framing = {
  name: "tcp",
  isBus: false,
  reader: () => new MbapReader(),
  encode: (frame) => {
    const bytes = Buffer.alloc(PREFIX_BYTES + 1 + frame.pdu.length);
    bytes.writeUInt16BE(frame.transaction, 0);
    bytes.writeUInt16BE(frame.pdu.length + 1, 4);
    bytes.writeUInt8(frame.unit, 6);
    frame.pdu.copy(bytes, 7);
    return bytes;
  },
};

/** The peer does not speak Modbus TCP; after this the stream can't be followed any more. */
class MbapError extends Error {
  override readonly name = "MbapError";
}

class MbapReader implements FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws MbapError for a protocol other than 0 or a length that no frame has */
  *push(chunk: Buffer): Generator<ModbusFrame> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= PREFIX_BYTES) {
      const protocol = this.#rest.readUInt16BE(2);
      const length = this.#rest.readUInt16BE(4);
      if (protocol !== 0) throw new MbapError(`protocol ${protocol} is not Modbus`);
      if (length < LEAST_LENGTH || length > MOST_LENGTH) throw new MbapError(`no frame has length ${length}`);
      if (this.#rest.length < PREFIX_BYTES + length) return;
      const frame = this.#rest.subarray(0, PREFIX_BYTES + length);
      this.#rest = this.#rest.subarray(frame.length);
      yield { transaction: frame.readUInt16BE(0), unit: frame.readUInt8(6), pdu: frame.subarray(7) };
    }
  }
}
