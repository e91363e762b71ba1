/** What the schema says where a resource has no pollRate, seconds. */
const DEFAULT_S = 900;
/** Longest time between two polls, seconds: a server that says more would not be heard from all day. */
const MOST_S = 7200;

export interface PollRates {
  /** From the config; it goes before what the server says. */
  readonly pollRateS?: number | undefined;
  readonly leastPollRateS: number;
}

/**
 * How long to wait until a resource is read again, ms. A rate of 0 or none means that the server has no wish.
 * @param inheritedS of the resource that led here, for one that has none of its own, as a DERControlList
 */
export function pollIntervalMs(rates: PollRates, saidS: number | undefined, inheritedS?: number): number {
  const wished = [rates.pollRateS, saidS, inheritedS].find((rate) => rate !== undefined && rate > 0) ?? DEFAULT_S;
  return Math.min(Math.max(wished, rates.leastPollRateS), MOST_S) * 1000;
}
