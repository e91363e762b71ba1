/** A Modbus request or answer inside its TCP frame. */
export interface MbapFrame {
  readonly transaction: number;
  readonly unit: number;
  /** Function code and data. */
  readonly pdu: Buffer;
}

/** Transaction, protocol and length, 2 bytes each; the unit belongs to what the length counts. */
const PREFIX_BYTES = 6;

/** Unit, function code and at least no data; unit and a PDU of 253 bytes (Modbus over TCP implementation guide, 3.1.3). */
const LEAST_LENGTH = 2;
const MOST_LENGTH = 254;

/** The peer does not speak Modbus TCP; after this the stream can't be followed any more. */
class MbapError extends Error {
  override readonly name = "MbapError";
}

/** Cuts a byte stream into frames, however TCP split or glued them. Holds less than one frame. */
export class MbapReader {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * The frames that are complete with this chunk.
   * @throws MbapError for a protocol other than 0 or a length that no frame has
   */
  *push(chunk: Buffer): Generator<MbapFrame> {
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

/** The bytes of a frame. */
export function encodeFrame(frame: MbapFrame): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + 1 + frame.pdu.length);
  bytes.writeUInt16BE(frame.transaction, 0);
  bytes.writeUInt16BE(frame.pdu.length + 1, 4);
  bytes.writeUInt8(frame.unit, 6);
  frame.pdu.copy(bytes, 7);
  return bytes;
}
