import { definedOnly } from "../../../src/model/defined-only.ts";
import type { ReactiveBounds } from "../../../src/model/resource.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelChain } from "./model-chain.ts";
import { modelReader } from "./model-reader.ts";
import { partOf } from "./model-table.ts";
import { batteryBank } from "./models/battery-bank.ts";
import { derCapacity } from "./models/der-capacity.ts";
import { derControls } from "./models/der-controls.ts";
import { derStorage } from "./models/der-storage.ts";
import { nameplate } from "./models/nameplate.ts";
import { settings } from "./models/settings.ts";
import { storageControls } from "./models/storage-controls.ts";
import { reactiveBoundsOf } from "./reactive-bounds.ts";
import type { Registers } from "./registers.ts";

const rampPart = partOf(derControls, ["WRmp", "WRmpRef"]);
/** 704.WRmpRef: the ramp is a percentage of the greatest power, not of the greatest current. */
const OF_GREATEST_POWER = 1;

/** Powers are magnitudes in kW. Each is there only if the device states it (or the config does). */
export interface Ratings {
  /** Base of the percentages in 704: 702.WMax, else 702.WMaxRtg, else 121.WMax, else 120.WRtg. */
  readonly derMaxKW?: number;
  /** Base of the percentages in 123: 121.WMax (what the installer set), else 120.WRtg. */
  readonly legacyMaxKW?: number;
  /** 702.WChaRteMax, else its rating; without 702 124.WChaMax, else 120.MaxChaRte, else 802.WChaRteMax. */
  readonly maxChargeKW?: number;
  /** 702.WDisChaRteMax, else its rating; without 702 120.MaxDisChaRte, else 124.WChaMax as Fronius does, else 802. */
  readonly maxDischargeKW?: number;
  /** How fast the device itself changes its power: 704.WRmp where it refers to power, else 121.WGra. */
  readonly rampKWPerMin?: number;
  /** 713.WHRtg, else 120.WHRtg, else 802.WHRtg. */
  readonly capacityKWh?: number;
  /** 124.MinRsvPct, else 802.SoCRsvMin: below it the battery does not discharge. */
  readonly reserveSocPercent?: number;
  /** 702, else 120. */
  readonly reactiveRating?: ReactiveBounds;
  /** 702, else 121. */
  readonly reactiveSetting?: ReactiveBounds;
}

/**
 * Reads what the device is rated for.
 * @param overrideKW rating from the config; takes the place of every power here
 */
export async function readRatings(
  registers: Registers,
  chain: ModelChain,
  overrideKW: number | undefined,
  signal: AbortSignal,
): Promise<Ratings> {
  const block = modelReader(registers, chain, signal);
  const capacity = await block(derCapacity);
  const plate = await block(nameplate);
  const set = await block(settings);
  const storage = await block(storageControls);
  const derStore = await block(derStorage);
  const bank = await block(batteryBank);

  const legacyMaxW = positive(set?.number("WMax")) ?? positive(plate?.number("WRtg"));
  const derMaxW = positive(capacity?.number("WMax")) ?? positive(capacity?.number("WMaxRtg")) ?? legacyMaxW;
  const { chargeW, dischargeW } =
    ratedPair(capacity?.number("WChaRteMax"), capacity?.number("WDisChaRteMax")) ??
    ratedPair(capacity?.number("WChaRteMaxRtg"), capacity?.number("WDisChaRteMaxRtg")) ??
    ratedPair(positive(storage?.number("WChaMax")) ?? plate?.number("MaxChaRte"), plate?.number("MaxDisChaRte")) ??
    ratedPair(bank?.number("WChaRteMax"), bank?.number("WDisChaRteMax")) ??
    {};
  const controls = await block(rampPart);
  const rampPercent =
    controls?.raw("WRmpRef") === OF_GREATEST_POWER ? positive(controls.number("WRmp")) : positive(set?.number("WGra"));
  const rampBaseW = controls?.raw("WRmpRef") === OF_GREATEST_POWER ? derMaxW : legacyMaxW;
  const storedWh =
    positive(derStore?.number("WHRtg")) ?? positive(plate?.number("WHRtg")) ?? positive(bank?.number("WHRtg"));
  const reserveSocPercent = storage?.number("MinRsvPct") ?? bank?.number("SoCRsvMin");
  return {
    ...definedOnly({ reserveSocPercent, ...reactiveBounds(capacity, plate, set) }),
    ...kW("derMaxKW", overrideKW, derMaxW),
    ...kW("legacyMaxKW", overrideKW, legacyMaxW),
    ...kW("maxChargeKW", overrideKW, chargeW),
    ...kW("maxDischargeKW", overrideKW, dischargeW),
    ...kW("capacityKWh", undefined, storedWh),
    ...kW("rampKWPerMin", undefined, rampW(rampPercent, rampBaseW)),
  };
}

