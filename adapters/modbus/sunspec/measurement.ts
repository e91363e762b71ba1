import { definedOnly } from "../../../src/model/defined-only.ts";
import { type BatteryInputs, readBatteryInputs } from "./battery-inputs.ts";
import { type Measured, measuredOf } from "./measured-values.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelChain, ModelEntry } from "./model-chain.ts";
import { modelReader, type ReadModel } from "./model-reader.ts";
import { partOf } from "./model-table.ts";
import { batteryBank } from "./models/battery-bank.ts";
import { derMeasurement } from "./models/der-measurement.ts";
import { derStorage } from "./models/der-storage.ts";
import { inverterFloat } from "./models/inverter-float.ts";
import { inverterInteger } from "./models/inverter-integer.ts";
import { status } from "./models/status.ts";
import { storageControls } from "./models/storage-controls.ts";
import { kWFromSunSpecWatts } from "./power-conversion.ts";
import { type MeterChoice, readMeter } from "./power-meter.ts";
import type { Registers } from "./registers.ts";

const PER_INVERTER = [
  "AphA",
  "AphB",
  "AphC",
  "PhVphA",
  "PhVphB",
  "PhVphC",
  "W",
  "VAr",
  "Hz",
  "WH",
  "TmpCab",
  "St",
] as const;
const integerPart = partOf(inverterInteger, PER_INVERTER);
const floatPart = partOf(inverterFloat, PER_INVERTER);
// Up to the last scale factor 701 fits one request; the whole model does not.
const derPart = partOf(derMeasurement, [
  "InvSt",
  "W",
  "Var",
  "LNV",
  "Hz",
  "TotWhInj",
  "TotWhAbs",
  "TmpCab",
  "AL1",
  "AL2",
  "AL3",
  "VL1",
  "VL2",
  "VL3",
]);
const statusPart = partOf(status, ["WAval"]);
const storagePart = partOf(storageControls, ["MinRsvPct", "ChaState"]);
const bankPart = partOf(batteryBank, ["SoC", "SoCRsvMin"]);

/** What is read of an inverter of models 101 to 103, and of a battery of model 701, at every reading. */
export const INVERTER_READING = [integerPart, statusPart];
export const BATTERY_READING = [derPart, derStorage];

/** 101-113 count their states from 1, 701 from 0. */
const FAULT_OF_LEGACY = 7;
const FAULT_OF_DER = 6;

/** What the meter inside the device shows; each value only if the device sent it. */
export interface Sample {
  readonly values: Measured;
  /** State of charge below which the device does not discharge, percent. */
  readonly reservePercent?: number;
  /** The device says that it is in its fault state. */
  readonly isFaulty: boolean;
}

/** Where a device is measured, if not at its AC side. */
export interface Instruments {
  /** With a meter of the map. */
  readonly meter?: MeterChoice | undefined;
  /** The battery of a hybrid inverter at its DC inputs, so that its panels do not count. */
  readonly batteryInputs?: BatteryInputs | undefined;
  /** False: nobody asks how full a battery is, so that a request is spared. */
  readonly hasStorage?: boolean;
}

/**
 * Reads power, energy, voltage, current, frequency from the first of 701, 101-103, 111-113, and what 122, 713, 124 or
 * 802 add; or from a meter. SunSpec's W is positive out of an inverter, as ours.
 *
 * @param onUnreadable told which model the device does not let be read
 */
export async function readSample(
  registers: Registers,
  chain: ModelChain,
  { meter, batteryInputs, hasStorage = true }: Instruments,
  signal: AbortSignal,
  onUnreadable: (entry: ModelEntry) => void,
): Promise<Sample> {
  if (meter !== undefined)
    return { values: await readMeter(registers, chain, meter, signal, onUnreadable), isFaulty: false };
  const block = modelReader(registers, chain, signal, onUnreadable);
  const { measured: atGrid, isFaulty } = await readInverter(block);
  const measured =
    batteryInputs === undefined
      ? atGrid
      : { ...withoutFlow(atGrid), ...(await readBatteryInputs(block, batteryInputs)) };
  const availableW = (await block(statusPart))?.number("WAval");
  const { socPercent, reservePercent } = hasStorage ? await readCharge(block) : {};
  return {
    values: {
      ...measured,
      ...(availableW === undefined ? {} : { offeredKW: kWFromSunSpecWatts(availableW) }),
      ...(socPercent === undefined ? {} : { socPercent: Math.min(Math.max(socPercent, 0), 100) }),
    },
    ...(reservePercent === undefined ? {} : { reservePercent }),
    isFaulty,
  };
}

