/** What one power would have written, had a profile been used on the device of a dump. */
export interface TriedPower<Write> {
  readonly powerKW: number;
  readonly appliedKW?: number;
  readonly command?: string;
  readonly writes: readonly Write[];
  /** What would have been written on release. */
  readonly release?: readonly Write[];
  /** Why it would have been refused. */
  readonly fault?: string;
}

/** Lines for a person, with an empty one before. */
export function powerLines<Write>(
  { powerKW, appliedKW, command, writes, release, fault }: TriedPower<Write>,
  writeLine: (write: Write) => string,
): readonly string[] {
  return [
    "",
    fault === undefined
      ? `setpoint ${powerKW} kW: applied ${appliedKW} kW, ${command}`
      : `setpoint ${powerKW} kW: REFUSED: ${fault}`,
    ...writes.map(writeLine),
    ...(release === undefined ? [] : ["  release", ...release.map(writeLine)]),
  ];
}

/** Half of each way that the device can go, and nothing. */
export function samplePowers(band: { minPowerKW: number; maxPowerKW: number } | undefined): readonly number[] {
  if (band === undefined) return [];
  const ways = [band.minPowerKW / 2, 0, band.maxPowerKW / 2].map((kW) => Number(kW.toFixed(3)) + 0);
  return [...new Set(ways)];
}
