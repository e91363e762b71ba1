import { createSocket, type Socket } from "node:dgram";

/** One CoAP message as it stands in a datagram, as far as a peer needs it to answer (RFC 7252, 3). */
export interface RawMessage {
  readonly type: "CON" | "NON" | "ACK" | "RST";
  readonly messageId: number;
  readonly token: Buffer;
}

const TYPES = ["CON", "NON", "ACK", "RST"] as const;

/** A peer that answers each datagram with whatever bytes a story wants; it stands on no CoAP library. */
export class UdpPeer implements AsyncDisposable {
  readonly #socket: Socket = createSocket("udp4");
  heard = 0;

  /** @param answer datagrams to send back for the one that came */
  async listen(answer: (datagram: Buffer, count: number) => readonly Buffer[]): Promise<number> {
    this.#socket.on("message", (datagram, from) => {
      this.heard += 1;
      for (const one of answer(datagram, this.heard)) this.#socket.send(one, from.port, from.address);
    });
    await new Promise<void>((resolve) => this.#socket.bind(0, "127.0.0.1", resolve));
    return this.#socket.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

export function readMessage(datagram: Buffer): RawMessage {
  const first = datagram[0] ?? 0;
  const tokenLength = first & 0x0f;
  return {
    type: TYPES[(first >> 4) & 3] ?? "CON",
    messageId: datagram.readUInt16BE(2),
    token: datagram.subarray(4, 4 + tokenLength),
  };
}

/** @param options numbers in rising order with their bytes, each of 12 bytes at most and less than 269 apart */
export function writeMessage(
  type: RawMessage["type"],
  code: string,
  { messageId, token }: Pick<RawMessage, "messageId" | "token">,
  options: readonly (readonly [number, Buffer])[] = [],
  payload = Buffer.alloc(0),
): Buffer {
  const [kind = 0, detail = 0] = code.split(".").map(Number);
  const head = Buffer.from([0x40 | (TYPES.indexOf(type) << 4) | token.length, (kind << 5) | detail, 0, 0]);
  head.writeUInt16BE(messageId, 2);
  let last = 0;
  const written = options.map(([number, value]) => {
    const delta = number - last;
    last = number;
    const short = delta < 13 ? Buffer.of((delta << 4) | value.length) : Buffer.of((13 << 4) | value.length, delta - 13);
    return Buffer.concat([short, value]);
  });
  const body = payload.length === 0 ? [] : [Buffer.of(0xff), payload];
  return Buffer.concat([head, token, ...written, ...body]);
}
