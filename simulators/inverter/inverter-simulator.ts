import { type Clock, repeatEvery } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Battery } from "../world/battery.ts";
import type { SolarPanel } from "../world/solar-panel.ts";
import { encodeFrame, type MbapFrame } from "./mbap.ts";
import { answerRequest, EXCEPTION, exceptionPdu, type RegisterBank } from "./modbus-request.ts";
import { ModbusServer } from "./modbus-server.ts";
import { Nonsense } from "./nonsense.ts";
import { Plant } from "./plant.ts";
import { RegisterMap } from "./register-map.ts";
import { type MapKind, SunSpecDevice } from "./sunspec-device.ts";

/** How the device misbehaves; may be changed while it runs. */
export interface InverterBehaviour {
  /** Writes to control models get exception 3. */
  refuses: boolean;
  /** Requests get no answer. */
  silent: boolean;
  /** Every answer is broken: a wrong transaction, a wrong length, or bytes that are no Modbus. */
  talksNonsense: boolean;
  /** Control writes are answered and read back, and the power does not follow. */
  ignoresWrites: boolean;
  /** Function 16 gets exception 1, as on devices that only take single registers. */
  rejectsWriteMultiple: boolean;
  /** Further connections are reset. */
  maxConnections: number;
}

export interface InverterSimulatorOptions {
  readonly kind: "solar" | "battery";
  readonly source: SolarPanel | Battery;
  readonly clock: Clock;
  readonly log: Log;
  /** `legacy`: 1, 103, 120-123, and 124 for a battery. `float`: 113 in place of 103. `der`: 1, 701, 702, 704, and 713 for a battery. */
  readonly map: MapKind;
  readonly base?: 40000 | 0 | 50000;
  readonly unit?: number;
  /** What another unit's request gets: exception 11 as from a gateway (the default), or nothing. */
  readonly otherUnit?: "exception" | "silence";
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly behaviour?: Partial<InverterBehaviour>;
  /** False: the reversion timers are not implemented, so nothing ends a command but the next one. */
  readonly reversion?: boolean;
  /** What a battery does that nobody controls, kW, export positive; 0.3 unless told. */
  readonly idleKW?: number;
}

/** A write request as it came, whether or not it was taken. */
export interface ReceivedWrite {
  readonly address: number;
  readonly values: readonly number[];
  readonly functionCode: number;
}

const WRITE_MULTIPLE = 16;
const MOST_WRITES_KEPT = 1000;
/** How often the hardware looks at its timers when nobody asks, elapsed ms. */
const SETTLE_EVERY_MS = 200;

/** A solar inverter or a battery inverter: a Modbus TCP server with SunSpec models over panels or cells. */
export class InverterSimulator implements AsyncDisposable {
  readonly behaviour: InverterBehaviour;
  readonly #options: InverterSimulatorOptions;
  readonly #unit: number;
  readonly #plant: Plant;
  readonly #device: SunSpecDevice;
  readonly #bank: RegisterBank;
  readonly #nonsense = new Nonsense();
  readonly #stop = new AbortController();
  #writes: ReceivedWrite[] = [];
  #server: ModbusServer | undefined;
  #settling: Promise<void> | undefined;

  /** @throws TypeError when the source is not what `kind` says */
  constructor(options: InverterSimulatorOptions) {
    if ((options.kind === "battery") !== options.source instanceof Battery) {
      throw new TypeError(
        `a ${options.kind} inverter needs a ${options.kind === "battery" ? "Battery" : "SolarPanel"}`,
      );
    }
    this.#options = options;
    this.#unit = options.unit ?? 1;
    this.behaviour = {
      refuses: false,
      silent: false,
      talksNonsense: false,
      ignoresWrites: false,
      rejectsWriteMultiple: false,
      maxConnections: 4,
      ...options.behaviour,
    };
    this.#plant = new Plant(options.clock, options.source, options.idleKW ?? 0.3);
    this.#device = new SunSpecDevice({
      map: options.map,
      clock: options.clock,
      plant: this.#plant,
      manners: this.behaviour,
      unit: this.#unit,
      hasReversion: options.reversion ?? true,
      label: {
        manufacturer: options.manufacturer ?? "Simulated",
        model: options.model ?? (options.kind === "battery" ? "Battery inverter" : "Solar inverter"),
        version: "1.0.0",
        serial: options.serial ?? "SIM-0001",
      },
    });
    const map = new RegisterMap(options.base ?? 40_000, this.#device.models);
    this.#bank = {
      read: (address, count) => {
        this.#device.settle();
        return map.read(address, count);
      },
      write: (address, values, functionCode) => {
        this.#remember({ address, values, functionCode });
        if (functionCode === WRITE_MULTIPLE && this.behaviour.rejectsWriteMultiple) return EXCEPTION.illegalFunction;
        this.#device.settle();
        const fault = map.write(address, values);
        this.#device.settle();
        return fault;
      },
    };
  }

  /** The last write requests, newest last, at most 1000; refused ones too. */
  get writes(): readonly ReceivedWrite[] {
    return this.#writes;
  }

  /**
   * Opens the server; port 0 takes a free one.
   * @throws Error when the port is taken or the simulator listens already
   */
  async listen(port = 0, host = "127.0.0.1"): Promise<{ host: string; port: number }> {
    if (this.#server !== undefined) throw new Error("the inverter simulator listens already");
    const server = new ModbusServer({
      log: this.#options.log,
      maxConnections: () => this.behaviour.maxConnections,
      answer: (frame) => this.#answer(frame),
    });
    const address = await server.listen(port, host);
    this.#server = server;
    this.#settling = repeatEvery(this.#options.clock, SETTLE_EVERY_MS, this.#stop.signal, () => {
      this.powerKW();
    }).catch((error: unknown) => this.#options.log.error("the simulated inverter stopped moving", { err: error }));
    return address;
  }

  /** Power of the hardware now, kW, export positive. */
  powerKW(): number {
    this.#device.settle();
    return this.#plant.powerKW();
  }

  /** True while the hardware follows a limit, a setpoint or a command to disconnect. */
  underControl(): boolean {
    this.#device.settle();
    return this.#device.isControlled();
  }

  /** Resets all connections; clients may come back at once. */
  dropConnections(): void {
    this.#server?.dropConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#settling;
    await this.#server?.[Symbol.asyncDispose]();
  }

  #answer(frame: MbapFrame): Buffer | undefined {
    if (this.behaviour.silent) return undefined;
    if (frame.unit !== this.#unit) {
      if (this.#options.otherUnit === "silence") return undefined;
      return encodeFrame({ ...frame, pdu: exceptionPdu(frame.pdu.readUInt8(0), EXCEPTION.targetSilent) });
    }
    const answer = { ...frame, pdu: answerRequest(frame.pdu, this.#bank) };
    return this.behaviour.talksNonsense ? this.#nonsense.instead(answer) : encodeFrame(answer);
  }

  #remember(write: ReceivedWrite): void {
    this.#writes.push(write);
    if (this.#writes.length > MOST_WRITES_KEPT) this.#writes = this.#writes.slice(-MOST_WRITES_KEPT / 2);
  }
}
