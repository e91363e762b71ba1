import { type BidCurve, clipCurve } from "../model/bid-curve.ts";
import type { Objective } from "../model/objective.ts";
import type { Availability } from "../model/reading.ts";
import type { Capability, ResourceKind } from "../model/resource.ts";
import {
  generatorCurve,
  loadCurve,
  type PowerBand,
  type PriceBand,
  type StorageValue,
  storageCurve,
} from "./curve-from-capability.ts";
import { curveFromObjective } from "./curve-from-objective.ts";

/** Above this a battery takes in next to nothing, and one that is full may never show a round hundred. */
const FULL_PERCENT = 99.5;

/** How a resource bids, from the config. */
export interface BidPolicy {
  readonly currency: string;
  /** For chargers without an objective, loads and generators. */
  readonly prices: PriceBand;
  /** For batteries. */
  readonly storage: StorageValue;
  /** Length of a market interval, ms. */
  readonly slotMs: number;
  /** Battery charge that is never sold, percent. */
  readonly reserveSocPercent: number;
}

/** All that a curve follows from. */
export interface BidInput {
  readonly kind: ResourceKind;
  readonly capability: Capability;
  readonly availability?: Availability;
  readonly socPercent?: number;
  readonly objective?: Objective;
  /** Energy since the objective was set, kWh. */
  readonly deliveredKWh: number;
  readonly nowMs: number;
}

/**
 * The curve that says what a resource would do at each price now.
 * A car with a goal bids by it; without one it takes what is cheap. Nothing is ever offered that the device can't do now.
 */
export function makeBid(input: BidInput, policy: BidPolicy): BidCurve {
  const band = presentBand(input, policy);
  const curve = rawCurve(input, band, policy);
  return clipCurve(curve, band.minPowerKW, band.maxPowerKW);
}

/** The power band now: what the device can do at all, cut to what it says is possible now and to its charge. */
export function presentBand(input: BidInput, policy: BidPolicy): PowerBand {
  const { capability, availability, socPercent, kind } = input;
  let minPowerKW = Math.max(capability.minPowerKW, availability?.minPowerKW ?? Number.NEGATIVE_INFINITY);
  let maxPowerKW = Math.min(capability.maxPowerKW, availability?.maxPowerKW ?? Number.POSITIVE_INFINITY);
  if (socPercent !== undefined && (kind === "battery" || kind === "charger")) {
    if (socPercent >= FULL_PERCENT) minPowerKW = 0;
    if (socPercent <= policy.reserveSocPercent) maxPowerKW = 0;
  }
  return { minPowerKW: minPowerKW || 0, maxPowerKW };
}

function rawCurve(input: BidInput, band: PowerBand, policy: BidPolicy): BidCurve {
  const { kind, objective, nowMs } = input;
  if (kind === "battery") return storageCurve(band, policy.storage, policy.currency);
  if (kind === "solar") return generatorCurve(band, policy.prices, policy.currency);
  if (objective !== undefined && nowMs < objective.deadlineMs && band.minPowerKW < 0) {
    return curveFromObjective({
      objective,
      deliveredKWh: input.deliveredKWh,
      maxKW: -band.minPowerKW,
      slotStartMs: nowMs,
      slotEndMs: nowMs + policy.slotMs,
      currency: policy.currency,
    });
  }
  return loadCurve(band, policy.prices, policy.currency);
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
