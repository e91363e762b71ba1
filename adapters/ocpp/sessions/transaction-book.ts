import { randomInt } from "node:crypto";
import type { AdapterMemory } from "../../kind.ts";
import { cutText } from "../link/json.ts";
import type { SampleSet } from "../messages/events.ts";
import { firstRegisterKWh, registerAtBeginKWh, registerAtEndKWh } from "../metering/session-registers.ts";
import { MessageOrder } from "./message-order.ts";
import { energyOf, recordsFrom, type SessionRecord } from "./session-record.ts";
import type { TokenHash } from "./token-hash.ts";

/** Sessions kept for one station; the oldest is forgotten first. */
const MAX_RECORDS = 40;

/** Letters of all signed values that one station's records may have together; the oldest go first. */
const MAX_SIGNED_CHARS = 24_000;

type TransactionId = number | string;

/** What a message says of a session beside its id; each part only if it says so. */
export interface SessionFacts {
  readonly atMs?: number;
  readonly token?: string;
  readonly meterKWh?: number;
  readonly reservationId?: number;
  readonly reason?: string;
  readonly sets?: readonly SampleSet[];
}

/** What the books of all stations have in common. */
export interface BookSurroundings {
  readonly memory: AdapterMemory;
  readonly hash: TokenHash;
  /** Told when the disk did not take what is to be kept. */
  onUnkept(charger: string, error: unknown): void;
}

/**
 * The transactions of one station, of whichever version: which connector each belongs to, when it ran and what it took.
 * It outlives a restart, so that a StartTransaction which is sent again after one gets the same id.
 */
export class TransactionBook {
  readonly #identity: string;
  readonly #around: BookSurroundings;
  /** Oldest first. */
  #records: Map<TransactionId, SessionRecord> | undefined;
  #orders: Map<TransactionId, MessageOrder> | undefined;

  constructor(identity: string, around: BookSurroundings) {
    this.#identity = identity;
    this.#around = around;
    for (const record of recordsFrom(around.memory.get(keyOf(identity)))) this.#enter(record);
  }

