/** How a payload is written, by the names that profiles use. */
export const FORMATS = ["text", "json", "cbor", "senml-json", "senml-cbor"] as const;

export type Format = (typeof FORMATS)[number];

/** IANA's numbers of the CoAP content-formats. */
export const FORMAT_NUMBERS: Readonly<Record<Format, number>> = {
  text: 0,
  json: 50,
  cbor: 60,
  "senml-json": 110,
  "senml-cbor": 112,
};

/** LINK_FORMAT is what `/.well-known/core` has (RFC 6690). */
export const LINK_FORMAT = 40;

/** One value of a device, as it stands in a payload. */
export type RawValue = number | string | boolean;

/** A payload that is not what it says, or has not what the profile looks for. */
export class PayloadError extends Error {
  override readonly name = "PayloadError";
}
