import type { AdapterMemory } from "../../kind.ts";
import { isRecord, type JsonRecord } from "../link/json.ts";
import { BackendProfiles, type Kept } from "./backend-profiles.ts";
import { type IdPair, TransactionIds } from "./transaction-ids.ts";

/** Statuses kept for a backend that connects later: one a connector. */
const MAX_STATUSES = 100;

/** What the proxy of one charger must know again after a restart. */
export class ProxyState {
  readonly profiles: BackendProfiles;
  readonly ids: TransactionIds;
  readonly #memory: AdapterMemory;
  readonly #key: string;
  readonly #statuses = new Map<string, JsonRecord>();
  #boot: JsonRecord | undefined;

  constructor(memory: AdapterMemory, identity: string) {
    this.#memory = memory;
    this.#key = `backend/${identity}`;
    const kept = memory.get(this.#key);
    const stored = isRecord(kept) ? kept : {};
    // Our own words from before the restart: their shape was checked when they were written.
    this.profiles = new BackendProfiles((stored["profiles"] ?? []) as readonly Kept[]);
    this.ids = new TransactionIds((stored["ids"] ?? []) as readonly IdPair[]);
    this.#boot = isRecord(stored["boot"]) ? stored["boot"] : undefined;
  }

  /** The charger's last BootNotification: a backend that is new to it wants one, and the charger sends it only once. */
  get boot(): JsonRecord | undefined {
    return this.#boot;
  }

  /** The last StatusNotification of each connector. */
  get statuses(): readonly (readonly [topic: string, payload: JsonRecord])[] {
    return [...this.#statuses];
  }

  async noteBoot(payload: JsonRecord): Promise<void> {
    this.#boot = payload;
    await this.save();
  }

  noteStatus(topic: string, payload: JsonRecord): void {
    if (this.#statuses.has(topic) || this.#statuses.size < MAX_STATUSES) this.#statuses.set(topic, payload);
  }

  /** Resolves when the disk has it: what was promised to a backend is kept. */
  async save(): Promise<void> {
    await this.#memory.set(this.#key, {
      profiles: this.profiles.kept,
      ids: this.ids.kept,
      ...(this.#boot === undefined ? {} : { boot: this.#boot }),
    });
  }
}
