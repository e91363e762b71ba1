import type { FramingName } from "../modbus/frame.ts";
import type { ReceivedWrite } from "../modbus/modbus-device.ts";
import type { SerialLine } from "../modbus/serial-line.ts";
import { Battery } from "../world/battery.ts";
import type { Flow } from "../world/flow.ts";
import type { SolarPanel } from "../world/solar-panel.ts";
import type { ModelSpec } from "./model-catalogue.ts";
import { Plant } from "./plant.ts";
import { type MapKind, modelsOf, SunSpecDevice } from "./sunspec-device.ts";
import {
  GOOD_SUNSPEC_BEHAVIOUR,
  type Hardware,
  labelOf,
  type SunSpecBehaviour,
  SunSpecSimulator,
  type SunSpecSimulatorOptions,
} from "./sunspec-simulator.ts";

export interface InverterSimulatorOptions extends SunSpecSimulatorOptions {
  readonly kind: "solar" | "battery";
  readonly source: SolarPanel | Battery;
  /** `legacy`: 1, 103, 120-123, and 124 for a battery. `float`: 113 in place of 103. `der`: 1, 701, 702, 704, and 713 for a battery. */
  readonly map: MapKind;
  /** The chain of models in its order, instead of `map`. */
  readonly models?: readonly ModelSpec[];
  /** False: the reversion timers are not implemented, so nothing ends a command but the next one. */
  readonly reversion?: boolean;
  /** What a battery does that nobody controls, kW, export positive; 0.3 unless told. */
  readonly idleKW?: number;
  /** What meter models among the chain show; the inverter's own power unless told. */
  readonly flow?: () => Flow;
  /** −1: meter models count what is fed in as positive, and not what is drawn. */
  readonly meterSign?: 1 | -1;
}

interface Inverter extends Hardware {
  readonly device: SunSpecDevice;
}

/** Below this the sun is down, kW. */
const NIGHT_KW = 0.001;

/** A solar inverter or a battery inverter: a Modbus server with SunSpec models over panels or cells. */
export class InverterSimulator implements AsyncDisposable {
  readonly behaviour: SunSpecBehaviour;
  readonly #simulator: SunSpecSimulator<Inverter>;
  readonly #plant: Plant;
  #isListening = false;

  /**
   * @throws TypeError when the source is not what `kind` says
   * @throws RangeError for a model that the device can't have
   */
  constructor(options: InverterSimulatorOptions) {
    if ((options.kind === "battery") !== options.source instanceof Battery) {
      throw new TypeError(
        `a ${options.kind} inverter needs a ${options.kind === "battery" ? "Battery" : "SolarPanel"}`,
      );
    }
    this.behaviour = { ...GOOD_SUNSPEC_BEHAVIOUR, ...options.behaviour };
    this.#plant = new Plant(options.clock, options.source, options.idleKW ?? 0.3);
    const plant = this.#plant;
    this.#simulator = new SunSpecSimulator(options, this.behaviour, () => {
      const device = new SunSpecDevice({
        models: options.models ?? modelsOf(options.map, options.kind === "battery"),
        clock: options.clock,
        plant,
        manners: this.behaviour,
        unit: options.unit ?? 1,
        hasReversion: options.reversion ?? true,
        flow: options.flow,
        meterSign: options.meterSign ?? 1,
        label: labelOf(options, options.kind === "battery" ? "Battery inverter" : "Solar inverter"),
      });
      return {
        device,
        models: device.models,
        settle: () => {
          device.settle();
          plant.powerKW();
        },
        isAsleep: () => !plant.isBattery && plant.measure().availableKW < NIGHT_KW,
      };
    });
  }

  /** The last write requests, newest last, at most 1000; refused ones too. */
  get writes(): readonly ReceivedWrite[] {
    return this.#simulator.writes;
  }

  /**
   * Opens the TCP server; port 0 takes a free one.
   * @throws Error when the port is taken or the simulator listens already
   */
  async listen(port = 0, host = "127.0.0.1", framing: FramingName = "tcp"): Promise<{ host: string; port: number }> {
    if (this.#isListening) throw new Error("the inverter simulator listens already");
    const address = await this.#simulator.listen(port, host, framing);
    this.#isListening = true;
    return address;
  }

  /** Answers on a serial line too, and closes it in the end. */
  attach(line: SerialLine): void {
    this.#simulator.attach(line);
  }

  /** Power of the hardware now, kW, export positive. */
  powerKW(): number {
    this.#simulator.settle();
    return this.#plant.powerKW();
  }

  /** True while the hardware follows a limit, a setpoint or a command to disconnect. */
  underControl(): boolean {
    this.#simulator.settle();
    return this.#simulator.hardware.device.isControlled();
  }

  /** Resets all connections; clients may come back at once. */
  dropConnections(): void {
    this.#simulator.dropConnections();
  }

  /** All connections are dead from now on and do not say so; clients may open others. */
  killConnections(): void {
    this.#simulator.killConnections();
  }

  /** The supply fails and comes back: connections break, and nothing is known any more of what was ordered. */
  restart(): void {
    this.#simulator.restart();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulator[Symbol.asyncDispose]();
  }
}
