import { randomUUID } from "node:crypto";
import { type Clock, repeatEvery } from "../clock.ts";
import type { Log } from "../log.ts";
import type { BidCurve } from "../model/bid-curve.ts";
import type { Objective } from "../model/objective.ts";
import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Contract, ControlStore, NewOutboxItem } from "../store/control-store.ts";
import type { MessageContext, Parties } from "./beckn-context.ts";
import type { InitAnswer, Release, StatusRequest } from "./callback-effects.ts";
import type { ContractBook } from "./contract-book.ts";
import { type BidContext, nextIntervals } from "./dialects/bid-context.ts";
import type { MarketOffer } from "./dialects/order-codec.ts";
import { type OutgoingDialect, outgoingDialect } from "./dialects/outgoing.ts";
import {
  type Bid,
  type BidConstraints,
  confirmMessage,
  type DeliveryReport,
  type SessionReport,
} from "./dialects/seed-messages.ts";
import type { SeedDialect } from "./dialects/seed-shape.ts";
import { type MessageRules, MessageWriter } from "./message-writer.ts";
import { offerFault } from "./offer-check.ts";
import { RunningOrders } from "./running-orders.ts";

const TICK_MS = 1000;
export interface ParticipantOptions {
  readonly store: ControlStore;
  readonly contracts: ContractBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly parties: Parties;
  readonly dialect: SeedDialect;
  /** How we write; the seed's dialect unless told. */
  readonly outgoing?: OutgoingDialect;
  /** The meters of a resource, as the market knows them; none unless told. */
  readonly metersOf?: (era: Era) => readonly string[];
  /** Length of a market interval; 15 min unless told. */
  readonly intervalMs?: number;
  /** Intervals that one bid is for, where the dialect says when; 1 unless told. */
  readonly intervals?: number;
  /** Something was queued for the market. */
  readonly kick: () => void;
  /** How long the market may take to answer a bid or a confirmation; 5 min unless told. */
  readonly offerTimeoutMs?: number;
  /** How long telemetry that could not be delivered is still of use; 1 h unless told. */
  readonly telemetryTtlMs?: number;
  /** `bap`: telemetry goes as `update`. `bpp`: as `on_status`, in the role of the provider of data. */
  readonly telemetryRole?: "bap" | "bpp";
}

/** What became of a market's wish about a charging session. */
export interface SessionOutcome {
  readonly era: Era;
  readonly orderId?: string;
  /** How the session stands now. */
  readonly status: SessionReport["status"];
  /** Why the wish was not followed, for a person. */
  readonly fault?: string;
  /** The message that the wish came with. */
  readonly context: MessageContext;
}

/** Where one resource stands with the market, for the status page. */
export interface ParticipantSnapshot {
  readonly era: Era;
  readonly state: Contract["state"];
  readonly transactionId: string;
  readonly orderId?: string;
  readonly clearingPricePerKWh?: number;
  /** kW, export positive, of the order that is running. */
  readonly orderedKW?: number;
  /** Wall time of the last step, epoch ms. */
  readonly updatedAtMs: number;
  /** True when a newer curve waits for the market's confirmation of the present one. */
  readonly bidWaiting: boolean;
}

/** The present transaction of one resource. */
interface Dealing {
  bid: Bid;
  contract: Contract;
  /** Elapsed time of our last message in it. */
  askedAtMs: number;
  /** A newer bid, to be sent when the market has answered the confirmation. */
  waiting?: Bid;
}

/**
 * Our side of the contract with the market, as the seed's 3.3 has it: `discover` with a bid curve, `on_discover` with the
 * clearing price, `confirm`, `on_confirm` with the setpoint; then telemetry while the order runs. A market may offer
 * again in the same transaction, each time it clears. The later dialects begin with `init`, which the market approves, or
 * with `confirm` itself. All messages go through the outbox in the store.
 */
export class Participant {
  readonly #options: ParticipantOptions;
  readonly #dealings = new Map<Era, Dealing>();
  readonly #orders: RunningOrders;
  readonly #outgoing: OutgoingDialect;
  readonly #writer: MessageWriter;

