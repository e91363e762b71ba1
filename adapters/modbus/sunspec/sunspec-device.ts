import type { Clock } from "../../../src/clock.ts";
import type { DeviceIdentity, ResourceKind } from "../../../src/model/resource.ts";
import { chooseControl, controlsFor } from "./choose-control.ts";
import type { Baseline, Order, PlacedControl } from "./control.ts";
import { ControlWriter, differing } from "./control-writer.ts";
import { readSample, type Sample } from "./measurement.ts";
import { MapMovedError, readBlock } from "./model-block.ts";
import { findModel, type ModelChain, walkModels } from "./model-chain.ts";
import { common } from "./models/common.ts";
import { hasMeter, type MeterChoice } from "./power-meter.ts";
import { type Ratings, readRatings } from "./ratings.ts";
import { orderSteps, restoreSteps } from "./register-writer.ts";
import type { Registers } from "./registers.ts";
import { SunSpecError } from "./sunspec-error.ts";

export interface SunSpecOptions {
  readonly kind: ResourceKind;
  readonly control: "auto" | "704" | "123" | "124" | "none";
  readonly minPercent: number;
  readonly ratingKW?: number | undefined;
  /** Measures with this meter of the map rather than with the inverter. */
  readonly meter?: MeterChoice | undefined;
}

/** What a walk over the device found. */
export interface Facts {
  readonly chain: ModelChain;
  readonly identity: DeviceIdentity;
  readonly ratings: Ratings;
  /** Absent if the device can only be measured. */
  readonly control?: PlacedControl;
  /** True if the device ends a command by itself. */
  readonly reverts: boolean;
  /** True if the control registers show what was written, so that they can be compared. */
  readonly readsBack: boolean;
}

/**
 * One SunSpec device: its map, its measurements, its control block and what that held before us. It does what it is
 * asked, once; keeping a command alive is the adapter's part. Methods throw `ModbusError` or `SunSpecError`.
 */
export class SunSpecDevice {
  readonly #registers: Registers;
  readonly #options: SunSpecOptions;
  readonly #writer: ControlWriter;
  #facts: Facts | undefined;
  #baseline: Baseline | undefined;

  constructor(registers: Registers, clock: Clock, options: SunSpecOptions) {
    this.#registers = registers;
    this.#writer = new ControlWriter(registers, clock);
    this.#options = options;
  }

  /** Replaced, never changed, when the device turns out to be another or to have moved its map. */
  get facts(): Facts | undefined {
    return this.#facts;
  }

  /** True while the control block may hold something of ours, so that it has to be restored. */
  get touched(): boolean {
    return this.#writer.touched;
  }

