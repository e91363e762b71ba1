import { clear, grossMatchedKW } from "./clearing.ts";
import { gridCurve } from "./grid-supply.ts";
import type { Offer, Transaction } from "./order-book.ts";

/** The grid is at least this strong, so that one car hardly moves the price. */
const GRID_CAPACITY_KW = 100;
/** The grid can carry this many times what all participants could want together, so there is always a price. */
const GRID_RESERVE = 1.5;

/** One market interval: its price, and what was offered to whom. Powers in kW, export positive. */
export interface MarketRound {
  readonly number: number;
  readonly pricePerKWh: number;
  readonly houseKW: number;
  readonly offers: ReadonlyMap<Transaction, Offer>;
  /** Wall time, epoch ms. */
  readonly validFromMs: number;
  readonly validUntilMs: number;
  /** True while offers may be confirmed. */
  open: boolean;
}

/** How the powers of a round sum to zero. */
export interface Balance {
  /** Of each resource that takes part. */
  readonly setpointsKW: Readonly<Record<string, number>>;
  readonly gridKW: number;
  /** All that is given, which is all that is taken, grid and house included. */
  readonly quantityKW: number;
}

/**
 * Clears all bids against the grid and the house.
 * @param window wall time for which the setpoints will hold
 * @returns nothing if there is no price, which the strength of the grid rules out for sound curves
 */
export function openRound(
  number: number,
  transactions: readonly Transaction[],
  gridPricePerKWh: number,
  houseKW: number,
  window: { validFromMs: number; validUntilMs: number },
): MarketRound | undefined {
  const byId = new Map(
    transactions.map((transaction) => [`${transaction.bapId}|${transaction.transactionId}`, transaction]),
  );
  const bids = [...byId].map(([id, { points }]) => ({ id, points }));
  let wantedKW = Math.abs(houseKW);
  for (const { points } of bids) wantedKW += Math.max(...points.map((point) => Math.abs(point.powerKW)));
  const grid = gridCurve(gridPricePerKWh, Math.max(GRID_CAPACITY_KW, GRID_RESERVE * wantedKW));
  const clearing = clear(bids, grid, houseKW);
  if (clearing === undefined) return undefined;
  // On the wire a power has milliwatts and a price nine decimals; the grid takes what that rounding leaves.
  const pricePerKWh = rounded(clearing.pricePerKWh, 1e9);
  const offers = new Map<Transaction, Offer>();
  for (const [id, powerKW] of clearing.setpointsKW) {
    const transaction = byId.get(id);
    if (transaction === undefined) continue;
    const offerId = `offer-${number}-${transaction.orderId}`;
    offers.set(transaction, {
      offerId,
      round: number,
      pricePerKWh,
      setpointKW: rounded(powerKW, 1e6),
      confirmed: false,
    });
  }
  return { number, pricePerKWh, houseKW, offers, ...window, open: true };
}

/** The balance of those offers that count: all that were made, or only the confirmed ones. The grid takes the rest. */
export function balance(round: MarketRound, counted: "offered" | "confirmed"): Balance {
  const setpointsKW: Record<string, number> = {};
  let othersKW = round.houseKW;
  const powersKW = [round.houseKW];
  for (const [{ era }, { setpointKW, confirmed }] of round.offers) {
    if (counted === "confirmed" && !confirmed) continue;
    setpointsKW[era] = setpointKW + (setpointsKW[era] ?? 0);
    powersKW.push(setpointKW);
    othersKW += setpointKW;
  }
  const gridKW = 0 - othersKW;
  return { setpointsKW, gridKW, quantityKW: rounded(grossMatchedKW([...powersKW, gridKW]), 1e6) };
}

/** Without a negative zero, which a reader of the message would stumble over. */
function rounded(value: number, perUnit: number): number {
  return Math.round(value * perUnit) / perUnit + 0;
}