function reactiveBounds(
  capacity: ModelBlock<typeof derCapacity> | undefined,
  plate: ModelBlock<typeof nameplate> | undefined,
  set: ModelBlock<typeof settings> | undefined,
): Pick<{ [K in keyof Ratings]: Ratings[K] | undefined }, "reactiveRating" | "reactiveSetting"> {
  const rated = capacity && {
    apparentVA: capacity.number("VAMaxRtg"),
    injectVar: capacity.number("VarMaxInjRtg"),
    absorbVar: capacity.number("VarMaxAbsRtg"),
    overExcitedPF: capacity.number("PFOvrExtRtg"),
    underExcitedPF: capacity.number("PFUndExtRtg"),
  };
  const onPlate = plate && {
    apparentVA: plate.number("VARtg"),
    injectVar: plate.number("VArRtgQ1"),
    absorbVar: plate.number("VArRtgQ4"),
    overExcitedPF: plate.number("PFRtgQ1"),
    underExcitedPF: plate.number("PFRtgQ4"),
  };
  const chosen = capacity && {
    apparentVA: capacity.number("VAMax"),
    injectVar: capacity.number("VarMaxInj"),
    absorbVar: capacity.number("VarMaxAbs"),
    overExcitedPF: capacity.number("PFOvrExt"),
    underExcitedPF: capacity.number("PFUndExt"),
  };
  const installed = set && {
    apparentVA: set.number("VAMax"),
    injectVar: set.number("VArMaxQ1"),
    absorbVar: set.number("VArMaxQ4"),
    overExcitedPF: set.number("PFMinQ1"),
    underExcitedPF: set.number("PFMinQ4"),
  };
  return {
    reactiveRating: reactiveBoundsOf(rated) ?? reactiveBoundsOf(onPlate),
    reactiveSetting: reactiveBoundsOf(chosen) ?? reactiveBoundsOf(installed),
  };
}

/** Watts a minute of percent a second; absent where nothing is said. */
function rampW(percentPerS: number | undefined, baseW: number | undefined): number | undefined {
  return percentPerS === undefined || baseW === undefined ? undefined : (percentPerS / 100) * baseW * 60;
}

/**
 * Charging and discharging power as one model states them. 0 for one of the two is meant (a battery that may not give
 * back); 0 for both is a model that nobody filled in. Without a discharging power the charging power stands for both,
 * as Fronius uses 124.WChaMax.
 */
function ratedPair(
  chargeW: number | undefined,
  dischargeW: number | undefined,
): { chargeW?: number; dischargeW?: number } | undefined {
  if (positive(chargeW) === undefined && positive(dischargeW) === undefined) return undefined;
  return { ...(chargeW === undefined ? {} : { chargeW }), ...pick(dischargeW ?? chargeW) };
}

function pick(dischargeW: number | undefined): { dischargeW?: number } {
  return dischargeW === undefined ? {} : { dischargeW };
}

/** A rating of 0 is a register that nobody filled in. */
function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function kW<K extends keyof Ratings>(name: K, overrideKW: number | undefined, powerW: number | undefined): Ratings {
  if (overrideKW !== undefined) return { [name]: overrideKW };
  return powerW === undefined ? {} : { [name]: powerW / 1000 };
}