  /** Oldest first. */
  get records(): readonly SessionRecord[] {
    return [...(this.#records?.values() ?? [])];
  }

  find(transactionId: TransactionId): SessionRecord | undefined {
    return this.#records?.get(transactionId);
  }

  /** The session that runs on a connector, as far as is known. */
  openOn(connector: number): SessionRecord | undefined {
    return this.records.findLast((record) => record.connector === connector && !record.isOver);
  }

  /** Whether this card is charging already, on another connector of the station. */
  isChargingElsewhere(token: string, connector: number): boolean {
    const name = this.#around.hash.of(token);
    return this.records.some((record) => !record.isOver && record.token === name && record.connector !== connector);
  }

  /**
   * The id for a StartTransaction. A charger whose answer got lost sends it again, and must get the same id. The ids are
   * drawn by chance and none is given twice while it is remembered, so that nobody can guess or hit another one's.
   */
  idForStart(connector: number, timestamp: string, facts: SessionFacts): number {
    const startKey = this.#around.hash.of(JSON.stringify([connector, facts.token ?? "", timestamp]));
    const known = this.records.find((record) => record.startKey === startKey);
    if (known !== undefined) return known.transactionId as number;
    let id = randomInt(1, 2 ** 31 - 1);
    while (this.find(id) !== undefined) id = randomInt(1, 2 ** 31 - 1);
    this.#begin({ transactionId: id, connector, startKey }, facts);
    return id;
  }

  /** A 2.x station began a transaction under an id of its own; the message may come late or twice. */
  started(transactionId: string, connector: number, facts: SessionFacts): void {
    const known = this.find(transactionId);
    if (known === undefined) {
      this.#begin({ transactionId, connector }, facts);
      return;
    }
    const { isAdopted: _, ...rest } = known;
    const record = { ...rest, ...this.#details(rest, facts), ...startOf(rest, facts) };
    this.#put({ ...record, ...energyOf(record) });
  }

  /** Something about a transaction that is known. */
  noted(transactionId: string, facts: SessionFacts): void {
    const known = this.find(transactionId);
    if (known === undefined) return;
    // Between its ends a session is not written for each signed sample.
    const sets = facts.sets?.map(({ signed: _, ...set }) => set);
    const details = this.#details(known, { ...facts, ...(sets && { sets }) });
    if (Object.keys(details).length > 0) this.#put({ ...known, ...details });
  }

  /**
   * Takes up a transaction that began before we knew of it, or that was given up for lost.
   * @returns false if it is bound to another connector: then it is not this one's
   */
  adopt(transactionId: TransactionId, connector: number): boolean {
    const known = this.find(transactionId);
    if (known === undefined) this.#begin({ transactionId, connector, isAdopted: true }, {});
    else if (known.connector !== connector) return false;
    else if (known.isOver && known.reason === undefined && this.#isLatest(known)) {
      const { isOver: _, ...rest } = known;
      this.#put(rest);
    }
    return true;
  }

  connectorOf(transactionId: TransactionId | undefined): number | undefined {
    return transactionId === undefined ? undefined : this.find(transactionId)?.connector;
  }

  isOver(transactionId: TransactionId): boolean {
    return this.find(transactionId)?.isOver === true;
  }

  /** Numbers of messages (2.x): whether this one is newer than what came before. */
  order(transactionId: string, seqNo: number | undefined): "next" | "late" | "repeat" {
    if (seqNo === undefined) return "next";
    this.#orders ??= new Map();
    const order = this.#orders.get(transactionId) ?? new MessageOrder();
    this.#orders.set(transactionId, order);
    const oldest = this.#orders.keys().next();
    if (this.#orders.size > MAX_RECORDS && !oldest.done) this.#orders.delete(oldest.value);
    const place = order.take(seqNo);
    const known = this.find(transactionId);
    if (known?.isOver && known.missingMessages !== missingOf(order)) this.#put({ ...known, ...gaps(order) });
    return place;
  }

  /** The station told the end. */
  ended(transactionId: TransactionId, facts: SessionFacts): void {
    const known = this.find(transactionId);
    if (known === undefined || (known.isOver && known.reason !== undefined)) return;
    const end = facts.meterKWh ?? registerAtEndKWh(facts.sets ?? []);
    const record: SessionRecord = {
      ...known,
      ...this.#details(known, facts),
      isOver: true,
      ...(facts.atMs !== undefined && { endedAtMs: facts.atMs }),
      ...(end !== undefined && { endKWh: end }),
      ...(facts.reason !== undefined && { reason: cutText(facts.reason, 40) }),
      ...gaps(this.#orders?.get(transactionId)),
    };
    this.#put({ ...record, ...energyOf(record) });
  }

  /** It is over, and its end was never told: the car is gone, or the station knows nothing of it. */
  lost(transactionId: TransactionId): void {
    const known = this.find(transactionId);
    if (known !== undefined && !known.isOver) this.#put({ ...known, isOver: true });
  }

  #isLatest({ transactionId, connector }: SessionRecord): boolean {
    return this.records.findLast((record) => record.connector === connector)?.transactionId === transactionId;
  }

  #begin(bare: SessionRecord, facts: SessionFacts): void {
    // One connector has one session; what was not ended by now never will be told apart.
    for (const other of this.records) {
      if (other.connector === bare.connector && !other.isOver) this.#enter(over(other));
    }
    this.#put({ ...bare, ...this.#details(bare, facts), ...startOf(bare, facts) });
  }

  #details(known: SessionRecord, { token, reservationId, sets = [] }: SessionFacts): Partial<SessionRecord> {
    const startKWh = registerAtBeginKWh(sets);
    const signed = keptSigned([...(known.signed ?? []), ...sets.flatMap((set) => set.signed ?? [])]);
    return {
      ...(token !== undefined && known.token === undefined && { token: this.#around.hash.of(token) }),
      ...(reservationId !== undefined && { reservationId }),
      ...(known.startKWh === undefined && startKWh !== undefined && { startKWh }),
      ...(signed.length > 0 && { signed }),
    };
  }

  #put(record: SessionRecord): void {
    const before = this.find(record.transactionId);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(record)) return;
    this.#enter(record);
    const { memory } = this.#around;
    memory
      .set(keyOf(this.#identity), withinBounds(this.records))
      .catch((error: unknown) => this.#around.onUnkept(this.#identity, error));
  }

  /** In its old place, or as the newest one. */
  #enter(record: SessionRecord): void {
    this.#records ??= new Map();
    this.#records.set(record.transactionId, record);
    for (const id of this.#records.keys()) {
      if (this.#records.size <= MAX_RECORDS) break;
      this.#records.delete(id);
    }
  }
}

/** Whether sessions of this station are kept from before. */
export function hasSessions(identity: string, { memory }: BookSurroundings): boolean {
  return memory.get(keyOf(identity)) !== undefined;
}

function keyOf(identity: string): string {
  return `sessions/${identity}`;
}

function startOf(known: SessionRecord, { atMs, meterKWh, sets = [] }: SessionFacts): Partial<SessionRecord> {
  const startKWh = meterKWh ?? registerAtBeginKWh(sets) ?? firstRegisterKWh(sets);
  return {
    ...(known.startedAtMs === undefined && !known.isAdopted && atMs !== undefined && { startedAtMs: atMs }),
    ...(known.startKWh === undefined && !known.isAdopted && startKWh !== undefined && { startKWh }),
  };
}

function over(record: SessionRecord): SessionRecord {
  return { ...record, isOver: true };
}

function missingOf(order: MessageOrder): number | undefined {
  return order.missing > 0 ? order.missing : undefined;
}

function gaps(order: MessageOrder | undefined): { missingMessages?: number | undefined } {
  return order === undefined ? {} : { missingMessages: missingOf(order) };
}

/** The first and the last: with these two the energy of a session can be proven. */
function keptSigned<Signed>(all: readonly Signed[]): Signed[] {
  const [first] = all;
  const last = all.at(-1);
  return first === undefined || last === undefined ? [] : first === last ? [first] : [first, last];
}

/** Without the oldest signed values where all together are too long for one place in the memory. */
function withinBounds(records: readonly SessionRecord[]): readonly SessionRecord[] {
  let chars = 0;
  return [...records]
    .reverse()
    .map((record) => {
      chars += JSON.stringify(record.signed ?? []).length;
      if (chars <= MAX_SIGNED_CHARS || record.signed === undefined) return record;
      const { signed: _, ...rest } = record;
      return rest;
    })
    .reverse();
}
