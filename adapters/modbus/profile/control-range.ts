import type { ControlSpec } from "./control-schema.ts";
import { ProfileError } from "./profile-error.ts";
import { type Source, type Sources, sourceList } from "./profile-words.ts";

/** What the config says of a device, for profiles that ask. */
export interface DeviceOptions {
  readonly phases?: number | undefined;
  readonly maxA?: number | undefined;
  readonly ratingKW?: number | undefined;
  /** From 1, for stations with several. */
  readonly connector: number;
}

/** How a control counts, and how far it goes, with the device's present values. */
export interface ControlRange {
  /** W, A or % that one kW is. */
  readonly perKW: number;
  /** Greatest magnitudes in W, A or %; 0 where the device does not go that way. */
  readonly generation: number;
  readonly consumption: number;
  /** Least magnitude that the device takes, in W, A or %; 0 where there is none. */
  readonly least: number;
}

/** A point's number in base units; undefined where it is not there. */
export type BaseLookup = (name: string) => number | undefined;

/** The first of the sources that is there, in base units (W, V, A, %). */
export function firstOf(given: Sources | undefined, look: BaseLookup, options: DeviceOptions): number | undefined {
  for (const source of sourceList(given)) {
    const value = valueOfSource(source, look, options);
    if (value !== undefined) return value;
  }
  return undefined;
}

function valueOfSource(source: Source, look: BaseLookup, options: DeviceOptions): number | undefined {
  if (typeof source === "number") return source;
  switch (source) {
    case "config.phases":
      return options.phases;
    case "config.maxA":
      return options.maxA;
    case "config.ratingKW":
      return options.ratingKW === undefined ? undefined : options.ratingKW * 1000;
    default:
      return look(source);
  }
}

/** @throws ProfileError `protocol` where the device does not state what the conversion needs */
export function rangeOf(control: ControlSpec, look: BaseLookup, options: DeviceOptions): ControlRange {
  const perKW = perKWOf(control, look, options);
  const { limits } = control;
  const generation = limitOf("generation", limits.generation, look, options);
  const consumption = limitOf("consumption", limits.consumption, look, options);
  const least = firstOf(limits.least, look, options) ?? 0;
  return { perKW, generation, consumption, least };
}

function limitOf(side: string, given: Sources | undefined, look: BaseLookup, options: DeviceOptions): number {
  if (given === undefined) return 0;
  const value = firstOf(given, look, options);
  if (value === undefined || value < 0) {
    throw new ProfileError("protocol", `limits.${side}: ${textOf(given)} is not there; set it in the config`);
  }
  return value;
}

function perKWOf({ convert }: ControlSpec, look: BaseLookup, options: DeviceOptions): number {
  const need = (key: "base" | "phases" | "volts") => {
    const value = firstOf(convert[key], look, options);
    if (value === undefined || !(value > 0)) {
      throw new ProfileError("protocol", `convert.${key}: ${textOf(convert[key])} is not there, or is 0`);
    }
    return value;
  };
  switch (convert.to) {
    case "watts":
      return 1000;
    case "percentOf":
      return 100_000 / need("base");
    case "amps":
      return 1000 / (need("phases") * need("volts"));
  }
}

function textOf(given: Sources | undefined): string {
  return sourceList(given).join(", ");
}

/** What the range means in kW, export positive. */
export function bandOf(range: ControlRange): { minPowerKW: number; maxPowerKW: number; minRunKW?: number } {
  const minRunKW = range.least / range.perKW;
  return {
    minPowerKW: 0 - range.consumption / range.perKW,
    maxPowerKW: range.generation / range.perKW,
    ...(minRunKW > 0 && { minRunKW }),
  };
}
