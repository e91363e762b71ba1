import type { DeviceIdentity, ResourceKind } from "../../../src/model/resource.ts";
import { hasAuthority } from "./authority.ts";
import { chooseControl, controlsFor } from "./choose-control.ts";
import { hasTimer, type PlacedControl } from "./control.ts";
import { readIdentity, sameDevice } from "./identity.ts";
import { type Instruments, readSample, type Sample } from "./measurement.ts";
import { MapMovedError, readBlock } from "./model-block.ts";
import { findModel, type ModelChain, walkModels } from "./model-chain.ts";
import { type ModelValues, readModelValues } from "./model-values.ts";
import { hasMeter } from "./power-meter.ts";
import type { QuirksOf, SunSpecQuirks } from "./quirks.ts";
import { type Ratings, readRatings } from "./ratings.ts";
import type { Registers } from "./registers.ts";
import { SunSpecError } from "./sunspec-error.ts";

export interface SunSpecOptions {
  readonly kind: ResourceKind;
  /** `auto` takes what the quirks say, else the best that the device has. */
  readonly control: "auto" | "704" | "123" | "124" | "none";
  /** Takes the place of what the quirks say. */
  readonly minPercent?: number | undefined;
  readonly ratingKW?: number | undefined;
  /** Seconds in which the device is to move to a new power; absent leaves its own. */
  readonly rampS?: number | undefined;
  readonly instruments?: Instruments | undefined;
  readonly quirksOf: QuirksOf;
}

/** What a walk over the device found. */
export interface Facts {
  readonly chain: ModelChain;
  readonly identity: DeviceIdentity;
  readonly quirks: SunSpecQuirks;
  readonly ratings: Ratings;
  /** Absent if the device can only be measured. */
  readonly control?: PlacedControl;
  /** True if the device has a reversion timer for it. */
  readonly hasTimer: boolean;
  /** Seconds in which the device itself moves to a new power, ≥ 0. */
  readonly rampS: number;
  /** True if the control registers show what was written, so that they can be compared. */
  readonly readsBack: boolean;
  /** True if it tells whether it may be controlled from here. */
  readonly hasAuthority: boolean;
}

type ControlFacts = Pick<Facts, "control" | "hasTimer" | "rampS">;

/**
 * One SunSpec device as it can be read: its map, what it is, what it measures. Writes nothing. Methods throw
 * `ModbusError` or `SunSpecError`.
 */
export class SunSpecDevice {
  readonly registers: Registers;
  readonly #options: SunSpecOptions;
  #facts: Facts | undefined;
  /** A model could not be read where the walk found it; whether the map has moved shows when it is walked again. */
  #mayHaveMoved = false;

  constructor(registers: Registers, options: SunSpecOptions) {
    this.registers = registers;
    this.#options = options;
  }

  /** Replaced, never changed, when the device turns out to be another or to have moved its map. */
  get facts(): Facts | undefined {
    return this.#facts;
  }

  get kind(): ResourceKind {
    return this.#options.kind;
  }

  get rampS(): number | undefined {
    return this.#options.rampS;
  }

