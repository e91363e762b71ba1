/** A block option (RFC 7959, 2.2). */
export interface Block {
  readonly num: number;
  readonly more: boolean;
  /** 16 to 1024. */
  readonly bytes: number;
}

/** What of a CoAP message says to which exchange it belongs and which part of it it is (RFC 7252, 3). */
export interface MessageHead {
  /** Class times 32 and detail: 69 is 2.05. */
  readonly code: number;
  readonly token: string;
  readonly etag: string;
  /** What is answered; "odd" for an option that is none. */
  readonly block2: Block | "odd" | undefined;
  /** What is sent. */
  readonly block1: Block | "odd" | undefined;
  readonly payloadBytes: number;
}

const ETAG = 4;
const BLOCK2 = 23;
const BLOCK1 = 27;
const PAYLOAD_MARK = 0xff;

/** Reads a datagram; undefined where it is no message with a token of ours, which RFC 7252, 4.2 has ignored. */
export function messageHead(datagram: Buffer): MessageHead | undefined {
  const first = datagram[0] ?? 0;
  const tokenBytes = first & 0x0f;
  if (first >> 6 !== 1 || tokenBytes > 8 || datagram.length < 4 + tokenBytes) return undefined;
  const found = new Map<number, Buffer>();
  let at = 4 + tokenBytes;
  let number = 0;
  while (at < datagram.length && datagram[at] !== PAYLOAD_MARK) {
    const byte = datagram[at] ?? 0;
    const delta = extended(byte >> 4, datagram, at + 1);
    if (delta === undefined) return undefined;
    const length = extended(byte & 0x0f, datagram, at + 1 + delta.bytes);
    if (length === undefined) return undefined;
    number += delta.value;
    at += 1 + delta.bytes + length.bytes;
    if (at + length.value > datagram.length) return undefined;
    // Where one comes twice the first counts, as it does for the library.
    if (!found.has(number)) found.set(number, datagram.subarray(at, at + length.value));
    at += length.value;
  }
  return {
    code: datagram[1] ?? 0,
    token: datagram.toString("hex", 4, 4 + tokenBytes),
    etag: found.get(ETAG)?.toString("hex") ?? "",
    block2: blockFrom(found.get(BLOCK2)),
    block1: blockFrom(found.get(BLOCK1)),
    payloadBytes: Math.max(0, datagram.length - at - 1),
  };
}

/** A delta or a length, which may go on in one byte or two (RFC 7252, 3.1). */
function extended(
  half: number,
  datagram: Buffer,
  at: number,
): { readonly value: number; readonly bytes: number } | undefined {
  if (half < 13) return { value: half, bytes: 0 };
  if (half === 15) return undefined;
  const bytes = half === 13 ? 1 : 2;
  if (at + bytes > datagram.length) return undefined;
  return { value: datagram.readUIntBE(at, bytes) + (half === 13 ? 13 : 269), bytes };
}

function blockFrom(value: Buffer | undefined): Block | "odd" | undefined {
  if (value === undefined) return undefined;
  if (value.length > 3) return "odd";
  const whole = value.length === 0 ? 0 : value.readUIntBE(0, value.length);
  const exponent = whole & 7;
  return exponent === 7 ? "odd" : { num: whole >> 4, more: (whole & 8) !== 0, bytes: 16 << exponent };
}
