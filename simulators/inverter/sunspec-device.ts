import type { Clock } from "../../src/clock.ts";
import type { Flow } from "../world/flow.ts";
import { Controls } from "./controls.ts";
import type { Model } from "./model.ts";
import { type ModelSpec, modelOf } from "./model-catalogue.ts";
import type { DeviceLabel } from "./models/common.ts";
import type { Device } from "./operating-state.ts";
import type { Plant } from "./plant.ts";
import type { Manners } from "./two-books.ts";

export type MapKind = "legacy" | "float" | "der";

export interface SunSpecDeviceOptions {
  readonly models: readonly ModelSpec[];
  readonly clock: Clock;
  readonly plant: Plant;
  readonly manners: Manners;
  readonly label: DeviceLabel;
  readonly unit: number;
  readonly hasReversion: boolean;
  /** What a meter among the models shows; the device itself unless told. */
  readonly flow?: (() => Flow) | undefined;
  readonly meterSign: 1 | -1;
}

/** The usual models of a device. */
export function modelsOf(map: MapKind, isBattery: boolean): readonly ModelSpec[] {
  const ids =
    map === "der"
      ? [1, 701, 702, 704, ...(isBattery ? [713] : [])]
      : [1, map === "float" ? 113 : 103, 120, 121, 122, 123, ...(isBattery ? [124] : [])];
  return ids.map((id) => ({ id }));
}

/** The models of a device in their order on the wire, and what its controls make of a wanted power. */
export class SunSpecDevice implements Device {
  readonly plant: Plant;
  readonly models: readonly Model[];
  readonly #controls: Controls;

  /** @throws RangeError for a model that it can't have */
  constructor(options: SunSpecDeviceOptions) {
    const { plant } = options;
    this.plant = plant;
    this.#controls = new Controls(new Set(options.models.map(({ id }) => id)), options);
    const context = {
      ...options,
      flow: options.flow ?? (() => plant.measure()),
      inverter: { device: this, controls: this.#controls },
    };
    this.models = options.models.map((spec) => modelOf(spec, context));
  }

  isConnected(): boolean {
    return this.#controls.isConnected();
  }

  isControlled(): boolean {
    return this.#controls.isActive();
  }

  /** Lets timers run out and tells the hardware what is in force now. */
  settle(): void {
    this.#controls.revert();
    const powerKW = this.isConnected() ? this.#controls.shape(this.plant.wantedKW()) : 0;
    this.plant.command(Math.min(powerKW, this.plant.wMaxKW));
  }
}
