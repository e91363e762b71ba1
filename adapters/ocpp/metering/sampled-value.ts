import { type JsonRecord, numberAt, recordAt, recordsAt, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";
import type { Sample, SampleSet } from "../messages/events.ts";

/**
 * Reads the `meterValue` list of either version: text values with a `unit` beside them (1.6), or numbers with
 * `unitOfMeasure` and a power of ten (2.0.1). What cannot be read is left out; the rest stands.
 */
export function sampleSetsFrom(message: JsonRecord, key = "meterValue"): readonly SampleSet[] {
  return recordsAt(message, key).map((meterValue) => {
    const takenAtMs = parseTimestamp(textAt(meterValue, "timestamp"));
    const samples = recordsAt(meterValue, "sampledValue").flatMap((raw) => sampleFrom(raw) ?? []);
    return { samples, ...(takenAtMs === undefined ? {} : { takenAtMs }) };
  });
}

function sampleFrom(raw: JsonRecord): Sample | undefined {
  // Signed data are a blob for the calibration authority, not a number.
  if (textAt(raw, "format") === "SignedData") return undefined;
  const plain = numberAt(raw, "value");
  if (plain === undefined) return undefined;
  const measure = recordAt(raw, "unitOfMeasure");
  const value = plain * 10 ** ((measure && numberAt(measure, "multiplier")) ?? 0);
  if (!Number.isFinite(value)) return undefined;
  // Both versions: an absent measurand means the energy register.
  const measurand = textAt(raw, "measurand") ?? "Energy.Active.Import.Register";
  const unit = (measure ? textAt(measure, "unit") : textAt(raw, "unit")) ?? defaultUnit(measurand);
  const phase = textAt(raw, "phase");
  const line = phase === undefined ? undefined : lineOf(phase);
  // A value of the neutral says nothing of power.
  if (phase !== undefined && line === undefined) return undefined;
  const location = textAt(raw, "location");
  return {
    measurand,
    value,
    unit,
    ...(line === undefined ? {} : { line }),
    ...(phase !== undefined && /^L\d-L\d$/i.test(phase) ? { lineToLine: true as const } : {}),
    ...(location === undefined || location === "Outlet" ? {} : { location }),
  };
}

/** `L1`, `L1-N` and `L1-L2` all are line 1. */
function lineOf(phase: string): 1 | 2 | 3 | undefined {
  const digit = /^L([123])(?:-(?:N|L[123]))?$/i.exec(phase)?.[1];
  return digit === undefined ? undefined : (Number(digit) as 1 | 2 | 3);
}

/** Wh is the default of the standard; for a measurand that cannot be an energy it is the plain unit. */
function defaultUnit(measurand: string): string {
  if (measurand.startsWith("Power.")) return "W";
  if (measurand.startsWith("Current.")) return "A";
  if (measurand === "Voltage") return "V";
  if (measurand === "SoC") return "Percent";
  if (measurand === "Temperature") return "Celsius";
  if (measurand === "Frequency") return "Hertz";
  return "Wh";
}
