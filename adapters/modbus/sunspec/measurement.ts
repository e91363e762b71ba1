import type { Reading } from "../../../src/model/reading.ts";
import { type ModelBlock, readBlock } from "./model-block.ts";
import { findModel, type ModelChain } from "./model-chain.ts";
import type { ModelTable } from "./model-table.ts";
import { storageControls } from "./models-control.ts";
import { derMeasurement, derStorage, inverterFloat, inverterInteger, status } from "./models-measurement.ts";
import { kWFromSunSpecWatts } from "./power-conversion.ts";
import type { Registers } from "./registers.ts";

/** What the meter inside the device shows; each value only if the device sent it. */
export interface Sample {
  readonly values: Omit<Reading, "era" | "receivedAtMs">;
  /** State of charge below which the device does not discharge, percent. */
  readonly reservePercent?: number;
}

/** Measured values that stand in one block. */
type Measured = Omit<Reading, "era" | "receivedAtMs">;

/**
 * Reads power, energy, voltage, current, frequency from the first of 701, 101-103, 111-113, and what 122, 713 or 124
 * add. SunSpec's W is positive out of the device, as ours.
 */
export async function readSample(registers: Registers, chain: ModelChain, signal: AbortSignal): Promise<Sample> {
  const block = async <T extends ModelTable>(table: T): Promise<ModelBlock<T> | undefined> => {
    const entry = findModel(chain, table);
    return entry === undefined ? undefined : readBlock(registers, table, entry, signal);
  };
  const measured = await readMeasured(block);
  const availableW = (await block(status))?.number("WAval");
  const der = await block(derStorage);
  const storage = der === undefined ? await block(storageControls) : undefined;
  const socPercent = der?.number("SoC") ?? storage?.number("ChaState");
  const reservePercent = storage?.number("MinRsvPct");
  return {
    values: {
      ...measured,
      ...(availableW === undefined ? {} : { offeredKW: kWFromSunSpecWatts(availableW) }),
      ...(socPercent === undefined ? {} : { socPercent: Math.min(Math.max(socPercent, 0), 100) }),
    },
    ...(reservePercent === undefined ? {} : { reservePercent }),
  };
}

async function readMeasured(
  block: <T extends ModelTable>(table: T) => Promise<ModelBlock<T> | undefined>,
): Promise<Measured> {
  const der = await block(derMeasurement);
  if (der !== undefined) {
    return measured({
      powerW: der.number("W"),
      exportWh: der.number("TotWhInj"),
      importWh: der.number("TotWhAbs"),
      voltagesV: [der.number("LNV")],
      fallbackV: [der.number("VL1"), der.number("VL2"), der.number("VL3")],
      currentsA: [der.number("AL1"), der.number("AL2"), der.number("AL3")],
      frequencyHz: der.number("Hz"),
      temperatureC: der.number("TmpCab"),
    });
  }
  const inverter = (await block(inverterInteger)) ?? (await block(inverterFloat));
  return inverter === undefined ? {} : fromInverter(inverter);
}

function fromInverter(inverter: ModelBlock<typeof inverterInteger> | ModelBlock<typeof inverterFloat>): Measured {
  const value = (name: keyof (typeof inverterFloat)["points"]) => inverter.number(name);
  // An energy of 0 means "not implemented" in acc32; a float has no such rule, and a register of 0 tells nothing.
  const exportWh = value("WH");
  return measured({
    powerW: value("W"),
    exportWh: exportWh === 0 ? undefined : exportWh,
    importWh: undefined,
    voltagesV: [value("PhVphA"), value("PhVphB"), value("PhVphC")],
    fallbackV: [],
    currentsA: [value("AphA"), value("AphB"), value("AphC")],
    frequencyHz: value("Hz"),
    temperatureC: value("TmpCab"),
  });
}

interface Raw {
  readonly powerW: number | undefined;
  readonly exportWh: number | undefined;
  readonly importWh: number | undefined;
  readonly voltagesV: readonly (number | undefined)[];
  readonly fallbackV: readonly (number | undefined)[];
  readonly currentsA: readonly (number | undefined)[];
  readonly frequencyHz: number | undefined;
  readonly temperatureC: number | undefined;
}

function measured(raw: Raw): Measured {
  const voltageV = mean(raw.voltagesV) ?? mean(raw.fallbackV);
  const currentA = raw.currentsA.filter((amps) => amps !== undefined).map(Math.abs);
  return {
    ...(raw.powerW === undefined ? {} : { powerKW: kWFromSunSpecWatts(raw.powerW) }),
    ...(raw.exportWh === undefined ? {} : { exportKWh: raw.exportWh / 1000 }),
    ...(raw.importWh === undefined ? {} : { importKWh: raw.importWh / 1000 }),
    ...(voltageV === undefined ? {} : { voltageV }),
    ...(currentA.length === 0 ? {} : { currentA }),
    ...(raw.frequencyHz === undefined ? {} : { frequencyHz: raw.frequencyHz }),
    ...(raw.temperatureC === undefined ? {} : { temperatureC: raw.temperatureC }),
  };
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
