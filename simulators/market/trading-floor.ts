import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { checkAgreement, readConfirm } from "./agreement.ts";
import { Refusal } from "./answer.ts";
import { type Callback, type Market, onCancel, onConfirm, onDiscover, onStatus } from "./callback.ts";
import { type CurveBid, readDiscover } from "./curve-bid.ts";
import type { Delivery } from "./delivery.ts";
import type { Request } from "./front-desk.ts";
import type { MarketEvent } from "./market-event.ts";
import { balance, type MarketRound, openRound } from "./market-round.ts";
import { closed, OrderBook } from "./order-book.ts";
import { readReport } from "./report.ts";

const MAX_CLEARINGS_KEPT = 10_000;

export interface TradingOptions {
  readonly market: () => Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly delivery: Delivery;
  readonly intervalMs: number;
  /** Elapsed ms after the gate in which an offer may be confirmed. */
  readonly confirmWithinMs: number;
  readonly gridPrice: (gate: number) => number;
  /** Load that nobody controls, kW, export positive. */
  readonly houseKW: () => number;
  readonly emit: (event: MarketEvent) => void;
}

export interface Clearing {
  readonly price: number;
  readonly quantityKW: number;
}

/** What participants ask for, and what the market makes of it at each gate. */
export class TradingFloor {
  readonly #options: TradingOptions;
  readonly #book = new OrderBook();
  readonly #cleared: Clearing[] = [];
  readonly counts = { onConfirm: 0, acked: 0, nacked: 0, telemetry: 0, bidCurves: 0 };
  #gate = 0;
  #round: MarketRound | undefined;

  constructor(options: TradingOptions) {
    this.#options = options;
  }

  get cleared(): readonly Clearing[] {
    return this.#cleared;
  }

  get pricePerKWh(): number | undefined {
    return this.#cleared.at(-1)?.price;
  }

  /** Carries out one request; what it returns is to run after the answer. @throws Refusal */
  handle(request: Request): (() => void) | undefined {
    const { action, context } = request;
    switch (action) {
      case "discover":
        return this.#discover(request);
      case "confirm":
        return this.#confirm(request);
      case "update":
      case "on_status":
        return this.#report(request);
      case "status": {
        const transaction = this.#book.find(context);
        return () => this.#send(onStatus(this.#options.market(), transaction, this.#replyTo(request)));
      }
      case "cancel": {
        const transaction = this.#book.find(context);
        transaction.open = false;
        return () => this.#send(onCancel(this.#options.market(), transaction, this.#replyTo(request)));
      }
    }
  }

  /** Clears all open bids and offers the result. */
  openGate(signal: AbortSignal): void {
    this.#closeRound();
    const { clock, intervalMs, log, emit } = this.#options;
    const gate = this.#gate++;
    const transactions = this.#book.open();
    if (transactions.length === 0) return;
    const nowMs = clock.now();
    // Half an interval more than it lasts, so that a setpoint does not lapse while the next one is being agreed.
    const window = { validFromMs: nowMs, validUntilMs: nowMs + Math.round(1.5 * intervalMs) };
    const round = openRound(gate, transactions, this.#options.gridPrice(gate), this.#options.houseKW(), window);
    if (round === undefined) {
      log.warn("no price balances the bids", { gate });
      return;
    }
    this.#round = round;
    const { quantityKW, gridKW } = balance(round, "offered");
    this.#cleared.push({ price: round.pricePerKWh, quantityKW });
    if (this.#cleared.length > MAX_CLEARINGS_KEPT) this.#cleared.shift();
    const { pricePerKWh, houseKW } = round;
    emit({ kind: "cleared", pricePerKWh, quantityKW, gridKW, houseKW, participants: round.offers.size });
    this.#offer(round, signal);
  }

  #offer(round: MarketRound, signal: AbortSignal): void {
    const { clock, confirmWithinMs, market } = this.#options;
    const nowMs = clock.now();
    for (const [transaction, offer] of round.offers) {
      transaction.offer = offer;
      const window = { ...round, nowMs, confirmByMs: nowMs + confirmWithinMs };
      this.#send(onDiscover(market(), transaction, offer, window), confirmWithinMs);
      transaction.unanswered = undefined;
    }
    clock.sleep(confirmWithinMs, signal).then(
      () => this.#closeRound(round),
      () => {},
    );
  }

  /** Nothing can be confirmed any more: who did not is left out, and the grid takes its share. */
  #closeRound(round = this.#round): void {
    if (round === undefined || !round.open) return;
    round.open = false;
    const { emit } = this.#options;
    for (const [transaction, offer] of round.offers) {
      if (offer.confirmed || !transaction.open) continue;
      emit({ kind: "left-out", era: transaction.era, setpointKW: offer.setpointKW });
      this.#book.missed(transaction);
    }
    const { setpointsKW, gridKW, quantityKW } = balance(round, "confirmed");
    // A round that was cleared is the last in the list until the next gate.
    this.#cleared.splice(-1, 1, { price: round.pricePerKWh, quantityKW });
    const { pricePerKWh, houseKW } = round;
    emit({ kind: "settled", pricePerKWh, quantityKW, gridKW, houseKW, setpointsKW });
  }

