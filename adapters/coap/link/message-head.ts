import { rawMessage } from "./raw-message.ts";

/** A block option (RFC 7959, 2.2). */
export interface Block {
  readonly num: number;
  readonly more: boolean;
  /** 16 to 1024. */
  readonly bytes: number;
}

/** What of a CoAP message says to which exchange it belongs and which part of it it is. */
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

/** Reads a datagram; undefined where it is no message. Where an option comes twice the first counts, as it does for the library. */
export function messageHead(datagram: Buffer): MessageHead | undefined {
  const message = rawMessage(datagram);
  if (message === undefined) return undefined;
  const { code, token, options, payload } = message;
  return {
    code,
    token,
    etag: options.get(ETAG)?.[0]?.toString("hex") ?? "",
    block2: blockFrom(options.get(BLOCK2)?.[0]),
    block1: blockFrom(options.get(BLOCK1)?.[0]),
    payloadBytes: payload.length,
  };
}

function blockFrom(value: Buffer | undefined): Block | "odd" | undefined {
  if (value === undefined) return undefined;
  if (value.length > 3) return "odd";
  const whole = value.length === 0 ? 0 : value.readUIntBE(0, value.length);
  const exponent = whole & 7;
  return exponent === 7 ? "odd" : { num: whole >> 4, more: (whole & 8) !== 0, bytes: 16 << exponent };
}
