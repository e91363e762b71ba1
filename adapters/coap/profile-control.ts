import type { Clock } from "../../src/clock.ts";
import { definedOnly } from "../../src/model/defined-only.ts";
import type { WriteBudget } from "../wear/write-budget.ts";
import type { BaselineMemory } from "./baseline-memory.ts";
import { CoapError } from "./link/coap-error.ts";
import type { CoapLink } from "./link/coap-link.ts";
import type { ControlSpec } from "./profile/control-schema.ts";
import { heldPoints } from "./profile/held-points.ts";
import { type PlannedPart, type PlannedWrite, planBaseline, planPower, planRelease } from "./profile/power-plan.ts";
import type { ChosenControl, ProfileDevice } from "./profile/profile-device.ts";
import { writeRequest, writeText } from "./profile/write-request.ts";

/** What became of an order. */
export interface ControlOrder {
  readonly appliedKW: number;
  readonly command: string;
  readonly endsByItself: boolean;
  /** False where the device held it already. */
  readonly isWritten: boolean;
}

/** What a control remembers, and what it must not overdo. */
export interface ControlKeeping {
  readonly baseline: BaselineMemory;
  /** Of the device, whoever writes to it. */
  readonly budget: Pick<WriteBudget, "spend">;
  readonly clock: Clock;
}

/** A device shows what it was told within this time, ms; most do at once. */
const READBACK_MS = 2000;
const READBACK_PAUSE_MS = 200;

/** Tells a device what its profile says, once for each call; keeping an order alive is another's part. Throws `CoapError`. */
export class ProfileControl {
  readonly #link: CoapLink;
  readonly #device: ProfileDevice;
  readonly #baseline: BaselineMemory;
  readonly #budget: Pick<WriteBudget, "spend">;
  readonly #clock: Clock;
  #last: { readonly powerKW: number; readonly order: ControlOrder } | undefined;

  constructor(link: CoapLink, device: ProfileDevice, keeping: ControlKeeping) {
    this.#link = link;
    this.#device = device;
    this.#baseline = keeping.baseline;
    this.#budget = keeping.budget;
    this.#clock = keeping.clock;
  }

  /** True while the device may hold something of ours, also from before a restart. */
  get touched(): boolean {
    return this.#baseline.get() !== undefined;
  }

