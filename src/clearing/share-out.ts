import type { Rationing } from "./clearing-types.ts";
import type { CurveColumns } from "./curve-columns.ts";
import { ExactSum } from "./exact-sum.ts";
import type { Crossing } from "./find-crossing.ts";
import type { MarketPrice } from "./market-price.ts";

/** What sharing out needs to know of one slot beside its curve. */
export interface Claim {
  readonly slot: number;
  /** Decides ties, so that no two may be equal. */
  readonly era: string;
  readonly priority: number;
  readonly submittedAtMs: number;
  /** Least and most power that its bounds allow, kW. */
  readonly floorKW: number;
  readonly ceilingKW: number;
}

/** What everybody is to hold. */
export interface Shares {
  /** By slot, kW, export positive. */
  readonly powersKW: Float64Array;
  /** Sum of all positive ones. */
  readonly clearedKW: number;
  /** target − Σ where that could not be met; else 0. */
  readonly unmetKW: number;
}

/** What rounding may leave over without anything being unmet, kW. */
const MET_KW = 1e-6;
/** More than this, kW, is not left to one participant alone. */
const DEALT_KW = 1e-9;

/** Gives each claim its power at a price. Depends on the claims alone, not on their order. */
export function shareOut(
  columns: CurveColumns,
  claims: readonly Claim[],
  market: MarketPrice,
  crossing: Crossing,
  targetKW: number,
  rationing: Rationing,
): Shares {
  const powersKW = new Float64Array(columns.slots);
  const open = { columns, claims, powersKW, targetKW };
  if (crossing.kind === "UNDER" || crossing.kind === "OVER") {
    shareLack(open, crossing.kind);
  } else if (market.pricePerKWh === undefined) {
    // Nobody trades, and what is in balance without a price is so at 0.
    powersKW.fill(0);
  } else if (crossing.kind === "JUMP") {
    if (rationing === "PRIORITY") fillByPriority(open, market.pricePerKWh);
    else shareJump(open, market.pricePerKWh);
  } else {
    takeSide(open, market.pricePerKWh, sideOf(crossing, market.pricePerKWh));
  }
  const gross = new ExactSum();
  for (const { slot } of claims) {
    // No −0: it would be told to devices.
    powersKW[slot] = (powersKW[slot] as number) + 0;
    gross.add(Math.max(powersKW[slot] as number, 0));
  }
  const leftKW = left(open);
  return { powersKW, clearedKW: gross.valueKW, unmetKW: Math.abs(leftKW) <= MET_KW ? 0 : leftKW };
}

interface Open {
  readonly columns: CurveColumns;
  readonly claims: readonly Claim[];
  readonly powersKW: Float64Array;
  readonly targetKW: number;
}

function sideOf(crossing: Crossing, pricePerKWh: number): "LOW" | "HIGH" {
  if (crossing.kind === "AT") return crossing.side;
  // A plateau lies above its begin and below its end.
  return crossing.kind === "BAND" && crossing.fromPerKWh === pricePerKWh ? "HIGH" : "LOW";
}

/** target − Σ, kW. */
function left({ claims, powersKW, targetKW }: Open): number {
  const sum = new ExactSum();
  sum.add(targetKW);
  for (const { slot } of claims) sum.subtract(powersKW[slot] as number);
  return sum.valueKW;
}

/**
 * One price, one power each. What is left because the price is a double and the sum was steep is dealt out by slope; the
 * very last of it goes to whom a tiny change of the price would move most.
 */
