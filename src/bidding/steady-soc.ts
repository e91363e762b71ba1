/** A change of charge that is worth a new curve, percent of the whole. */
export const SOC_STEP_PERCENT = 1;

/**
 * The state of charge that a curve is made from. It stays the same while the measured one moves by less than half a step,
 * so that a last digit that flickers sends no messages. Half a step below the measured one: energy that may be gone by now
 * is never offered.
 *
 * @param usedPercent what the last curve was made from, or nothing for the first
 */
export function steadySoc(usedPercent: number | undefined, measuredPercent: number): number {
  if (usedPercent !== undefined && usedPercent <= measuredPercent && measuredPercent < usedPercent + SOC_STEP_PERCENT) {
    return usedPercent;
  }
  return Math.max(0, measuredPercent - SOC_STEP_PERCENT / 2);
}
