import type { ClearGrid } from "../../clearing/grid-types.ts";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { clearRequest } from "./aggregation.ts";
import { addressOf, callbackTo } from "./callback.ts";
import { contractEffect } from "./contract-effects.ts";
import { Declined } from "./declined.ts";
import { type Effect, illegal } from "./effect.ts";
import { closeNeed, needRoundId } from "./flex-gate.ts";
import { closeGate } from "./gate.ts";
import { lastGated } from "./gate-times.ts";
import { aged } from "./lifecycle.ts";
import type { MarketRules } from "./market-rules.ts";
import type { AnsweredRequest, ProviderChange, TransactionRecord } from "./provider-records.ts";
import type { ProviderStore } from "./provider-store.ts";
import type { ProviderRequest } from "./request.ts";
import { seedEffect } from "./seed-effects.ts";
import { isLegal } from "./transaction.ts";
import { TransactionBook } from "./transaction-book.ts";

/** Questions about a transaction are answered for this long after its end. */
const REMEMBERED_MS = 24 * 3_600_000;

export interface TradingDeskOptions {
  readonly store: ProviderStore;
  readonly rules: MarketRules;
  readonly clearGrid: ClearGrid;
  readonly clock: Clock;
  readonly log: Log;
  /** Something was queued for participants. */
  readonly kick: () => void;
}

/**
 * All transactions of the market, and what requests and time make of them.
 *
 * What follows from an event is worked out and put into the book in one go, and then committed; commits reach the disk in
 * the same order. If one fails, all behind it fail as well, and the book is read from the disk again.
 */
export class TradingDesk {
  readonly #options: TradingDeskOptions;
  #book = new TransactionBook();
  #epoch = -1;
  #loading: Promise<void> | undefined;
  #lastPricePerKWh: number | undefined;
  /** Rounds that are closed, so that the store needs not be asked. */
  readonly #closed = new Set<string>();
  #lastIntervalMs = Number.NEGATIVE_INFINITY;

  constructor(options: TradingDeskOptions) {
    this.#options = options;
  }

  /** Resolves when the book is what the disk has. */
  async ready(): Promise<void> {
    while (this.#epoch !== this.#options.store.epoch) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
  }

  async #load(): Promise<void> {
    const { store, clock } = this.#options;
    const { epoch } = store;
    this.#book = new TransactionBook(await store.transactions(clock.now() - REMEMBERED_MS));
    const [round] = await store.rounds(1);
    const price = (round?.result as { pricePerKWh?: unknown } | undefined)?.pricePerKWh;
    if (typeof price === "number") this.#lastPricePerKWh = price;
    this.#closed.clear();
    this.#lastIntervalMs = Number.NEGATIVE_INFINITY;
    this.#epoch = epoch;
  }

  find(bapId: string, transactionId: string): TransactionRecord | undefined {
    return this.#book.find(bapId, transactionId);
  }

  get openTransactions(): number {
    return this.#book.openCount;
  }

  get lastPricePerKWh(): number | undefined {
    return this.#lastPricePerKWh;
  }

  /**
   * Carries a request out and stores it with all that follows; call `ready` before, with nothing awaited in between.
   * @throws Refusal or Declined if it can't be carried out, ProviderStoreError if it could not be stored
   */
  async carryOut(request: ProviderRequest, answered: AnsweredRequest): Promise<void> {
    const effect = this.#effectOf(request);
    await this.#commit({ ...effect, request: answered });
  }

  /** Stores the answer to a request that was refused. */
  async remember(answered: AnsweredRequest): Promise<void> {
    await this.#commit({ request: answered });
  }

  #effectOf(request: ProviderRequest): Effect {
    const { rules, clearGrid } = this.#options;
    const { action, context, body, nowMs } = request;
    if (action === "aggregate") {
      const message = clearRequest(body, clearGrid, nowMs);
      const { messageId } = context;
      const callback = { action: "on_aggregate", messageId, message, nowMs, requestSignature: request.signature };
      return { transactions: [], callbacks: [callbackTo(addressOf(request), rules, callback)] };
    }
    const stored = this.#book.find(request.bapId, context.transactionId);
    // What is due by now holds, though the clock has not ticked yet; but an offer that just lapsed is named as such.
    const known = stored === undefined || action === "confirm" ? stored : aged(stored, rules, nowMs);
    if (known === undefined && this.#book.openCount >= rules.maxTransactions) {
      throw new Declined("BUSY", "", `${rules.maxTransactions} transactions are open already`);
    }
    this.#checkLegal(request, known);
    if (known !== undefined && ORDERING.has(action) && context.timestampMs < known.orderedAtMs) {
      // Written before what was done since: it came too late to count.
      this.#options.log.info("an outdated request changes nothing", { action, transactionId: context.transactionId });
      return { transactions: [], callbacks: [] };
    }
    if (context.envelope === "camel") return contractEffect(request, known, rules);
    return seedEffect(request, known, this.#book, rules);
  }

