import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Evidence } from "../../../src/model/adapter.ts";
import type { WriteBudget } from "../../wear/write-budget.ts";
import type { BaselineMemory } from "../baseline/baseline-memory.ts";
import { BaselineKeeper } from "./baseline-keeper.ts";
import type { Order, PlacedControl } from "./control.ts";
import { ControlWriter, differing } from "./control-writer.ts";
import { ControllerPresence } from "./controller-presence.ts";
import { type Failsafe, failsafeOf } from "./failsafe.ts";
import { baselineFrom, type KeptBaseline, keptFrom } from "./kept-baseline.ts";
import { type ModelBlock, readBlock } from "./model-block.ts";
import { findModel } from "./model-chain.ts";
import { type ModelTable, partOf } from "./model-table.ts";
import { status } from "./models/status.ts";
import { orderSteps, restoreSteps } from "./register-writer.ts";
import type { WriteManner } from "./registers.ts";
import { type Arming, ReversionWatch, showsTimer } from "./reversion-watch.ts";
import type { Facts, SunSpecDevice } from "./sunspec-device.ts";
import { SunSpecError } from "./sunspec-error.ts";
import { WriteAllowance } from "./write-allowance.ts";

/** Bit of 122.StActCtl: a fixed active power is in force. */
const FIXED_W = 1;
const statusPart = partOf(status, ["StActCtl"]);

/** Why a power is told: an order, the same again before its timer runs out, or again since the meter does not show it. */
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
  /** Reversion time that is armed anew all day, seconds. */
  readonly revertS: number;
  /** The technician says that the device's own fallback is set up. */
  readonly hasVendorFallback: boolean;
}

/**
 * The control block of one SunSpec device: what is told, what it held before us, and what is proven of it. It does what
 * it is asked, once; keeping a command alive is `TargetKeeper`'s part. Methods throw `ModbusError` or `SunSpecError`.
 */
export class DeviceControl {
  readonly #device: SunSpecDevice;
  readonly #clock: Clock;
  readonly #hasVendorFallback: boolean;
  readonly #writer: ControlWriter;
  readonly #baseline: BaselineKeeper;
  readonly #presence: ControllerPresence;
  readonly #allowance: WriteAllowance;
  readonly #reversion = new ReversionWatch();

  constructor(parts: DeviceControlParts) {
    const { device, clock, log, budget } = parts;
    this.#device = device;
    this.#clock = clock;
    this.#hasVendorFallback = parts.hasVendorFallback;
    this.#writer = new ControlWriter(device.registers, clock);
    this.#baseline = new BaselineKeeper(parts.memory, log);
    this.#presence = new ControllerPresence(device, budget, log);
    this.#allowance = new WriteAllowance(budget, parts.maxWritesPerDay, parts.revertS);
  }

  /** True while the control block may hold something of ours, so that it has to be restored; also after a crash. */
  get touched(): boolean {
    return this.#baseline.kept !== undefined;
  }

  /** True if writing wears this device out, so that a timer is armed once and for long. */
  get wearsOut(): boolean {
    return this.#device.facts?.quirks.cyclic === "no";
  }

  failsafe(facts: Facts): Failsafe {
    return failsafeOf({
      isControlled: facts.control !== undefined,
      timer: facts.hasTimer ? facts.control?.control.reversion.seconds : undefined,
      timerFault: this.#reversion.fault,
      timerProven: this.#reversion.provenCounting,
      quirk: facts.quirks.failsafe,
      hasVendorFallback: this.#hasVendorFallback,
    });
  }

  /** What a technician should know, for as long as it is so. */
  notices(): readonly string[] {
    const { fault } = this.#reversion;
    const { local } = this.#presence;
    const { kept } = this.#baseline;
    const isLeft = kept !== undefined && this.#device.facts !== undefined && this.#device.facts.control === undefined;
    return [
      ...(isLeft ? [`model ${kept.model} may still hold a command of ours, and is not controlled any more`] : []),
      ...(local === undefined ? [] : [`${local} says local: whoever is at the device controls it`]),
      ...(fault === undefined || !this.#device.facts?.hasTimer ? [] : [`reversion timer: ${fault}`]),
      ...this.#allowance.notices(),
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
    const device = this.#device;
    return device.withMap(signal, async (facts) => {
      const { ratings, quirks, readsBack } = facts;
      await this.#presence.mustBeRemote(facts, signal);
      await this.#forgetOfAnother(facts);
      const placed = placedControl(facts);
      const { control } = placed;
      const askedAtMs = this.#clock.elapsedMs();
      const block = await this.#usableBlock(placed, signal);
      if (control.range(ratings) === undefined) {
        throw new SunSpecError("refused", `the rating to which model ${control.model} refers is not known`);
      }
      if (readsBack) await this.#baseline.forgetForAnotherMaster(control, block);
      if (occasion === "refresh") this.#reversion.look(control, block, askedAtMs);
      const baseline = this.#baseline.of(control, block) ?? control.baseline(block, readsBack);
      const order = control.order(block, powerKW, { ratings, revertS, rampS: device.rampS, baseline });
      const { fault } = this.#reversion;
      const mayStay = occasion !== "correction" && readsBack && (!facts.hasTimer || fault !== undefined);
      if (mayStay && differing(block, order.points, order.verify).length === 0) {
        const why = fault ?? "the device has no reversion timer";
        return { ...order, isVisible: true, arming: { armed: false, why } };
      }
      const rearm = occasion === "correction" ? strongerRearm(quirks.rearm) : quirks.rearm;
      const manner = mannerOf(placed, facts);
      const steps = orderSteps(control, block, order.points, rearm);
      this.#allowance.spend(steps, facts, "order");
      const found = () => keptFrom(control, block, baseline, facts.identity);
      const isFirst = await this.#baseline.keepBefore(order, block, found);
      await this.#writer.write(steps, manner, signal, async () => {
        if (isFirst) await this.#baseline.forget();
      });
      const after = readsBack ? await this.#readBack(placed, block, order, signal) : block;
      const arming = this.#reversion.armed(control, after, revertS, readsBack, this.#clock.elapsedMs());
      return { ...order, isVisible: readsBack, arming };
    });
  }

