import { DeviceError } from "../../../src/model/adapter.ts";
import type { Era } from "../../../src/model/resource.ts";
import type { AdapterMemory } from "../../kind.ts";
import { controlDocument } from "../controls/control-document.ts";
import type { ControlEvent } from "../controls/control-ledger.ts";
import { newMRID } from "../identity.ts";
import { BadDocument } from "../xml/xml-element.ts";
import { parseXml } from "../xml/xml-parse.ts";
import { echo, element, type OutElement, writeXml } from "../xml/xml-write.ts";
import type { PushLink } from "./push-link.ts";
import type { PushWay } from "./push-way.ts";

const WHAT = "DefaultDERControl";
/** Orders of a power: of these none may stay beside ours. */
const POWER_ORDERS: readonly string[] = ["opModFixedW", "opModTargetW"];

/**
 * A PUT of the DefaultDERControl, which is what a device does while no event holds. It has no end, so what stood there
 * before is kept, over a restart too, and put back.
 */
export class PutDefault implements PushWay {
  readonly verb = `PUT ${WHAT}`;
  readonly endsByItself = false;
  readonly #link: PushLink;
  readonly #url: string;
  readonly #era: Era;
  readonly #memory: AdapterMemory;

  constructor(link: PushLink, url: string, era: Era, memory: AdapterMemory) {
    this.#link = link;
    this.#url = url;
    this.#era = era;
    this.#memory = memory;
  }

  async send(event: ControlEvent, what: string, signal: AbortSignal): Promise<void> {
    const before = this.#kept() ?? (await this.#read(signal));
    const baseline = this.#parsed(before);
    // On the disk before anything is changed: a daemon that dies now must still know what to put back.
    await this.#keep(before);
    await this.#put(ordered(baseline, event), what, signal);
  }

  async takeBack(_event: ControlEvent | undefined, signal: AbortSignal): Promise<void> {
    const before = this.#kept();
    if (before === undefined) return;
    await this.#put(this.#parsed(before), `PUT the ${WHAT} that was there before`, signal);
    await this.#memory.forget(this.#key);
  }

  holds(): boolean {
    return this.#kept() !== undefined;
  }

  get #key(): string {
    return `default ${this.#era}`;
  }

  #kept(): string | undefined {
    const kept = this.#memory.get(this.#key);
    return typeof kept === "string" ? kept : undefined;
  }

  async #keep(before: string): Promise<void> {
    try {
      await this.#memory.set(this.#key, before);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new DeviceError("protocol", this.#era, `GET ${WHAT}: too long to be kept and put back`, { cause });
    }
  }

  /** What stands there now; where nothing does, one that orders nothing. */
  async #read(signal: AbortSignal): Promise<string> {
    const what = `GET the ${WHAT}, to put it back later`;
    const { status, body } = await this.#link.ask({ method: "GET", url: this.#url }, what, signal);
    if (status === 200) return body.toString("utf8");
    if (status !== 404) throw this.#link.oddStatus(status, what);
    return writeXml(element(WHAT, [element("mRID", newMRID()), element("DERControlBase", [])]));
  }

  #parsed(text: string): OutElement {
    try {
      const document = parseXml(Buffer.from(text, "utf8"));
      if (document.name !== WHAT) throw new BadDocument(`${document.name}, expected ${WHAT}`);
      return echo(document);
    } catch (cause) {
      if (!(cause instanceof BadDocument)) throw cause;
      throw new DeviceError("protocol", this.#era, `GET ${WHAT}: ${cause.message}`, { cause });
    }
  }

  async #put(document: OutElement, what: string, signal: AbortSignal): Promise<void> {
    await this.#link.tell({ method: "PUT", url: this.#url, body: writeXml(document) }, what, signal);
  }
}

/** The default as it was, but for the power that it orders. */
function ordered(baseline: OutElement, event: ControlEvent): OutElement {
  const children = childrenOf(baseline);
  const base = children.find(({ name }) => name === "DERControlBase");
  const orders = childrenOf(childrenOf(controlDocument(event, {})).find(({ name }) => name === "DERControlBase"));
  const replaced = [...POWER_ORDERS, ...orders.map(({ name }) => name)];
  const others = childrenOf(base).filter(({ name }) => !replaced.includes(name));
  return {
    ...baseline,
    content: [
      ...children.filter((child) => child !== base),
      { name: "DERControlBase", attributes: base?.attributes ?? {}, content: [...others, ...orders] },
    ],
  };
}

function childrenOf(node: OutElement | undefined): readonly OutElement[] {
  return typeof node?.content === "object" ? node.content.filter((child) => child !== undefined) : [];
}
