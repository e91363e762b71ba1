import type { Setpoint } from "../../src/model/setpoint.ts";
import type { Judgement } from "../../src/model/verdict.ts";
import type {
  Contract,
  ControlChange,
  ControlStore,
  ObjectiveRecord,
  OutboxItem,
  ReceivedMessage,
  ReceiveResult,
  SentSignature,
  StoredSetpoint,
} from "../../src/store/control-store.ts";

/** A store that forgets when the test ends, and otherwise keeps the same promises; each resolves a little later. */
export class MemoryControlStore implements ControlStore {
  readonly received = new Map<string, ReceivedMessage>();
  readonly contracts = new Map<string, Contract>();
  readonly setpoints = new Map<string, Setpoint>();
  readonly judgements = new Map<string, Judgement>();
  readonly goals = new Map<string, ObjectiveRecord>();
  outbox: OutboxItem[] = [];
  readonly signatures: SentSignature[] = [];
  /** Set, every write fails with it, as on a full disk. */
  failure: Error | undefined;
  #lastId = 0;

  async receive(message: ReceivedMessage, change: ControlChange): Promise<ReceiveResult> {
    await this.#disk();
    const key = `${message.senderId}\n${message.messageId}`;
    const before = this.received.get(key);
    if (before !== undefined) {
      if (before.digest !== message.digest) return { kind: "conflict" };
      return { kind: "repeat", answerStatus: before.answerStatus, answerBody: before.answerBody };
    }
    this.received.set(key, message);
    this.#apply(change);
    return { kind: "new" };
  }

  async commit(change: ControlChange): Promise<void> {
    await this.#disk();
    this.#apply(change);
  }

  async findReceived(senderId: string, messageId: string): Promise<ReceivedMessage | undefined> {
    return this.received.get(`${senderId}\n${messageId}`);
  }

  async findContract(transactionId: string): Promise<Contract | undefined> {
    return this.contracts.get(transactionId);
  }

  async findContractByOrder(orderId: string): Promise<Contract | undefined> {
    const found = [...this.contracts.values()].filter((contract) => contract.orderId === orderId);
    return found.sort((a, b) => b.updatedAtMs - a.updatedAtMs)[0];
  }

  async openSetpoints(nowMs: number): Promise<readonly StoredSetpoint[]> {
    return this.#stored().filter(({ setpoint, judgement }) => setpoint.validUntilMs > nowMs || !judgement?.final);
  }

  async recentSetpoints(limit: number): Promise<readonly StoredSetpoint[]> {
    return this.#stored().reverse().slice(0, limit);
  }

  async objectives(): Promise<readonly ObjectiveRecord[]> {
    return [...this.goals.values()];
  }

  async dueOutbox(nowMs: number, limit: number): Promise<readonly OutboxItem[]> {
    return this.outbox.filter((item) => item.nextAttemptMs <= nowMs).slice(0, limit);
  }

  async removeOutbox(id: number, sent?: SentSignature): Promise<void> {
    await this.#disk();
    this.outbox = this.outbox.filter((item) => item.id !== id);
    if (sent !== undefined) this.signatures.push(sent);
  }

  async sentSignatures(limit: number): Promise<readonly SentSignature[]> {
    return this.signatures.slice(-limit);
  }

  async retryOutbox(id: number, attempts: number, nextAttemptMs: number): Promise<void> {
    await this.#disk();
    this.outbox = this.outbox.map((item) => (item.id === id ? { ...item, attempts, nextAttemptMs } : item));
  }

  async outboxSize(): Promise<number> {
    return this.outbox.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #disk(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failure !== undefined) throw this.failure;
  }

  #stored(): StoredSetpoint[] {
    return [...this.setpoints.values()].map((setpoint) => {
      const judgement = this.judgements.get(setpoint.id);
      return judgement === undefined ? { setpoint } : { setpoint, judgement };
    });
  }

  #apply(change: ControlChange): void {
    for (const setpoint of change.setpoints ?? []) {
      if (!this.setpoints.has(setpoint.id)) this.setpoints.set(setpoint.id, setpoint);
    }
    for (const judgement of change.judgements ?? []) {
      if (!this.judgements.get(judgement.setpointId)?.final) this.judgements.set(judgement.setpointId, judgement);
    }
    for (const contract of change.contracts ?? []) {
      const era = this.contracts.get(contract.transactionId)?.era ?? contract.era;
      this.contracts.set(contract.transactionId, { ...contract, era });
    }
    for (const record of change.objectives ?? []) this.goals.set(record.era, record);
    for (const item of change.outbox ?? []) {
      if (item.replaceKey !== undefined) this.outbox = this.outbox.filter((one) => one.replaceKey !== item.replaceKey);
      this.#lastId += 1;
      this.outbox.push({ ...item, id: this.#lastId, attempts: 0, nextAttemptMs: item.createdAtMs });
    }
  }
}
