import { definedOnly } from "../../../src/model/defined-only.ts";
import type { Reading } from "../../../src/model/reading.ts";
import { type AcConnection, kWFromAmps } from "../../../src/model/units.ts";
import { powerFromImportKW } from "../control/import-limit.ts";
import type { Sample } from "../messages/events.ts";
import type { Measurand } from "./measurands.ts";

type Measured = Pick<
  Reading,
  | "powerKW"
  | "importKWh"
  | "exportKWh"
  | "voltageV"
  | "currentA"
  | "socPercent"
  | "offeredKW"
  | "frequencyHz"
  | "temperatureC"
>;

/**
 * What a set of samples says, in the units of the core; nothing where it says nothing.
 *
 * A total counts where there is one, also where the lines beside it do not add up to it: it is what the meter itself
 * states, and there are chargers whose lines are rounded, late or made up. Without it the lines are summed.
 */
export function measuredFrom(samples: readonly Sample[], connection: AcConnection): Measured | undefined {
  const powerKW = powerFrom(samples, connection);
  const measured = definedOnly({
    powerKW,
    importKWh: register(samples, "Energy.Active.Import.Register"),
    exportKWh: register(samples, "Energy.Active.Export.Register"),
    voltageV: voltageFrom(samples),
    currentA: currentFrom(samples),
    socPercent: socFrom(samples),
    offeredKW: offeredFrom(samples, connection, powerKW),
    frequencyHz: only(samples, "Frequency"),
    temperatureC: only(samples, "Temperature"),
  });
  return Object.keys(measured).length > 0 ? measured : undefined;
}

/** Power as it was measured; a setpoint or a residual is none. */
function powerFrom(samples: readonly Sample[], connection: AcConnection): number | undefined {
  const importKW = quantity(samples, "Power.Active.Import");
  const exportKW = quantity(samples, "Power.Active.Export");
  if (importKW !== undefined || exportKW !== undefined) return powerFromImportKW((importKW ?? 0) - (exportKW ?? 0));
  return computedPower(samples, connection);
}

/**
 * Many small chargers send current and voltage and no power. Their product is apparent power, which for a charging car
 * (power factor above 0.98) is near enough; it is taken only where both were measured in the same set.
 */
function computedPower(samples: readonly Sample[], connection: AcConnection): number | undefined {
  const meanV = voltageFrom(samples);
  if (meanV === undefined) return undefined;
  const volts = linesOf(toNeutral(samples), "Voltage");
  const importKW = productKW(samples, "Current.Import", volts, meanV, connection);
  const exportKW = productKW(samples, "Current.Export", volts, meanV, connection);
  if (importKW === undefined && exportKW === undefined) return undefined;
  return powerFromImportKW((importKW ?? 0) - (exportKW ?? 0));
}

function productKW(
  samples: readonly Sample[],
  measurand: Measurand,
  volts: ReadonlyMap<number, number>,
  meanV: number,
  { phases }: AcConnection,
): number | undefined {
  const amps = linesOf(samples, measurand);
  // A current without a line may be a sum or a mean, so it counts only where there is but one line.
  if (amps.size === 0) {
    const totalA = phases === 1 ? only(samples, measurand) : undefined;
    return totalA === undefined ? undefined : (totalA * meanV) / 1000;
  }
  return [...amps].reduce((sum, [line, lineA]) => sum + (lineA * (volts.get(line) ?? meanV)) / 1000, 0);
}

/**
 * What the charger says it offers. 2.1 says it for each direction, so the one in which power flows counts; while none
 * flows it is charging.
 */
function offeredFrom(
  samples: readonly Sample[],
  connection: AcConnection,
  powerKW: number | undefined,
): number | undefined {
  const intoCarKW =
    quantity(samples, "Power.Import.Offered") ??
    quantity(samples, "Power.Offered") ??
    offeredByAmps(samples, "Current.Import.Offered", connection) ??
    offeredByAmps(samples, "Current.Offered", connection);
  const outOfCarKW =
    quantity(samples, "Power.Export.Offered") ?? offeredByAmps(samples, "Current.Export.Offered", connection);
  const isOut = outOfCarKW !== undefined && (intoCarKW === undefined || (powerKW ?? 0) > 0);
  if (isOut) return Math.abs(outOfCarKW);
  return intoCarKW === undefined ? undefined : powerFromImportKW(intoCarKW);
}

