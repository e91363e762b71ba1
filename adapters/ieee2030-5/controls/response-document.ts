import { canonicalLfdi, type Lfdi } from "../identity.ts";
import { BadDocument, hexOf, integerOf, type XmlElement } from "../xml/xml-element.ts";

const RECEIVED = 1;

/** 1 to 14 and 251 to 254 are given in tables 27 (2018) and 31 (2023); the rest is reserved. */
function isResponseStatus(status: number): boolean {
  return (status >= 1 && status <= 14) || (status >= 251 && status <= 254);
}

/** What a device says about an event. */
export interface ControlResponse {
  readonly subject: string;
  /** Absent means "received", as a plain Response does. */
  readonly status: number;
}

/** @throws BadDocument when it is no Response of this device to one event */
export function readResponse(document: XmlElement, lfdi: Lfdi): ControlResponse {
  if (!document.name.endsWith("Response")) throw new BadDocument(`${document.name} where a Response was expected`);
  const sender = hexOf(document, "endDeviceLFDI", 40);
  if (sender === undefined) throw new BadDocument("Response has no endDeviceLFDI");
  if (canonicalLfdi(sender) !== lfdi) throw new BadDocument(`Response is of device ${sender}, not of its sender`);
  const subject = hexOf(document, "subject", 32);
  if (subject === undefined) throw new BadDocument("Response has no subject");
  const status = integerOf(document, "status", 0, 255) ?? RECEIVED;
  if (!isResponseStatus(status)) throw new BadDocument(`Response.status ${status} has no meaning in any edition`);
  return { subject, status };
}
