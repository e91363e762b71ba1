/** One CoAP message as it stands in a datagram (RFC 7252, 3). Written here and not by the package that the adapter stands on. */
export interface CoapMessage {
  readonly type: (typeof TYPE)[keyof typeof TYPE];
  /** Class and detail in one byte: 0x45 is 2.05. */
  readonly code: number;
  readonly id: number;
  readonly token: Buffer;
  /** In rising order of their numbers. */
  readonly options: readonly CoapOption[];
  readonly payload: Buffer;
}

export type CoapOption = readonly [number: number, value: Buffer];

export const TYPE = { confirmable: 0, nonConfirmable: 1, acknowledgement: 2, reset: 3 } as const;

export const OPTION = {
  etag: 4,
  observe: 6,
  uriPath: 11,
  contentFormat: 12,
  uriQuery: 15,
  block2: 23,
  block1: 27,
} as const;

export const CODE = {
  get: 0x01,
  post: 0x02,
  put: 0x03,
  valid: 0x43,
  changed: 0x44,
  content: 0x45,
  goOn: 0x5f,
  notFound: 0x84,
  incomplete: 0x88,
} as const;

/** A block option (RFC 7959, 2.2). */
export interface Block {
  readonly num: number;
  readonly more: boolean;
  /** 0 to 6 for 16 to 1024 bytes; 7 is none. */
  readonly szx: number;
}

export function encodeCoap({ type, code, id, token, options, payload }: CoapMessage): Buffer {
  const head = Buffer.from([0x40 | (type << 4) | token.length, code, id >> 8, id & 0xff]);
  const parts = [head, token];
  let last = 0;
  for (const [number, value] of options) {
    const [delta, deltaMore] = nibble(number - last);
    const [length, lengthMore] = nibble(value.length);
    last = number;
    parts.push(Buffer.from([(delta << 4) | length, ...deltaMore, ...lengthMore]), value);
  }
  if (payload.length > 0) parts.push(Buffer.of(0xff), payload);
  return Buffer.concat(parts);
}

/** Reads what a client wrote. @throws RangeError where that is no message */
export function decodeCoap(bytes: Buffer): CoapMessage {
  const first = bytes.readUInt8(0);
  const tokenLength = first & 0x0f;
  const options: CoapOption[] = [];
  let at = 4 + tokenLength;
  let number = 0;
  while (at < bytes.length && bytes[at] !== 0xff) {
    const byte = bytes.readUInt8(at++);
    const take = (half: number) => {
      if (half < 13) return half;
      at += half - 12;
      return half === 13 ? bytes.readUInt8(at - 1) + 13 : bytes.readUInt16BE(at - 2) + 269;
    };
    number += take(byte >> 4);
    const length = take(byte & 0x0f);
    options.push([number, bytes.subarray(at, at + length)]);
    at += length;
  }
  return {
    type: ((first >> 4) & 3) as CoapMessage["type"],
    code: bytes.readUInt8(1),
    id: bytes.readUInt16BE(2),
    token: bytes.subarray(4, 4 + tokenLength),
    options,
    payload: bytes.subarray(at + 1),
  };
}

export function pathOf({ options }: CoapMessage): string {
  return options.filter(([number]) => number === OPTION.uriPath).reduce((path, [, part]) => `${path}/${part}`, "");
}

export function queryOf({ options }: CoapMessage): string {
  return options.find(([number]) => number === OPTION.uriQuery)?.[1].toString() ?? "";
}

export function blockOf({ options }: CoapMessage, number: number): Block | undefined {
  const value = options.find(([each]) => each === number)?.[1];
  if (value === undefined) return undefined;
  const whole = value.length === 0 ? 0 : value.readUIntBE(0, value.length);
  return { num: whole >> 4, more: (whole & 8) !== 0, szx: whole & 7 };
}

export function blockOption(number: number, { num, more, szx }: Block): CoapOption {
  return [number, uintBytes((num << 4) | (more ? 8 : 0) | szx)];
}

/** The shortest bytes of a number; none for 0. */
export function uintBytes(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from(bytes);
}

function nibble(value: number): readonly [half: number, more: readonly number[]] {
  if (value < 13) return [value, []];
  return value < 269 ? [13, [value - 13]] : [14, [(value - 269) >> 8, (value - 269) & 0xff]];
}