/** An offered current is per phase, whether or not it names a line. */
function offeredByAmps(samples: readonly Sample[], measurand: Measurand, connection: AcConnection): number | undefined {
  const offeredA = only(samples, measurand) ?? mean([...linesOf(samples, measurand).values()]);
  return offeredA === undefined ? undefined : kWFromAmps(offeredA, connection);
}

function voltageFrom(samples: readonly Sample[]): number | undefined {
  const neutral = toNeutral(samples);
  const neutralV = mean([...linesOf(neutral, "Voltage").values()]) ?? only(neutral, "Voltage");
  if (neutralV !== undefined) return neutralV;
  const betweenV = mean([...linesOf(samples, "Voltage").values()]);
  return betweenV === undefined ? undefined : betweenV / Math.sqrt(3);
}

function toNeutral(samples: readonly Sample[]): readonly Sample[] {
  return samples.filter((sample) => sample.lineToLine === undefined);
}

/** Magnitude on each line, in the order of the lines, without gaps. */
function currentFrom(samples: readonly Sample[]): readonly number[] | undefined {
  const importA = linesOf(samples, "Current.Import");
  const lines = importA.size > 0 ? importA : linesOf(samples, "Current.Export");
  if (lines.size === 0) return undefined;
  return [...lines].sort(([a], [b]) => a - b).map(([, lineA]) => Math.abs(lineA));
}

/** What the car shows its driver (2.1) stands in for the state of charge of the battery, where only that is told. */
function socFrom(samples: readonly Sample[]): number | undefined {
  const soc = only(samples, "SoC") ?? only(samples, "Display.PresentSOC");
  return soc !== undefined && soc >= 0 && soc <= 100 ? soc : undefined;
}

/** Register of energy taken in, kWh. */
export function registerKWh(samples: readonly Sample[]): number | undefined {
  return register(samples, "Energy.Active.Import.Register");
}

/** Energy since some start. What flowed in an interval is no register, and neither is what is below zero. */
function register(samples: readonly Sample[], measurand: Measurand): number | undefined {
  const energyKWh = quantity(samples, measurand);
  return energyKWh !== undefined && energyKWh >= 0 ? energyKWh : undefined;
}

/** The total of a measurand, or the sum of its lines where there is no total. */
function quantity(samples: readonly Sample[], measurand: Measurand): number | undefined {
  const total = only(samples, measurand);
  if (total !== undefined) return total;
  const lines = linesOf(samples, measurand);
  return lines.size === 0 ? undefined : [...lines.values()].reduce((sum, value) => sum + value, 0);
}

/** The value without a line. */
function only(samples: readonly Sample[], measurand: Measurand): number | undefined {
  return meant(samples, measurand).find((sample) => sample.line === undefined)?.value;
}

function linesOf(samples: readonly Sample[], measurand: Measurand): ReadonlyMap<1 | 2 | 3, number> {
  const lines = new Map<1 | 2 | 3, number>();
  for (const { line, value } of meant(samples, measurand)) {
    if (line !== undefined && !lines.has(line)) lines.set(line, value);
  }
  return lines;
}

/** Nearest to the car first. The inlet is the whole station's; a body is warm and carries no power. */
const PLACES: readonly (string | undefined)[] = [undefined, "Cable", "EV", "Inlet"];

/** Measurands that have their own place, so that any will do. */
const ANYWHERE: ReadonlySet<Measurand> = new Set(["SoC", "Display.PresentSOC", "Temperature"]);

const NONE: readonly Sample[] = [];

/**
 * The samples of a measurand that say what it is now at the car: from one place, and of values that begin and end
 * something in the same set not the one from its beginning.
 */
function meant(samples: readonly Sample[], measurand: Measurand): readonly Sample[] {
  // Asked twenty times for each message, and mostly there is none: nothing is made for that.
  if (!samples.some((sample) => sample.measurand === measurand)) return NONE;
  const all = samples.filter((sample) => sample.measurand === measurand);
  const later = all.filter((sample) => !isBeginning(sample));
  const timely = later.length > 0 ? later : all;
  for (const place of PLACES) {
    const here = timely.filter((sample) => sample.location === place);
    if (here.length > 0) return here;
  }
  return ANYWHERE.has(measurand) ? timely : [];
}

function isBeginning({ context }: Sample): boolean {
  return context === "Transaction.Begin" || context === "Interruption.Begin";
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
