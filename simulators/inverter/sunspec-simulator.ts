import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { GOOD_MODBUS_BEHAVIOUR, type ModbusBehaviour } from "../modbus/behaviour.ts";
import type { FramingName } from "../modbus/frame.ts";
import { ModbusDevice, type ReceivedWrite } from "../modbus/modbus-device.ts";
import { EXCEPTION } from "../modbus/modbus-request.ts";
import { keepRunning } from "../modbus/running.ts";
import type { SerialLine } from "../modbus/serial-line.ts";
import type { Model } from "./model.ts";
import type { DeviceLabel } from "./models/common.ts";
import { vendorModel } from "./models/vendor.ts";
import { RegisterMap } from "./register-map.ts";
import { WeakSenses } from "./weak-senses.ts";

/** How a SunSpec device misbehaves; may be changed while it runs. */
export interface SunSpecBehaviour extends ModbusBehaviour {
  /** Somebody at the device is in command: 715 and 802 say so, and control writes get exception 3. */
  isLocal: boolean;
  /** A new value counts only once its enable is written, in the same request or later. */
  needsEnable: boolean;
}

export const GOOD_SUNSPEC_BEHAVIOUR: Readonly<SunSpecBehaviour> = {
  ...GOOD_MODBUS_BEHAVIOUR,
  isLocal: false,
  needsEnable: false,
};

/** How a client reaches a device of any kind. */
export interface SunSpecSimulatorOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly base?: 40000 | 0 | 50000;
  readonly unit?: number;
  /** What another unit's request gets over TCP: exception 11 as from a gateway (the default), or nothing. */
  readonly otherUnit?: "exception" | "silence";
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly behaviour?: Partial<SunSpecBehaviour>;
  /** Chance for faults that hit a share of the answers. */
  readonly random?: () => number;
  /** Told of each write that was taken, once it was. */
  readonly onWrite?: (write: ReceivedWrite) => void;
}

/** What stands behind the registers. */
export interface Hardware {
  readonly models: readonly Model[];
  /** Brings everything to this moment. */
  settle(): void;
  /** True while there is nothing to measure, as at night. */
  isAsleep(): boolean;
}

/** Who a device says it is where nobody says otherwise. */
export function labelOf(options: SunSpecSimulatorOptions, model: string): DeviceLabel {
  return {
    manufacturer: options.manufacturer ?? "Simulated",
    model: options.model ?? model,
    version: "1.0.0",
    serial: options.serial ?? "SIM-0001",
  };
}

const WHO_IT_IS = 1;
const UPDATE_MODEL = 64_900;

/** A chain of SunSpec models over some hardware, on TCP and serial lines. */
export class SunSpecSimulator<Kind extends Hardware> implements AsyncDisposable {
  readonly behaviour: SunSpecBehaviour;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #base: number;
  readonly #build: () => Kind;
  readonly #device: ModbusDevice;
  readonly #stop = new AbortController();
  #hardware: Kind;
  #map: RegisterMap;
  #restarts = 0;
  #running: Promise<void> | undefined;

  /**
   * @param behaviour the object that the hardware looks at, too
   * @param build makes the hardware as it is after power-on
   */
  constructor(options: SunSpecSimulatorOptions, behaviour: SunSpecBehaviour, build: () => Kind) {
    this.behaviour = behaviour;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#base = options.base ?? 40_000;
    this.#build = build;
    this.#hardware = build();
    this.#map = this.#mapOf(this.#hardware.models);
    this.#device = new ModbusDevice({
      clock: options.clock,
      log: options.log,
      behaviour,
      unit: options.unit ?? 1,
      otherUnit: options.otherUnit ?? "exception",
      random: options.random ?? (() => 0),
      onWrite: options.onWrite,
      bank: {
        read: (space, address, count) => {
          if (space === "coil" || space === "discrete") return EXCEPTION.illegalFunction;
          this.settle();
          return this.#map.read(address, count);
        },
        write: (space, address, values) => {
          if (space === "coil") return EXCEPTION.illegalFunction;
          this.settle();
          const fault = this.#map.write(address, values);
          this.settle();
          return fault;
        },
      },
    });
  }

  /** What stands behind the registers now; another one after a restart. */
  get hardware(): Kind {
    return this.#hardware;
  }

  /** The last write requests, newest last, at most 1000; refused ones too. */
  get writes(): readonly ReceivedWrite[] {
    return this.#device.writes;
  }

  /** Opens a server; port 0 takes a free one. @throws Error when the port is taken */
  async listen(port: number, host: string, framing: FramingName): Promise<{ host: string; port: number }> {
    const address = await this.#device.listen(port, host, framing);
    this.#run();
    return address;
  }

  /** Answers on a serial line too, and closes it in the end. */
  attach(line: SerialLine): void {
    this.#device.attach(line);
    this.#run();
  }

  settle(): void {
    this.#hardware.settle();
  }

  /** Resets all connections; clients may come back at once. */
  dropConnections(): void {
    this.#device.dropConnections();
  }

  /** All connections are dead from now on and do not say so; clients may open others. */
  killConnections(): void {
    this.#device.killConnections();
  }

  /** The supply fails and comes back: connections break, and nothing is known any more of what was ordered. */
  restart(): void {
    this.#device.dropConnections();
    this.#restarts += 1;
    this.#hardware = this.#build();
    this.#map = this.#mapOf(this.#hardware.models);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#device[Symbol.asyncDispose]();
  }

  #mapOf(models: readonly Model[]): RegisterMap {
    const senses = {
      isStale: () => this.behaviour.isStale,
      isAsleep: () => this.behaviour.sleepsAtNight && this.#hardware.isAsleep(),
    };
    const seen = models.map((model) => (model.id === WHO_IT_IS ? model : new WeakSenses(model, senses)));
    if (!this.behaviour.movesMap || this.#restarts === 0) return new RegisterMap(this.#base, seen);
    // An update that brought a model more: all behind it lies elsewhere, by another distance each time.
    const update = vendorModel(UPDATE_MODEL, 1 + this.#restarts);
    return new RegisterMap(this.#base, [...seen.slice(0, 1), update, ...seen.slice(1)]);
  }

  #run(): void {
    this.#running ??= keepRunning(this, { clock: this.#clock, log: this.#log, signal: this.#stop.signal });
  }
}
