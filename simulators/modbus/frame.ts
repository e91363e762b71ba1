/** A Modbus request or answer, whatever it travels in. */
export interface ModbusFrame {
  /** Pairs answer and request on TCP; always 0 where there is no such thing. */
  readonly transaction: number;
  readonly unit: number;
  /** Function code and data. */
  readonly pdu: Buffer;
}

/** Cuts a byte stream into frames, however it was split or glued. Holds less than one frame. */
export interface FrameReader {
  /**
   * The frames that are complete with this chunk.
   * @param atMs elapsed time at which it came
   * @throws Error when the stream can't be followed any more
   */
  push(chunk: Buffer, atMs: number): Iterable<ModbusFrame>;
}

/** How frames lie in a byte stream. */
export interface Framing {
  readonly name: FramingName;
  /** True on a bus: a device that is not meant hears the request and keeps silent, and unit 0 is meant for all. */
  readonly isBus: boolean;
  /** A reader of requests. */
  reader(): FrameReader;
  /** The bytes of an answer. */
  encode(frame: ModbusFrame): Buffer;
}

export type FramingName = "tcp" | "rtu";
