import { definedOnly } from "../../../src/model/defined-only.ts";
import type { RateUnit } from "../control/import-limit.ts";
import { dynamicProfilesFrom, type V2xTraits, v2xFrom } from "./v2x-traits.ts";
import { booleanFrom, type Variable, type Variables, wholeNumberFrom } from "./variable.ts";

/** Settings that we would like to make, in one vocabulary for all versions. */
export type SettingName =
  | "sampledMeasurands"
  | "sampleIntervalS"
  | "alignedMeasurands"
  | "alignedIntervalS"
  | "heartbeatIntervalS"
  | "pingIntervalS";

/** What a charger says of its smart charging and its settings; each part only if it said so. */
export interface Traits {
  readonly rateUnits?: readonly RateUnit[];
  readonly maxStackLevel?: number;
  readonly maxPeriods?: number;
  readonly maxProfiles?: number;
  readonly connectors?: number;
  /** It can charge a car on one phase or on three, as it is told. */
  readonly switchesPhases?: boolean;
  /** False where it says itself that it has no smart charging. */
  readonly smartCharging?: boolean;
  /** Most measurands in one list. */
  readonly maxSampledMeasurands?: number;
  readonly maxAlignedMeasurands?: number;
  /** Whether it takes profiles of the kind Dynamic (2.1). */
  readonly dynamicProfiles?: boolean;
  /** What its EVSEs say of bidirectional charging (2.1), by EVSE. */
  readonly v2x?: Readonly<Record<string, V2xTraits>>;
  readonly settings?: Readonly<Partial<Record<SettingName, Variable>>>;
}

/** Where one version of OCPP keeps what we want to know. */
export interface FactNames {
  readonly rateUnits: string;
  readonly maxStackLevel: string;
  readonly maxPeriods: string;
  readonly maxProfiles: string;
  readonly connectors?: string;
  /** Any of them being true is enough. */
  readonly switchesPhases: readonly string[];
  /** A list of features in which `SmartCharging` is missing, or a plain false. */
  readonly smartCharging: string;
  readonly maxSampledMeasurands?: string;
  readonly maxAlignedMeasurands?: string;
  readonly settings: Readonly<Record<SettingName, string>>;
}

/** Puts together what a charger said. Values may be quoted, padded, missing, and names in any case. */
export function traitsFrom(variables: Variables, names: FactNames): Traits {
  const textOf = (name: string | undefined) =>
    name === undefined ? undefined : variables.get(name.toLowerCase())?.value;
  const numberOf = (name: string | undefined) => wholeNumberFrom(textOf(name));
  const switching = names.switchesPhases.map((name) => booleanFrom(textOf(name))).filter((one) => one !== undefined);
  const settings = Object.entries(names.settings).flatMap(([setting, name]) => {
    const said = variables.get(name.toLowerCase());
    return said === undefined ? [] : [[setting, said]];
  });
  return definedOnly({
    rateUnits: rateUnitsFrom(textOf(names.rateUnits)),
    maxStackLevel: numberOf(names.maxStackLevel),
    maxPeriods: numberOf(names.maxPeriods),
    maxProfiles: numberOf(names.maxProfiles),
    connectors: numberOf(names.connectors),
    switchesPhases: switching.length === 0 ? undefined : switching.includes(true),
    smartCharging: hasSmartCharging(textOf(names.smartCharging)),
    maxSampledMeasurands: numberOf(names.maxSampledMeasurands),
    maxAlignedMeasurands: numberOf(names.maxAlignedMeasurands),
    dynamicProfiles: dynamicProfilesFrom(variables),
    v2x: v2xFrom(variables),
    settings: settings.length === 0 ? undefined : (Object.fromEntries(settings) as Traits["settings"]),
  });
}

/** Rate units from a list such as `Current,Power`, `A,W` or `Amp;Watt`; absent when nothing in it is known. */
export function rateUnitsFrom(text: string | undefined): readonly RateUnit[] | undefined {
  const units: RateUnit[] = [];
  for (const word of (text ?? "").split(/[,;]/)) {
    const letters = word.replace(/[^a-z]/gi, "").toLowerCase();
    if (/^(a|amps?|amperes?|current)$/.test(letters)) units.push("A");
    else if (/^(w|watts?|power)$/.test(letters)) units.push("W");
  }
  return units.length > 0 ? [...new Set(units)] : undefined;
}

function hasSmartCharging(text: string | undefined): boolean | undefined {
  const plain = booleanFrom(text);
  if (plain !== undefined || text === undefined || text.trim() === "") return plain;
  return /smart\s*charging/i.test(text);
}
