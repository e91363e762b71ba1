import type { Reading } from "../../../src/model/reading.ts";
import { type AcConnection, kWFromAmps } from "../../../src/model/units.ts";
import { powerFromImportKW } from "../control/import-limit.ts";
import type { Sample } from "../messages/events.ts";

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

/** What a set of samples says, in the units of the core; nothing where it says nothing. */
export function measuredFrom(samples: readonly Sample[], connection: AcConnection): Measured | undefined {
  const voltageV = voltageFrom(samples);
  const currentA = currentFrom(samples);
  const measured = definedOnly({
    powerKW: powerFrom(samples, connection),
    importKWh: quantity(samples, "Energy.Active.Import.Register", ENERGY_UNITS),
    exportKWh: quantity(samples, "Energy.Active.Export.Register", ENERGY_UNITS),
    voltageV,
    currentA,
    socPercent: only(samples, "SoC", { Percent: 1, "%": 1 }),
    offeredKW: offeredFrom(samples, connection),
    frequencyHz: only(samples, "Frequency", { Hertz: 1, Hz: 1 }),
    temperatureC: temperatureFrom(samples),
  });
  return Object.keys(measured).length > 0 ? measured : undefined;
}

type Units = Readonly<Record<string, number>>;

const POWER_UNITS: Units = { W: 0.001, kW: 1 };
const ENERGY_UNITS: Units = { Wh: 0.001, kWh: 1 };
const CURRENT_UNITS: Units = { A: 1, mA: 0.001 };
const VOLTAGE_UNITS: Units = { V: 1 };

function powerFrom(samples: readonly Sample[], connection: AcConnection): number | undefined {
  const importKW = quantity(samples, "Power.Active.Import", POWER_UNITS);
  const exportKW = quantity(samples, "Power.Active.Export", POWER_UNITS);
  if (importKW !== undefined || exportKW !== undefined) return powerFromImportKW((importKW ?? 0) - (exportKW ?? 0));
  return computedPower(samples, connection);
}

/**
 * Many small chargers send current and voltage and no power. Their product is apparent power, which for a charging car
 * (power factor above 0.98) is near enough; it is taken only where both were measured in the same set.
 */
function computedPower(samples: readonly Sample[], connection: AcConnection): number | undefined {
  const meanV = voltageFrom(samples);
  const amps = linesOf(samples, "Current.Import", CURRENT_UNITS);
  const volts = linesOf(
    samples.filter((sample) => sample.lineToLine === undefined),
    "Voltage",
    VOLTAGE_UNITS,
  );
  if (meanV === undefined) return undefined;
  // A current without a line may be a sum or a mean, so it counts only where there is but one line.
  if (amps.size === 0) {
    const totalA = connection.phases === 1 ? only(samples, "Current.Import", CURRENT_UNITS) : undefined;
    return totalA === undefined ? undefined : powerFromImportKW((totalA * meanV) / 1000);
  }
  let importKW = 0;
  for (const [line, lineA] of amps) importKW += (lineA * (volts.get(line) ?? meanV)) / 1000;
  return powerFromImportKW(importKW);
}

function offeredFrom(samples: readonly Sample[], connection: AcConnection): number | undefined {
  const offeredKW = quantity(samples, "Power.Offered", POWER_UNITS);
  if (offeredKW !== undefined) return powerFromImportKW(offeredKW);
  // `Current.Offered` is per phase, whether or not it names a line.
  const offeredA =
    only(samples, "Current.Offered", CURRENT_UNITS) ??
    mean([...linesOf(samples, "Current.Offered", CURRENT_UNITS).values()]);
  return offeredA === undefined ? undefined : powerFromImportKW(kWFromAmps(offeredA, connection));
}

function voltageFrom(samples: readonly Sample[]): number | undefined {
  const toNeutral = samples.filter((sample) => sample.lineToLine === undefined);
  const neutralV =
    mean([...linesOf(toNeutral, "Voltage", VOLTAGE_UNITS).values()]) ?? only(toNeutral, "Voltage", VOLTAGE_UNITS);
  if (neutralV !== undefined) return neutralV;
  const betweenV = mean([...linesOf(samples, "Voltage", VOLTAGE_UNITS).values()]);
  return betweenV === undefined ? undefined : betweenV / Math.sqrt(3);
}

/** Magnitude on each line, in the order of the lines, without gaps. */
function currentFrom(samples: readonly Sample[]): readonly number[] | undefined {
  const importA = linesOf(samples, "Current.Import", CURRENT_UNITS);
  const lines = importA.size > 0 ? importA : linesOf(samples, "Current.Export", CURRENT_UNITS);
  if (lines.size === 0) return undefined;
  return [...lines].sort(([a], [b]) => a - b).map(([, lineA]) => Math.abs(lineA));
}

function temperatureFrom(samples: readonly Sample[]): number | undefined {
  // `Celcius` is how the standard of 1.6 first spelt it.
  const celsius = only(samples, "Temperature", { Celsius: 1, Celcius: 1 });
  if (celsius !== undefined) return celsius;
  const kelvin = only(samples, "Temperature", { K: 1 });
  if (kelvin !== undefined) return kelvin - 273.15;
  const fahrenheit = only(samples, "Temperature", { Fahrenheit: 1 });
  return fahrenheit === undefined ? undefined : ((fahrenheit - 32) * 5) / 9;
}

/** The total of a measurand, or the sum of its lines where there is no total. */
function quantity(samples: readonly Sample[], measurand: string, units: Units): number | undefined {
  const total = only(samples, measurand, units);
  if (total !== undefined) return total;
  const lines = linesOf(samples, measurand, units);
  return lines.size === 0 ? undefined : [...lines.values()].reduce((sum, value) => sum + value, 0);
}

/** The value without a line. */
function only(samples: readonly Sample[], measurand: string, units: Units): number | undefined {
  return scaled(samples, measurand, units).find(({ sample }) => sample.line === undefined)?.value;
}

function linesOf(samples: readonly Sample[], measurand: string, units: Units): ReadonlyMap<1 | 2 | 3, number> {
  const lines = new Map<1 | 2 | 3, number>();
  for (const { sample, value } of scaled(samples, measurand, units)) {
    if (sample.line !== undefined && !lines.has(sample.line)) lines.set(sample.line, value);
  }
  return lines;
}

const NONE: readonly { sample: Sample; value: number }[] = [];

/** Values of a measurand in a known unit; those at the outlet where there are any, since that is what the car takes. */
function scaled(
  samples: readonly Sample[],
  measurand: string,
  units: Units,
): readonly { sample: Sample; value: number }[] {
  // A plain loop: this runs twenty times for each message, and mostly finds nothing.
  let values: { sample: Sample; value: number }[] | undefined;
  for (const sample of samples) {
    const factor = sample.measurand === measurand ? units[sample.unit] : undefined;
    if (typeof factor !== "number") continue;
    values ??= [];
    values.push({ sample, value: sample.value * factor });
  }
  if (values === undefined) return NONE;
  const atOutlet = values.filter(({ sample }) => sample.location === undefined);
  return atOutlet.length > 0 ? atOutlet : values;
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Without the keys that hold nothing: absent is not `undefined` either. */
function definedOnly(values: { [Key in keyof Measured]: Measured[Key] | undefined }): Measured {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Measured;
}
