import type { Contract, ControlStore } from "../store/control-store.ts";

/** Most contracts that are kept in memory; older ones are read from the store again. */
const LIMIT = 1000;

/**
 * The contracts with the market, by transaction and by order. The store holds them; the recent ones are kept in memory
 * too, so that a setpoint finds its resource without a read from the disk.
 */
export class ContractBook {
  readonly #store: Pick<ControlStore, "findContract" | "findContractByOrder">;
  readonly #byTransaction = new Map<string, Contract>();
  readonly #transactionOfOrder = new Map<string, string>();

  constructor(store: Pick<ControlStore, "findContract" | "findContractByOrder">) {
    this.#store = store;
  }

  async byTransaction(transactionId: string): Promise<Contract | undefined> {
    return this.#byTransaction.get(transactionId) ?? this.#kept(await this.#store.findContract(transactionId));
  }

  async byOrder(orderId: string): Promise<Contract | undefined> {
    const transactionId = this.#transactionOfOrder.get(orderId);
    const known = transactionId === undefined ? undefined : this.#byTransaction.get(transactionId);
    return known ?? this.#kept(await this.#store.findContractByOrder(orderId));
  }

  /** Takes over contracts that the store has committed. */
  committed(contracts: readonly Contract[]): void {
    for (const contract of contracts) this.#kept(contract);
  }

  #kept(contract: Contract | undefined): Contract | undefined {
    if (contract === undefined) return undefined;
    this.#byTransaction.delete(contract.transactionId);
    this.#byTransaction.set(contract.transactionId, contract);
    if (contract.orderId !== undefined) this.#transactionOfOrder.set(contract.orderId, contract.transactionId);
    for (const [transactionId, oldest] of this.#byTransaction) {
      if (this.#byTransaction.size <= LIMIT) break;
      this.#byTransaction.delete(transactionId);
      if (oldest.orderId !== undefined) this.#transactionOfOrder.delete(oldest.orderId);
    }
    return contract;
  }
}
