import { scaled } from "../xml/active-power.ts";
import { BadDocument, integerOf, type XmlElement } from "../xml/xml-element.ts";

/** What a number of a meter means; codes of the standard, which took them from IEC 61968-9. */
export interface ReadingType {
  readonly uom: number;
  readonly flowDirection: number;
  readonly multiplier: number;
  readonly phase: number;
  readonly accumulation?: number;
  readonly qualifier?: number;
  readonly commodity?: number;
}

/** Codes of `uom`. */
export const UOM = { ampere: 5, volt: 29, hertz: 33, watt: 38, reactive: 63, wattHour: 72 } as const;

/** Codes of `flowDirection`. Forward is delivered to the customer, reverse is received from the customer. */
const FLOW = { notApplicable: 0, forward: 1, net: 4, reverse: 19 } as const;

/** Codes of `phase`, without and with neutral. */
const PHASE_A: readonly number[] = [128, 129];
const PHASE_B: readonly number[] = [64, 65];
const PHASE_C: readonly number[] = [32, 33];
const ALL_PHASES: readonly number[] = [0, 224, 225];

/** Codes of accumulationBehaviour for a register that only rises. */
const RUNNING_REGISTERS: readonly number[] = [0, 1, 3, 9];
/** Codes of dataQualifier for a value as it was: no maximum, minimum or deviation. */
const PLAIN_QUALIFIERS: readonly number[] = [0, 2, 12];
/** Codes of commodity for electricity. */
const ELECTRICITY: readonly number[] = [0, 1, 2];

/** @throws BadDocument on a code out of its range */
export function readReadingType(type: XmlElement): ReadingType {
  const byte = (name: string) => integerOf(type, name, 0, 255);
  const uom = byte("uom");
  if (uom === undefined) throw new BadDocument("ReadingType has no uom");
  const accumulation = byte("accumulationBehaviour");
  const qualifier = byte("dataQualifier");
  const commodity = byte("commodity");
  return {
    uom,
    flowDirection: byte("flowDirection") ?? FLOW.notApplicable,
    multiplier: integerOf(type, "powerOfTenMultiplier", -9, 9) ?? 0,
    phase: byte("phase") ?? 0,
    ...(accumulation === undefined ? {} : { accumulation }),
    ...(qualifier === undefined ? {} : { qualifier }),
    ...(commodity === undefined ? {} : { commodity }),
  };
}

/**
 * The one place where metering turns its sign: 2030.5 meters count power delivered to the customer positive, we count
 * what the device gives positive. Where no direction is given the standard's own view holds, forward.
 *
 * @param value of the meter, in its unit after `powerOfTenMultiplier`, W
 * @returns kW, export positive, or nothing where the direction carries no sign (total of both)
 */
export function exportKWFromMeter(valueW: number, flowDirection: number): number | undefined {
  if (flowDirection === FLOW.reverse) return valueW / 1000;
  const inwards = flowDirection === FLOW.forward || flowDirection === FLOW.net || flowDirection === FLOW.notApplicable;
  if (!inwards) return undefined;
  // No negative zero: it would show as "-0 kW".
  return valueW === 0 ? 0 : -valueW / 1000;
}

/** Which register an energy value belongs to; nothing where it is a difference or the direction is not said. */
export function energyRegister(type: ReadingType): "importKWh" | "exportKWh" | undefined {
  if (type.accumulation !== undefined && !RUNNING_REGISTERS.includes(type.accumulation)) return undefined;
  if (type.flowDirection === FLOW.forward) return "importKWh";
  if (type.flowDirection === FLOW.reverse) return "exportKWh";
  return undefined;
}

/** True for a value of electricity as it was, and not a statistic over it. */
export function isPlain(type: ReadingType): boolean {
  return (
    (type.qualifier === undefined || PLAIN_QUALIFIERS.includes(type.qualifier)) &&
    (type.commodity === undefined || ELECTRICITY.includes(type.commodity))
  );
}

export type Phase = "A" | "B" | "C" | "all";

/** The conductor a value belongs to; nothing for a line-to-line value, which the core has no place for. */
export function phaseOf(type: ReadingType): Phase | undefined {
  if (ALL_PHASES.includes(type.phase)) return "all";
  if (PHASE_A.includes(type.phase)) return "A";
  if (PHASE_B.includes(type.phase)) return "B";
  if (PHASE_C.includes(type.phase)) return "C";
  return undefined;
}

/** The value in the unit itself (W, Wh, V, A, Hz). */
export function inUnit(value: number, type: ReadingType): number {
  return scaled(value, type.multiplier);
}
