import { encodeFrame, type MbapFrame } from "./mbap.ts";

/** Breaks answers as broken gateways and line noise do, one way after another, so that a client meets all of them. */
export class Nonsense {
  #turn = 0;

  /** Bytes to send in place of the right answer. */
  instead(answer: MbapFrame): Buffer {
    this.#turn = (this.#turn + 1) % 3;
    const bytes = encodeFrame(answer);
    switch (this.#turn) {
      case 0:
        // Somebody else's transaction.
        bytes.writeUInt16BE((answer.transaction + 0x5555) & 0xffff, 0);
        return bytes;
      case 1:
        // A length that no frame has: whoever believes it waits for bytes that never come.
        bytes.writeUInt16BE(0xffff, 4);
        return bytes;
      default:
        return Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n", "latin1");
    }
  }
}