function takeSide(open: Open, pricePerKWh: number, side: "LOW" | "HIGH"): void {
  const { columns, claims, powersKW } = open;
  const slopeOf = (slot: number) =>
    side === "LOW" ? columns.slopeBelow(slot, pricePerKWh) : columns.slopeAbove(slot, pricePerKWh);
  let marginal: Claim | undefined;
  let steepest = 0;
  for (const claim of claims) {
    const { slot } = claim;
    powersKW[slot] = side === "LOW" ? columns.powerBelow(slot, pricePerKWh) : columns.powerAbove(slot, pricePerKWh);
    const slope = slopeOf(slot);
    if (slope > steepest || (slope === steepest && slope > 0 && claim.era < (marginal?.era ?? ""))) {
      steepest = slope;
      marginal = claim;
    }
  }
  if (marginal === undefined) return;
  const leftKW = left(open);
  if (Math.abs(leftKW) > DEALT_KW) {
    // Relative to the steepest, as the slopes themselves may be too large to add.
    const slopes = new ExactSum();
    for (const { slot } of claims) slopes.add(slopeOf(slot) / steepest);
    for (const { slot } of claims) {
      powersKW[slot] = (powersKW[slot] as number) + (leftKW / slopes.valueKW) * (slopeOf(slot) / steepest);
    }
  }
  giveRest(open, marginal.slot, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
}

/** Gives one slot what all others leave, within a range. */
function giveRest(open: Open, slot: number, lowKW: number, highKW: number): void {
  open.powersKW[slot] = 0;
  open.powersKW[slot] = Math.min(Math.max(left(open), lowKW), highKW);
}

/** Everybody takes the same share of its own jump. */
function shareJump(open: Open, pricePerKWh: number): void {
  const { columns, claims, powersKW, targetKW } = open;
  const low = new ExactSum();
  const high = new ExactSum();
  for (const { slot } of claims) {
    low.add(columns.powerBelow(slot, pricePerKWh));
    high.add(columns.powerAbove(slot, pricePerKWh));
  }
  const share = Math.min(Math.max((targetKW - low.valueKW) / (high.valueKW - low.valueKW), 0), 1);
  let widest: Claim | undefined;
  let widestKW = 0;
  for (const claim of claims) {
    const lowKW = columns.powerBelow(claim.slot, pricePerKWh);
    const widthKW = columns.powerAbove(claim.slot, pricePerKWh) - lowKW;
    powersKW[claim.slot] = lowKW + share * widthKW;
    if (widthKW > widestKW || (widthKW === widestKW && widthKW > 0 && claim.era < (widest?.era ?? ""))) {
      widestKW = widthKW;
      widest = claim;
    }
  }
  if (widest === undefined) return;
  const { slot } = widest;
  giveRest(open, slot, columns.powerBelow(slot, pricePerKWh), columns.powerAbove(slot, pricePerKWh));
}

/**
 * Who goes first gets the most of what it wants to trade: from where all take their low end, generation rises in order, and
 * only then consumption is given up, by the last one first. So as much as possible is traded at that price. A jump from
 * consuming to generating counts as generation.
 */
function fillByPriority(open: Open, pricePerKWh: number): void {
  const { columns, claims, powersKW } = open;
  const selling: Jump[] = [];
  const buying: Jump[] = [];
  for (const claim of claims) {
    const lowKW = columns.powerBelow(claim.slot, pricePerKWh);
    const highKW = columns.powerAbove(claim.slot, pricePerKWh);
    powersKW[claim.slot] = lowKW;
    if (lowKW < highKW) (highKW > 0 ? selling : buying).push({ ...claim, lowKW, highKW });
  }
  let leftKW = left(open);
  for (const jump of [...selling.sort(byTurn), ...buying.sort(byTurn).reverse()]) {
    const widthKW = jump.highKW - jump.lowKW;
    if (leftKW < widthKW) {
      giveRest(open, jump.slot, jump.lowKW, jump.highKW);
      return;
    }
    powersKW[jump.slot] = jump.highKW;
    leftKW -= widthKW;
  }
}

interface Jump extends Claim {
  readonly lowKW: number;
  readonly highKW: number;
}

/** Lower priority first, then the earlier, then by the letters of the ERA. */
function byTurn(a: Claim, b: Claim): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.submittedAtMs !== b.submittedAtMs) return a.submittedAtMs < b.submittedAtMs ? -1 : 1;
  return a.era < b.era ? -1 : a.era > b.era ? 1 : 0;
}

/**
 * Even the highest price brings too little (`UNDER`) or the lowest still too much: those who consume (generate) give back
 * in proportion to what their bounds let them.
 */
function shareLack(open: Open, kind: "UNDER" | "OVER"): void {
  const { columns, claims, powersKW } = open;
  const total = new ExactSum();
  const roomKW = ({ slot, floorKW, ceilingKW }: Claim): number => {
    const powerKW = kind === "UNDER" ? columns.lastKW(slot) : columns.firstKW(slot);
    return kind === "UNDER"
      ? Math.max(Math.min(0, ceilingKW) - powerKW, 0)
      : Math.min(Math.max(0, floorKW) - powerKW, 0);
  };
  for (const claim of claims) {
    powersKW[claim.slot] = kind === "UNDER" ? columns.lastKW(claim.slot) : columns.firstKW(claim.slot);
    total.add(roomKW(claim));
  }
  if (total.valueKW === 0) return;
  const share = Math.min(left(open) / total.valueKW, 1);
  let widest: Claim | undefined;
  let widestKW = 0;
  for (const claim of claims) {
    const ownKW = roomKW(claim);
    powersKW[claim.slot] = (powersKW[claim.slot] as number) + share * ownKW;
    const widthKW = Math.abs(ownKW);
    if (widthKW > widestKW || (widthKW === widestKW && widthKW > 0 && claim.era < (widest?.era ?? ""))) {
      widestKW = widthKW;
      widest = claim;
    }
  }
  if (widest === undefined || share === 1) return;
  const { slot } = widest;
  if (kind === "UNDER") giveRest(open, slot, columns.lastKW(slot), Math.min(0, widest.ceilingKW));
  else giveRest(open, slot, Math.max(0, widest.floorKW), columns.firstKW(slot));
}
