import type { Log } from "../../src/log.ts";
import type { AdapterMemory } from "../kind.ts";
import type { Lfdi } from "./identity.ts";
import { nmiFault } from "./nmi.ts";
import { extensionsOf, isConnectionPoint } from "./xml/csipaus.ts";
import { BadDocument, type XmlElement } from "./xml/xml-element.ts";

/** Names of the identifier; the second is that of the first edition of CSIP-AUS. */
const ID_NAMES: readonly string[] = ["connectionPointId", "id"];

/** Where the grid ends and the site of a device begins, as the device names it (CSIP-AUS). It outlives a restart. */
export class ConnectionPoint {
  readonly #memory: AdapterMemory;
  readonly #log: Log;
  readonly #key: string;
  #id: string | undefined;

  constructor(memory: AdapterMemory, lfdi: Lfdi, log: Log) {
    this.#memory = memory;
    this.#log = log;
    this.#key = `connectionPoint.${lfdi}`;
    const kept = memory.get(this.#key);
    this.#id = typeof kept === "string" && nmiFault(kept) === undefined ? kept : undefined;
  }

  /** The NMI, as the device wrote it; absent until it has. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Takes a ConnectionPoint. @throws BadDocument where it is none, or its identifier is no NMI */
  put(document: XmlElement): void {
    if (!isConnectionPoint(document)) throw new BadDocument(`${document.name} where a ConnectionPoint was expected`);
    const [id, another] = extensionsOf(document).filter(({ name }) => ID_NAMES.includes(name));
    if (id === undefined) throw new BadDocument("ConnectionPoint has no connectionPointId");
    if (another !== undefined) throw new BadDocument("ConnectionPoint has more than one identifier");
    const fault = nmiFault(id.text);
    if (fault !== undefined) throw new BadDocument(`ConnectionPoint.${id.name}: ${fault}`);
    if (id.text === this.#id) return;
    this.#id = id.text;
    this.#log.info("2030.5 device named its connection point", { nmi: id.text });
    // Where the disk does not take it the device finds it gone after a restart, and puts it again.
    this.#memory.set(this.#key, id.text).catch(() => {});
  }
}
