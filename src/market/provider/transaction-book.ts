import type { TransactionRecord } from "./provider-records.ts";
import { isOver } from "./transaction.ts";

/** Transactions that are over stay for questions about them; beyond this the oldest go (the store still has them). */
const MAX_OVER = 20_000;

/** All transactions that somebody may still ask about, as the store has them or is about to have them. */
export class TransactionBook {
  readonly #open = new Map<string, TransactionRecord>();
  readonly #over = new Map<string, TransactionRecord>();
  /** Open transactions of one participant about one resource. */
  readonly #byResource = new Map<string, Set<string>>();

  constructor(records: readonly TransactionRecord[] = []) {
    for (const record of records.toReversed()) this.put(record);
  }

  /** A transaction belongs to the participant who opened it; another one's of the same id is another transaction. */
  find(bapId: string, transactionId: string): TransactionRecord | undefined {
    const key = keyOf(bapId, transactionId);
    return this.#open.get(key) ?? this.#over.get(key);
  }

  put(record: TransactionRecord): void {
    const key = keyOf(record.bapId, record.transactionId);
    const before = this.#open.get(key);
    if (before !== undefined) this.#unlist(before, key);
    this.#open.delete(key);
    this.#over.delete(key);
    if (isOver(record.state)) this.#over.set(key, record);
    else {
      this.#open.set(key, record);
      this.#list(record, key);
    }
    for (const oldest of this.#over.keys()) {
      if (this.#over.size <= MAX_OVER) break;
      this.#over.delete(oldest);
    }
  }

  /** Those that are not over. */
  open(): Iterable<TransactionRecord> {
    return this.#open.values();
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The participant's other transactions that bid for the same resource. */
  rivals(record: TransactionRecord): readonly TransactionRecord[] {
    if (!record.eraGiven) return [];
    const keys = this.#byResource.get(resourceOf(record)) ?? [];
    const own = keyOf(record.bapId, record.transactionId);
    return [...keys].flatMap((key) => (key === own ? [] : (this.#open.get(key) ?? [])));
  }

  #list(record: TransactionRecord, key: string): void {
    if (!record.eraGiven) return;
    const keys = this.#byResource.get(resourceOf(record));
    if (keys === undefined) this.#byResource.set(resourceOf(record), new Set([key]));
    else keys.add(key);
  }

  #unlist(record: TransactionRecord, key: string): void {
    const keys = this.#byResource.get(resourceOf(record));
    keys?.delete(key);
    if (keys?.size === 0) this.#byResource.delete(resourceOf(record));
  }
}

function resourceOf({ bapId, era }: TransactionRecord): string {
  return `${bapId}|${era}`;
}

function keyOf(bapId: string, transactionId: string): string {
  return `${bapId}|${transactionId}`;
}
