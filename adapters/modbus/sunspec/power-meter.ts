import { type Measured, measuredOf } from "./measured-values.ts";
import { findModels, type ModelChain, type ModelEntry } from "./model-chain.ts";
import { modelReader } from "./model-reader.ts";
import { partOf } from "./model-table.ts";
import { meterFloat } from "./models/meter-float.ts";
import { meterInteger } from "./models/meter-integer.ts";
import type { Registers } from "./registers.ts";

const NAMES = [
  "AphA",
  "AphB",
  "AphC",
  "PhV",
  "PhVphA",
  "PhVphB",
  "PhVphC",
  "Hz",
  "W",
  "VAR",
  "TotWhExp",
  "TotWhImp",
] as const;
const integer = partOf(meterInteger, NAMES);
const float = partOf(meterFloat, NAMES);

/** What is read of a meter of models 201 to 204 at every reading. */
export const METER_READING = [integer];

/** Which of a device's meters, and what it calls positive: makers differ, and the definition does not say. */
export interface MeterChoice {
  /** From 1, in the order of the map. */
  readonly number: number;
  readonly positiveIs: "import" | "export";
}

/** True if the chain has a meter of this number. */
export function hasMeter(chain: ModelChain, meter: MeterChoice): boolean {
  return metersOf(chain).length >= meter.number;
}

/** What a meter of models 201-204 or 211-214 shows, power turned to export positive. */
export async function readMeter(
  registers: Registers,
  chain: ModelChain,
  meter: MeterChoice,
  signal: AbortSignal,
  onUnreadable: (entry: ModelEntry) => void,
): Promise<Measured> {
  const entry = metersOf(chain)[meter.number - 1];
  if (entry === undefined) return {};
  const read = modelReader(registers, { ...chain, models: [entry] }, signal, onUnreadable);
  const block = (await read(integer)) ?? (await read(float));
  if (block === undefined) return {};
  const value = (name: (typeof NAMES)[number]) => block.number(name);
  // 0 - x rather than -x, so that nothing measured stays 0 and does not become -0.
  const outwards = (measured: number | undefined) =>
    measured === undefined || meter.positiveIs === "export" ? measured : 0 - measured;
  return measuredOf({
    powerW: outwards(value("W")),
    reactiveVar: outwards(value("VAR")),
    exportWh: countedWh(value("TotWhExp")),
    importWh: countedWh(value("TotWhImp")),
    voltagesV: [value("PhV")],
    fallbackV: [value("PhVphA"), value("PhVphB"), value("PhVphC")],
    currentsA: [value("AphA"), value("AphB"), value("AphC")],
    frequencyHz: value("Hz"),
    temperatureC: undefined,
  });
}

function metersOf(chain: ModelChain) {
  return findModels(chain, [...integer.ids, ...float.ids]);
}

/** A register of 0 means "not implemented" in acc32; a float has no such rule, and tells nothing either. */
function countedWh(energyWh: number | undefined): number | undefined {
  return energyWh === 0 ? undefined : energyWh;
}
