import type { ClearingRules } from "../../src/clearing/clearing-types.ts";
import type { GridNode, GridParticipant } from "../../src/clearing/grid-types.ts";
import type { BidCurve } from "../../src/model/bid-curve.ts";

/** A grid with its bids. */
export interface GridCase {
  readonly nodes: readonly GridNode[];
  readonly participants: readonly GridParticipant[];
  readonly rules: ClearingRules;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A tree of three levels with mixed bids, tight limits in both directions, and here and there an adder, load that takes no
 * part, an offset and an exchange with the outside. Bids share a few prices, so that jumps and plateaus meet.
 */
export function randomGrid(seed: number, { adders = true, offsets = false } = {}): GridCase {
  const random = chance(seed);
  const between = (low: number, high: number) => low + random() * (high - low);
  const rarely = (share: number) => random() < share;
  const nodes: GridNode[] = [];
  const participants: GridParticipant[] = [];

  const price = () => (rarely(0.3) ? Math.round(between(2, 20)) / 100 : between(0.01, 0.3));
  const bid = (): BidCurve => {
    const count = 2 + Math.floor(random() * 3);
    const prices = Array.from({ length: count }, price).sort((a, b) => a - b);
    const [low, high] = [
      [-10, 0],
      [0, 10],
      [-6, 6],
    ][Math.floor(random() * 3)] as [number, number];
    const powers = Array.from({ length: count }, () => (rarely(0.2) ? 0 : between(low, high))).sort((a, b) => a - b);
    // Most can stop trading at some price; what can't has to be cut where a limit is in the way.
    if (rarely(0.85)) powers[high === 0 ? count - 1 : 0] = high === 0 || low === 0 ? 0 : (powers[0] as number);
    const points = prices.map((pricePerKWh, index) => ({ pricePerKWh, powerKW: powers[index] as number }));
    return { shape: rarely(0.5) ? "STEP" : "LINEAR", currency: "INR", points };
  };
  const hasOutside = rarely(0.6);
  const node = (parent?: GridNode): GridNode => {
    const made: GridNode = {
      era: `node-${nodes.length}`,
      ...(parent === undefined ? {} : { parent: parent.era }),
      ...(parent !== undefined && rarely(0.7) ? { maxForwardFlowKW: between(1, 8) } : {}),
      ...(parent !== undefined && rarely(0.7) ? { maxReverseFlowKW: between(1, 8) } : {}),
      ...(hasOutside && rarely(0.3) ? { uncontrolledKW: between(-3, 1) } : {}),
      ...(offsets && rarely(0.3) ? { offsetKW: between(-4, 4) } : {}),
      ...(adders && rarely(0.4)
        ? { adder: { priceAdderPerPercent: between(0, 0.002), congestionMultiplier: between(0, 2), ratingKW: 10 } }
        : {}),
    };
    nodes.push(made);
    const bids = Math.floor(random() * 4);
    for (let index = 0; index < bids; index++) {
      participants.push({ era: `bid-${participants.length}`, node: made.era, curve: bid() });
    }
    return made;
  };
  const root = node();
  for (let feeders = 1 + Math.floor(random() * 3); feeders > 0; feeders--) {
    const feeder = node(root);
    for (let transformers = 1 + Math.floor(random() * 3); transformers > 0; transformers--) node(feeder);
  }
  const outside: BidCurve = {
    shape: "LINEAR",
    currency: "INR",
    points: [
      { pricePerKWh: between(0.02, 0.1), powerKW: -20 },
      { pricePerKWh: between(0.12, 0.25), powerKW: 20 },
    ],
  };
  return {
    nodes,
    participants,
    rules: { currency: "INR", targetKW: 0, rationing: "PRO_RATA", ...(hasOutside ? { external: outside } : {}) },
  };
}
