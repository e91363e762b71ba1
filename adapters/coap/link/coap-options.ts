import type { IncomingMessage } from "coap";

/** Content-formats that the library gives a name, by their IANA numbers. */
const NUMBERS: Readonly<Record<string, number>> = {
  "text/plain": 0,
  "application/link-format": 40,
  "application/xml": 41,
  "application/octet-stream": 42,
  "application/json": 50,
  "application/cbor": 60,
  "application/senml+json": 110,
  "application/senml+cbor": 112,
};

/** An option's value as RFC 7252, 3.2 has its `uint`: no leading zeros, and nothing at all for 0. */
export function uintOption(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from(bytes);
}

/** Number of the content-format of an answer; undefined if it has none, -1 for one that the library names otherwise. */
export function contentFormatOf(response: IncomingMessage): number | undefined {
  const format: unknown = response.headers["Content-Format"];
  if (format === undefined || format === null) return undefined;
  if (typeof format === "number") return format;
  return NUMBERS[String(format)] ?? -1;
}
