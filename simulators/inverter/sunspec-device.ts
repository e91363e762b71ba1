import type { Clock } from "../../src/clock.ts";
import type { Model } from "./model.ts";
import { commonModel, type DeviceLabel } from "./models/common.ts";
import { derCapacityModel } from "./models/der-capacity.ts";
import { DerControls } from "./models/der-controls.ts";
import { derMeasurementModel } from "./models/der-measurement.ts";
import { derStorageModel } from "./models/der-storage.ts";
import { ImmediateControls } from "./models/immediate-controls.ts";
import { floatInverterModel, integerInverterModel } from "./models/inverter.ts";
import { nameplateModel } from "./models/nameplate.ts";
import { settingsModel } from "./models/settings.ts";
import { statusModel } from "./models/status.ts";
import { StorageControls } from "./models/storage-controls.ts";
import type { Device } from "./operating-state.ts";
import type { Plant } from "./plant.ts";
import { type Manners, TwoBooks } from "./two-books.ts";

export type MapKind = "legacy" | "float" | "der";

export interface SunSpecDeviceOptions {
  readonly map: MapKind;
  readonly clock: Clock;
  readonly plant: Plant;
  readonly manners: Manners;
  readonly label: DeviceLabel;
  readonly unit: number;
  readonly hasReversion: boolean;
}

/** The models of a device in their order on the wire, and what its controls make of a wanted power. */
export class SunSpecDevice implements Device {
  readonly plant: Plant;
  readonly models: readonly Model[];
  readonly #controls: readonly TwoBooks<ImmediateControls | StorageControls | DerControls>[];
  readonly #immediate: TwoBooks<ImmediateControls> | undefined;

  constructor(options: SunSpecDeviceOptions) {
    const { clock, plant, manners, hasReversion } = options;
    this.plant = plant;
    const common = commonModel(options.label, options.unit);
    if (options.map === "der") {
      const der = new TwoBooks(() => new DerControls(clock, plant, hasReversion), manners);
      this.#controls = [der];
      this.models = [
        common,
        derMeasurementModel(this, () => der.inForce.throttleSources()),
        derCapacityModel(plant),
        der,
        ...(plant.isBattery ? [derStorageModel(plant)] : []),
      ];
      return;
    }
    const immediate = new TwoBooks(() => new ImmediateControls(clock, plant, hasReversion), manners);
    const storage = plant.isBattery
      ? [new TwoBooks(() => new StorageControls(clock, plant, hasReversion), manners)]
      : [];
    this.#immediate = immediate;
    // The storage model bends first: the limit and the switch of 123 stand above it.
    this.#controls = [...storage, immediate];
    this.models = [
      common,
      options.map === "float" ? floatInverterModel(this) : integerInverterModel(this),
      nameplateModel(plant),
      settingsModel(plant),
      statusModel(this, clock),
      immediate,
      ...storage,
    ];
  }

  isConnected(): boolean {
    return this.#immediate?.inForce.isConnected ?? true;
  }

  isControlled(): boolean {
    return this.#controls.some(({ inForce }) => inForce.isActive());
  }

  /** Lets timers run out and tells the hardware what is in force now. */
  settle(): void {
    let powerKW = this.plant.wantedKW();
    for (const control of this.#controls) {
      control.revert();
      powerKW = control.inForce.shape(powerKW);
    }
    this.plant.command(Math.min(powerKW, this.plant.wMaxKW));
  }
}