  /** Walks the map from the beginning. Writes nothing. */
  async discover(signal: AbortSignal): Promise<Facts> {
    const chain = await walkModels(this.#registers, signal);
    if (chain === undefined || chain.models.length === 0) {
      throw new SunSpecError(
        "protocol",
        "no SunSpec map at 40000, 0 or 50000; is SunSpec switched on, and the unit id right?",
      );
    }
    const { meter } = this.#options;
    if (meter !== undefined && !hasMeter(chain, meter)) {
      throw new SunSpecError("protocol", `no meter number ${meter.number} (models 201-204, 211-214) in the map`);
    }
    const identity = await this.#readIdentity(chain, signal);
    const read = await readRatings(this.#registers, chain, this.#options.ratingKW, signal);
    const control = await this.#readControl(chain, signal);
    const reverts = await this.#readReverts(control, signal);
    const isSame = this.#facts !== undefined && sameDevice(this.#facts.identity, identity);
    // A sleeping device knows no ratings; what it said when awake still holds.
    const ratings = isSame ? { ...this.#facts?.ratings, ...read } : read;
    if (!isSame) {
      // Another device answers at this address: what the old one held is not its baseline.
      this.#baseline = undefined;
      this.#writer.touched = false;
    }
    const readsBack = showsWhatWasWritten(identity);
    this.#facts = { chain, identity, ratings, reverts, readsBack, ...(control === undefined ? {} : { control }) };
    return this.#facts;
  }

  /** After a reconnection: is it still the same device with the same map? Walks again if not. */
  recheck(signal: AbortSignal): Promise<void> {
    return this.#withMap(signal, async (facts) => {
      const identity = await this.#readIdentity(facts.chain, signal);
      if (!sameDevice(facts.identity, identity)) await this.discover(signal);
    });
  }

  /**
   * Looks again at what may change while we run: the installer sets other ratings, to which percentages refer, and a
   * device that slept shows its controls when it wakes.
   */
  refreshFacts(signal: AbortSignal): Promise<void> {
    return this.#withMap(signal, async (facts) => {
      // A sleeping device knows no ratings; what it said when awake still holds.
      const read = await readRatings(this.#registers, facts.chain, this.#options.ratingKW, signal);
      const ratings = { ...facts.ratings, ...read };
      const control = facts.control ?? (await this.#readControl(facts.chain, signal));
      const reverts = facts.reverts || (await this.#readReverts(control, signal));
      const isNews =
        control !== facts.control ||
        reverts !== facts.reverts ||
        JSON.stringify(ratings) !== JSON.stringify(facts.ratings);
      if (isNews) this.#facts = { ...facts, ratings, reverts, ...(control === undefined ? {} : { control }) };
    });
  }

  sample(signal: AbortSignal): Promise<Sample> {
    return this.#withMap(signal, (facts) => readSample(this.#registers, facts.chain, this.#options.meter, signal));
  }

  /**
   * Tells the device to hold a power. The first time, what the control block holds is kept for `restore`.
   *
   * @param powerKW export positive, inside the control's range
   * @param revertS whole seconds after which the device falls back by itself, where it can
   * @param onlyIfChanged write nothing if the device already holds exactly this and has no timer to refresh
   */
  hold(powerKW: number, revertS: number, onlyIfChanged: boolean, signal: AbortSignal): Promise<Order> {
    return this.#withMap(signal, async (facts) => {
      const placed = placedControl(facts);
      const { control, entry } = placed;
      const block = await readBlock(this.#registers, control.table, entry, signal);
      if (!control.usable(block)) {
        throw new SunSpecError("refused", `model ${control.model} reads "not implemented"; the device seems to sleep`);
      }
      if (control.range(facts.ratings) === undefined) {
        throw new SunSpecError("refused", `the rating to which model ${control.model} refers is not known`);
      }
      const kept = this.#writer.touched ? this.#baseline : undefined;
      const baseline = kept ?? control.baseline(block, facts.readsBack);
      this.#baseline = baseline;
      const order = control.order(block, facts.ratings, powerKW, revertS, baseline);
      if (
        onlyIfChanged &&
        !order.reverts &&
        facts.readsBack &&
        differing(block, order.points, order.verify).length === 0
      ) {
        return order;
      }
      await this.#writer.write(orderSteps(control, block, order.points), control.mayTear, signal);
      if (facts.readsBack) await this.#writer.verify(placed, block, order.points, order.verify, signal);
      return order;
    });
  }

  /** Writes back what the control block held before the first command. Harmless if nothing was written. */
  async restore(signal: AbortSignal): Promise<void> {
    if (!this.#writer.touched) return;
    await this.#withMap(signal, async (facts) => {
      const placed = placedControl(facts);
      const { control, entry } = placed;
      const baseline = this.#baseline;
      if (baseline !== undefined && this.#writer.touched) {
        const block = await readBlock(this.#registers, control.table, entry, signal);
        await this.#writer.writeAll(restoreSteps(control, block, baseline), control.mayTear, signal);
        if (facts.readsBack) {
          const enable = baseline.enabled ? (baseline.points.get(control.enable) ?? 0) : 0;
          await this.#writer.verify(placed, block, new Map([[control.enable, enable]]), [control.enable], signal);
        }
      }
    });
    this.#writer.touched = false;
    this.#baseline = undefined;
  }

  async #readIdentity(chain: ModelChain, signal: AbortSignal): Promise<DeviceIdentity> {
    const entry = findModel(chain, common);
    if (entry === undefined) return {};
    const block = await readBlock(this.#registers, common, entry, signal);
    const [vendor, model, firmware, serial] = [block.text("Mn"), block.text("Md"), block.text("Vr"), block.text("SN")];
    return {
      ...(vendor === undefined ? {} : { vendor }),
      ...(model === undefined ? {} : { model }),
      ...(firmware === undefined ? {} : { firmware }),
      ...(serial === undefined ? {} : { serial }),
    };
  }

  async #readControl(chain: ModelChain, signal: AbortSignal): Promise<PlacedControl | undefined> {
    const { control: wanted, kind, minPercent } = this.#options;
    if (wanted === "none") return undefined;
    const allowed = controlsFor(kind, minPercent).filter((control) => wanted === "auto" || control.model === wanted);
    const chosen = await chooseControl(this.#registers, chain, allowed, signal);
    if (chosen === undefined && wanted !== "auto") {
      throw new SunSpecError("protocol", `model ${wanted} cannot control this device as a ${kind}`);
    }
    return chosen;
  }

  async #readReverts(placed: PlacedControl | undefined, signal: AbortSignal): Promise<boolean> {
    if (placed === undefined) return false;
    const block = await readBlock(this.#registers, placed.control.table, placed.entry, signal);
    return placed.control.reverts(block);
  }

  /** Runs `work` with the known map; if the map has moved, walks it and tries once more. */
  async #withMap<R>(signal: AbortSignal, work: (facts: Facts) => Promise<R>): Promise<R> {
    try {
      return await work(this.#facts ?? (await this.discover(signal)));
    } catch (error) {
      if (!(error instanceof MapMovedError)) throw error;
    }
    return await work(await this.discover(signal));
  }
}

function placedControl(facts: Facts): PlacedControl {
  if (facts.control === undefined)
    throw new SunSpecError("refused", "this device has no model that can be told a power");
  return facts.control;
}

/** SMA inverters keep showing 0 % and "enabled" in model 123 whatever they do, so their registers prove nothing. */
function showsWhatWasWritten(identity: DeviceIdentity): boolean {
  return !/^SMA\b/i.test(identity.vendor ?? "");
}

/** A sleeping device may not tell its name; only a name that is known and different makes it another device. */
function sameDevice(a: DeviceIdentity, b: DeviceIdentity): boolean {
  const differs = (x: string | undefined, y: string | undefined) => x !== undefined && y !== undefined && x !== y;
  return !differs(a.vendor, b.vendor) && !differs(a.model, b.model) && !differs(a.serial, b.serial);
}
