import type { AdapterMemory } from "../../kind.ts";
import { isRecord, type JsonRecord } from "../link/json.ts";

/** What is kept for a backend that cannot be reached. */
const MAX_TRANSACTION_MESSAGES = 400;
const MAX_SAMPLE_MESSAGES = 600;

/**
 * How a message is kept while the backend is away. `transaction`: it is on the bill, so it is kept on the disk and in order.
 * `sample`: kept in memory, the oldest goes first. `latest`: only the newest of its topic counts.
 */
export type Keeping = "transaction" | "sample" | "latest";

export interface Queued {
  readonly action: string;
  readonly payload: JsonRecord;
  readonly keeping: Keeping;
  /** For `latest`: what a newer one replaces, for example `status/1`. */
  readonly topic?: string;
  /** Attempts that the backend refused. */
  refusals: number;
  /** Told the answer, or nothing when the message was given up; only for one of this run. */
  readonly onAnswer?: (answer: JsonRecord | undefined) => void;
}

interface Entry extends Queued {
  readonly seq: number;
}

/** Messages of one charger on their way to its backend, oldest first. Bounded; what is on the bill outlives a restart. */
export class UpstreamQueue {
  readonly #memory: AdapterMemory;
  readonly #prefix: string;
  #entries: Entry[] = [];
  #seq = 0;
  #dropped = 0;

  constructor(memory: AdapterMemory, identity: string) {
    this.#memory = memory;
    this.#prefix = `upstream/${identity}/`;
    for (const key of memory.keys(this.#prefix)) {
      const seq = Number(key.slice(this.#prefix.length));
      const kept = memory.get(key);
      if (!Number.isInteger(seq) || !isRecord(kept)) continue;
      const { action, payload } = kept;
      if (typeof action !== "string" || !isRecord(payload)) continue;
      this.#entries.push({ seq, action, payload, keeping: "transaction", refusals: 0 });
      this.#seq = Math.max(this.#seq, seq);
    }
    this.#entries.sort((a, b) => a.seq - b.seq);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Messages that were given up because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  get oldest(): Queued | undefined {
    return this.#entries[0];
  }

  /** Resolves when what must not be lost is on the disk. */
  async add(message: Omit<Queued, "refusals">): Promise<void> {
    this.#seq += 1;
    const entry: Entry = { ...message, seq: this.#seq, refusals: 0 };
    if (message.keeping === "latest") {
      this.#entries = this.#entries.filter((one) => one.keeping !== "latest" || one.topic !== message.topic);
    }
    this.#entries.push(entry);
    await this.#bound(entry.keeping);
    if (entry.keeping !== "transaction") return;
    await this.#memory.set(this.#key(entry.seq), { action: entry.action, payload: entry.payload });
  }

  /** Takes the oldest out: it was answered, or given up. */
  async remove(message: Queued): Promise<void> {
    const entry = this.#entries.find((one) => one === message);
    if (entry === undefined) return;
    this.#entries = this.#entries.filter((one) => one !== entry);
    if (entry.keeping === "transaction") await this.#memory.forget(this.#key(entry.seq));
  }

  async #bound(keeping: Keeping): Promise<void> {
    const most = keeping === "transaction" ? MAX_TRANSACTION_MESSAGES : MAX_SAMPLE_MESSAGES;
    const alike = this.#entries.filter((one) => one.keeping === keeping);
    for (const entry of alike.slice(0, Math.max(0, alike.length - most))) {
      this.#dropped += 1;
      await this.remove(entry);
      entry.onAnswer?.(undefined);
    }
  }

  #key(seq: number): string {
    return `${this.#prefix}${String(seq).padStart(12, "0")}`;
  }
}
