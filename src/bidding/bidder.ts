import { type BidCurve, clipCurve } from "../model/bid-curve.ts";
import type { Limit } from "../model/limit.ts";
import type { Objective, ObjectiveOutlook } from "../model/objective.ts";
import type { Availability } from "../model/reading.ts";
import type { Capability, ResourceKind } from "../model/resource.ts";
import type { ChargingNeed } from "./charging-need.ts";
import {
  generatorCurve,
  loadCurve,
  type PowerBand,
  type PriceBand,
  type StorageValue,
  storageCurve,
} from "./curve-from-capability.ts";
import { curveFromObjective } from "./curve-from-objective.ts";
import { type OutputForecast, solarCurve } from "./curve-from-solar.ts";
import { curveFromStorage } from "./curve-from-storage.ts";
import { curveFromTariff, forecastFromTariff, type Tariff } from "./curve-from-tariff.ts";
import { curveFromVehicle } from "./curve-from-vehicle.ts";
import type { ForecastSlot } from "./forecast.ts";
import { isOtherSource, shiftForOtherSource } from "./preferred-source.ts";
import { presentBand } from "./present-band.ts";
import { runnableCurve } from "./semi-continuous.ts";
import { outlook, urgency } from "./urgency.ts";

const MS_PER_DAY = 86_400_000;
/** How far a tariff is looked into. */
const TARIFF_HORIZON_MS = 2 * MS_PER_DAY;

/** Prices of a device that neither the config nor a tariff says anything about. */
const DEFAULT_PRICES: Readonly<Record<ResourceKind, PriceBand>> = {
  charger: { from: 0.08, to: 0.14 },
  load: { from: 0.08, to: 0.14 },
  group: { from: 0.08, to: 0.14 },
  solar: { from: 0, to: 0.01 },
  battery: { from: 0, to: 0 },
};

/** Prices between which a device of a kind goes from one end of its power to the other, where nobody says anything. */
export function usualPrices(kind: ResourceKind): PriceBand {
  return DEFAULT_PRICES[kind];
}

/** How a resource bids, from the config. */
export interface BidPolicy {
  readonly currency: string;
  /** For chargers without an objective, loads and generators; absent: by the tariff if there is one, else by default. */
  readonly prices?: PriceBand;
  /** For batteries, and cars that can give energy back. */
  readonly storage: StorageValue;
  /** Length of a market interval, ms. */
  readonly slotMs: number;
  /** Time from the bid to the start of the interval that it is for, ms; 0 unless given. */
  readonly leadMs?: number;
  /** Battery charge that is never sold, percent. */
  readonly reserveSocPercent: number;
  /** Energy kept on top of that for loads that must run later, kWh at the meter. */
  readonly laterMustRunKWh?: number;
  /** Share of a car's time until its deadline that is kept as a reserve, 0 to 1. */
  readonly reserveShare?: number;
  /** Share of a car's energy at the meter that arrives in its battery, 0 < η ≤ 1. */
  readonly chargingEfficiency?: number;
  /** Half the span over which a car's jump at a forecast price is drawn out, per kWh. */
  readonly spreadPerKWh?: number;
  /** What energy from another source than the preferred one counts as dearer, per kWh, ≥ 0. */
  readonly otherSourceAdderPerKWh?: number;
  /** What a load takes at any price, kW, magnitude. */
  readonly baseKW?: number;
  /** What a kWh that a generator sold and could not give costs on top, ≥ 0. Counts only with an output forecast. */
  readonly shortfallPerKWh?: number;
}

