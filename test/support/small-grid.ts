import type { ClearingRules } from "../../src/clearing/clearing-types.ts";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import type { ClearedNode, GridClearingResult, GridNode, GridParticipant } from "../../src/clearing/grid-types.ts";
import type { BidCurve } from "../../src/model/bid-curve.ts";

/** A linear curve from pairs of price and power. */
export function curve(...pairs: readonly (readonly [pricePerKWh: number, powerKW: number])[]): BidCurve {
  const points = pairs.map(([pricePerKWh, powerKW]) => ({ pricePerKWh, powerKW }));
  return { shape: "LINEAR", currency: "INR", points };
}

/** Sells and buys up to 1000 kW at one price: the market that a small grid hangs on. */
export function marketAt(pricePerKWh: number): BidCurve {
  return curve([pricePerKWh, -1000], [pricePerKWh, 1000]);
}

/** What hangs on the root and on the transformer, by name. */
interface Hanging {
  readonly above?: Readonly<Record<string, BidCurve | Partial<GridParticipant>>>;
  readonly below?: Readonly<Record<string, BidCurve | Partial<GridParticipant>>>;
}

/** Clears a root called `grid` with one `transformer` below it. */
export function clearTwoNodes(
  transformer: Partial<GridNode>,
  { above = {}, below = {} }: Hanging,
  rules: Partial<ClearingRules> = {},
): GridClearingResult {
  const hang = (hanging: NonNullable<Hanging["above"]>, node: string): GridParticipant[] =>
    Object.entries(hanging).map(([era, bid]) => ({
      era,
      node,
      ...("points" in bid ? { curve: bid } : { curve: curve([0, 0]), ...bid }),
    }));
  const nodes: GridNode[] = [{ era: "grid" }, { era: "transformer", parent: "grid", ...transformer }];
  const participants = [...hang(above, "grid"), ...hang(below, "transformer")];
  return clearGrid(nodes, participants, { currency: "INR", targetKW: 0, rationing: "PRO_RATA", ...rules });
}

export function nodeOf(result: GridClearingResult, era: string): ClearedNode {
  const found = result.nodes.find((node) => node.era === era);
  if (found === undefined) throw new Error(`no node ${era}`);
  return found;
}

export function powerOf(result: GridClearingResult, era: string): number {
  const found = result.setpoints.find((setpoint) => setpoint.era === era);
  if (found === undefined) throw new Error(`no participant ${era}`);
  return found.powerKW;
}
