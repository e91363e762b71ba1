import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";

/** What a silence brought after a request whose answer was overdue. */
export type Aftermath = "answered-late" | "silent";

/**
 * The place between the codec and the bytes. The codec hands over one request at a time as a serial frame, and gets at
 * most one answer for it, as a serial frame too; how frames travel is the matter of each framing. The codec's own ports
 * are not used: theirs take a late answer for the next one's, and do not see every end of a connection.
 */
export abstract class FramedPort extends EventEmitter {
  /** The codec keeps requests by these; with one in flight there is only ever one. */
  readonly _transactionIdRead = 1;
  readonly _transactionIdWrite = 1;
  protected readonly stream: Duplex;

  constructor(stream: Duplex) {
    super();
    this.stream = stream;
    stream.on("data", (chunk: Buffer) => this.receive(chunk));
  }

  /** For the codec; the wire is opened and closed by whoever made it. */
  get isOpen(): boolean {
    return true;
  }

  /** For the codec. */
  open(callback: () => void): void {
    callback();
  }

  /** Sends a request: unit, function, data, checksum. What came before it was no answer to it. */
  abstract write(frame: Buffer): void;

  protected abstract receive(chunk: Buffer): void;

  /** Nobody waits for the answer any more. Whatever still comes for it reaches no later request. */
  abstract abandon(): void;

  /**
   * After `abandon`: waits until a late answer can do no harm, at most `ms`.
   * @returns at once where answers carry numbers
   */
  abstract quiet(ms: number): Promise<Aftermath>;

  /** Bytes that came and were no answer since the last request was sent. */
  abstract get strayBytes(): number;
}

/** What the codec expects back for a request in serial framing. */
export interface ExpectedAnswer {
  readonly unit: number;
  readonly functionCode: number;
  /** Bytes of the whole answer with its checksum. */
  readonly length: number;
  /** What follows unit and function: the count of an answer's data bytes, or the address that was written to. */
  readonly begins: readonly number[];
}

/**
 * How the answer to a request looks.
 * @throws RangeError for a function that is not spoken here
 */
export function expectedAnswer(request: Buffer): ExpectedAnswer {
  const unit = request.readUInt8(0);
  const functionCode = request.readUInt8(1);
  switch (functionCode) {
    case 1:
    case 2:
      return counted(unit, functionCode, Math.ceil(request.readUInt16BE(4) / 8));
    case 3:
    case 4:
      return counted(unit, functionCode, 2 * request.readUInt16BE(4));
    case 5:
    case 6:
    case 15:
    case 16:
      return { unit, functionCode, length: 8, begins: [request.readUInt8(2), request.readUInt8(3)] };
    default:
      throw new RangeError(`function ${functionCode} has no known answer`);
  }
}

function counted(unit: number, functionCode: number, byteCount: number): ExpectedAnswer {
  return { unit, functionCode, begins: [byteCount], length: 3 + byteCount + 2 };
}
