/** Pairs kept for one station; a transaction lasts days at most, and a charger has few at once. */
const MAX_PAIRS = 64;

/** One transaction by the two names it has. */
export interface IdPair {
  readonly localId: number;
  readonly backendId: number;
}

/**
 * OCPP 1.6 lets the central system name a transaction. The charger is told our name, since it may start while the backend
 * cannot be reached; the backend's name comes when it has heard of the start. 2.x needs none of this: there the charger
 * names it.
 */
export class TransactionIds {
  #pairs: readonly IdPair[];

  constructor(kept: readonly IdPair[] = []) {
    this.#pairs = kept.slice(-MAX_PAIRS);
  }

  get kept(): readonly IdPair[] {
    return this.#pairs;
  }

  pair(localId: number, backendId: number): void {
    this.#pairs = [...this.#pairs.filter((pair) => pair.localId !== localId), { localId, backendId }].slice(-MAX_PAIRS);
  }

  backendId(localId: number): number | undefined {
    return this.#pairs.find((pair) => pair.localId === localId)?.backendId;
  }

  /** The newest of that name: a backend that restarted may count from 1 again. */
  localId(backendId: number): number | undefined {
    return this.#pairs.findLast((pair) => pair.backendId === backendId)?.localId;
  }
}