  /**
   * Tells the device to hold a power. The first time, what its points hold is kept for `restore`.
   * @param powerKW export positive, inside the range
   * @param reversionS whole seconds after which the device falls back by itself, where it can be told
   * @param mode `order`: write, but for a change within the deadband. `write`: write in any case. `check`: only if the device
   * no longer holds it
   */
  async hold(
    powerKW: number,
    reversionS: number,
    mode: "order" | "write" | "check",
    signal: AbortSignal,
  ): Promise<ControlOrder> {
    const { spec, range } = this.#chosen();
    const still = mode === "order" ? this.#withinDeadband(powerKW, spec) : undefined;
    if (still !== undefined) return still;
    const { points } = this.#device.profile;
    const plan = planPower(spec, powerKW, reversionS, range, points);
    const order = (sent: readonly PlannedWrite[]): ControlOrder => ({
      appliedKW: plan.appliedKW,
      command: sent.map((write) => writeText(write, this.#device.profile)).join(", ") || "holds it already",
      endsByItself: spec.failsafe === "device",
      isWritten: sent.length > 0,
    });
    if (mode === "check" && (await this.#shows(plan.writes, signal))) return order([]);
    const wanted = await this.#changed(plan.writes, signal);
    this.#spend(wanted, spec);
    await this.#keepBaseline(signal);
    await this.#write(wanted, signal);
    if (spec.verify.readback) await this.#readBack(plan.writes, signal);
    const done = order(wanted);
    this.#last = { powerKW, order: done };
    return done;
  }

  /** Gives the device back what it held before the first write. Harmless if nothing was written. */
  async restore(signal: AbortSignal): Promise<void> {
    const kept = this.#baseline.get();
    if (kept === undefined) return;
    const { spec, range } = this.#chosen();
    const { points } = this.#device.profile;
    const writes =
      spec.release === "baseline" ? planBaseline(kept, points) : planRelease(spec.release.writes, range, points);
    const wanted = await this.#changed(writes, signal);
    // The count goes on, but a device is never left under our command to spare its memory.
    this.#budget.spend(this.#pathsOf(wanted), policyOf(spec), "release");
    await this.#write(wanted, signal);
    if (spec.verify.readback) await this.#readBack(writes, signal);
    await this.#baseline.forget();
    this.#last = undefined;
  }

  /** @throws CoapError `refused` where one of the resources was written as often as its day allows */
  #spend(writes: readonly PlannedWrite[], spec: ControlSpec): void {
    const spent = this.#budget.spend(this.#pathsOf(writes), policyOf(spec));
    if (spent.ok) return;
    const again = new Date(spent.refusedUntilMs).toISOString();
    const often = `${spent.place} was written ${spent.writesToday} times today, and wears out; again from ${again}`;
    throw new CoapError("refused", often);
  }

  #pathsOf(writes: readonly PlannedWrite[]): readonly string[] {
    const { resources } = this.#device.profile;
    return writes.map(({ resource }) => resources[resource]?.path ?? resource);
  }

  #withinDeadband(powerKW: number, { writePolicy: { deadbandKW } }: ControlSpec): ControlOrder | undefined {
    if (deadbandKW === undefined || this.#last === undefined || !this.touched) return undefined;
    const { order } = this.#last;
    const more = Math.abs(powerKW) - Math.abs(order.appliedKW);
    // Only what the device may do less than ordered is left alone; a reduction is always told.
    const isSameWay = Math.sign(powerKW) === Math.sign(order.appliedKW);
    return isSameWay && more >= 0 && more < deadbandKW ? order : undefined;
  }

  /** Writes without those of which the device shows all that they would bring. */
  async #changed(writes: readonly PlannedWrite[], signal: AbortSignal): Promise<readonly PlannedWrite[]> {
    const spared = writes.filter(
      (write) =>
        write.parts.every(({ onlyIfChanged }) => onlyIfChanged) && this.#kept([write]).length === write.parts.length,
    );
    if (spared.length === 0) return writes;
    await this.#shows(spared, signal);
    return writes.filter((write) => !spared.includes(write) || !write.parts.every((part) => this.#showsPart(part)));
  }

  async #keepBaseline(signal: AbortSignal): Promise<void> {
    if (this.touched) return;
    const { spec } = this.#chosen();
    if (spec.release !== "baseline") {
      await this.#baseline.keep([]);
      return;
    }
    await this.#baseline.keep(await heldPoints(spec, this.#device, signal));
  }

  async #write(writes: readonly PlannedWrite[], signal: AbortSignal): Promise<void> {
    for (const write of writes) {
      signal.throwIfAborted();
      const request = await writeRequest(write, this.#device.profile);
      if (request !== undefined) await this.#link.ask(request, signal);
    }
  }

  /** @throws CoapError `refused` where the device does not show what it was told */
  async #readBack(writes: readonly PlannedWrite[], signal: AbortSignal): Promise<void> {
    const untilMs = this.#clock.elapsedMs() + READBACK_MS;
    while (!(await this.#shows(writes, signal))) {
      if (this.#clock.elapsedMs() >= untilMs) {
        const other = this.#kept(writes).find((part) => !this.#showsPart(part));
        const shown = other && this.#device.reader.look(this.#readName(other.point));
        throw new CoapError("refused", `took ${other?.point} = ${other?.value} and shows ${shown ?? "nothing"}`);
      }
      await this.#clock.sleep(READBACK_PAUSE_MS, signal);
    }
  }

  async #shows(writes: readonly PlannedWrite[], signal: AbortSignal): Promise<boolean> {
    const parts = this.#kept(writes);
    await this.#device.reader.readPoints(
      parts.map(({ point }) => this.#readName(point)),
      signal,
    );
    return parts.every((part) => this.#showsPart(part));
  }

  /** What can be read back: no time that counts down, and nothing that is only written. */
  #kept(writes: readonly PlannedWrite[]): PlannedPart[] {
    const { points } = this.#device.profile;
    return writes
      .flatMap(({ parts }) => parts)
      .filter(({ point, isKept }) => isKept && points[this.#readName(point)]?.access !== "write");
  }

  #showsPart({ point, value }: PlannedPart): boolean {
    const shown = this.#device.reader.look(this.#readName(point));
    if (typeof shown !== "number" || typeof value !== "number") return shown === value;
    // A device may keep fewer digits than it was told.
    const scale = Math.abs(this.#device.profile.points[point]?.scale ?? 1);
    return Math.abs(shown - value) <= Math.max(0.51 * scale, 1e-6 * Math.abs(value));
  }

  #readName(point: string): string {
    return this.#device.profile.points[point]?.readAs ?? point;
  }

  #chosen(): ChosenControl {
    const control = this.#device.facts?.control;
    if (control === undefined)
      throw new CoapError("refused", "this device is only measured: it has none of its profile's controls");
    return control;
  }
}

function policyOf({ writePolicy: { cyclic, maxPerDay, minIntervalS } }: ControlSpec) {
  return { cyclic, ...definedOnly({ maxPerDay, minIntervalS }) };
}
