import { group, leaf, writeXml } from "./xml-out.ts";

/** Status of a DERControlResponse, 2030.5-2018 table 27; only those that mean the same in every edition. */
export const RESPONSE = {
  received: 1,
  started: 2,
  completed: 3,
  optOut: 4,
  cancelled: 6,
  superseded: 7,
  notApplicable: 252,
  invalid: 253,
  tooLate: 254,
} as const;

export type ResponseStatus = (typeof RESPONSE)[keyof typeof RESPONSE];

/** Whom to answer about an event, and about what the server wants to hear. */
export interface Addressee {
  /** As the server wrote it. */
  readonly mRID: string;
  readonly replyTo?: string;
  /** `responseRequired`: bit 0 message received, bit 1 what became of it, bit 2 what a person decided. */
  readonly wanted: number;
}

/** True if the server asked for this answer and said where to. */
export function wants(addressee: Addressee, status: ResponseStatus): boolean {
  const bit = status === RESPONSE.received ? 0b001 : status === RESPONSE.optOut ? 0b100 : 0b010;
  return addressee.replyTo !== undefined && (addressee.wanted & bit) !== 0;
}

/** One Response; `atS` in seconds since 1970 by the server's clock. */
export function responseXml(response: { subject: string; status: ResponseStatus; lfdi: string; atS: number }): string {
  return writeXml(
    group(
      "DERControlResponse",
      leaf("createdDateTime", response.atS),
      leaf("endDeviceLFDI", response.lfdi),
      leaf("status", response.status),
      leaf("subject", response.subject),
    ),
  );
}
