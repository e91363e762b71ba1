import type { Clock } from "../../../src/clock.ts";
import { definedOnly } from "../../../src/model/defined-only.ts";
import type { DeviceIdentity, FailsafeClass } from "../../../src/model/resource.ts";
import { baselineOf, baselineWrites, writtenPoints } from "./baseline-ranges.ts";
import type { BaselineMemory, WriteBudget } from "./control-keeping.ts";
import { type BaseLookup, type ControlRange, type DeviceOptions, rangeOf } from "./control-range.ts";
import type { ControlSpec } from "./control-schema.ts";
import { identityFrom, identityPoints, unlike } from "./identify.ts";
import { baseValue, exportW, type Point, placePoints } from "./point.ts";
import { PointReader } from "./point-reader.ts";
import { type PlanContext, type PlannedWrite, type PowerPlan, planFixed, planPower } from "./power-plan.ts";
import { ProfileError } from "./profile-error.ts";
import { type Measured, measuredFrom } from "./profile-sample.ts";
import type { Profile } from "./profile-schema.ts";
import { pointsOf } from "./profile-words.ts";
import { profileFor } from "./quirks.ts";
import type { UnitPort } from "./unit-port.ts";
import { WriteCheck } from "./write-check.ts";

/** What a look at the device found. Replaced, never changed. */
export interface ProfileFacts {
  /** The profile with the quirks of this device. */
  readonly profile: Profile;
  readonly points: ReadonlyMap<string, Point>;
  readonly identity: DeviceIdentity;
  /** Absent if the device can only be measured. */
  readonly control?: ChosenControl;
  readonly capacityKWh?: number;
}

export interface ChosenControl {
  readonly name: string;
  readonly spec: ControlSpec;
  readonly range: ControlRange;
  readonly failsafe: FailsafeClass;
}

/** What a device was told. */
export interface ProfileOrder {
  readonly appliedKW: number;
  readonly command: string;
  /** True if the device ends it without us. */
  readonly endsByItself: boolean;
  /** False if the device does not show that its timer runs, though it should. */
  readonly armed: boolean;
}

/** How a device that is described by a profile is kept. */
export interface ProfileKeeping {
  readonly clock: Clock;
  readonly budget: WriteBudget;
  readonly baseline: BaselineMemory;
}

/**
 * One device as its profile describes it. It does what it is asked, once; keeping a command alive is the adapter's part.
 * Methods throw `ModbusError` or `ProfileError`.
 */
export class ProfileDevice {
  readonly #port: UnitPort;
  readonly #base: Profile;
  readonly #options: DeviceOptions;
  readonly #keeping: ProfileKeeping;
  readonly #check: WriteCheck;
  #reader: PointReader;
  #facts: ProfileFacts | undefined;
  #last: { readonly powerKW: number; readonly order: ProfileOrder } | undefined;
  #beats = 0;

  constructor(port: UnitPort, profile: Profile, options: DeviceOptions, keeping: ProfileKeeping) {
    this.#port = port;
    this.#base = profile;
    this.#options = options;
    this.#keeping = keeping;
    this.#check = new WriteCheck(keeping.clock);
    this.#reader = this.#readerOf(profile);
  }

  get facts(): ProfileFacts | undefined {
    return this.#facts;
  }

  /** True while the device may hold something of ours, also from before a restart. */
  get touched(): boolean {
    return this.#keeping.baseline.get() !== undefined;
  }

  /** Points that the device turned out not to have. */
  get missing(): ReadonlySet<string> {
    return this.#reader.missing;
  }

