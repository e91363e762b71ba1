/** Just enough of ASN.1 DER to write an X.509 certificate: each function returns one complete tag, length and value. */

function wrap(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.concat([Buffer.of(tag, 0x80 | bytes.length, ...bytes), content]);
}

export const sequence = (...parts: Uint8Array[]): Buffer => wrap(0x30, Buffer.concat(parts));

export const setOf = (...parts: Uint8Array[]): Buffer => wrap(0x31, Buffer.concat(parts));

export const octetString = (content: Uint8Array): Buffer => wrap(0x04, content);

export const utf8String = (text: string): Buffer => wrap(0x0c, Buffer.from(text, "utf8"));

export const boolean = (value: boolean): Buffer => wrap(0x01, Buffer.of(value ? 0xff : 0x00));

/** A context tag around complete values, as `EXPLICIT` and constructed `IMPLICIT` have it. */
export const tagged = (number: number, ...parts: Uint8Array[]): Buffer => wrap(0xa0 | number, Buffer.concat(parts));

/** A context tag in place of a primitive value's own tag. */
export const taggedPrimitive = (number: number, content: Uint8Array): Buffer => wrap(0x80 | number, content);

/** A whole number, zero or more, big-endian; any leading zeros are taken away and a sign byte is set where DER needs one. */
export function integer(bigEndian: Uint8Array): Buffer {
  const firstUsed = bigEndian.findIndex((byte) => byte !== 0);
  const digits = firstUsed === -1 ? Buffer.of(0) : Buffer.from(bigEndian.subarray(firstUsed));
  return wrap(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** Bits from the left; `unused` says how many at the right end of the last byte do not count. */
export const bitString = (content: Uint8Array, unused = 0): Buffer =>
  wrap(0x03, Buffer.concat([Buffer.of(unused), content]));

export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(0x80 | (left & 0x7f));
    }
    bytes.push(...digits);
  }
  return wrap(0x06, Buffer.from(bytes));
}

/** An instant as X.509 writes it: two-digit years up to 2049, four-digit years after (RFC 5280, 4.1.2.5). */
export function time(epochMs: number): Buffer {
  const compact = `${new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
  return Number(compact.slice(0, 4)) < 2050
    ? wrap(0x17, Buffer.from(compact.slice(2), "ascii"))
    : wrap(0x18, Buffer.from(compact, "ascii"));
}