async function readCharge(
  block: ReadModel,
): Promise<{ socPercent?: number | undefined; reservePercent?: number | undefined }> {
  const der = await block(derStorage);
  const storage = der === undefined ? await block(storagePart) : undefined;
  const charge = der?.number("SoC") ?? storage?.number("ChaState");
  const bank = charge === undefined ? await block(bankPart) : undefined;
  return {
    socPercent: charge ?? bank?.number("SoC"),
    reservePercent: storage?.number("MinRsvPct") ?? bank?.number("SoCRsvMin"),
  };
}

/** What the AC side of a hybrid says of the grid, without what flows there: panels and battery together. */
function withoutFlow({ voltageV, frequencyHz, temperatureC }: Measured): Measured {
  return definedOnly<Measured>({ voltageV, frequencyHz, temperatureC });
}

interface InverterSample {
  readonly measured: Measured;
  readonly isFaulty: boolean;
}

async function readInverter(block: ReadModel): Promise<InverterSample> {
  const der = await block(derPart);
  if (der !== undefined) {
    const measured = measuredOf({
      powerW: der.number("W"),
      reactiveVar: der.number("Var"),
      exportWh: der.number("TotWhInj"),
      importWh: der.number("TotWhAbs"),
      voltagesV: [der.number("LNV")],
      fallbackV: [der.number("VL1"), der.number("VL2"), der.number("VL3")],
      currentsA: [der.number("AL1"), der.number("AL2"), der.number("AL3")],
      frequencyHz: der.number("Hz"),
      temperatureC: der.number("TmpCab"),
    });
    return believable(measured, der.raw("InvSt") === FAULT_OF_DER);
  }
  const inverter = (await block(integerPart)) ?? (await block(floatPart));
  return inverter === undefined ? { measured: {}, isFaulty: false } : fromInverter(inverter);
}

function fromInverter(inverter: ModelBlock<typeof integerPart> | ModelBlock<typeof floatPart>): InverterSample {
  const value = (name: (typeof PER_INVERTER)[number]) => inverter.number(name);
  // An energy of 0 means "not implemented" in acc32; a float has no such rule, and a register of 0 tells nothing.
  const exportWh = value("WH");
  const measured = measuredOf({
    powerW: value("W"),
    reactiveVar: value("VAr"),
    exportWh: exportWh === 0 ? undefined : exportWh,
    importWh: undefined,
    voltagesV: [value("PhVphA"), value("PhVphB"), value("PhVphC")],
    fallbackV: [],
    currentsA: [value("AphA"), value("AphB"), value("AphC")],
    frequencyHz: value("Hz"),
    temperatureC: value("TmpCab"),
  });
  return believable(measured, inverter.raw("St") === FAULT_OF_LEGACY);
}

/**
 * Some inverters that lost contact with their own power stage show a fault and nothing but zeros (seen of Fronius): a
 * grid of 0 V and 0 Hz is no measurement, and neither is the power beside it.
 */
function believable(measured: Measured, isFaulty: boolean): InverterSample {
  const isBlank = measured.powerKW === 0 && measured.frequencyHz === 0 && (measured.voltageV ?? 0) === 0;
  if (!isFaulty || !isBlank) return { measured, isFaulty };
  const { exportKWh, importKWh } = measured;
  return {
    measured: { ...(exportKWh === undefined ? {} : { exportKWh }), ...(importKWh === undefined ? {} : { importKWh }) },
    isFaulty,
  };
}
