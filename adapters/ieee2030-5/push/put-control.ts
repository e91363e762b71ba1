import { type ControlAddresses, controlDocument } from "../controls/control-document.ts";
import type { ControlEvent } from "../controls/control-ledger.ts";
import { writeXml } from "../xml/xml-write.ts";
import type { PushLink } from "./push-link.ts";
import type { PushWay } from "./push-way.ts";

/** A PUT of the whole DERControl to an address of its own; the standard has no such method, and some head-ends do. */
export class PutControl implements PushWay {
  readonly verb = "PUT DERControl";
  readonly endsByItself = true;
  readonly #link: PushLink;
  readonly #url: string;
  readonly #addresses: ControlAddresses;

  constructor(link: PushLink, url: string, addresses: ControlAddresses) {
    this.#link = link;
    this.#url = url;
    this.#addresses = addresses;
  }

  async send(event: ControlEvent, what: string, signal: AbortSignal): Promise<void> {
    const body = writeXml(controlDocument(event, this.#addresses));
    await this.#link.tell({ method: "PUT", url: this.#url, body }, what, signal);
  }

  async takeBack(event: ControlEvent | undefined, signal: AbortSignal): Promise<void> {
    if (event !== undefined) await this.send(event, `PUT the end of DERControl ${event.mRID}`, signal);
  }

  holds(): boolean {
    return false;
  }
}