  constructor(options: ParticipantOptions) {
    const { clock, parties, dialect, telemetryTtlMs, telemetryRole } = options;
    this.#options = options;
    this.#outgoing = options.outgoing ?? outgoingDialect("seed", dialect, undefined);
    this.#writer = new MessageWriter(clock, parties, this.#outgoing.envelope);
    this.#orders = new RunningOrders({
      clock,
      parties,
      dialect,
      outgoing: this.#outgoing,
      writer: this.#writer,
      metersOf: (era) => this.#metersOf(era),
      telemetryTtlMs,
      telemetryRole,
    });
  }

  /** Finds the orders that run since before a restart, then ends what the market never answered until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#options;
    for (const { setpoint } of await store.openSetpoints(clock.now())) {
      if (setpoint.source.kind === "market") this.#orders.add(setpoint);
    }
    void repeatEvery(clock, TICK_MS, signal, () =>
      this.#endUnanswered().catch((error) => log.error("contracts could not be ended", { err: error })),
    );
  }

  /** True when the market has no bid of this resource any more, because it never answered or the order is over. */
  needsBid(era: Era): boolean {
    return !this.#dealings.has(era);
  }

  /**
   * Sends a curve to the market. Until the market has offered a price it replaces the one before in the same transaction;
   * while we wait for `on_confirm` it waits; after that it opens a new transaction.
   */
  async bid(era: Era, curve: BidCurve, objective: Objective | undefined, constraints: BidConstraints): Promise<void> {
    const bid: Bid = { era, curve, constraints, ...(objective !== undefined && { objective }) };
    const dealing = this.#dealings.get(era);
    if (dealing?.contract.state === "CONFIRMING") {
      if (this.#outgoing.amend === undefined) dealing.waiting = bid;
      else await this.#amend(dealing, bid);
      return;
    }
    const isOpen = dealing?.contract.state === "BIDDING" || dealing?.contract.state === "OFFERED";
    await this.#open(bid, isOpen ? dealing.contract.transactionId : randomUUID());
  }

  /** The market took our curve, and may have said how much of it the grid operator allows: commit ourselves to it. */
  initialised(transactionId: string, answer: InitAnswer): void {
    this.#confirmInit(transactionId, answer).catch((error) =>
      this.#options.log.error("an approval could not be answered", { transactionId, err: error }),
    );
  }

  /** The market offered prices in a transaction: take the one for us, if it is what we bid. */
  offered(transactionId: string, offers: readonly MarketOffer[]): void {
    this.#answerOffer(transactionId, offers).catch((error) =>
      this.#options.log.error("an offer could not be answered", { transactionId, err: error }),
    );
  }

  /** The market confirmed setpoints; their orders run from now on. */
  confirmed(setpoints: readonly Setpoint[]): void {
    for (const setpoint of setpoints) {
      this.#orders.add(setpoint);
      const dealing = this.#dealings.get(setpoint.era);
      if (dealing === undefined || dealing.contract.transactionId !== setpoint.source.transactionId) continue;
      dealing.contract = this.#step(dealing.contract, "ACTIVE", {
        ...(setpoint.source.orderId !== undefined && { orderId: setpoint.source.orderId }),
      });
      const next = dealing.waiting;
      if (next === undefined) continue;
      delete dealing.waiting;
      this.#open(next, randomUUID()).catch((error) =>
        this.#options.log.error("a bid could not be queued", { era: next.era, err: error }),
      );
    }
  }

  /** The market ended an order. */
  released(release: Release): void {
    this.#orders.end(release.transactionId);
    for (const [era, dealing] of this.#dealings) {
      if (dealing.contract.transactionId === release.transactionId) this.#dealings.delete(era);
    }
  }

  /**
   * Sends what a resource did and can do now to the market, for the order that is running.
   * @returns false if no order is running, so that there is nobody to tell
   */
  async telemetry(report: Omit<DeliveryReport, "orderId">): Promise<boolean> {
    const item = this.#orders.report(report, this.#dealings.get(report.era)?.contract.transactionId);
    if (item === undefined) return false;
    await this.#commit([], [item]);
    return true;
  }

  /** The transaction of a resource: of the order that runs, else of its bid. */
  transactionOf(era: Era): { readonly transactionId: string; readonly orderId?: string } | undefined {
    return this.#orders.of(era) ?? this.#dealings.get(era)?.contract;
  }

  /** Whether a callback with this id answers something that we sent since the start. */
  isOurMessage(messageId: string): boolean {
    return this.#writer.wrote(messageId);
  }

  /**
   * Tells the market what became of its wish: with `on_update` where it asked by `update`, else by telemetry of our own.
   * A wish that was not followed has its reason with it.
   */
  async sessionOutcome({ era, orderId, status, fault, context }: SessionOutcome): Promise<void> {
    const session: SessionReport = { status, ...(fault !== undefined && { fault }) };
    await this.#commit([], [this.#orders.sessionReport(era, orderId, session, context)]);
  }

  snapshot(): readonly ParticipantSnapshot[] {
    return [...this.#dealings].map(([era, { contract, waiting }]) => {
      const order = this.#orders.of(era);
      return {
        era,
        state: contract.state,
        transactionId: contract.transactionId,
        ...(contract.orderId !== undefined && { orderId: contract.orderId }),
        ...(contract.clearingPricePerKWh !== undefined && { clearingPricePerKWh: contract.clearingPricePerKWh }),
        ...(order !== undefined && { orderedKW: order.powerKW }),
        updatedAtMs: contract.updatedAtMs,
        bidWaiting: waiting !== undefined,
      };
    });
  }

  /** The `on_status` for a market that asks what an order's resource does; nothing if it has no such order here. */
  statusFor(request: StatusRequest): NewOutboxItem | undefined {
    return this.#orders.statusFor(request);
  }

  async #open(bid: Bid, transactionId: string): Promise<void> {
    const { clock, parties } = this.#options;
    const { era } = bid;
    const { opening } = this.#outgoing;
    const message = this.#outgoing.bid(bid, this.#bidContext(era, transactionId));
    const state = opening === "confirm" ? "CONFIRMING" : "BIDDING";
    const contract: Contract = { transactionId, era, state, bppId: parties.bppId, updatedAtMs: clock.now() };
    this.#dealings.set(era, { bid, contract, askedAtMs: clock.elapsedMs() });
    const item = this.#writer.item(opening, transactionId, message, this.#bidRules(`${opening} ${era}`));
    await this.#commit([contract], [item]);
  }

  /** A newer curve in a transaction that the market has not cleared. */
  async #amend(dealing: Dealing, bid: Bid): Promise<void> {
    const { transactionId } = dealing.contract;
    const message = this.#outgoing.amend?.(bid, this.#bidContext(bid.era, transactionId));
    if (message === undefined) return;
    dealing.bid = bid;
    await this.#commit(
      [],
      [this.#writer.item("update", transactionId, message, this.#bidRules(`amend ${transactionId}`))],
    );
  }

  async #confirmInit(transactionId: string, { approvedMaxTradeKW }: InitAnswer): Promise<void> {
    const { clock, log } = this.#options;
    const dealing = this.#dealingOf(transactionId);
    if (dealing?.contract.state !== "BIDDING" || this.#outgoing.confirm === undefined) {
      log.info("approval ignored: no bid waits for it", { transactionId });
      return;
    }
    const { bid } = dealing;
    const message = this.#outgoing.confirm(bid, this.#bidContext(bid.era, transactionId), approvedMaxTradeKW);
    dealing.contract = this.#step(dealing.contract, "CONFIRMING", {});
    dealing.askedAtMs = clock.elapsedMs();
    const item = this.#writer.item("confirm", transactionId, message, this.#bidRules(`confirm ${transactionId}`));
    await this.#commit([dealing.contract], [item]);
  }

  #bidContext(era: Era, transactionId: string): BidContext {
    const { parties, clock, intervalMs = 900_000, intervals = 1 } = this.#options;
    const { orderId } = this.#dealings.get(era)?.contract ?? {};
    return {
      bapId: parties.bapId,
      bppId: parties.bppId,
      transactionId,
      ...(orderId !== undefined && { orderId }),
      meterIds: this.#metersOf(era),
      window: nextIntervals(clock.now(), intervalMs, intervals),
      intervals,
    };
  }

  #metersOf(era: Era): readonly string[] {
    return this.#options.metersOf?.(era) ?? [];
  }

  #dealingOf(transactionId: string): Dealing | undefined {
    return [...this.#dealings.values()].find((one) => one.contract.transactionId === transactionId);
  }

  async #answerOffer(transactionId: string, offers: readonly MarketOffer[]): Promise<void> {
    const { clock, log, dialect } = this.#options;
    const dealing = this.#dealingOf(transactionId);
    // Where we begin with something else, a catalogue is no answer to it.
    if (dealing === undefined || this.#outgoing.opening !== "discover") {
      log.info("offer ignored: it is not for a bid that stands", { transactionId });
      return;
    }
    const { bid } = dealing;
    const offer = offers.find((one) => one.era === bid.era) ?? offers.find((one) => one.era === undefined) ?? offers[0];
    if (offer === undefined) return;
    const fault = offerFault(offer, bid);
    const clearingPricePerKWh = offer.clearingPrice.pricePerKWh;
    if (fault !== undefined) {
      log.warn("offer not confirmed", { era: bid.era, transactionId, reason: fault });
      // A running order goes on; an offer that we don't take changes nothing about it.
      if (dealing.contract.state === "ACTIVE") return;
      dealing.contract = this.#step(dealing.contract, "OFFERED", { clearingPricePerKWh });
      await this.#commit([dealing.contract], []);
      return;
    }
    dealing.contract = this.#step(dealing.contract, "CONFIRMING", { clearingPricePerKWh });
    dealing.askedAtMs = clock.elapsedMs();
    const message = confirmMessage(
      { ...offer, era: bid.era, ...(bid.objective && { objective: bid.objective }) },
      dialect,
    );
    const item = this.#writer.item("confirm", transactionId, message, this.#bidRules(`confirm ${transactionId}`));
    await this.#commit([dealing.contract], [item]);
  }

  /** Ends transactions that got no answer, and forgets orders that are long over. */
  async #endUnanswered(): Promise<void> {
    const { log } = this.#options;
    this.#orders.endOverdue();
    for (const [era, dealing] of this.#dealings) {
      const { contract, waiting } = dealing;
      if (contract.state === "ACTIVE" ? this.#orders.of(era) !== undefined : !this.#isOverdue(dealing)) continue;
      this.#dealings.delete(era);
      log.info("contract ended", { era, transactionId: contract.transactionId, state: contract.state });
      await this.#commit([this.#step(contract, "ENDED", {})], []);
      if (waiting !== undefined) await this.#open(waiting, randomUUID());
    }
  }

  #isOverdue(dealing: Dealing): boolean {
    return this.#options.clock.elapsedMs() - dealing.askedAtMs > this.#offerTimeoutMs;
  }

  get #offerTimeoutMs(): number {
    return this.#options.offerTimeoutMs ?? 300_000;
  }

  #step(contract: Contract, state: Contract["state"], facts: Partial<Contract>): Contract {
    return { ...contract, ...facts, state, updatedAtMs: this.#options.clock.now() };
  }

  #bidRules(replaceKey: string): MessageRules {
    return { ttlMs: this.#offerTimeoutMs, replaceKey };
  }

  async #commit(contracts: readonly Contract[], outbox: readonly NewOutboxItem[]): Promise<void> {
    await this.#options.store.commit({ contracts, outbox });
    this.#options.contracts.committed(contracts);
    if (outbox.length > 0) this.#options.kick();
  }
}
