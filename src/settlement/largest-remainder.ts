/**
 * Splits a total in proportion to weights so that the shares add up to it exactly: everyone gets the whole part of the
 * quota, and the units that are left go to the largest remainders, the earlier in the list first where two are equal. A
 * negative total is split as its opposite is. A weight of zero never gets a unit.
 * @param total minor units
 * @param weights each ≥ 0
 * @returns one share a weight, each less than one unit from its quota
 * @throws RangeError if a weight is negative, or none is above zero
 */
export function splitByLargestRemainder(total: bigint, weights: readonly bigint[]): bigint[] {
  const negative = weights.findIndex((weight) => weight < 0n);
  if (negative >= 0) throw new RangeError(`weights[${negative}] is negative: ${weights[negative]}`);
  const sum = weights.reduce((before, weight) => before + weight, 0n);
  if (sum === 0n) throw new RangeError("nothing can be split: no weight is above zero");
  const magnitude = total < 0n ? -total : total;
  const parts = weights.map((weight, index) => ({
    index,
    share: (magnitude * weight) / sum,
    remainder: (magnitude * weight) % sum,
  }));
  const left = magnitude - parts.reduce((before, part) => before + part.share, 0n);
  // Fewer units are left than there are remainders above zero, so no weight of zero is reached.
  const receivers = [...parts].sort((a, b) =>
    a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1,
  );
  const bonus = new Set(receivers.slice(0, Number(left)).map((part) => part.index));
  return parts.map(({ index, share }) => {
    const magnitudeShare = bonus.has(index) ? share + 1n : share;
    return total < 0n ? -magnitudeShare : magnitudeShare;
  });
}
