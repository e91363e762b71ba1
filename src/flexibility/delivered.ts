/** One meter in the intervals of an event. Mean powers in kW, export positive. */
export interface MeterPerformance {
  readonly meterId: string;
  readonly baselineKW: readonly number[];
  /** Absent where the meter has a gap: then nothing is delivered there, and it is told. */
  readonly usageKW: readonly (number | undefined)[];
}

export interface DeliveryRules {
  /**
   * True: a meter that used more than its baseline counts as nothing and takes nothing from the others. False: its signed
   * difference counts, as where one party answers for the sum.
   */
  readonly clampAtZero: boolean;
}

/** What was reduced against the baselines. */
export interface DeliveredReduction {
  /** Sum over the meters for each interval, kW. */
  readonly deliveredKW: readonly number[];
  /** Meter and interval where usage was not metered. */
  readonly gaps: readonly { readonly meterId: string; readonly interval: number }[];
}

/**
 * Delivered reduction: what the meters would have consumed less what they did, `usage − baseline` in our sign (consumption
 * is negative, so less of it is more).
 * @throws RangeError naming a meter whose lists differ in length
 */
export function deliveredReduction(
  meters: readonly MeterPerformance[],
  intervals: number,
  rules: DeliveryRules,
): DeliveredReduction {
  const deliveredKW = Array.from({ length: intervals }, () => 0);
  const gaps: { meterId: string; interval: number }[] = [];
  for (const { meterId, baselineKW, usageKW } of meters) {
    if (baselineKW.length !== intervals || usageKW.length !== intervals) {
      throw new RangeError(`${meterId}: expected ${intervals} intervals of baseline and of usage`);
    }
    for (const [interval, baseline] of baselineKW.entries()) {
      const usage = usageKW[interval];
      if (usage === undefined) {
        gaps.push({ meterId, interval });
        continue;
      }
      const reductionKW = usage - baseline;
      deliveredKW[interval] =
        (deliveredKW[interval] ?? 0) + (rules.clampAtZero ? Math.max(0, reductionKW) : reductionKW);
    }
  }
  return { deliveredKW, gaps };
}

/** Delivered of committed, percent; nothing where nothing was committed. */
export function deliveredPercent(deliveredKW: number, committedKW: number): number | undefined {
  return committedKW > 0 ? (100 * deliveredKW) / committedKW : undefined;
}
