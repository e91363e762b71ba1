import type { Reading } from "../../../src/model/reading.ts";
import type { Era } from "../../../src/model/resource.ts";
import { BadDocument, childOf, childrenOf, integerOf, type XmlElement } from "../xml/xml-element.ts";
import {
  energyRegister,
  exportKWFromMeter,
  inUnit,
  isPlain,
  type Phase,
  phaseOf,
  type ReadingType,
  UOM,
} from "./reading-type.ts";

/** One number of a meter with what it means. */
export interface MeterValue {
  readonly type: ReadingType;
  readonly value: number;
  /** End of the time that it was measured over, epoch ms; absent if the device did not say. */
  readonly atMs?: number;
}

/** Int48, the widest value that a Reading carries. */
const INT48 = 2 ** 47;
const MOST_S = 2 ** 42;

/**
 * The numbers of one MeterReading or MirrorMeterReading: directly in it, or in its reading sets.
 * @throws BadDocument on a value that is no number
 */
export function valuesOf(meterReading: XmlElement, type: ReadingType): MeterValue[] {
  const sets = [...childrenOf(meterReading, "MirrorReadingSet"), ...childrenOf(meterReading, "ReadingSet")];
  const values = childrenOf(meterReading, "Reading").map((reading) => meterValueOf(reading, type, endMs(meterReading)));
  for (const set of sets) {
    for (const reading of childrenOf(set, "Reading")) values.push(meterValueOf(reading, type, endMs(set)));
  }
  return values.filter((value) => value !== undefined);
}

/** One Reading; nothing if it carries no value. */
export function meterValueOf(reading: XmlElement, type: ReadingType, otherwiseMs?: number): MeterValue | undefined {
  const value = integerOf(reading, "value", -INT48, INT48 - 1);
  if (value === undefined) return undefined;
  const atMs = endMs(reading) ?? otherwiseMs;
  return { type, value, ...(atMs === undefined ? {} : { atMs }) };
}

function endMs(element: XmlElement): number | undefined {
  const period = childOf(element, "timePeriod");
  if (period === undefined) {
    const updatedS = integerOf(element, "lastUpdateTime", 0, MOST_S);
    return updatedS === undefined ? undefined : updatedS * 1000;
  }
  const startS = integerOf(period, "start", 0, MOST_S);
  const durationS = integerOf(period, "duration", 0, 2 ** 32 - 1);
  if (startS === undefined || durationS === undefined) throw new BadDocument("timePeriod needs duration and start");
  return (startS + durationS) * 1000;
}

export interface ReadingContext {
  readonly era: Era;
  readonly receivedAtMs: number;
  /** A value older than this was measured while nobody could take it. */
  readonly replayedAfterMs: number;
  /** How many separate phases the meter has told us to expect in power; their sum is only a total if all are there. */
  readonly powerPhases: number;
}

/** Readings of the core, one for each time, oldest first. Values of one time belong together. */
export function readingsFrom(values: readonly MeterValue[], context: ReadingContext): Reading[] {
  const byTime = new Map<number | undefined, MeterValue[]>();
  for (const value of values) {
    if (!isPlain(value.type)) continue;
    const together = byTime.get(value.atMs);
    if (together === undefined) byTime.set(value.atMs, [value]);
    else together.push(value);
  }
  const readings: Reading[] = [];
  for (const [atMs, together] of [...byTime].sort(
    ([a], [b]) => (a ?? context.receivedAtMs) - (b ?? context.receivedAtMs),
  )) {
    const measured = measuredFrom(together, context.powerPhases);
    if (Object.keys(measured).length === 0) continue;
    readings.push({
      era: context.era,
      receivedAtMs: context.receivedAtMs,
      ...(atMs === undefined ? {} : { deviceTimeMs: atMs }),
      ...(atMs !== undefined && context.receivedAtMs - atMs > context.replayedAfterMs
        ? { replayed: true as const }
        : {}),
      ...measured,
    });
  }
  return readings;
}

type Measured = Omit<Reading, "era" | "receivedAtMs" | "deviceTimeMs" | "replayed">;

function measuredFrom(values: readonly MeterValue[], powerPhases: number): Measured {
  const powerKW = powerFrom(values, UOM.watt, powerPhases);
  // Its sign turns with that of the power.
  const reactivePowerKvar = powerFrom(values, UOM.reactive, powerPhases);
  const voltageV = mean([...byPhase(values, UOM.volt).values()]);
  const amps = byPhase(values, UOM.ampere);
  const currentA = (["A", "B", "C"] as const).map((phase) => amps.get(phase)).filter((amp) => amp !== undefined);
  const frequencyHz = byPhase(values, UOM.hertz).get("all");
  const energy: { importKWh?: number; exportKWh?: number } = {};
  for (const { type, value } of values) {
    const register = type.uom === UOM.wattHour && phaseOf(type) === "all" ? energyRegister(type) : undefined;
    if (register !== undefined) energy[register] = inUnit(value, type) / 1000;
  }
  return {
    ...(powerKW === undefined ? {} : { powerKW }),
    ...(reactivePowerKvar === undefined ? {} : { reactivePowerKvar }),
    ...energy,
    ...(voltageV === undefined ? {} : { voltageV }),
    ...(currentA.length === 0 ? {} : { currentA: currentA.map(Math.abs) }),
    ...(frequencyHz === undefined ? {} : { frequencyHz }),
  };
}

/** In thousands of its unit: the total if there is one; else the sum of the phases, if no phase is missing. */
function powerFrom(values: readonly MeterValue[], uom: number, powerPhases: number): number | undefined {
  const kW = new Map<Phase, number>();
  for (const { type, value } of values) {
    const phase = phaseOf(type);
    const powerKW = type.uom === uom ? exportKWFromMeter(inUnit(value, type), type.flowDirection) : undefined;
    if (phase === undefined || powerKW === undefined) continue;
    // A device with one counter for each direction sends two values for one time; what flows is their sum.
    kW.set(phase, (kW.get(phase) ?? 0) + powerKW);
  }
  const total = kW.get("all");
  if (total !== undefined || kW.size === 0) return total;
  if (kW.size < powerPhases) return undefined;
  return [...kW.values()].reduce((sum, phaseKW) => sum + phaseKW, 0);
}

function byPhase(values: readonly MeterValue[], uom: number): Map<Phase, number> {
  const found = new Map<Phase, number>();
  for (const { type, value } of values) {
    const phase = type.uom === uom ? phaseOf(type) : undefined;
    if (phase !== undefined) found.set(phase, inUnit(value, type));
  }
  return found;
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
