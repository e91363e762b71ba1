/**
 * The value that `percent` of all samples do not exceed (nearest rank).
 * @throws RangeError without samples
 */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1];
  if (value === undefined) throw new RangeError("there are no samples");
  return value;
}
