import type { Reading } from "../../../src/model/reading.ts";
import { type AcConnection, kWFromAmps } from "../../../src/model/units.ts";
import { powerFromImportKW } from "../control/import-limit.ts";
import type { Sample } from "../messages/events.ts";
import type { Measurand } from "./measurands.ts";

type Measured = Pick<
  Reading,
  | "powerKW"
  | "reactivePowerKvar"
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
  const measured: { -readonly [K in keyof Measured]: Measured[K] } = {};
  const powerKW = powerFrom(samples, connection);
  if (powerKW !== undefined) measured.powerKW = powerKW;
  const reactivePowerKvar = reactivePowerFrom(samples);
  if (reactivePowerKvar !== undefined) measured.reactivePowerKvar = reactivePowerKvar;
  const importKWh = register(samples, "Energy.Active.Import.Register");
  if (importKWh !== undefined) measured.importKWh = importKWh;
  const exportKWh = register(samples, "Energy.Active.Export.Register");
  if (exportKWh !== undefined) measured.exportKWh = exportKWh;
  const voltageV = voltageFrom(samples);
  if (voltageV !== undefined) measured.voltageV = voltageV;
  const currentA = currentFrom(samples);
  if (currentA !== undefined) measured.currentA = currentA;
  const socPercent = socFrom(samples);
  if (socPercent !== undefined) measured.socPercent = socPercent;
  const offeredKW = offeredFrom(samples, connection, powerKW);
  if (offeredKW !== undefined) measured.offeredKW = offeredKW;
  const frequencyHz = totalOf(meant(samples, "Frequency"));
  if (frequencyHz !== undefined) measured.frequencyHz = frequencyHz;
  const temperatureC = totalOf(meant(samples, "Temperature"));
  if (temperatureC !== undefined) measured.temperatureC = temperatureC;
  for (const _ in measured) return measured;
  return undefined;
}

/** Power as it was measured; a setpoint or a residual is none. */
function powerFrom(samples: readonly Sample[], connection: AcConnection): number | undefined {
  const importKW = quantity(samples, "Power.Active.Import");
  const exportKW = quantity(samples, "Power.Active.Export");
  if (importKW !== undefined || exportKW !== undefined) return powerFromImportKW((importKW ?? 0) - (exportKW ?? 0));
  return computedPower(samples, connection);
}

/** Its sign turns as that of the power beside it; current and voltage say nothing of it. */
function reactivePowerFrom(samples: readonly Sample[]): number | undefined {
  const importKvar = quantity(samples, "Power.Reactive.Import");
  const exportKvar = quantity(samples, "Power.Reactive.Export");
  if (importKvar === undefined && exportKvar === undefined) return undefined;
  return (exportKvar ?? 0) - (importKvar ?? 0);
}

/**
 * Many small chargers send current and voltage and no power. Their product is apparent power, which for a charging car
 * (power factor above 0.98) is near enough; it is taken only where both were measured in the same set.
 */
function computedPower(samples: readonly Sample[], connection: AcConnection): number | undefined {
  const meanV = voltageFrom(samples);
  if (meanV === undefined) return undefined;
  const volts = linesOf(toNeutral(samples, "Voltage"));
  const importKW = productKW(meant(samples, "Current.Import"), volts, meanV, connection);
  const exportKW = productKW(meant(samples, "Current.Export"), volts, meanV, connection);
  if (importKW === undefined && exportKW === undefined) return undefined;
  return powerFromImportKW((importKW ?? 0) - (exportKW ?? 0));
}

function productKW(
  currents: readonly Sample[],
  volts: Lines | undefined,
  meanV: number,
  { phases }: AcConnection,
): number | undefined {
  const amps = linesOf(currents);
  // A current without a line may be a sum or a mean, so it counts only where there is but one line.
  if (amps === undefined) {
    const totalA = phases === 1 ? totalOf(currents) : undefined;
    return totalA === undefined ? undefined : (totalA * meanV) / 1000;
  }
  return amps.reduce<number>((sum, lineA, at) => sum + ((lineA ?? 0) * (volts?.[at] ?? meanV)) / 1000, 0);
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
  const own = meant(samples, measurand);
  const offeredA = totalOf(own) ?? meanOf(linesOf(own));
  return offeredA === undefined ? undefined : kWFromAmps(offeredA, connection);
}

function voltageFrom(samples: readonly Sample[]): number | undefined {
  const neutral = toNeutral(samples, "Voltage");
  const neutralV = meanOf(linesOf(neutral)) ?? totalOf(neutral);
  if (neutralV !== undefined) return neutralV;
  const betweenV = meanOf(linesOf(meant(samples, "Voltage")));
  return betweenV === undefined ? undefined : betweenV / Math.sqrt(3);
}

/** Those of a measurand that are not between two lines. */
function toNeutral(samples: readonly Sample[], measurand: Measurand): readonly Sample[] {
  if (!samples.some((sample) => sample.lineToLine === true)) return meant(samples, measurand);
  return meant(
    samples.filter((sample) => sample.lineToLine === undefined),
    measurand,
  );
}

/** Magnitude on each line, in the order of the lines, without gaps. */
function currentFrom(samples: readonly Sample[]): readonly number[] | undefined {
  const lines = linesOf(meant(samples, "Current.Import")) ?? linesOf(meant(samples, "Current.Export"));
  if (lines === undefined) return undefined;
  const currentA: number[] = [];
  for (const lineA of lines) if (lineA !== undefined) currentA.push(Math.abs(lineA));
  return currentA;
}

/** What the car shows its driver (2.1) stands in for the state of charge of the battery, where only that is told. */
function socFrom(samples: readonly Sample[]): number | undefined {
  const soc = totalOf(meant(samples, "SoC")) ?? totalOf(meant(samples, "Display.PresentSOC"));
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
  const own = meant(samples, measurand);
  return totalOf(own) ?? linesOf(own)?.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** The first value without a line. */
function totalOf(own: readonly Sample[]): number | undefined {
  for (const { line, value } of own) if (line === undefined) return value;
  return undefined;
}

/** What was measured on lines 1, 2 and 3. */
type Lines = readonly [number | undefined, number | undefined, number | undefined];

/** The first value of each line; absent where none names a line. */
function linesOf(own: readonly Sample[]): Lines | undefined {
  let lines: [number | undefined, number | undefined, number | undefined] | undefined;
  for (const { line, value } of own) {
    if (line === undefined) continue;
    lines ??= [undefined, undefined, undefined];
    lines[line - 1] ??= value;
  }
  return lines;
}

function meanOf(lines: Lines | undefined): number | undefined {
  if (lines === undefined) return undefined;
  let sum = 0;
  let count = 0;
  for (const value of lines) {
    if (value === undefined) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
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
  let all: Sample[] | undefined;
  let isPlain = true;
  for (const sample of samples) {
    if (sample.measurand !== measurand) continue;
    all ??= [];
    all.push(sample);
    isPlain &&= sample.location === undefined && !isBeginning(sample);
  }
  if (all === undefined) return NONE;
  if (isPlain) return all;
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
