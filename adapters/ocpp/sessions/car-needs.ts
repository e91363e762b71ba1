import { definedOnly } from "../../../src/model/defined-only.ts";
import { type JsonRecord, numberAt, recordAt, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";
import { knownWord } from "../link/word.ts";

/** Modes of energy transfer (EnergyTransferModeEnumType of 2.1); BPT is bidirectional power transfer. */
const MODES = [
  "AC_single_phase",
  "AC_two_phase",
  "AC_three_phase",
  "AC_BPT",
  "AC_BPT_DER",
  "AC_DER",
  "DC",
  "DC_BPT",
  "DC_ACDP",
  "DC_ACDP_BPT",
  "WPT",
] as const;

const MODE_LINES: Readonly<Record<string, 1 | 2 | 3>> = { AC_single_phase: 1, AC_two_phase: 2, AC_three_phase: 3 };

/** What a car can do in one direction; magnitudes, each only if the car said it. */
export interface CarPower {
  readonly minKW?: number;
  readonly maxKW?: number;
  /** Of L1, L2 and L3, where the car tells them apart. */
  readonly maxOnLinesKW?: readonly [number, number, number];
}

/** What a car and its driver told over ISO 15118 (NotifyEVChargingNeeds); each part only if they said it. */
export interface CarNeeds {
  /** The mode that it asks for now, and all that it could use. */
  readonly mode: string;
  readonly modes: readonly string[];
  readonly supply: "AC" | "DC";
  /** Conductors that the car uses; AC only. */
  readonly lines?: 1 | 2 | 3;
  readonly charge: CarPower;
  readonly discharge: CarPower;
  /** Amps on each line, AC without powers of its own. */
  readonly minA?: number;
  readonly maxA?: number;
  readonly capacityKWh?: number;
  readonly socPercent?: number;
  /** Energy from now on to what is wanted at departure, to the least that the driver accepts, and to full; ≤ 0: has it. */
  readonly targetKWh?: number;
  readonly leastKWh?: number;
  readonly fullKWh?: number;
  /** Energy from now on to the least charge at which the car gives anything back; below 0 it is above that. */
  readonly cyclingFromKWh?: number;
  /** Wall time, epoch ms. */
  readonly departureMs?: number;
  /** `scheduled`: it follows a schedule that was agreed; `dynamic`: it follows setpoints as they come. */
  readonly control?: "scheduled" | "dynamic";
}

/** True for a mode in which a car can give energy back. */
export function isBidirectional(mode: string): boolean {
  return mode.split("_").includes("BPT");
}

/**
 * Reads `chargingNeeds` of 2.0.1 and 2.1. What cannot be read is left out; absent where not even the mode is known.
 * ISO 15118-2 has AC or DC parameters, ISO 15118-20 has those of V2X, which go first.
 */
export function carNeedsFrom(chargingNeeds: JsonRecord): CarNeeds | undefined {
  const mode = modeFrom(textAt(chargingNeeds, "requestedEnergyTransfer"));
  if (mode === undefined) return undefined;
  const supply = mode.startsWith("DC") ? "DC" : "AC";
  const ac = recordAt(chargingNeeds, "acChargingParameters") ?? {};
  const dc = recordAt(chargingNeeds, "dcChargingParameters") ?? {};
  const v2x = recordAt(chargingNeeds, "v2xChargingParameters") ?? {};
  const lines = MODE_LINES[mode];
  const socPercent = numberAt(dc, "stateOfCharge");
  const capacityKWh = positive(kilo(dc, "evEnergyCapacity"));
  return definedOnly<CarNeeds>({
    mode,
    modes: [...new Set([mode, ...modesFrom(chargingNeeds["availableEnergyTransfer"])])],
    supply,
    lines,
    charge: powerFrom(v2x, "Charge", positive(kilo(dc, "evMaxPower"))),
    discharge: powerFrom(v2x, "Discharge", undefined),
    minA: supply === "AC" ? numberAt(ac, "evMinCurrent") : undefined,
    maxA: supply === "AC" ? positive(numberAt(ac, "evMaxCurrent")) : undefined,
    capacityKWh,
    socPercent,
    targetKWh: targetFrom(v2x, ac, dc, capacityKWh, socPercent),
    leastKWh: kilo(v2x, "evMinEnergyRequest"),
    fullKWh: kilo(v2x, "evMaxEnergyRequest"),
    cyclingFromKWh: kilo(v2x, "evMinV2XEnergyRequest"),
    departureMs: parseTimestamp(textAt(chargingNeeds, "departureTime")),
    control: controlFrom(textAt(chargingNeeds, "controlMode")),
  });
}

function modeFrom(text: string | undefined): string | undefined {
  const mode = text === undefined ? undefined : knownWord(text, MODES);
  return MODES.find((known) => known === mode);
}

function modesFrom(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.slice(0, MODES.length).flatMap((item) => (typeof item === "string" ? (modeFrom(item) ?? []) : []));
}

function controlFrom(text: string | undefined): "scheduled" | "dynamic" | undefined {
  const word = text === undefined ? undefined : knownWord(text, ["ScheduledControl", "DynamicControl"]);
  if (word === "ScheduledControl") return "scheduled";
  return word === "DynamicControl" ? "dynamic" : undefined;
}

/** The powers of all lines are one sum, unless L2 and L3 are given beside it: then the first is that of L1. */
function powerFrom(v2x: JsonRecord, way: "Charge" | "Discharge", otherwiseMaxKW: number | undefined): CarPower {
  const sumOf = (name: string) => {
    const watts = ["", "_L2", "_L3"].flatMap((line) => numberAt(v2x, `${name}${line}`) ?? []);
    return watts.length === 0 ? undefined : watts.reduce((sum, each) => sum + each, 0) / 1000;
  };
  const [l1, l2, l3] = ["", "_L2", "_L3"].map((line) => kilo(v2x, `max${way}Power${line}`));
  const volts = numberAt(v2x, "maxVoltage");
  const amps = numberAt(v2x, `max${way}Current`);
  const fromCurrent = amps === undefined || volts === undefined ? undefined : (amps * volts) / 1000;
  return definedOnly<CarPower>({
    minKW: magnitude(sumOf(`min${way}Power`)),
    maxKW: magnitude(sumOf(`max${way}Power`) ?? fromCurrent ?? otherwiseMaxKW),
    maxOnLinesKW:
      l2 === undefined && l3 === undefined
        ? undefined
        : ([Math.abs(l1 ?? 0), Math.abs(l2 ?? 0), Math.abs(l3 ?? 0)] as const),
  });
}

/** What the car asks for; a car that only says how full it wants to be is asked how much that is. */
function targetFrom(
  v2x: JsonRecord,
  ac: JsonRecord,
  dc: JsonRecord,
  capacityKWh: number | undefined,
  socPercent: number | undefined,
): number | undefined {
  const asked = kilo(v2x, "evTargetEnergyRequest") ?? kilo(ac, "energyAmount") ?? kilo(dc, "energyAmount");
  if (asked !== undefined) return asked;
  const wantedPercent = numberAt(v2x, "targetSoC") ?? numberAt(dc, "fullSoC");
  if (wantedPercent === undefined || capacityKWh === undefined || socPercent === undefined) return undefined;
  return ((wantedPercent - socPercent) / 100) * capacityKWh;
}

/** Wh or W as kWh or kW. */
function kilo(record: JsonRecord, key: string): number | undefined {
  const value = numberAt(record, key);
  return value === undefined ? undefined : value / 1000;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

/** Magnitudes by the standard (V2X parameters, "Value >= 0"); some cars sign what they give. */
function magnitude(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.abs(value);
}
