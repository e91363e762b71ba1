/** A CoAP message as it stands in a datagram (RFC 7252, 3). */
export interface RawMessage {
  /** Class times 32 and detail: 69 is 2.05. */
  readonly code: number;
  /** In hexadecimal digits. */
  readonly token: string;
  /** Values by option number, in their order. */
  readonly options: ReadonlyMap<number, readonly Buffer[]>;
  readonly payload: Buffer;
}

const PAYLOAD_MARK = 0xff;
const LONGEST_TOKEN = 8;

/** Reads a datagram; undefined where it is no message, which RFC 7252, 4.2 has ignored. */
export function rawMessage(datagram: Buffer): RawMessage | undefined {
  const first = datagram[0] ?? 0;
  const tokenBytes = first & 0x0f;
  if (first >> 6 !== 1 || tokenBytes > LONGEST_TOKEN || datagram.length < 4 + tokenBytes) return undefined;
  const options = new Map<number, Buffer[]>();
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
    const values = options.get(number) ?? [];
    values.push(datagram.subarray(at, at + length.value));
    options.set(number, values);
    at += length.value;
  }
  return {
    code: datagram[1] ?? 0,
    token: datagram.toString("hex", 4, 4 + tokenBytes),
    options,
    payload: datagram.subarray(at + 1),
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
