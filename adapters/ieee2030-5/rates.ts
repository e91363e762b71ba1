const LEAST_RATE_S = 5;
const MOST_RATE_S = 60;
/** Polls in one market interval, so that a setpoint that comes no earlier than at its start holds for most of it. */
const TIMES_IN_AN_INTERVAL = 5;

/**
 * How often devices are to poll, and to post what they measure, where the config does not say. What is ordered without a
 * subscription reaches a device within one poll rate, and is proven within one post rate. A long interval may bring a limit
 * or a release at any time, so that it is never slow.
 * @param marketIntervalMs length of a market interval; absent without a market
 * @returns seconds
 */
export function rateForInterval(marketIntervalMs: number | undefined): number {
  if (marketIntervalMs === undefined) return MOST_RATE_S;
  const rateS = Math.floor(marketIntervalMs / 1000 / TIMES_IN_AN_INTERVAL);
  return Math.min(Math.max(rateS, LEAST_RATE_S), MOST_RATE_S);
}