  #discover({ context, body }: Request): undefined {
    const { delivery, emit } = this.#options;
    const bid = readDiscover(body);
    if (context.bap_uri.startsWith("mqtt:") && !delivery.hasBroker) {
      throw new Refusal(400, "MESSAGE_INVALID", "context.bap_uri", "this market has no MQTT broker");
    }
    this.#checkCurrency(bid, "message.intent");
    const { era, transactionId } = this.#book.discover(context, bid);
    this.counts.bidCurves += 1;
    emit({ kind: "bid", era, transactionId, points: bid.points.length });
  }

  #report({ context, body }: Request): undefined {
    const { emit } = this.#options;
    const { bid, samples, verdict } = readReport(body);
    if (bid !== undefined) this.#checkCurrency(bid, "message");
    const { era, transactionId } = bid === undefined ? this.#book.find(context) : this.#book.revise(context, bid);
    if (bid !== undefined) {
      this.counts.bidCurves += 1;
      emit({ kind: "bid", era, transactionId, points: bid.points.length });
    }
    if (verdict !== undefined) emit({ kind: "verdict", era, verdict });
    if (samples > 0) {
      this.counts.telemetry += 1;
      emit({ kind: "telemetry", era, samples });
    }
  }

  #checkCurrency(bid: CurveBid, place: string): void {
    const { currency } = this.#options.market();
    if (bid.currency === undefined || bid.currency === currency) return;
    throw new Refusal(
      400,
      "CURVE_INVALID",
      `${place}.currency`,
      `this market trades in ${currency}, not in ${bid.currency}`,
    );
  }

  #confirm(request: Request): () => void {
    const { context, body } = request;
    const agreement = readConfirm(body);
    const transaction = this.#book.find(context);
    if (!transaction.open) throw closed(transaction);
    const round = this.#round;
    const offer = transaction.offer;
    if (round === undefined || offer === undefined) {
      throw new Refusal(400, "NO_OFFER", "", `nothing has been offered to ${transaction.era} yet`);
    }
    const otherOffer = agreement.offerId !== undefined && agreement.offerId !== offer.offerId;
    if (!round.open || offer.round !== round.number || otherOffer) {
      throw new Refusal(
        400,
        "OFFER_EXPIRED",
        "message.order.beckn:acceptedOffer.beckn:id",
        `offer ${agreement.offerId ?? offer.offerId} can no longer be confirmed`,
      );
    }
    if (offer.confirmed) throw new Refusal(400, "ALREADY_CONFIRMED", "", `${offer.offerId} was confirmed before`);
    checkAgreement(agreement, transaction, this.#options.market().currency);
    offer.confirmed = true;
    transaction.missedGates = 0;
    const { setpointKW, pricePerKWh } = offer;
    const order = { setpointKW, pricePerKWh, validFromMs: round.validFromMs, validUntilMs: round.validUntilMs };
    transaction.order = order;
    return () => {
      this.counts.onConfirm += 1;
      const over = this.#options.delivery.wayOf(transaction.era, transaction.bapUri);
      this.#options.emit({ kind: "confirmed", era: transaction.era, setpointKW, pricePerKWh, over });
      const reply = { ...this.#replyTo(request), round: round.number };
      this.#send(onConfirm(this.#options.market(), transaction, order, reply));
    };
  }

  #replyTo({ context }: Request): { messageId: string; nowMs: number } {
    return { messageId: context.message_id, nowMs: this.#options.clock.now() };
  }

  /** Sends without anybody waiting for it; every outcome becomes a count and an event. */
  #send(callback: Callback, withinMs = this.#options.intervalMs): void {
    const { delivery, emit } = this.#options;
    const { action, transaction } = callback;
    const { era } = transaction;
    delivery.deliver(callback, withinMs).then(
      ({ ack, detail }) => {
        if (action === "on_confirm") this.counts[ack ? "acked" : "nacked"] += 1;
        emit({ kind: "answered", era, action, ack, ...(detail !== undefined && { detail }) });
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        emit({ kind: "undelivered", era, action, reason });
      },
    );
  }
}