/** All that a curve follows from. */
export interface BidInput {
  readonly kind: ResourceKind;
  readonly capability: Capability;
  readonly availability?: Availability;
  /** Bounds that others set now: operator, fuse, grid node. */
  readonly limits?: readonly Limit[];
  readonly socPercent?: number;
  readonly objective?: Objective;
  /** Energy since the objective was set, kWh at the meter, less what was given back. */
  readonly deliveredKWh: number;
  /** Power now, kW, export positive; counts only for a device with a ramp. */
  readonly presentKW?: number;
  /** Prices expected after this interval. */
  readonly forecast?: readonly ForecastSlot[];
  /** What energy costs without the market; stands in for a forecast that is absent. */
  readonly tariff?: Tariff;
  /** What the sun is expected to give in this interval. */
  readonly outputForecast?: OutputForecast;
  /** Where the market says its energy comes from, for example `SOLAR`; absent: it doesn't say. */
  readonly offeredSource?: string;
  readonly nowMs: number;
}

/**
 * The curve that says what a resource would do at each price in the coming interval.
 * A car with a goal bids by it; without one it takes what is cheap. Nothing is ever offered that the device can't do now.
 * @throws RangeError if the tariff is in another currency: prices are never converted
 */
export function makeBid(input: BidInput, policy: BidPolicy): BidCurve {
  if (input.tariff !== undefined && input.tariff.currency !== policy.currency) {
    throw new RangeError(`the tariff is in ${input.tariff.currency}, the market in ${policy.currency}`);
  }
  const band = presentBand(input, policy.reserveSocPercent);
  const curve = runnableCurve(rawCurve(input, band, policy), input.capability.minRunKW ?? 0);
  return clipCurve(curve, band.minPowerKW, band.maxPowerKW);
}

/** How the objective of a car stands, if it does its best from now on. Nothing for what has no objective. */
export function objectiveOutlook(input: BidInput, policy: BidPolicy): ObjectiveOutlook | undefined {
  // A car that is away may come back: it is at risk once the time is too short, not because it is not plugged in.
  const { availability: _now, ...always } = input;
  const need = chargingNeed(always, policy);
  return need && outlook(need);
}

/** True if a part of what a car draws in the coming interval can't wait. */
export function mustRun(input: BidInput, policy: BidPolicy): boolean {
  const need = chargingNeed(input, policy);
  return need !== undefined && need.maxKW > 0 && urgency(need).mustKW > 0;
}

function rawCurve(input: BidInput, band: PowerBand, policy: BidPolicy): BidCurve {
  const { kind } = input;
  if (kind === "battery") return batteryCurve(input, band, policy);
  if (kind === "solar") return sunCurve(input, band, policy);
  const need = chargingNeed(input, policy);
  if (need !== undefined && need.maxKW > 0 && slotStartMs(input, policy) < need.objective.deadlineMs) {
    const curve = goalCurve(input, need, band, policy);
    const adder = policy.otherSourceAdderPerKWh ?? 0;
    return isOtherSource(input.objective, input.offeredSource) ? shiftForOtherSource(curve, adder) : curve;
  }
  const byTariff =
    policy.prices === undefined && input.tariff && curveFromTariff(input.tariff, input.nowMs, consuming(band));
  return byTariff || loadCurve(band, policy.prices ?? DEFAULT_PRICES[kind], policy.currency, policy.baseKW);
}

function chargingNeed(input: BidInput, policy: BidPolicy): ChargingNeed | undefined {
  const { objective, capability } = input;
  if (objective === undefined || input.kind === "battery" || input.kind === "solar") return undefined;
  // A full battery bounds this slot, not what can be put back later; the curve is cut to it at the end.
  const { socPercent: _charge, ...emptiable } = input;
  const band = presentBand(emptiable, policy.reserveSocPercent);
  const startMs = slotStartMs(input, policy);
  return {
    objective,
    deliveredKWh: input.deliveredKWh,
    maxKW: -band.minPowerKW,
    slotStartMs: startMs,
    slotEndMs: startMs + policy.slotMs,
    forecast: forecastOf(input),
    currency: policy.currency,
    ...(capability.minRunKW !== undefined && { minRunKW: capability.minRunKW }),
    ...(capability.rampRateKWPerMin !== undefined && { rampRateKWPerMin: capability.rampRateKWPerMin }),
    ...(input.presentKW !== undefined && { presentKW: Math.max(0, -input.presentKW) }),
    ...(policy.chargingEfficiency !== undefined && { chargingEfficiency: policy.chargingEfficiency }),
    ...(policy.reserveShare !== undefined && { reserveShare: policy.reserveShare }),
    ...(policy.spreadPerKWh !== undefined && { spreadPerKWh: policy.spreadPerKWh }),
  };
}

