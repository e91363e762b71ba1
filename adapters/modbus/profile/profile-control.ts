import type { Clock } from "../../../src/clock.ts";
import { definedOnly } from "../../../src/model/defined-only.ts";
import { baselineOf, baselineWrites, shownRegisters, writtenPoints } from "./baseline-ranges.ts";
import type { BaselineMemory, WriteBudget } from "./control-keeping.ts";
import type { ControlSpec } from "./control-schema.ts";
import { type PlanContext, type PlannedWrite, type PowerPlan, planFixed, planPower } from "./power-plan.ts";
import type { ChosenControl, ProfileDevice } from "./profile-device.ts";
import { ProfileError } from "./profile-error.ts";
import type { UnitPort } from "./unit-port.ts";
import { WriteCheck } from "./write-check.ts";

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
 * Tells a device what its profile says, once for each call; keeping a command alive is another's part. Methods throw
 * `ModbusError` or `ProfileError`.
 */
export class ProfileControl {
  readonly #port: UnitPort;
  readonly #device: ProfileDevice;
  readonly #keeping: ProfileKeeping;
  readonly #check: WriteCheck;
  #last: { readonly powerKW: number; readonly order: ProfileOrder } | undefined;
  #beats = 0;

  constructor(port: UnitPort, device: ProfileDevice, keeping: ProfileKeeping) {
    this.#port = port;
    this.#device = device;
    this.#keeping = keeping;
    this.#check = new WriteCheck(keeping.clock);
  }

  /** True while the device may hold something of ours, also from before a restart. */
  get touched(): boolean {
    return this.#keeping.baseline.get() !== undefined;
  }

  /** The device may have restarted, so that what it was told last counts no more. */
  forgetLast(): void {
    this.#last = undefined;
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
   * what the device shows to hold no more. `reassert`: that, and all that it does not show
   */
  async hold(
    powerKW: number,
    reversionS: number,
    mode: "order" | "refresh" | "check" | "reassert",
    signal: AbortSignal,
  ): Promise<ProfileOrder> {
    const { spec } = this.#chosen();
    const still = mode === "order" ? this.#withinDeadband(powerKW, spec) : undefined;
    if (still !== undefined) return still;
    const plan = await this.plan(powerKW, reversionS, signal);
    const isLook = mode === "check" || mode === "reassert";
    const wanted = plan.writes.filter((write) => !isLook || !this.#holds(write, mode));
    if (wanted.length > 0) {
      await this.#write(
        wanted.filter((write) => !this.#isUnchanged(write)),
        spec,
        signal,
      );
      if (spec.verify.readback)
        await this.#check.readback(plan.writes, this.#device.reader, spec.verify.readbackS, signal);
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
      await this.#device.reader.read([name], "fast", signal);
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
    if (spec.verify.readback) await this.#check.readback(writes, this.#device.reader, spec.verify.readbackS, signal);
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
        `register ${spent.place} was written ${spent.writesToday} times today, and wears out; again from ${again}`,
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
    const { points } = this.#device.known();
    const ranges = spec.release === "baseline" ? baselineOf(spec, points, this.#device.reader) : [];
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
    await this.#device.reader.read([proof.point], "write", signal);
    const value = this.#device.reader.look(proof.point);
    return typeof value === "number" && value >= proof.atLeast;
  }

  /** Reads what the control's registers hold, for the baseline, for `keep`, and to see what changed. */
  async #readControlBlock(spec: ControlSpec, signal: AbortSignal): Promise<void> {
    const { points } = this.#device.known();
    const readable = writtenPoints(spec).map((name) => points.get(name)?.readAs ?? name);
    await this.#device.reader.read([...new Set(readable)], "write", signal);
  }

  /** A timer, and what can't be read, is taken to be there as long as nothing says that the device restarted. */
  #holds(write: PlannedWrite, mode: "check" | "reassert"): boolean {
    const { reader } = this.#device;
    return write.parts.every((part) => {
      const isShown = part.isKept && shownRegisters(part.point, reader) !== undefined;
      return isShown ? this.#check.shows(part, reader) : mode === "check";
    });
  }

  #isUnchanged(write: PlannedWrite): boolean {
    return write.parts.every((part) => part.onlyIfChanged && this.#check.shows(part, this.#device.reader));
  }

  #planContext(reversionS: number): PlanContext {
    const { points, control } = this.#device.known();
    if (control === undefined) throw new ProfileError("refused", "this device is only measured");
    const { reader } = this.#device;
    const registersOf = (name: string) => reader.registersOf(name);
    return { points, range: control.range, reversionS, look: reader.look, registersOf };
  }

  #chosen(): ChosenControl {
    const { control } = this.#device.known();
    if (control === undefined) {
      throw new ProfileError("refused", "this device is only measured: it has none of its profile's controls");
    }
    return control;
  }
}

function addressesOf(writes: readonly PlannedWrite[]): number[] {
  return writes.flatMap(({ address, registers }) => registers.map((_, index) => address + index));
}

function policyOf({ writePolicy: { cyclic, maxPerDay, minIntervalS } }: ControlSpec) {
  return { cyclic, ...definedOnly({ maxPerDay, minIntervalS }) };
}
