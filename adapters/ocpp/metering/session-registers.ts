import type { Sample, SampleSet } from "../messages/events.ts";
import { registerKWh } from "./reading-from-samples.ts";

/** The register at the beginning of a session, where a sample of any of its messages says that it was taken then, kWh. */
export function registerAtBeginKWh(sets: readonly SampleSet[]): number | undefined {
  return firstOf(sets, ({ context }) => context === "Transaction.Begin");
}

/** The register at the end, from the message that tells it: the sample that says so, else the last one, kWh. */
export function registerAtEndKWh(sets: readonly SampleSet[]): number | undefined {
  const latestFirst = [...sets].reverse();
  return (
    firstOf(latestFirst, ({ context }) => context === "Transaction.End") ??
    firstOf(latestFirst, ({ context }) => context !== "Transaction.Begin")
  );
}

/** The first register that is told, kWh. */
export function firstRegisterKWh(sets: readonly SampleSet[]): number | undefined {
  return firstOf(sets, () => true);
}

function firstOf(sets: readonly SampleSet[], isMeant: (sample: Sample) => boolean): number | undefined {
  for (const { samples } of sets) {
    const energyKWh = registerKWh(samples.filter(isMeant));
    if (energyKWh !== undefined) return energyKWh;
  }
  return undefined;
}
