import { definedOnly } from "../../../src/model/defined-only.ts";
import type { Measured } from "./measured-values.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ReadModel } from "./model-reader.ts";
import { mppt } from "./models/mppt.ts";
import { kWFromSunSpecWatts } from "./power-conversion.ts";

/**
 * The DC inputs behind which a hybrid inverter shows its battery, from 1 in model 160. Some makers show charging and
 * discharging as two inputs, each of which counts upwards only.
 */
export interface BatteryInputs {
  readonly charge: number;
  readonly discharge: number;
}

/** What flows in and out of the battery of a hybrid inverter, without its panels. */
export async function readBatteryInputs(read: ReadModel, inputs: BatteryInputs): Promise<Measured> {
  const block = await read(mppt);
  if (block === undefined) return {};
  const chargeW = inputValue(block, inputs.charge, "DCW");
  const dischargeW = inputValue(block, inputs.discharge, "DCW");
  const chargedWh = inputValue(block, inputs.charge, "DCWH");
  const dischargedWh = inputValue(block, inputs.discharge, "DCWH");
  // One of the two alone is no power: the other may be what flows.
  const powerW = chargeW === undefined || dischargeW === undefined ? undefined : dischargeW - chargeW;
  return definedOnly<Measured>({
    powerKW: powerW === undefined ? undefined : kWFromSunSpecWatts(powerW),
    importKWh: chargedWh === undefined ? undefined : chargedWh / 1000,
    exportKWh: dischargedWh === undefined ? undefined : dischargedWh / 1000,
  });
}

function inputValue(block: ModelBlock<typeof mppt>, input: number, name: string): number | undefined {
  if (input > block.groupCount) return undefined;
  const value = block.inGroup(input - 1, name);
  return typeof value === "number" ? value : undefined;
}