  /** Writes back what the control block held before the first command. Harmless if nothing was written. */
  async restore(signal: AbortSignal): Promise<void> {
    if (!this.touched) return;
    await this.#device.withMap(signal, async (facts) => {
      await this.#forgetOfAnother(facts);
      const { kept } = this.#baseline;
      if (kept === undefined) return;
      const placed = this.#device.placeOf(kept.model, facts);
      if (facts.control === undefined || placed === undefined) {
        throw new SunSpecError("refused", `model ${kept.model} can't be given its baseline back: it is not controlled`);
      }
      await this.#presence.mustBeRemote(facts, signal);
      const { control } = placed;
      const block = await this.#usableBlock(placed, signal);
      if (facts.readsBack && (await this.#baseline.forgetForAnotherMaster(control, block))) return;
      const baseline = baselineFrom(kept, control, block);
      const steps = restoreSteps(control, block, baseline, facts.quirks.rearm);
      this.#allowance.spend(steps, facts, "release");
      await this.#writer.writeAll(steps, mannerOf(placed, facts), signal);
      if (facts.readsBack) {
        const enable = baseline.enabled ? (baseline.points.get(control.enable) ?? 0) : 0;
        await this.#writer.verify(placed, block, new Map([[control.enable, enable]]), [control.enable], signal);
      }
    });
    await this.#baseline.forget();
    this.#reversion.disarmed();
  }

  /** What the device says that it does, for whoever wonders why its meter shows something else. */
  probe(signal: AbortSignal): Promise<Evidence> {
    return this.#device.withMap(signal, async (facts) => {
      const { control, entry } = placedControl(facts);
      const block = await readBlock(this.#device.registers, control.table, entry, signal);
      const shown = control.shows(block, facts.ratings);
      const { left } = control.reversion;
      const leftS = left === undefined ? undefined : block.raw(left);
      const active = await this.#activeControls(facts, signal);
      const { local } = this.#presence;
      const text = [
        shown.text,
        ...(leftS === undefined ? [] : [`falls back in ${leftS} s`]),
        ...(active === undefined ? [] : [`122 says that ${active & FIXED_W ? "a" : "no"} fixed power is active`]),
        ...(local === undefined ? [] : [`${local} says local`]),
      ].join(", ");
      // What its registers show of an inverter that shows the same whatever it does is no evidence.
      return facts.readsBack ? { ...shown, text } : { text: `${text}; its registers do not tell what is in force` };
    });
  }

  /** Looks who controls the device. */
  look(signal: AbortSignal): Promise<void> {
    return this.#presence.look(signal);
  }

  /** Looks who controls the device, and moves the counters by which it sees that its controller is alive. */
  beat(signal: AbortSignal): Promise<void> {
    return this.#presence.beat(signal);
  }

  async #usableBlock(placed: PlacedControl, signal: AbortSignal): Promise<ModelBlock<ModelTable>> {
    const { control, entry } = placed;
    const block = await readBlock(this.#device.registers, control.table, entry, signal);
    if (control.usable(block)) return block;
    throw new SunSpecError("refused", `model ${control.model} reads "not implemented"; the device seems to sleep`);
  }

  /** The block after a write: it must show the order, and a while is given for the timer to show. */
  async #readBack(
    placed: PlacedControl,
    before: ModelBlock<ModelTable>,
    order: Order,
    signal: AbortSignal,
  ): Promise<ModelBlock<ModelTable>> {
    const after = await this.#writer.verify(placed, before, order.points, order.verify, signal);
    if (showsTimer(placed.control, after)) return after;
    return this.#writer.readUntil(placed, signal, (block) => showsTimer(placed.control, block));
  }

  async #activeControls(facts: Facts, signal: AbortSignal): Promise<number | undefined> {
    const entry = findModel(facts.chain, statusPart);
    if (entry === undefined) return undefined;
    return (await readBlock(this.#device.registers, statusPart, entry, signal)).raw("StActCtl");
  }

  async #forgetOfAnother(facts: Facts): Promise<void> {
    if (await this.#baseline.forgetOfAnother(facts)) this.#reversion.reset();
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
