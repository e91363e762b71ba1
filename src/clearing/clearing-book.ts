import type { BidPoint } from "../model/bid-curve.ts";
import type { Era } from "../model/resource.ts";
import { type ClaimedBid, claimOf, clearedResult, externalClaim } from "./cleared-result.ts";
import type { ClearingResult, ClearingRules, Participant } from "./clearing-types.ts";
import { CurveColumns } from "./curve-columns.ts";
import { MAX_TOTAL_KW } from "./exact-sum.ts";
import { findCrossing } from "./find-crossing.ts";
import { addToKept } from "./keep-curve.ts";
import { KeptPriceSums } from "./kept-sums.ts";
import { checkRules, type MarketPrice, marketPrice, type Sides } from "./market-price.ts";
import { preparedBid, preparedExternal } from "./prepared-bid.ts";

/** What may differ from one clearing of a book to the next. */
export type BookTurn = Pick<ClearingRules, "lastPricePerKWh" | "basePricePerKWh"> & { readonly targetKW?: number };

/**
 * Bids that come, change and go one at a time, and a price at any moment: what a bid costs does not grow with how many
 * there are. The book gives what `clear` gives for the same bids, to the last bit, whatever happened to it before.
 *
 * Prices bid beyond ±536.87 per kWh are as right as all others and slower.
 */
export class ClearingBook {
  readonly #rules: ClearingRules;
  readonly #columns = new CurveColumns();
  readonly #sums: KeptPriceSums;
  readonly #slots = new Map<Era, number>();
  /** By slot; meaningless where the slot is free. */
  readonly #bids: ClaimedBid[] = [];
  readonly #freeSlots: number[] = [];
  readonly #external: ClaimedBid | undefined;
  #generating = 0;
  #consuming = 0;
  #totalKW = 0;

  /** @throws RangeError, BidError as `clear` does */
  constructor(rules: ClearingRules) {
    checkRules(rules);
    this.#rules = rules;
    this.#sums = new KeptPriceSums(this.#columns);
    if (rules.external === undefined) return;
    this.#external = externalClaim(0);
    this.#bids.push(this.#external);
    this.#put(0, preparedExternal(rules.external, rules).points);
  }

  /** How many bids there are. */
  get size(): number {
    return this.#slots.size;
  }

  has(era: Era): boolean {
    return this.#slots.has(era);
  }

  /**
   * Takes a bid, in place of the one of the same ERA if there is one.
   * @throws BidError if it can't be cleared; the one before stays then
   * @throws RangeError if all bids together became more than 2²⁵ kW; the one before stays then
   */
  set(participant: Participant): void {
    const prepared = preparedBid(participant, this.#rules);
    const present = this.#slots.get(participant.era);
    const presentKW = present === undefined ? 0 : this.#sizeKW(present);
    const totalKW = this.#totalKW - presentKW + sizeKW(prepared.points) + Math.abs(this.#rules.targetKW);
    if (totalKW > MAX_TOTAL_KW) {
      throw new RangeError(`all bids together would be ${totalKW} kW; at most ${MAX_TOTAL_KW} can be cleared`);
    }
    const slot = present ?? this.#freeSlots.pop() ?? this.#columns.slots;
    if (present === undefined) this.#slots.set(participant.era, slot);
    else this.#count(slot, -1);
    this.#put(slot, prepared.points);
    this.#bids[slot] = claimOf(participant, prepared, slot);
  }

  /** Takes a bid out; false if there was none. */
  remove(era: Era): boolean {
    const slot = this.#slots.get(era);
    if (slot === undefined) return false;
    this.#count(slot, -1);
    this.#columns.clear(slot);
    this.#freeSlots.push(slot);
    this.#slots.delete(era);
    return true;
  }

  /** The price as of now, without anybody's power. */
  price(turn?: BookTurn): MarketPrice {
    const rules = this.#turned(turn);
    return marketPrice(findCrossing(this.#sums, rules.targetKW), rules, this.#sides());
  }

  /** Clears: the price and everybody's power, in the order in which the ERAs first came. */
  clear(turn?: BookTurn): ClearingResult {
    const rules = this.#turned(turn);
    const bids = Array.from(this.#slots.values(), (slot) => this.#bids[slot] as ClaimedBid);
    if (this.#external !== undefined) bids.push(this.#external);
    const crossing = findCrossing(this.#sums, rules.targetKW);
    return clearedResult(this.#columns, bids, this.#external, crossing, this.#sides(), rules);
  }

  #turned(turn: BookTurn | undefined): ClearingRules {
    if (turn === undefined) return this.#rules;
    const rules = { ...this.#rules, ...turn };
    checkRules(rules);
    return rules;
  }

  #sides(): Sides {
    const bids = this.#slots.size + (this.#external === undefined ? 0 : 1);
    return { bids, generating: this.#generating, consuming: this.#consuming };
  }

  #put(slot: number, points: readonly BidPoint[]): void {
    this.#columns.write(slot, points);
    this.#count(slot, 1);
  }

  #count(slot: number, sign: 1 | -1): void {
    addToKept(this.#columns, slot, sign, this.#sums);
    if (this.#columns.lastKW(slot) > 0) this.#generating += sign;
    if (this.#columns.firstKW(slot) < 0) this.#consuming += sign;
    this.#totalKW += sign * this.#sizeKW(slot);
  }

  #sizeKW(slot: number): number {
    return Math.max(Math.abs(this.#columns.firstKW(slot)), Math.abs(this.#columns.lastKW(slot)));
  }
}

/** The most that a bid does either way, kW. */
function sizeKW(points: readonly BidPoint[]): number {
  return Math.max(Math.abs((points[0] as BidPoint).powerKW), Math.abs((points.at(-1) as BidPoint).powerKW));
}
