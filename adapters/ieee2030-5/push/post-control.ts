import type { Log } from "../../../src/log.ts";
import { DeviceError } from "../../../src/model/adapter.ts";
import { type ControlAddresses, controlDocument } from "../controls/control-document.ts";
import type { ControlEvent } from "../controls/control-ledger.ts";
import { writeXml } from "../xml/xml-write.ts";
import type { PushLink } from "./push-link.ts";
import type { PushWay } from "./push-way.ts";

/**
 * A POST of a DERControl to a DERControlList, which the standard leaves to the server. A newer one supersedes by its
 * creationTime. The same mRID again is the same control, which the list updates, so that it can be posted as cancelled.
 */
export class PostControl implements PushWay {
  readonly verb = "POST DERControl";
  readonly endsByItself = true;
  readonly #link: PushLink;
  readonly #url: string;
  readonly #addresses: ControlAddresses;
  readonly #log: Log;
  /** Where the list put the control that was posted last. */
  #posted: { readonly mRID: string; readonly url: string } | undefined;

  constructor(link: PushLink, url: string, addresses: ControlAddresses, log: Log) {
    this.#link = link;
    this.#url = url;
    this.#addresses = addresses;
    this.#log = log;
  }

  async send(event: ControlEvent, what: string, signal: AbortSignal): Promise<void> {
    const body = writeXml(controlDocument(event, this.#addresses));
    const { location } = await this.#link.tell({ method: "POST", url: this.#url, body }, what, signal);
    const url = location === undefined ? undefined : ownAddress(location, this.#url);
    if (url !== undefined) this.#posted = { mRID: event.mRID, url };
  }

  /** Cancels the control; one that its list won't cancel is deleted, since that is all that is left. */
  async takeBack(event: ControlEvent | undefined, signal: AbortSignal): Promise<void> {
    if (event === undefined) return;
    try {
      await this.send(event, `POST the end of DERControl ${event.mRID}`, signal);
    } catch (error) {
      const posted = this.#posted;
      if (!(error instanceof DeviceError) || error.fault !== "refused" || posted?.mRID !== event.mRID) throw error;
      await this.#link.tell({ method: "DELETE", url: posted.url }, `DELETE DERControl ${event.mRID}`, signal);
      this.#log.warn(
        "2030.5 control deleted, since its list did not cancel it; who has fetched it may hold it to its end",
        {
          reason: error.message,
        },
      );
    }
    this.#posted = undefined;
  }

  holds(): boolean {
    return false;
  }
}

/** An address that the device gave, if it is on the device: an order must not go where nobody configured. */
function ownAddress(location: string, url: string): string | undefined {
  if (!URL.canParse(location, url)) return undefined;
  const address = new URL(location, url);
  return address.origin === new URL(url).origin ? address.href : undefined;
}
