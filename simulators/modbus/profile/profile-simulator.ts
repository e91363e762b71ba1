import type { ModbusBehaviour } from "../behaviour.ts";
import type { FramingName } from "../frame.ts";
import { ModbusDevice, type ModbusDeviceOptions, type ReceivedWrite } from "../modbus-device.ts";
import { EXCEPTION, type ExceptionCode, type Space } from "../modbus-request.ts";
import { ReversionTimer } from "../reversion-timer.ts";
import { keepRunning } from "../running.ts";
import type { SerialLine } from "../serial-line.ts";
import { controlPoints, type Order, orderIn, reversionPoint } from "./control-in-force.ts";
import { initialValues, type Ratings } from "./initial-values.ts";
import { measureInto, sleepInto } from "./measured-points.ts";
import { baseFactor, type PlacedPoint, placedPoints } from "./placed-point.ts";
import { PointMemory } from "./point-memory.ts";
import type { ProfileHardware } from "./profile-hardware.ts";
import type { ControlShape, ProfileShape } from "./profile-shape.ts";
import { VendorMap } from "./vendor-map.ts";

export interface ProfileSimulatorOptions extends Omit<ModbusDeviceOptions, "bank"> {
  readonly profile: ProfileShape;
  readonly hardware: ProfileHardware;
  readonly ratings: Ratings;
}

/** So many heartbeats may be missed before the device falls back. */
const MISSED_BEATS = 3;
/** How far an update moves the registers. */
const UPDATE_SHIFT = 16;

/** A device that a profile describes: its registers, with physics behind what is measured and what is ordered. */
export class ProfileSimulator implements AsyncDisposable {
  readonly behaviour: ModbusBehaviour;
  readonly #options: ProfileSimulatorOptions;
  readonly #points: ReadonlyMap<string, PlacedPoint>;
  readonly #controls: readonly ControlShape[];
  readonly #initial: PointMemory;
  readonly #map: VendorMap;
  readonly #device: ModbusDevice;
  readonly #stop = new AbortController();
  readonly #fallback: ReversionTimer;
  /** What the registers say, and what the hardware follows: they differ only while writes are ignored. */
  #shown: PointMemory;
  #inForce: PointMemory;
  #restarts = 0;
  #running: Promise<void> | undefined;