/** A car that can give energy back does so only if we know how much it holds. */
function goalCurve(input: BidInput, need: ChargingNeed, band: PowerBand, policy: BidPolicy): BidCurve {
  const { socPercent, capability } = input;
  if (band.maxPowerKW === 0 || socPercent === undefined || capability.capacityKWh === undefined) {
    return curveFromObjective(need);
  }
  return curveFromVehicle(need, {
    dischargeKW: band.maxPowerKW,
    energyKWh: (capability.capacityKWh * socPercent) / 100,
    capacityKWh: capability.capacityKWh,
    reserveKWh: reserveKWh(capability.capacityKWh, policy),
    value: policy.storage,
  });
}

function batteryCurve(input: BidInput, band: PowerBand, policy: BidPolicy): BidCurve {
  const { capability, socPercent } = input;
  const { capacityKWh } = capability;
  if (capacityKWh === undefined || socPercent === undefined) {
    return storageCurve(band, policy.storage, policy.currency);
  }
  const startMs = slotStartMs(input, policy);
  return curveFromStorage({
    band,
    energyKWh: (capacityKWh * socPercent) / 100,
    capacityKWh,
    reserveKWh: reserveKWh(capacityKWh, policy),
    value: policy.storage,
    slotStartMs: startMs,
    slotEndMs: startMs + policy.slotMs,
    forecast: forecastOf(input),
    currency: policy.currency,
  });
}

function sunCurve(input: BidInput, band: PowerBand, policy: BidPolicy): BidCurve {
  const prices = policy.prices ?? DEFAULT_PRICES.solar;
  const { outputForecast } = input;
  if (outputForecast === undefined) return generatorCurve(band, prices, policy.currency);
  return solarCurve(outputForecast, band.maxPowerKW, prices.from, policy.shortfallPerKWh ?? 0, policy.currency);
}

/** Energy in the cells that is not for sale, kWh. */
function reserveKWh(capacityKWh: number, policy: BidPolicy): number {
  const forLoadsKWh = (policy.laterMustRunKWh ?? 0) / Math.sqrt(policy.storage.roundTripEfficiency);
  return Math.min(capacityKWh, (capacityKWh * policy.reserveSocPercent) / 100 + forLoadsKWh);
}

function forecastOf(input: BidInput): readonly ForecastSlot[] {
  if (input.forecast !== undefined) return input.forecast;
  return input.tariff ? forecastFromTariff(input.tariff, input.nowMs, input.nowMs + TARIFF_HORIZON_MS) : [];
}

function slotStartMs(input: BidInput, policy: BidPolicy): number {
  return input.nowMs + (policy.leadMs ?? 0);
}

function consuming(band: PowerBand): PowerBand {
  return { minPowerKW: band.minPowerKW, maxPowerKW: 0 };
}

/** Least change of power at any price that is worth a message, kW. */
const WORTH_TELLING_KW = 0.1;

/** True if two curves say the same for practical purposes: no point moved by more than is worth a message. */
export function sameBid(a: BidCurve | undefined, b: BidCurve): boolean {
  if (a === undefined || a.shape !== b.shape || a.currency !== b.currency || a.points.length !== b.points.length)
    return false;
  return a.points.every((point, index) => {
    const other = b.points[index];
    return (
      other !== undefined &&
      Math.abs(point.powerKW - other.powerKW) < WORTH_TELLING_KW &&
      Math.abs(point.pricePerKWh - other.pricePerKWh) < 1e-3
    );
  });
}