  /** The present value of each point that was read, in its unit. */
  values(): ReadonlyMap<string, number | string | undefined> {
    const names = [...(this.#facts?.points.keys() ?? [])];
    return new Map(names.map((name) => [name, this.#reader.look(name)]));
  }

  /** Looks at the device from the beginning. Writes nothing. @throws ProfileError `protocol` if it is another device */
  async discover(signal: AbortSignal): Promise<ProfileFacts> {
    const reader = this.#readerOf(this.#base);
    await reader.read(identityPoints(this.#base), "slow", signal);
    const identity = identityFrom(this.#base, reader.look);
    const profile = profileFor(this.#base, identity);
    this.#reader = profile === this.#base ? reader : this.#readerOf(profile);
    const points = placePoints(profile, this.#options.connector);
    await this.#reader.read(
      profile.identify.map(({ point }) => point),
      "slow",
      signal,
    );
    const fault = unlike(profile, this.#reader.look);
    if (fault !== undefined)
      throw new ProfileError("protocol", `is no ${profile.title}: ${fault}; nothing was written`);
    await this.#readAll(profile, signal);
    const control = this.#chosenControl(profile, points);
    const capacityKWh = this.#capacityOf(profile, points);
    this.#facts = { profile, points, identity, ...definedOnly({ control, capacityKWh }) };
    return this.#facts;
  }

  /** After a reconnection: the device may be another one, or have restarted. */
  async recheck(signal: AbortSignal): Promise<void> {
    this.#last = undefined;
    await this.discover(signal);
  }

  /** Reads the points of one poll group. */
  async poll(group: "fast" | "slow", signal: AbortSignal): Promise<void> {
    const { profile } = this.#known();
    await this.#reader.read(pointsPolled(profile, group), group, signal);
  }

  /** Reads also what is never polled, for a person who looks at the device. */
  async readEverything(signal: AbortSignal): Promise<void> {
    await this.#reader.read([...this.#known().points.keys()], "slow", signal);
  }

  /** Asks again for points that the device did not have. */
  lookAnew(): void {
    this.#reader.forgetMissing();
  }

  /** Limits and capacity may have changed: an installer sets another rating. */
  refreshFacts(): void {
    const facts = this.#known();
    const control = facts.control && this.#chosenControl(facts.profile, facts.points);
    if (JSON.stringify(control) === JSON.stringify(facts.control)) return;
    this.#facts = { ...facts, ...definedOnly({ control }) };
  }

  measured(): Measured {
    const { profile, points } = this.#known();
    return measuredFrom(profile, points, this.#reader.look);
  }

  /** False while there is no car; undefined where the device does not tell. */
  present(): boolean | undefined {
    const { profile, points } = this.#known();
    if (profile.presence === undefined) return undefined;
    const value = this.#reader.look(profile.presence.point);
    if (value === undefined) return undefined;
    const label = points.get(profile.presence.point)?.values?.[String(value)];
    return profile.presence.present.some((one) => one === label || one === String(value));
  }

  /** What would be written for a power; reads, and writes nothing. */
  async plan(powerKW: number, reversionS: number, signal: AbortSignal): Promise<PowerPlan> {
    const { spec } = this.#chosen();
    await this.#readControlBlock(spec, signal);
    return planPower(spec, powerKW, this.#planContext(reversionS));
  }

  /**
   * Tells the device to hold a power. The first time, what its registers hold is kept for `restore`.
   * @param powerKW export positive, inside the range
   * @param reversionS whole seconds after which the device falls back by itself, where it can be told
   * @param mode `order`: write, but for a change within the deadband. `refresh`: write in any case. `check`: write only
   * what the device no longer holds
   */
  async hold(
    powerKW: number,
    reversionS: number,
    mode: "order" | "refresh" | "check",
    signal: AbortSignal,
  ): Promise<ProfileOrder> {
    const { spec } = this.#chosen();
    const still = mode === "order" ? this.#withinDeadband(powerKW, spec) : undefined;
    if (still !== undefined) return still;
    const plan = await this.plan(powerKW, reversionS, signal);
    const wanted = plan.writes.filter((write) => mode !== "check" || !this.#holds(write));
    if (wanted.length > 0) {
      await this.#write(
        wanted.filter((write) => !this.#isUnchanged(write)),
        spec,
        signal,
      );
      if (spec.verify.readback) await this.#check.readback(plan.writes, this.#reader, spec.verify.readbackS, signal);
    }
    const armed = await this.#isArmed(spec, signal);
    const endsByItself = armed && spec.failsafe === "device";
    const order = { appliedKW: plan.appliedKW, command: plan.command, endsByItself, armed };
    this.#last = { powerKW, order };
    return order;
  }

  /** What the device must hear between two orders. @param reversionS as in `hold` */
  async beat(reversionS: number, signal: AbortSignal): Promise<void> {
    const { spec } = this.#chosen();
    const { heartbeat } = spec;
    if (heartbeat?.point === undefined) return;
    const name = heartbeat.point;
    if (heartbeat.mode === "read") {
      await this.#reader.read([name], "fast", signal);
    } else if (heartbeat.mode === "increment") {
      this.#beats = (this.#beats + 1) % 0x7fff;
      await this.#write(planFixed([{ point: name, value: this.#beats }], this.#planContext(0)), spec, signal);
    } else if (this.#last !== undefined) {
      const plan = planPower(spec, this.#last.powerKW, this.#planContext(reversionS));
      const again = plan.writes.filter(({ parts }) => parts.some(({ point }) => point.name === name));
      await this.#write(again, spec, signal);
    }
  }

  /** Gives the device back what it held before the first write. Harmless if nothing was written. */
  async restore(signal: AbortSignal): Promise<void> {
    const kept = this.#keeping.baseline.get();
    if (kept === undefined) return;
    const { spec } = this.#chosen();
    const context = this.#planContext(0);
    const writes =
      spec.release === "baseline"
        ? baselineWrites(spec, kept, context.points)
        : planFixed(spec.release.writes, context);
    for (const write of writes) {
      // The count goes on, but a device is never left under our command to spare its memory.
      this.#keeping.budget.spend(addressesOf([write]), policyOf(spec), "release");
      await this.#port.write(write.space, write.address, write.registers, write.fc, signal);
    }
    if (spec.verify.readback) await this.#check.readback(writes, this.#reader, spec.verify.readbackS, signal);
    await this.#keeping.baseline.forget();
    this.#last = undefined;
  }

  async #write(writes: readonly PlannedWrite[], spec: ControlSpec, signal: AbortSignal): Promise<void> {
    if (writes.length === 0) return;
    const spent = this.#keeping.budget.spend(addressesOf(writes), policyOf(spec));
    if (!spent.ok) {
      const again = new Date(spent.refusedUntilMs).toISOString();
      throw new ProfileError(
        "refused",
        `register ${spent.register} was written ${spent.writesToday} times today, and wears out; again from ${again}`,
      );
    }
    await this.#keepBaseline(spec);
    for (const write of writes) {
      signal.throwIfAborted();
      await this.#port.write(write.space, write.address, write.registers, write.fc, signal);
    }
  }

  async #keepBaseline(spec: ControlSpec): Promise<void> {
    if (this.touched) return;
    const { points } = this.#known();
    const ranges = spec.release === "baseline" ? baselineOf(spec, points, this.#reader) : [];
    await this.#keeping.baseline.keep(ranges);
  }

  #withinDeadband(powerKW: number, spec: ControlSpec): ProfileOrder | undefined {
    const { deadbandKW } = spec.writePolicy;
    if (deadbandKW === undefined || this.#last === undefined || !this.touched) return undefined;
    const { order } = this.#last;
    const more = Math.abs(powerKW) - Math.abs(order.appliedKW);
    // Only what the device may do less than ordered is left alone; a reduction is always told.
    const isSameWay = Math.sign(powerKW) === Math.sign(order.appliedKW);
    return isSameWay && more >= 0 && more < deadbandKW ? order : undefined;
  }

  async #isArmed(spec: ControlSpec, signal: AbortSignal): Promise<boolean> {
    const proof = spec.reversion?.proof;
    if (proof === undefined) return true;
    await this.#reader.read([proof.point], "write", signal);
    const value = this.#reader.look(proof.point);
    return typeof value === "number" && value >= proof.atLeast;
  }

  /** Reads what the control's registers hold, for the baseline, for `keep`, and to see what changed. */
  async #readControlBlock(spec: ControlSpec, signal: AbortSignal): Promise<void> {
    const { points } = this.#known();
    const readable = writtenPoints(spec).map((name) => points.get(name)?.readAs ?? name);
    await this.#reader.read([...new Set(readable)], "write", signal);
  }

  #holds(write: PlannedWrite): boolean {
    return write.parts.every((part) => !part.isKept || this.#check.shows(part, this.#reader));
  }

  #isUnchanged(write: PlannedWrite): boolean {
    return write.parts.every((part) => part.onlyIfChanged && this.#check.shows(part, this.#reader));
  }

  async #readAll(profile: Profile, signal: AbortSignal): Promise<void> {
    for (const group of ["once", "slow", "fast"] as const) {
      await this.#reader.read(pointsPolled(profile, group), group === "fast" ? "fast" : "slow", signal);
    }
    const needed = Object.values(profile.controls).flatMap(({ needs, limits, convert }) => [
      ...needs,
      ...[limits.generation, limits.consumption, limits.least, convert.base, convert.phases, convert.volts].flatMap(
        (given) => pointsOf(given),
      ),
    ]);
    await this.#reader.read([...new Set(needed)], "slow", signal);
  }

  /** The first control whose points the device has. */
  #chosenControl(profile: Profile, points: ReadonlyMap<string, Point>): ChosenControl | undefined {
    for (const [name, spec] of Object.entries(profile.controls)) {
      if (spec.needs.some((point) => this.#reader.look(point) === undefined)) continue;
      const range = rangeOf(spec, this.#baseLookup(points), this.#options);
      return { name, spec, range, failsafe: spec.failsafe };
    }
    return undefined;
  }

  #capacityOf({ capacityKWh }: Profile, points: ReadonlyMap<string, Point>): number | undefined {
    if (typeof capacityKWh !== "string") return capacityKWh;
    const energyWh = this.#baseLookup(points)(capacityKWh);
    return energyWh === undefined ? undefined : energyWh / 1000;
  }

  #planContext(reversionS: number): PlanContext {
    const { points, control } = this.#known();
    if (control === undefined) throw new ProfileError("refused", "this device is only measured");
    const { look } = this.#reader;
    return { points, range: control.range, reversionS, look, registersOf: (name) => this.#reader.registersOf(name) };
  }

  #baseLookup(points: ReadonlyMap<string, Point>): BaseLookup {
    return (name) => {
      const point = points.get(name);
      const value = point?.sign === undefined ? baseValue(point, this.#reader.look) : exportW(point, this.#reader.look);
      return value === undefined ? undefined : Math.abs(value);
    };
  }

  #known(): ProfileFacts {
    if (this.#facts === undefined) throw new ProfileError("protocol", "nothing is known of the device yet");
    return this.#facts;
  }

  #chosen(): ChosenControl {
    const { control } = this.#known();
    if (control === undefined) {
      throw new ProfileError("refused", "this device is only measured: it has none of its profile's controls");
    }
    return control;
  }

  #readerOf(profile: Profile): PointReader {
    return new PointReader(this.#port, placePoints(profile, this.#options.connector), profile.limits);
  }
}

/** Names of the points that are read in a group. */
export function pointsPolled(profile: Profile, group: "fast" | "slow" | "once"): readonly string[] {
  return Object.entries(profile.points)
    .filter(([, { poll, access }]) => poll === group && access !== "write")
    .map(([name]) => name);
}

function addressesOf(writes: readonly PlannedWrite[]): number[] {
  return writes.flatMap(({ address, registers }) => registers.map((_, index) => address + index));
}

function policyOf({ writePolicy: { cyclic, maxPerDay, minIntervalS } }: ControlSpec) {
  return { cyclic, ...definedOnly({ maxPerDay, minIntervalS }) };
}
