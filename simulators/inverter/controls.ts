import type { Clock } from "../../src/clock.ts";
import type { SwitchModel } from "./model.ts";
import { BatteryBase } from "./models/battery-base.ts";
import { DerControl } from "./models/der-control.ts";
import { DerControls } from "./models/der-controls.ts";
import { EnterService } from "./models/enter-service.ts";
import { ImmediateControls } from "./models/immediate-controls.ts";
import { StorageControls } from "./models/storage-controls.ts";
import type { Plant } from "./plant.ts";
import { type Manners, TwoBooks } from "./two-books.ts";

/** Everything that a client can tell the device. What the chain of models does not show is not there. */
export class Controls {
  readonly immediate: TwoBooks<ImmediateControls>;
  readonly storage: TwoBooks<StorageControls>;
  readonly der: TwoBooks<DerControls>;
  readonly enterService: SwitchModel;
  readonly derControl: SwitchModel;
  readonly batteryBase: SwitchModel;
  readonly #inTurn: readonly TwoBooks<ImmediateControls | StorageControls | DerControls>[];
  readonly #switches: readonly SwitchModel[];
  readonly #hasImmediate: boolean;

  /** @param shown ids of the models in the chain */
  constructor(
    shown: ReadonlySet<number>,
    options: { clock: Clock; plant: Plant; manners: Manners; hasReversion: boolean },
  ) {
    const { clock, plant, manners, hasReversion } = options;
    const isLocal = () => manners.isLocal;
    this.immediate = new TwoBooks(() => new ImmediateControls(clock, plant, hasReversion), manners);
    this.storage = new TwoBooks(() => new StorageControls(clock, plant, hasReversion), manners);
    this.der = new TwoBooks(() => new DerControls(clock, plant, hasReversion), manners);
    this.enterService = new EnterService(clock);
    this.derControl = new DerControl(clock, isLocal);
    this.batteryBase = new BatteryBase(clock, plant, isLocal);
    // The storage model bends first: the limit and the switch of 123 stand above it.
    this.#inTurn = [this.storage, this.der, this.immediate].filter(({ id }) => shown.has(id));
    this.#switches = [this.enterService, this.derControl, this.batteryBase].filter(({ id }) => shown.has(id));
    this.#hasImmediate = shown.has(this.immediate.id);
  }

  isConnected(): boolean {
    const isSwitchedOff = this.#hasImmediate && !this.immediate.inForce.isConnected;
    return !isSwitchedOff && this.#switches.every((each) => each.isOn());
  }

  isActive(): boolean {
    return this.#inTurn.some(({ inForce }) => inForce.isActive());
  }

  revert(): void {
    for (const control of this.#inTurn) control.revert();
  }

  /** What they leave of a wanted power, kW, export positive. */
  shape(wantedKW: number): number {
    return this.#inTurn.reduce((powerKW, { inForce }) => inForce.shape(powerKW), wantedKW);
  }

  /** As bits of 701.ThrotSrc. */
  throttleSources(): number {
    return this.der.inForce.throttleSources();
  }
}