  #checkLegal(request: ProviderRequest, known: TransactionRecord | undefined): void {
    const action = request.action === "on_status" ? "update" : request.action;
    const state = known?.state;
    if (!isLegal(action, state)) throw illegal(request.action, state);
    if (action !== "confirm" || request.context.envelope === "camel") return;
    if (this.#options.rules.discovery === "clearAtConfirm") return;
    // Nothing has been offered before the first gate.
    if (state === undefined || state === "DISCOVERED") throw illegal(action, state);
  }

  /** Does what is due: offers lapse, intervals begin and end, gates close. Never throws. */
  async tick(): Promise<void> {
    const { log } = this.#options;
    for (const work of [() => this.#age(), () => this.#closeInterval(), () => this.#closeNeeds()]) {
      try {
        await this.ready();
        await work();
      } catch (error) {
        log.error("the market could not go on; it tries again", { err: error });
      }
    }
  }

  async #age(): Promise<void> {
    const { rules, clock } = this.#options;
    const nowMs = clock.now();
    const changed: TransactionRecord[] = [];
    for (const record of this.#book.open()) {
      const now = aged(record, rules, nowMs);
      if (now !== record) changed.push(now);
    }
    if (changed.length > 0) await this.#commit({ transactions: changed });
  }

  async #closeInterval(): Promise<void> {
    const { rules, clock, clearGrid, store, log } = this.#options;
    const interval = lastGated(rules, clock.now());
    if (interval.validFromMs <= this.#lastIntervalMs) return;
    const roundId = `interval-${new Date(interval.validFromMs).toISOString()}`;
    if (await store.hasRound(roundId)) {
      this.#lastIntervalMs = interval.validFromMs;
      return;
    }
    const nowMs = clock.now();
    // A gate that was missed while we were down: its interval has begun, and nobody could follow it from its start.
    if (nowMs > interval.validFromMs && rules.gateLeadMs > 0) {
      this.#lastIntervalMs = interval.validFromMs;
      log.info("the gate of this interval is past; bids wait for the next one", { roundId });
      return;
    }
    const last = this.#lastPricePerKWh;
    const now = { nowMs, ...(last !== undefined && { lastPricePerKWh: last }) };
    const outcome = closeGate(this.#book.open(), interval, rules, clearGrid, now);
    const { change, pricePerKWh, bids, faulty, failure } = outcome;
    if (failure !== undefined)
      log.error("the grid can't be cleared; nobody gets anything", { roundId, reason: failure });
    for (const { record, reason } of faulty) {
      log.warn("a bid can't be cleared", { transactionId: record.transactionId, era: record.era, reason });
    }
    await this.#commit(change);
    this.#lastIntervalMs = interval.validFromMs;
    if (pricePerKWh !== undefined) this.#lastPricePerKWh = pricePerKWh;
    if (bids > 0) log.info("gate closed", { roundId, bids, pricePerKWh });
  }

  async #closeNeeds(): Promise<void> {
    const { rules, clock, store, log } = this.#options;
    for (const need of rules.needs.values()) {
      const roundId = needRoundId(need);
      if (clock.now() < need.clearingTimeMs || this.#closed.has(roundId)) continue;
      if (!(await store.hasRound(roundId))) {
        const change = closeNeed(this.#book.open(), need, rules, clock.now());
        await this.#commit(change);
        log.info("need cleared", { need: need.id, contracts: change.transactions?.length ?? 0 });
      }
      this.#closed.add(roundId);
    }
  }

  async #commit(change: ProviderChange): Promise<void> {
    const { store, kick } = this.#options;
    for (const record of change.transactions ?? []) this.#book.put(record);
    await store.commit(change, this.#epoch);
    if ((change.callbacks?.length ?? 0) > 0) kick();
  }
}

/** Requests that change what is traded: of these the newest counts, whichever arrives last. */
const ORDERING: ReadonlySet<string> = new Set(["discover", "select", "init", "confirm", "cancel"]);
