import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Evidence } from "../../../src/model/adapter.ts";
import type { BaselineMemory } from "../baseline/baseline-memory.ts";
import { ModbusError } from "../link/modbus-error.ts";
import type { WriteBudget } from "../wear/write-budget.ts";
import type { WritePolicy } from "../wear/write-policy.ts";
import { type Authority, readAuthority } from "./authority.ts";
import type { Baseline, Order, PlacedControl } from "./control.ts";
import { ControlWriter, differing } from "./control-writer.ts";
import { type Failsafe, failsafeOf } from "./failsafe.ts";
import { sameDevice } from "./identity.ts";
import { baselineFrom, type KeptBaseline, keptFrom } from "./kept-baseline.ts";
import { type ModelBlock, readBlock } from "./model-block.ts";
import { findModel } from "./model-chain.ts";
import { type ModelTable, partOf } from "./model-table.ts";
import { status } from "./models/status.ts";
import { orderSteps, registersOf, restoreSteps, type WriteStep } from "./register-writer.ts";
import type { WriteManner } from "./registers.ts";
import { type Arming, ReversionWatch, showsTimer } from "./reversion-watch.ts";
import type { Facts, SunSpecDevice } from "./sunspec-device.ts";
import { SunSpecError } from "./sunspec-error.ts";

/** Bit of 122.StActCtl: a fixed active power is in force. */
const FIXED_W = 1;
const statusPart = partOf(status, ["StActCtl"]);
/** Heartbeat registers are there to be written every second. */
const HEARTBEAT_POLICY: WritePolicy = { cyclic: "ok" };

/** Why a power is told: an order, the same once more before its timer runs out, or once more since the meter does not show it. */
export type Occasion = "order" | "refresh" | "correction";

/** An order that the device took, and whether it will end it without us. */
export interface Held extends Order {
  readonly arming: Arming;
  /** True if the registers show what is in force, so that it is enough to look. */
  readonly isVisible: boolean;
}

export interface DeviceControlParts {
  readonly device: SunSpecDevice;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: WriteBudget;
  readonly memory: BaselineMemory<KeptBaseline>;
  /** Bound of register writes a day from the config. */
  readonly maxWritesPerDay: number | undefined;
  /** Reversion time that is armed anew all day. */
  readonly revertS: number;
  /** The technician says that the device's own fallback is set up. */
  readonly hasVendorFallback: boolean;
}

/**
 * The control block of one SunSpec device: what is told, what it held before us, and what is proven of it. It does what
 * it is asked, once; keeping a command alive is `TargetKeeper`'s part. Methods throw `ModbusError` or `SunSpecError`.
 */
export class DeviceControl {
  readonly #parts: DeviceControlParts;
  readonly #writer: ControlWriter;
  readonly #reversion = new ReversionWatch();
  #kept: KeptBaseline | undefined;
  #local: string | undefined;
  #refusal: string | undefined;
  readonly #brokenHeartbeats = new Set<string>();

  constructor(parts: DeviceControlParts) {
    this.#parts = parts;
    this.#writer = new ControlWriter(parts.device.registers, parts.clock);
    this.#kept = parts.memory.get();
  }

  /** True while the control block may hold something of ours, so that it has to be restored; also after a crash. */
  get touched(): boolean {
    return this.#kept !== undefined;
  }

  /** True if writing wears this device out, so that a timer is armed once and for long. */
  get wearsOut(): boolean {
    return this.#parts.device.facts?.quirks.cyclic === "no";
  }

  failsafe(facts: Facts): Failsafe {
    return failsafeOf({
      isControlled: facts.control !== undefined,
      timer: facts.hasTimer ? facts.control?.control.reversion.seconds : undefined,
      timerFault: this.#reversion.fault,
      timerProven: this.#reversion.provenCounting,
      quirk: facts.quirks.failsafe,
      hasVendorFallback: this.#parts.hasVendorFallback,
    });
  }

