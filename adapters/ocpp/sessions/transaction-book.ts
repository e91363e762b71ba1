import { randomInt } from "node:crypto";

/** Transactions remembered for one station; the oldest is forgotten first. */
const MAX_REMEMBERED = 64;

/** Which transaction belongs to which connector of one station, by the ids of either version. */
export class TransactionBook {
  readonly #connectors = new Map<number | string, number>();
  readonly #starts = new Map<string, number>();

  /**
   * The id for a StartTransaction. A charger whose answer got lost sends it again, and must get the same id. The ids
   * cannot be guessed, so that one charger's slip of the pen does not hit a transaction of its own past.
   */
  idForStart(connector: number, idTag: string, timestamp: string): number {
    const start = JSON.stringify([connector, idTag, timestamp]);
    const known = this.#starts.get(start);
    if (known !== undefined) return known;
    let id = randomInt(1, 2 ** 31 - 1);
    while (this.#connectors.has(id)) id = randomInt(1, 2 ** 31 - 1);
    this.#starts.set(start, id);
    forgetOldest(this.#starts);
    this.remember(id, connector);
    return id;
  }

  remember(transactionId: number | string, connector: number): void {
    this.#connectors.delete(transactionId);
    this.#connectors.set(transactionId, connector);
    forgetOldest(this.#connectors);
  }

  connectorOf(transactionId: number | string | undefined): number | undefined {
    return transactionId === undefined ? undefined : this.#connectors.get(transactionId);
  }
}

function forgetOldest(map: Map<unknown, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= MAX_REMEMBERED) return;
    map.delete(key);
  }
}
