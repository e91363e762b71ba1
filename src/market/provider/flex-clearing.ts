/** One step of an offer: at this price this capacity. */
export interface FlexPoint {
  /** Currency per kWh. */
  readonly pricePerKWh: number;
  /** Magnitude of the flexibility against the baseline, kW, ≥ 0; its direction is the need's. */
  readonly capacityKW: number;
}

/** What is offered for one interval of a need. */
export interface FlexOffer {
  /** Where the interval stands in the contract. */
  readonly commitment: number;
  readonly row: number;
  /** Number of the interval in the need. */
  readonly interval: number;
  /** Prices rising, capacities all rising or all falling. */
  readonly points: readonly FlexPoint[];
}

/** Whether capacity rises or falls as the price rises; published samples fall, a supply curve rises. */
export type FlexSlope = "rising" | "falling";

/** What was cleared for one interval. */
export interface FlexResult {
  /** One price for all (pay as clear); absent where nobody offers. */
  readonly pricePerKWh?: number;
  /** In the order of the offers, kW, each between 0 and what is offered at the price. */
  readonly clearedKW: readonly number[];
  /** What of the need nobody offers at any price, kW, ≥ 0. */
  readonly unmetKW: number;
}

/** The slope of an offer; nothing for one that is level (it fits both), `mixed` for one that is neither. */
export function slopeOf(points: readonly FlexPoint[]): FlexSlope | "mixed" | undefined {
  let slope: FlexSlope | undefined;
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined || point.capacityKW === before.capacityKW) continue;
    const step = point.capacityKW > before.capacityKW ? "rising" : "falling";
    if (slope !== undefined && slope !== step) return "mixed";
    slope = step;
  }
  return slope;
}

/**
 * Clears one interval pay-as-clear over step curves. Rising: the lowest listed price at which enough is offered.
 * Falling: the highest at which still enough is. Where no price brings enough, the one that brings most. What is offered
 * at that price beyond the need is cut in proportion, so that all that is cleared adds up to the need.
 * @param needKW ≥ 0
 */
export function clearFlex(offers: readonly (readonly FlexPoint[])[], needKW: number, slope: FlexSlope): FlexResult {
  const prices = [...new Set(offers.flatMap((points) => points.map(({ pricePerKWh }) => pricePerKWh)))];
  // From the buyer's preferred end: with rising offers from the cheapest, with falling ones from the dearest.
  prices.sort((a, b) => (slope === "rising" ? a - b : b - a));
  const last = prices.at(-1);
  if (last === undefined || needKW === 0) return { clearedKW: offers.map(() => 0), unmetKW: needKW };
  const price = prices.find((one) => sum(offers.map((points) => capacityAt(points, one, slope))) >= needKW) ?? last;
  const offered = offers.map((points) => capacityAt(points, price, slope));
  const total = sum(offered);
  if (total <= needKW) return { pricePerKWh: price, clearedKW: offered, unmetKW: needKW - total };
  return { pricePerKWh: price, clearedKW: shares(offered, total, needKW), unmetKW: 0 };
}

/** What an offer says at a price. Rising: its last step at or below. Falling: its next step at or above. */
function capacityAt(points: readonly FlexPoint[], price: number, slope: FlexSlope): number {
  const step =
    slope === "rising"
      ? points.findLast(({ pricePerKWh }) => pricePerKWh <= price)
      : points.find(({ pricePerKWh }) => pricePerKWh >= price);
  // Nothing is offered below the cheapest step of a rising offer, nor above the dearest of a falling one.
  return step?.capacityKW ?? 0;
}

/** Shares in proportion; the last one that has any takes what rounding left. */
function shares(offered: readonly number[], total: number, needKW: number): number[] {
  const cleared = offered.map((kW) => (kW / total) * needKW);
  const at = offered.findLastIndex((kW) => kW > 0);
  const others = sum(cleared.filter((_, index) => index !== at));
  return cleared.map((kW, index) => (index === at ? Math.max(0, needKW - others) : kW));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
