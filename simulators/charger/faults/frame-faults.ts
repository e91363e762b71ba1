import type { ChargerBehaviour, MeterFault } from "../behaviour.ts";

const ANSWER = /^\[[34],("(?:[^"\\]|\\.)*")/;
const METER_CALL = /^\[2,"[^"]*","(?:MeterValues|TransactionEvent|StopTransaction)",/;
const TIME = /"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z"/g;

/** What becomes of the frames of a charger on their way out. */
export class FrameFaults {
  readonly #behaviour: Readonly<ChargerBehaviour>;
  #spoiled = 0;

  constructor(behaviour: Readonly<ChargerBehaviour>) {
    this.#behaviour = behaviour;
  }

  /** The frame as it leaves, or nothing for one that does not. */
  apply(frame: string): string | undefined {
    const { silent, talksNonsense, meterFaults, timestampsWithoutZone } = this.#behaviour;
    const id = ANSWER.exec(frame)?.[1];
    if (id !== undefined && silent) return undefined;
    if (id !== undefined && talksNonsense) return this.#nonsense(frame, id);
    const metered = meterFaults.length > 0 && METER_CALL.test(frame) ? spoilMeter(frame, meterFaults) : frame;
    return timestampsWithoutZone ? metered.replace(TIME, '"$1"') : metered;
  }

  #nonsense(frame: string, id: string): string {
    this.#spoiled += 1;
    switch (this.#spoiled % 4) {
      case 1:
        return `[3,${id},{"status":42,"nonsense":[null]}]`;
      case 2:
        return frame.slice(0, Math.max(2, Math.floor(frame.length / 2)));
      case 3:
        return `[3,${id},"Accepted"]`;
      default:
        return `{"3":${id}}`;
    }
  }
}

type Sampled = Record<string, unknown>;

function spoilMeter(frame: string, faults: readonly MeterFault[]): string {
  const call = JSON.parse(frame) as [number, string, string, Record<string, unknown>];
  const payload = call[3];
  // `transactionData` is what StopTransaction of 1.6 has in their place.
  for (const list of [payload["meterValue"], payload["transactionData"]]) {
    for (const { sampledValue } of (list ?? []) as { sampledValue: Sampled[] }[]) {
      for (const fault of faults) for (const sampled of sampledValue) spoilSample(sampled, fault);
    }
  }
  return JSON.stringify(call);
}

const KILO: Readonly<Record<string, string>> = { W: "kW", Wh: "kWh" };

function spoilSample(sampled: Sampled, fault: MeterFault): void {
  const { measurand, unitOfMeasure } = sampled;
  switch (fault) {
    case "no-unit":
      delete sampled["unit"];
      delete sampled["unitOfMeasure"];
      return;
    case "kilo":
      spoilUnit(sampled);
      return;
    case "casing":
      sampled["measurand"] = String(measurand).toLowerCase();
      if (typeof sampled["unit"] === "string") sampled["unit"] = sampled["unit"].toUpperCase();
      if (isObject(unitOfMeasure)) unitOfMeasure["unit"] = String(unitOfMeasure["unit"]).toUpperCase();
      return;
    case "empty":
      sampled["value"] = "";
      return;
    case "nan":
      sampled["value"] = "NaN";
      return;
    case "strings":
      sampled["value"] = ` ${String(sampled["value"])} `;
      return;
    case "signed":
      // Only a meter that can sign the register does so, and what it signs is no number any more.
      if (measurand !== "Energy.Active.Import.Register") return;
      if (isObject(unitOfMeasure)) {
        sampled["signedMeterValue"] = {
          signedMeterData: "MEUCIQDx",
          signingMethod: "ECDSA-secp256r1-SHA256",
          encodingMethod: "OCMF",
          publicKey: "MFkwEwYH",
        };
      } else {
        sampled["format"] = "SignedData";
        sampled["value"] = "OCMF|{}|{}";
      }
  }
}

/** 2.x has a multiplier for this; what is sent here is the unit of 1.6. */
function spoilUnit(sampled: Sampled): void {
  const holder = isObject(sampled["unitOfMeasure"]) ? sampled["unitOfMeasure"] : sampled;
  const kilo = KILO[String(holder["unit"])];
  if (kilo === undefined) return;
  holder["unit"] = kilo;
  const thousandth = Number(sampled["value"]) / 1000;
  sampled["value"] = typeof sampled["value"] === "string" ? String(thousandth) : thousandth;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