  /** What a technician should know, for as long as it is so. */
  notices(): readonly string[] {
    const fault = this.#reversion.fault;
    return [
      ...(this.#local === undefined ? [] : [`${this.#local} says local: whoever is at the device controls it`]),
      ...(fault === undefined || !this.#parts.device.facts?.hasTimer ? [] : [`reversion timer: ${fault}`]),
      ...(this.#refusal === undefined ? [] : [this.#refusal]),
      ...this.#parts.budget.usage().warnings,
    ];
  }

  /**
   * Tells the device to hold a power. The first time, what the control block holds is put on the disk for `restore`.
   * An order or refresh that the device shows to follow already is not written again, unless a timer has to be armed.
   *
   * @param powerKW export positive, inside the control's range
   * @param revertS whole seconds after which the device falls back by itself, where it can
   */
  hold(powerKW: number, revertS: number, occasion: Occasion, signal: AbortSignal): Promise<Held> {
    const { device, clock } = this.#parts;
    return device.withMap(signal, async (facts) => {
      await this.#mustBeRemote(facts, signal);
      await this.#forgetOfAnother(facts);
      const placed = placedControl(facts);
      const { control, entry } = placed;
      const block = await readBlock(device.registers, control.table, entry, signal);
      if (!control.usable(block)) {
        throw new SunSpecError("refused", `model ${control.model} reads "not implemented"; the device seems to sleep`);
      }
      const { ratings, quirks, readsBack } = facts;
      if (control.range(ratings) === undefined) {
        throw new SunSpecError("refused", `the rating to which model ${control.model} refers is not known`);
      }
      if (occasion === "refresh") this.#reversion.look(control, block, clock.elapsedMs());
      const baseline = this.#baselineIn(placed, block) ?? control.baseline(block, readsBack);
      const order = control.order(block, powerKW, { ratings, revertS, rampS: device.rampS, baseline });
      const mayStay =
        occasion !== "correction" && readsBack && !(facts.hasTimer && this.#reversion.fault === undefined);
      if (mayStay && differing(block, order.points, order.verify).length === 0) {
        const why = this.#reversion.fault ?? "the device has no reversion timer";
        return { ...order, isVisible: true, arming: { armed: false, why } };
      }
      const rearm = occasion === "correction" ? strongerRearm(quirks.rearm) : quirks.rearm;
      const steps = orderSteps(control, block, order.points, rearm);
      this.#spend(steps, facts, "order");
      const isFirst = await this.#keepFirst(() => keptFrom(control, block, baseline, facts.identity));
      const writtenAtMs = clock.elapsedMs();
      await this.#writer.write(steps, mannerOf(placed, facts), signal, async () => {
        if (isFirst) await this.#forget();
      });
      let after = block;
      if (readsBack) {
        after = await this.#writer.verify(placed, block, order.points, order.verify, signal);
        if (!showsTimer(control, after)) {
          after = await this.#writer.readUntil(placed, signal, (each) => showsTimer(control, each));
        }
      }
      const arming = this.#reversion.armed(control, after, revertS, readsBack, writtenAtMs);
      return { ...order, isVisible: readsBack, arming };
    });
  }

  /** Writes back what the control block held before the first command. Harmless if nothing was written. */
  async restore(signal: AbortSignal): Promise<void> {
    if (!this.touched) return;
    const { device } = this.#parts;
    await device.withMap(signal, async (facts) => {
      await this.#forgetOfAnother(facts);
      const kept = this.#kept;
      if (kept === undefined) return;
      if (facts.control === undefined) {
        throw new SunSpecError(
          "refused",
          `model ${kept.model} can't be given its baseline back, nothing is controlled`,
        );
      }
      await this.#mustBeRemote(facts, signal);
      const placed = device.placeOf(kept.model, facts);
      if (placed === undefined) throw new SunSpecError("refused", `model ${kept.model}, which held ours, is gone`);
      const { control, entry } = placed;
      const block = await readBlock(device.registers, control.table, entry, signal);
      if (!control.usable(block)) throw new SunSpecError("refused", "the device seems to sleep");
      const baseline = baselineFrom(kept, control, block);
      const steps = restoreSteps(control, block, baseline, facts.quirks.rearm);
      this.#spend(steps, facts, "release");
      await this.#writer.writeAll(steps, mannerOf(placed, facts), signal);
      if (facts.readsBack) {
        const enable = baseline.enabled ? (baseline.points.get(control.enable) ?? 0) : 0;
        await this.#writer.verify(placed, block, new Map([[control.enable, enable]]), [control.enable], signal);
      }
    });
    await this.#forget();
  }

  /** What the device says that it does, for whoever wonders why its meter shows something else. */
  probe(signal: AbortSignal): Promise<Evidence> {
    const { device } = this.#parts;
    return device.withMap(signal, async (facts) => {
      const { control, entry } = placedControl(facts);
      const block = await readBlock(device.registers, control.table, entry, signal);
      const shown = control.shows(block, facts.ratings);
      const { left } = control.reversion;
      const leftS = left === undefined ? undefined : block.raw(left);
      const active = await this.#activeControls(facts, signal);
      const texts = [
        shown.text,
        ...(leftS === undefined ? [] : [`falls back in ${leftS} s`]),
        ...(active === undefined ? [] : [`122 says that ${active & FIXED_W ? "a" : "no"} fixed power is active`]),
        ...(this.#local === undefined ? [] : [`${this.#local} says local`]),
      ];
      // What its registers show of an inverter that shows the same whatever it does is no evidence.
      if (!facts.readsBack) return { text: `${texts.join(", ")}; its registers do not tell what is in force` };
      return { ...shown, text: texts.join(", ") };
    });
  }

  /** Looks who controls the device, and moves the counters by which it sees that its controller is alive. */
  async beat(signal: AbortSignal): Promise<void> {
    const { device, budget, log } = this.#parts;
    if (!device.facts?.hasAuthority) return;
    await device.withMap(signal, async (facts) => {
      const { local, heartbeats } = await this.#authority(facts, signal);
      if (local !== undefined) return;
      for (const { name, address, next } of heartbeats) {
        if (this.#brokenHeartbeats.has(name)) continue;
        const registers = next.map((_, index) => address + index);
        if (!budget.spend(registers, HEARTBEAT_POLICY).ok) continue;
        try {
          const fc = facts.quirks.writeFunction;
          await device.registers.write(address, next, { mayTear: false, ...(fc && { fc }) }, signal);
        } catch (error) {
          // An exception is the device's word that it does not want it, and no reason to give up the command.
          if (!(error instanceof ModbusError) || !["exception", "argument"].includes(error.fault)) throw error;
          this.#brokenHeartbeats.add(name);
          log.warn("the device does not take the heartbeat of its controller", { point: name, reason: error.message });
        }
      }
    });
  }

  async #authority(facts: Facts, signal: AbortSignal): Promise<Authority> {
    const { device } = this.#parts;
    const authority = await readAuthority(device.registers, facts.chain, device.kind, signal);
    this.#local = authority.local;
    return authority;
  }

  async #mustBeRemote(facts: Facts, signal: AbortSignal): Promise<void> {
    if (!facts.hasAuthority) return;
    const { local } = await this.#authority(facts, signal);
    if (local !== undefined) {
      throw new SunSpecError("refused", `${local} says local: whoever is at the device controls it, and we do not`);
    }
  }

  async #activeControls(facts: Facts, signal: AbortSignal): Promise<number | undefined> {
    const entry = findModel(facts.chain, statusPart);
    if (entry === undefined) return undefined;
    return (await readBlock(this.#parts.device.registers, statusPart, entry, signal)).raw("StActCtl");
  }

  #baselineIn({ control }: PlacedControl, block: ModelBlock<ModelTable>): Baseline | undefined {
    if (this.#kept?.model !== control.model) return undefined;
    return baselineFrom(this.#kept, control, block);
  }

  /** @throws SunSpecError `refused` if a register has been written as often as its day allows */
  #spend(steps: readonly WriteStep[], facts: Facts, purpose: "order" | "release"): void {
    const { budget, maxWritesPerDay, revertS } = this.#parts;
    const cyclic = facts.quirks.cyclic ?? "unknown";
    // Arming the timer all day, three times over: what goes beyond is no refresh any more.
    const armingPerDay = facts.hasTimer && cyclic === "unknown" ? Math.ceil((3 * 86_400) / (revertS / 3)) : undefined;
    const policy = { cyclic, maxPerDay: maxWritesPerDay ?? armingPerDay };
    const spending = budget.spend(registersOf(steps), policy, purpose);
    if (spending.ok) {
      this.#refusal = undefined;
      return;
    }
    const until = new Date(spending.refusedUntilMs).toISOString();
    this.#refusal = `register ${spending.register} was written ${spending.writesToday} times today; not again before ${until}`;
    throw new SunSpecError("refused", this.#refusal);
  }

  /** @returns true if nothing of ours was in the device before */
  async #keepFirst(kept: () => KeptBaseline): Promise<boolean> {
    if (this.#kept !== undefined) return false;
    const first = kept();
    try {
      await this.#parts.memory.keep(first);
    } catch (cause) {
      throw new SunSpecError("refused", `what the device held could not be put on the disk: ${String(cause)}`);
    }
    this.#kept = first;
    return true;
  }

  async #forgetOfAnother(facts: Facts): Promise<void> {
    // Another device answers at this address: what the old one held is not its baseline.
    if (this.#kept === undefined || sameDevice(this.#kept.identity, facts.identity)) return;
    this.#reversion.reset();
    await this.#forget();
  }

  async #forget(): Promise<void> {
    this.#kept = undefined;
    this.#reversion.disarmed();
    try {
      await this.#parts.memory.forget();
    } catch (error) {
      this.#parts.log.warn("a baseline that is not needed any more stays on the disk", { reason: String(error) });
    }
  }
}

function placedControl(facts: Facts): PlacedControl {
  if (facts.control === undefined) {
    throw new SunSpecError("refused", "this device has no model that can be told a power");
  }
  return facts.control;
}

/** @throws SunSpecError where the device takes single registers only and the model has longer values */
function mannerOf({ control }: PlacedControl, { quirks }: Facts): WriteManner {
  const fc = quirks.writeFunction;
  if (fc === 6 && !control.mayTear) {
    throw new SunSpecError("refused", `model ${control.model} has 32-bit values, and the device takes function 6 only`);
  }
  return { mayTear: control.mayTear, ...(fc && { fc }) };
}

/** What was accepted and not followed is said in the next stronger way. */
function strongerRearm(rearm: "none" | "write_enable" | "toggle" = "none"): "write_enable" | "toggle" {
  return rearm === "none" ? "write_enable" : "toggle";
}
