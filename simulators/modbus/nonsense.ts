import type { Framing, ModbusFrame } from "./frame.ts";

/** Breaks answers as broken gateways and line noise do, one way after another, so that a client meets all of them. */
export class Nonsense {
  #turn = 0;

  /** Bytes to send in place of the right answer. */
  instead(answer: ModbusFrame, framing: Framing): Buffer {
    this.#turn = (this.#turn + 1) % 3;
    const bytes = framing.encode(answer);
    switch (this.#turn) {
      case 0:
        if (framing.name === "tcp")
          return framing.encode({ ...answer, transaction: (answer.transaction + 0x5555) & 0xffff });
        // One bit fell over, and the checksum is that of the right frame.
        bytes.writeUInt8(bytes.readUInt8(1) ^ 0x04, 1);
        return bytes;
      case 1:
        // A length that no frame has: whoever believes it waits for bytes that never come.
        if (framing.name === "tcp") bytes.writeUInt16BE(0xffff, 4);
        else bytes.writeUInt8(0xff, 2);
        return bytes;
      default:
        return Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n", "latin1");
    }
  }
}