  /** Walks the map from the beginning. */
  async discover(signal: AbortSignal): Promise<Facts> {
    const chain = await walkModels(this.registers, signal);
    if (chain === undefined || chain.models.length === 0) {
      throw new SunSpecError(
        "protocol",
        "no SunSpec map at 40000, 0 or 50000; is SunSpec switched on, and the unit id right?",
      );
    }
    const { instruments, kind, ratingKW } = this.#options;
    const meter = instruments?.meter;
    if (meter !== undefined && !hasMeter(chain, meter)) {
      throw new SunSpecError("protocol", `no meter number ${meter.number} (models 201-204, 211-214) in the map`);
    }
    const identity = await readIdentity(this.registers, chain, signal);
    const before = this.#facts;
    const isSame = before !== undefined && sameDevice(before.identity, identity);
    // A sleeping device knows neither its name nor its ratings; what it said when awake still holds.
    const known = isSame ? { ...before.identity, ...identity } : identity;
    const { vendor: manufacturer, model, firmware: version, serial } = known;
    const quirks = this.#options.quirksOf({ manufacturer, model, version, serial });
    const read = await readRatings(this.registers, chain, ratingKW, signal);
    const control = await this.#readControl(chain, quirks, signal);
    this.#facts = {
      chain,
      identity: known,
      quirks,
      ratings: isSame ? { ...before.ratings, ...read } : read,
      readsBack: quirks.readback ?? true,
      hasAuthority: hasAuthority(chain, kind),
      ...(isSame && control.control === undefined ? controlStillIn(chain, before) : control),
    };
    return this.#facts;
  }

  /** After a reconnection: is it still the same device with the same map? Walks again if not. */
  recheck(signal: AbortSignal): Promise<void> {
    return this.withMap(signal, async (facts) => {
      const identity = await readIdentity(this.registers, facts.chain, signal);
      if (!sameDevice(facts.identity, identity)) await this.discover(signal);
    });
  }

  /**
   * Looks again at what may change while we run: the installer sets other ratings, to which percentages refer, and a
   * device that slept shows its name and its controls when it wakes.
   */
  refreshFacts(signal: AbortSignal): Promise<void> {
    return this.withMap(signal, async (facts) => {
      if (this.#mayHaveMoved) {
        this.#mayHaveMoved = false;
        await this.discover(signal);
        return;
      }
      if (facts.control === undefined || facts.identity.vendor === undefined) {
        const identity = await readIdentity(this.registers, facts.chain, signal);
        if (facts.identity.vendor === undefined && identity.vendor !== undefined) {
          await this.discover(signal);
          return;
        }
      }
      const read = await readRatings(this.registers, facts.chain, this.#options.ratingKW, signal);
      const control =
        facts.control === undefined || !facts.hasTimer
          ? await this.#readControl(facts.chain, facts.quirks, signal)
          : undefined;
      const now: Facts = {
        ...facts,
        ratings: { ...facts.ratings, ...read },
        // A device that fell asleep since keeps the control that it had.
        ...(control?.control === undefined ? {} : control),
      };
      const isNews =
        now.control?.control.model !== facts.control?.control.model ||
        now.hasTimer !== facts.hasTimer ||
        JSON.stringify(now.ratings) !== JSON.stringify(facts.ratings);
      if (isNews) this.#facts = now;
    });
  }

  sample(signal: AbortSignal): Promise<Sample> {
    return this.withMap(signal, (facts) =>
      readSample(this.registers, facts.chain, this.#options.instruments ?? {}, signal, () => {
        this.#mayHaveMoved = true;
      }),
    );
  }

  /** What the models of the map say, those of a vendor without values. @param model one model; absent for all */
  models(model: number | undefined, signal: AbortSignal): Promise<readonly ModelValues[]> {
    return this.withMap(signal, ({ chain }) => {
      const models = chain.models.filter(({ id }) => model === undefined || id === model);
      return readModelValues(this.registers, { ...chain, models }, signal);
    });
  }

  /** The control of a model, whether or not it is the one in use; absent where the device or its kind has none. */
  placeOf(model: string, facts: Facts): PlacedControl | undefined {
    if (facts.control?.control.model === model) return facts.control;
    const control = controlsFor(this.kind, this.#minPercent(facts.quirks)).find((each) => each.model === model);
    const entry = control && findModel(facts.chain, control.table);
    return control === undefined || entry === undefined ? undefined : { control, entry };
  }

  /** Runs `work` with the known map; if the map has moved, walks it and tries once more. */
  async withMap<R>(signal: AbortSignal, work: (facts: Facts) => Promise<R>): Promise<R> {
    try {
      return await work(this.#facts ?? (await this.discover(signal)));
    } catch (error) {
      if (!(error instanceof MapMovedError)) throw error;
    }
    return await work(await this.discover(signal));
  }

  #minPercent(quirks: SunSpecQuirks): number | undefined {
    return this.#options.minPercent ?? quirks.minPercent;
  }

  async #readControl(chain: ModelChain, quirks: SunSpecQuirks, signal: AbortSignal): Promise<ControlFacts> {
    const { control, kind, rampS } = this.#options;
    const wanted = control === "auto" ? (quirks.control ?? "auto") : control;
    if (wanted === "none") return { hasTimer: false, rampS: 0 };
    const allowed = controlsFor(kind, this.#minPercent(quirks)).filter(
      (each) => wanted === "auto" || each.model === wanted,
    );
    const chosen = await chooseControl(this.registers, chain, allowed, signal);
    if (chosen === undefined) {
      if (control === "auto" || allowed.some((each) => findModel(chain, each.table)))
        return { hasTimer: false, rampS: 0 };
      throw new SunSpecError("protocol", `model ${wanted} cannot control this device as a ${kind}`);
    }
    const block = await readBlock(this.registers, chosen.control.table, chosen.entry, signal);
    const ownRampS = chosen.control.rampTime === undefined ? undefined : block.raw(chosen.control.rampTime);
    return {
      control: chosen,
      hasTimer: hasTimer(chosen.control, block),
      rampS: ownRampS === undefined ? 0 : (rampS ?? ownRampS),
    };
  }
}

/** A device that fell asleep since shows no control; the one that it had is where it was, or the map is another. */
function controlStillIn(chain: ModelChain, { control, hasTimer, rampS }: Facts): ControlFacts {
  const entry = control && chain.models.find(({ address }) => address === control.entry.address);
  const isThere = control !== undefined && entry?.id === control.entry.id && entry.length === control.entry.length;
  return isThere ? { control, hasTimer, rampS } : { hasTimer: false, rampS: 0 };
}
