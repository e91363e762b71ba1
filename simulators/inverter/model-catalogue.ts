import type { Clock } from "../../src/clock.ts";
import type { Flow } from "../world/flow.ts";
import type { Controls } from "./controls.ts";
import type { Model } from "./model.ts";
import { commonModel, type DeviceLabel } from "./models/common.ts";
import { dcStringsModel } from "./models/dc-strings.ts";
import { derCapacityModel } from "./models/der-capacity.ts";
import { derDcModel } from "./models/der-dc.ts";
import { derMeasurementModel } from "./models/der-measurement.ts";
import { derStorageModel } from "./models/der-storage.ts";
import { floatInverterModel, integerInverterModel } from "./models/inverter.ts";
import { type MeterId, meterModel } from "./models/meter.ts";
import { nameplateModel } from "./models/nameplate.ts";
import { settingsModel } from "./models/settings.ts";
import { statusModel } from "./models/status.ts";
import { vendorModel } from "./models/vendor.ts";
import type { Device } from "./operating-state.ts";

/** A model of the chain, and its L where it is not the usual one. */
export interface ModelSpec {
  readonly id: number;
  readonly length?: number;
}

/** What models are made of. */
export interface ModelContext {
  readonly clock: Clock;
  readonly label: DeviceLabel;
  readonly unit: number;
  /** What the meter models show. */
  flow(): Flow;
  /** See `meterModel`. */
  readonly meterSign: 1 | -1;
  /** Absent in what is a meter and nothing else. */
  readonly inverter?: { readonly device: Device; readonly controls: Controls };
}

type Inverter = NonNullable<ModelContext["inverter"]>;

const OF_ANY_DEVICE: Readonly<Record<number, (context: ModelContext) => Model>> = {
  1: ({ label, unit }) => commonModel(label, unit),
  ...Object.fromEntries(
    ([201, 202, 203, 204, 211, 212, 213, 214] satisfies MeterId[]).map((id) => [
      id,
      ({ flow, meterSign }: ModelContext) => meterModel(id, flow, meterSign),
    ]),
  ),
};

const OF_INVERTERS: Readonly<Record<number, (inverter: Inverter, clock: Clock) => Model>> = {
  101: ({ device }) => integerInverterModel(101, device),
  102: ({ device }) => integerInverterModel(102, device),
  103: ({ device }) => integerInverterModel(103, device),
  111: ({ device }) => floatInverterModel(111, device),
  112: ({ device }) => floatInverterModel(112, device),
  113: ({ device }) => floatInverterModel(113, device),
  120: ({ device }) => nameplateModel(device.plant),
  121: ({ device }) => settingsModel(device.plant),
  122: ({ device }, clock) => statusModel(device, clock),
  123: ({ controls }) => controls.immediate,
  124: ({ controls }) => controls.storage,
  160: ({ device }) => dcStringsModel(device),
  701: ({ device, controls }) => derMeasurementModel(device, () => controls.throttleSources()),
  702: ({ device }) => derCapacityModel(device.plant),
  703: ({ controls }) => controls.enterService,
  704: ({ controls }) => controls.der,
  713: ({ device }) => derStorageModel(device.plant),
  714: ({ device }) => derDcModel(device.plant),
  715: ({ controls }) => controls.derControl,
  802: ({ controls }) => controls.batteryBase,
};

const NEED_A_BATTERY: readonly number[] = [124, 713, 802];

/** All that a device can be asked to have; besides, vendor models from 64001 on. */
export const MODEL_IDS: readonly number[] = [...Object.keys(OF_ANY_DEVICE), ...Object.keys(OF_INVERTERS)]
  .map(Number)
  .toSorted((a, b) => a - b);

const FIRST_VENDOR_MODEL = 64_001;
const MOST_LENGTH = 2000;

/** Makes a model. @throws RangeError for one that this device can't have */
export function modelOf({ id, length }: ModelSpec, context: ModelContext): Model {
  if (length !== undefined && (!Number.isInteger(length) || length < 1 || length > MOST_LENGTH)) {
    throw new RangeError(`model ${id} cannot have a length of ${length}`);
  }
  if (id >= FIRST_VENDOR_MODEL && id < 0xffff) return vendorModel(id, length);
  const model = usual(id, context);
  return length === undefined ? model : new CutModel(model, length);
}

function usual(id: number, context: ModelContext): Model {
  const { inverter, clock } = context;
  const ofAny = OF_ANY_DEVICE[id];
  if (ofAny !== undefined) return ofAny(context);
  const ofInverter = OF_INVERTERS[id];
  if (ofInverter === undefined) throw new RangeError(`there is no model ${id}; there are ${MODEL_IDS.join(", ")}`);
  if (inverter === undefined) throw new RangeError(`a meter has no model ${id}`);
  if (NEED_A_BATTERY.includes(id) && !inverter.device.plant.isBattery) {
    throw new RangeError(`model ${id} needs a battery`);
  }
  return ofInverter(inverter, clock);
}

/** A model of another length than usual. */
class CutModel implements Model {
  readonly id: number;
  readonly rows: Model["rows"];
  readonly length: number;
  readonly write?: NonNullable<Model["write"]>;
  readonly #model: Model;

  constructor(model: Model, length: number) {
    this.id = model.id;
    this.rows = model.rows;
    this.length = length;
    this.#model = model;
    const { write } = model;
    if (write !== undefined) this.write = (changes) => write.call(model, changes);
  }

  get scales(): Model["scales"] {
    return this.#model.scales;
  }

  values(): ReturnType<Model["values"]> {
    return this.#model.values();
  }
}
