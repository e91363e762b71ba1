import { isAwayBehindGateway, ModbusError } from "../link/modbus-error.ts";
import type { Profile } from "../profile/profile-schema.ts";
import { type ModelChain, walkModels } from "../sunspec/model-chain.ts";
import type { FieldBus } from "./field-bus.ts";
import { matchingProfiles, registerProfiles } from "./matching-profiles.ts";

/** A unit that answers. */
export interface FoundUnit {
  readonly unit: number;
  /** Other ids under which the same device answers; devices that are alone often answer under any. */
  readonly alsoUnits: number[];
  /** What it said to the first question, for a person. */
  readonly answer: string;
  readonly sunspec?: SunSpecFound;
  /** Where it has no SunSpec map: the profiles that it looks like. */
  readonly profiles?: readonly LikelyProfile[];
}

/** A profile whose checks a unit passes. */
export type LikelyProfile = Pick<Profile, "id" | "title" | "kind">;

export interface SunSpecFound {
  readonly base: number;
  /** Ids in the order of the map, repeated as there. */
  readonly models: readonly number[];
  /** False if the map broke off without its end mark. */
  readonly complete: boolean;
  readonly vendor: string;
  readonly model: string;
  readonly version: string;
  readonly serial: string;
}

/** Where inverters, meters and gateways usually answer; asked first, so that a person soon sees something. */
const COMMON_UNITS = [1, 2, 3, 100, 126, 200, 240, 247, 255];
/** Unit loads that RS-485 carries (Modbus over Serial Line V1.02, 3.4.1). */
const MOST_ON_A_BUS = 32;
const PROBED = { address: 40_000, count: 2 };

/** Unit ids to ask, the usual ones first. */
export function scanOrder(units: readonly number[]): readonly number[] {
  const wanted = new Set(units);
  const common = COMMON_UNITS.filter((unit) => wanted.delete(unit));
  return [...common, ...[...wanted].sort((a, b) => a - b)];
}

/**
 * Asks each unit id whether somebody is there, and looks at those that are: by their SunSpec map, or else by what the profiles
 * check. Writes nothing.
 * @throws ModbusError where the bus itself is not there; a unit that is silent is none
 */
export async function scanUnits(
  bus: FieldBus,
  units: readonly number[],
  onProgress: (done: number, unit: number, found: readonly FoundUnit[]) => void,
): Promise<readonly FoundUnit[]> {
  const found: FoundUnit[] = [];
  for (const [done, unit] of scanOrder(units).entries()) {
    onProgress(done, unit, found);
    const one = await probe(bus, unit);
    if (one === undefined) {
      // A sign of life in between tells the link that only this unit is silent, and the connection is kept.
      const [alive] = found;
      if (alive !== undefined) await bus.read(alive.unit, "holding", PROBED.address, 1).catch(() => {});
      continue;
    }
    const same = one.sunspec && found.find(({ sunspec }) => sunspec && isSame(sunspec, one.sunspec));
    if (same === undefined) found.push(one);
    else same.alsoUnits.push(unit);
  }
  const profiles = registerProfiles();
  const known: FoundUnit[] = [];
  for (const one of withoutCrowd(found)) {
    known.push(one.sunspec === undefined ? { ...one, profiles: await likely(bus, one.unit, profiles) } : one);
  }
  return known;
}

async function likely(bus: FieldBus, unit: number, all: readonly Profile[]): Promise<readonly LikelyProfile[]> {
  const matching = await matchingProfiles(bus, unit, all);
  return matching.map(({ id, title, kind }) => ({ id, title, kind }));
}

/** More units without a name than a bus can hold are one device that answers to every id. */
function withoutCrowd(found: readonly FoundUnit[]): readonly FoundUnit[] {
  const nameless = found.filter(({ sunspec }) => sunspec === undefined);
  const [first, ...others] = nameless;
  if (first === undefined || nameless.length <= MOST_ON_A_BUS) return found;
  first.alsoUnits.push(...others.map(({ unit }) => unit));
  return found.filter((one) => one === first || one.sunspec !== undefined);
}

async function probe(bus: FieldBus, unit: number): Promise<FoundUnit | undefined> {
  let answer: string;
  try {
    await bus.read(unit, "holding", PROBED.address, PROBED.count);
    answer = "registers";
  } catch (error) {
    if (!(error instanceof ModbusError)) throw error;
    if (error.fault !== "exception") {
      if (error.fault === "timeout" || error.fault === "resting" || error.fault === "format") return undefined;
      throw error;
    }
    // A gateway says these for an id behind which there is nobody.
    if (isAwayBehindGateway(error.code)) return undefined;
    answer = error.message;
  }
  const sunspec = await walk(bus, unit);
  return { unit, alsoUnits: [], answer, ...(sunspec !== undefined && { sunspec }) };
}

/** The chain of a unit's models; nothing where there is none or it can't be read to some end. */
export async function chainOf(bus: FieldBus, unit: number): Promise<ModelChain | undefined> {
  const registers = {
    open: async () => 0,
    read: (address: number, count: number) => bus.read(unit, "holding", address, count),
    write: () => Promise.reject(new Error("a look writes nothing")),
  };
  return walkModels(registers, new AbortController().signal);
}

async function walk(bus: FieldBus, unit: number): Promise<SunSpecFound | undefined> {
  try {
    const chain = await chainOf(bus, unit);
    if (chain === undefined) return undefined;
    const common = chain.models.find(({ id, length }) => id === 1 && length >= 64);
    const block = common === undefined ? [] : await bus.read(unit, "holding", common.address, 66);
    return {
      base: chain.base,
      models: chain.models.map(({ id }) => id),
      complete: chain.complete,
      // Offsets of the common model, counted from its id register.
      vendor: textAt(block, 2, 16),
      model: textAt(block, 18, 16),
      version: textAt(block, 42, 8),
      serial: textAt(block, 50, 16),
    };
  } catch (error) {
    if (!(error instanceof ModbusError)) throw error;
    return undefined;
  }
}

/** Printable letters up to the first that is none; a device that sleeps sends all ones. */
function textAt(block: readonly number[], offset: number, registers: number): string {
  const bytes = block.slice(offset, offset + registers).flatMap((register) => [register >> 8, register & 0xff]);
  const end = bytes.findIndex((byte) => byte < 0x20 || byte > 0x7e);
  return String.fromCharCode(...bytes.slice(0, end < 0 ? undefined : end)).trim();
}

function isSame(a: SunSpecFound, b: SunSpecFound | undefined): boolean {
  if (b === undefined || a.serial === "") return false;
  return a.serial === b.serial && a.vendor === b.vendor && a.model === b.model && a.base === b.base;
}
