import type { Evidence } from "../../../src/model/adapter.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelEntry } from "./model-chain.ts";
import type { ModelTable } from "./model-table.ts";
import type { Ratings } from "./ratings.ts";

/** Raw numbers by point name. */
export type RawPoints = ReadonlyMap<string, number>;

/** What to write so that the device holds a power. */
export interface Order {
  /** kW, export positive, after rounding to the device's steps. */
  readonly appliedKW: number;
  /** The command in the device's own terms, for a person; its end is not in it. */
  readonly command: string;
  /** What to write, in any order; `orderSteps` puts the enabling point last. */
  readonly points: RawPoints;
  /** Points whose registers must then read as written. */
  readonly verify: readonly string[];
}

/** What a control model held before our first write, raw. */
export interface Baseline {
  readonly points: RawPoints;
  /** True if a command of the device's own (an installer's static limit) was in force. */
  readonly enabled: boolean;
}

/** What an order is made with. */
export interface OrderTerms {
  readonly ratings: Ratings;
  /** Whole seconds after which the device falls back by itself, where it can. */
  readonly revertS: number;
  /** Seconds in which the device moves to the new power, where it can be told; absent leaves its own. */
  readonly rampS?: number | undefined;
  /** What the device falls back to, where it can be told. */
  readonly baseline: Baseline;
}

/** Names of the points of a reversion timer. */
export interface ReversionPoints {
  /** Seconds that were written. */
  readonly seconds: string;
  /** Seconds that are left, where the model has such a point. */
  readonly left?: string;
}

/**
 * One way to command a device: a model, and the meaning of a power in it. Pure: it says what to write, and writes
 * nothing.
 */
export interface PowerControl {
  /** Model id, as it stands in the config. */
  readonly model: "123" | "124" | "704";
  readonly table: ModelTable;
  /** The point that puts a command in force; it is written last, and first when it takes one off. */
  readonly enable: string;
  /** Every point that an order may write, in the order of their offsets; nothing else in the model is ever written. */
  readonly written: readonly string[];
  readonly reversion: ReversionPoints;
  /** Time in which the device moves to a new power, seconds; absent where the model has no such point. */
  readonly rampTime?: string;
  /** All points are single registers, so a device that refuses function 16 may get them one by one. */
  readonly mayTear: boolean;
  /** The device has what this control needs; false also while it sleeps and answers with not-implemented codes. */
  usable(block: ModelBlock<ModelTable>): boolean;
  /** Least and greatest power, kW; absent if the device does not state its rating. */
  range(ratings: Ratings): { minPowerKW: number; maxPowerKW: number } | undefined;
  /**
   * @param powerKW inside `range`
   * @throws RangeError if a number does not fit its register
   */
  order(block: ModelBlock<ModelTable>, powerKW: number, terms: OrderTerms): Order;
  /**
   * What stands in the model before our first write.
   * @param isTrue false for a device whose registers do not show what is in force; its baseline is then no command at
   * all, since bringing back a "0 %, enabled" that it only pretends would shut it down
   */
  baseline(block: ModelBlock<ModelTable>, isTrue: boolean): Baseline;
  /** What the registers say that the device does. */
  shows(block: ModelBlock<ModelTable>, ratings: Ratings): Evidence;
}

/** A control together with the place of its model in this device. */
export interface PlacedControl {
  readonly control: PowerControl;
  readonly entry: ModelEntry;
}

/** The device can end a command by itself. */
export function hasTimer(control: PowerControl, block: ModelBlock<ModelTable>): boolean {
  return block.implemented(control.reversion.seconds);
}

/** Adds points to an order, each only if the device implements it. */
export class RawPointList {
  readonly points = new Map<string, number>();
  readonly #block: ModelBlock<ModelTable>;

  constructor(block: ModelBlock<ModelTable>) {
    this.#block = block;
  }

  /** Written whether or not it reads as implemented: a value point may be empty until the first command. */
  set(name: string, raw: number): this {
    this.points.set(name, raw);
    return this;
  }

  /** Written only where the device implements it. */
  setIfImplemented(name: string, raw: number | undefined): this {
    if (raw !== undefined && this.#block.implemented(name)) this.points.set(name, raw);
    return this;
  }

  /** Written back as it is, to close a gap between points that must go out in one request. */
  keep(name: string): this {
    return this.setIfImplemented(name, this.#block.raw(name));
  }
}

/** Reads the raw numbers of the points that are implemented. */
export function rawPoints(block: ModelBlock<ModelTable>, names: readonly string[]): Map<string, number> {
  const points = new Map<string, number>();
  for (const name of names) {
    const raw = block.raw(name);
    if (raw !== undefined) points.set(name, raw);
  }
  return points;
}