  constructor(options: ProfileSimulatorOptions) {
    const { profile, clock } = options;
    this.behaviour = options.behaviour;
    this.#options = options;
    this.#points = placedPoints(profile);
    this.#controls = Object.values(profile.controls);
    this.#fallback = new ReversionTimer(clock);
    this.#map = new VendorMap(this.#points, profile.limits);
    this.#initial = new PointMemory(this.#points);
    // Scales first, so that what they scale is right.
    const scales = new Set([...this.#points.values()].flatMap(({ scaleFrom }) => scaleFrom ?? []));
    for (const name of scales) this.#initial.put(name, 0);
    for (const [name, value] of initialValues(profile, this.#points, options.ratings)) {
      if (!scales.has(name)) this.#initial.put(name, value);
    }
    this.#shown = this.#initial.copy();
    this.#inForce = this.#initial.copy();
    this.#device = new ModbusDevice({
      ...options,
      bank: {
        read: (space, address, count) => this.#read(space, address, count),
        write: (space, address, values, functionCode) => this.#write(space, address, values, functionCode),
      },
    });
  }

  /** The last write requests, newest last, at most 1000; refused ones too. */
  get writes(): readonly ReceivedWrite[] {
    return this.#device.writes;
  }

  /** Opens a server; port 0 takes a free one. @throws Error when the port is taken */
  async listen(port = 0, host = "127.0.0.1", framing: FramingName = "tcp"): Promise<{ host: string; port: number }> {
    const address = await this.#device.listen(port, host, framing);
    this.#run();
    return address;
  }

  /** Answers on a serial line too, and closes it in the end. */
  attach(line: SerialLine): void {
    this.#device.attach(line);
    this.#run();
  }

  /** Power of the hardware now, kW, export positive. */
  powerKW(): number {
    this.settle();
    return this.#options.hardware.powerKW();
  }

  /** What it was told and follows; the first control of the profile foremost. */
  orders(): readonly Order[] {
    return this.#controls.flatMap((control) => orderIn(control, this.#inForce, this.#initial, this.#points) ?? []);
  }

  /** Resets all connections; clients may come back at once. */
  dropConnections(): void {
    this.#device.dropConnections();
  }

  /** The supply fails and comes back: connections break, and nothing is known any more of what was ordered. */
  restart(): void {
    this.#device.dropConnections();
    this.#restarts += 1;
    this.#goBack();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#device[Symbol.asyncDispose]();
  }

  #read(space: Space, onWire: number, count: number): readonly number[] | ExceptionCode {
    const address = onWire - this.#shift;
    const fault = this.#map.mayRead(space, address, count);
    if (fault !== undefined) return fault;
    this.settle();
    const names = this.#map.pointsIn(space, address, count).map(({ name }) => name);
    for (const { heartbeat } of this.#controls) {
      if (heartbeat?.mode === "read" && names.includes(heartbeat.point ?? "")) this.#beat();
    }
    return Array.from({ length: count }, (_, index) => this.#shown.cell(space, address + index));
  }

  #write(
    space: "holding" | "coil",
    onWire: number,
    values: readonly number[],
    functionCode: number,
  ): ExceptionCode | undefined {
    const address = onWire - this.#shift;
    const fault =
      this.#map.mayWrite(space, address, values.length, functionCode) ??
      (this.behaviour.refuses ? EXCEPTION.illegalValue : undefined);
    if (fault !== undefined) return fault;
    this.settle();
    for (const memory of this.behaviour.ignoresWrites ? [this.#shown] : [this.#shown, this.#inForce]) {
      for (const [index, value] of values.entries()) memory.putCell(space, address + index, value);
    }
    const names = this.#map.pointsIn(space, address, values.length).map(({ name }) => name);
    if (this.#controls.some((control) => controlPoints(control).some((name) => names.includes(name)))) this.#beat();
    for (const { heartbeat } of this.#controls) if (names.includes(heartbeat?.point ?? "")) this.#beat();
    this.settle();
    return undefined;
  }

  get #shift(): number {
    return this.behaviour.movesMap ? this.#restarts * UPDATE_SHIFT : 0;
  }

  /** Whoever controls the device is still there. */
  #beat(): void {
    const times = this.#controls.flatMap((control) => this.#patienceS(control) ?? []);
    this.#fallback.restart(times.length === 0 ? 0 : Math.min(...times));
  }

  /** Seconds without a word after which the device falls back by itself; undefined where it does not. */
  #patienceS(control: ControlShape): number | undefined {
    const name = reversionPoint(control);
    const point = name === undefined ? undefined : this.#points.get(name);
    if (point !== undefined) {
      const seconds = (this.#inForce.value(point.name) ?? 0) * baseFactor(point);
      return seconds > 0 ? seconds : undefined;
    }
    const { heartbeat, failsafe } = control;
    if (heartbeat === undefined || !["device", "vendor"].includes(failsafe)) return undefined;
    return MISSED_BEATS * heartbeat.everyS;
  }

  /** Brings everything to this moment. */
  settle(): void {
    const { profile, hardware, clock } = this.#options;
    if (this.#fallback.ranOut()) this.#goBack();
    hardware.obey(this.orders());
    for (const { readAs, name } of this.#points.values()) {
      const value = readAs === undefined ? undefined : this.#inForce.value(name);
      const point = this.#points.get(readAs ?? "");
      if (value !== undefined && point !== undefined) {
        const factor = baseFactor(this.#points.get(name) ?? point) / baseFactor(point);
        this.#shown.put(point.name, value * factor);
      }
    }
    for (const { reversion } of this.#controls) {
      if (reversion?.proof !== undefined) this.#shown.put(reversion.proof.point, this.#fallback.remainingS());
    }
    if (this.behaviour.isStale) {
      hardware.powerKW();
      return;
    }
    measureInto(this.#shown, profile, this.#points, hardware, clock);
    if (this.behaviour.sleepsAtNight && hardware.isAsleep()) sleepInto(this.#shown, profile, this.#points);
  }

  #goBack(): void {
    this.#fallback.restart(0);
    this.#shown = this.#initial.copy();
    this.#inForce = this.#initial.copy();
  }

  #run(): void {
    this.#running ??= keepRunning(this, { ...this.#options, signal: this.#stop.signal });
  }
}
