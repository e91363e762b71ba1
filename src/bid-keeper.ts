import { type BidInput, type BidPolicy, makeBid, mustRun, objectiveOutlook, sameBid } from "./bidding/bidder.ts";
import { ObjectiveProgress } from "./bidding/objective-progress.ts";
import { steadySoc } from "./bidding/steady-soc.ts";
import { type Clock, repeatEvery } from "./clock.ts";
import type { DeviceConfig, MarketConfig } from "./config/schema.ts";
import type { DeviceLane } from "./dispatch/device-lane.ts";
import type { Log } from "./log.ts";
import type { Participant } from "./market/participant.ts";
import { type BidCurve, consumesAtAnyPrice, curveFault } from "./model/bid-curve.ts";
import type { Limit } from "./model/limit.ts";
import type { Objective, ObjectiveOutlook } from "./model/objective.ts";
import type { Reading } from "./model/reading.ts";
import type { Era } from "./model/resource.ts";
import type { Judgement } from "./model/verdict.ts";

/** How often a curve is looked at; a change is sent at most this often. */
const LOOK_MS = 1_000;
/** Readings that one telemetry message carries at most: the newest. */
const MAX_READINGS = 60;
/** Share of a car's time that is kept back: a curve is up to a second old, and small changes are not told. */
const RESERVE_SHARE = 0.05;

/** What is known of prices and output beyond the device itself; each part only where it is known. */
export type BidOutlook = Pick<BidInput, "forecast" | "tariff" | "outputForecast" | "offeredSource">;

export interface BidKeeperOptions {
  readonly market: MarketConfig;
  readonly participant: Pick<Participant, "bid" | "needsBid" | "telemetry">;
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: readonly KeptDevice[];
  /** Asked at each look at a device's curve. */
  readonly outlook?: (era: Era) => BidOutlook;
}

/** A device whose curve is kept. */
export interface KeptDevice {
  readonly config: DeviceConfig;
  readonly lane: Pick<DeviceLane, "capability" | "measuredKW" | "snapshot">;
  /** Bounds that hold now, asked at each look; the operator's own from the config unless given. */
  readonly limits?: () => readonly Limit[];
}

interface Kept {
  readonly config: DeviceConfig;
  readonly lane: KeptDevice["lane"];
  readonly limits: () => readonly Limit[];
  readonly policy: BidPolicy;
  objective: Objective | undefined;
  progress: ObjectiveProgress;
  outlook?: ObjectiveOutlook;
  /** State of charge that the curve was made from. */
  socPercent?: number;
  curve?: BidCurve;
  curvesSent: number;
  readings: Reading[];
}

/**
 * Keeps the market informed of each device: a fresh curve whenever what the device can do has changed, telemetry at each
 * interval, and every final verdict at once.
 */
export class BidKeeper {
  readonly #options: BidKeeperOptions;
  readonly #kept = new Map<Era, Kept>();

  constructor(options: BidKeeperOptions) {
    this.#options = options;
    for (const device of options.devices) this.add(device);
  }

  /** Keeps the curve of one more device. */
  add({ config, lane, limits }: KeptDevice): void {
    this.#kept.set(config.era, {
      config,
      lane,
      limits: limits ?? (() => operatorLimits(config)),
      progress: new ObjectiveProgress(),
      policy: policyOf(config, this.#options.market),
      objective: objectiveOf(config),
      curvesSent: 0,
      readings: [],
    });
  }

  remove(era: Era): void {
    this.#kept.delete(era);
  }

  /** Curves sent for a resource since the start. */
  curvesSent(era: Era): number {
    return this.#kept.get(era)?.curvesSent ?? 0;
  }

  curve(era: Era): BidCurve | undefined {
    return this.#kept.get(era)?.curve;
  }

  /** How the objective of a resource stands at the last look; nothing if it has none. */
  outlook(era: Era): ObjectiveOutlook | undefined {
    return this.#kept.get(era)?.outlook;
  }

  /** True if some of what a resource draws can't wait: a cleared power below its least one is then rounded up, not to 0. */
  mustRun(era: Era): boolean {
    const kept = this.#kept.get(era);
    const input = kept && this.#inputOf(kept);
    return kept !== undefined && input !== undefined && mustRun(input, kept.policy);
  }

  /** A goal that came with an order takes the place of the one before. */
  setObjective(era: Era, objective: Objective): void {
    const kept = this.#kept.get(era);
    if (kept === undefined || sameObjective(kept.objective, objective)) return;
    kept.objective = objective;
    kept.progress = new ObjectiveProgress();
    kept.progress.take(kept.lane.snapshot());
  }

  addReading(reading: Reading): void {
    const kept = this.#kept.get(reading.era);
    if (kept === undefined) return;
    kept.readings.push(reading);
    if (kept.readings.length > MAX_READINGS) kept.readings.shift();
    if (!reading.replayed) kept.progress.take(reading);
  }

  /** A verdict is known for good: the market hears it now and not at the next interval. */
  tellVerdict(judgement: Judgement): void {
    if (!judgement.final) return;
    this.#options.participant
      .telemetry({ era: judgement.era, readings: this.#kept.get(judgement.era)?.readings.slice(-5) ?? [], judgement })
      .catch((error: unknown) => this.#options.log.error("a verdict could not be queued", { reason: String(error) }));
  }

  /** Bids and reports until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, market } = this.#options;
    await Promise.all([
      market.participate
        ? repeatEvery(clock, LOOK_MS, signal, () => this.#eachGuarded((kept) => this.#bid(kept)))
        : undefined,
      repeatEvery(clock, market.telemetryInterval, signal, () => this.#eachGuarded((kept) => this.#report(kept))),
    ]);
  }

  async #bid(kept: Kept): Promise<void> {
    const { participant, log } = this.#options;
    const input = this.#inputOf(kept);
    if (input === undefined) return;
    if (input.socPercent !== undefined) kept.socPercent = input.socPercent;
    this.#lookAhead(kept, input);
    const curve = makeBid(input, kept.policy);
    const fault = curveFault(curve.points);
    if (fault !== undefined) throw new Error(`the curve is unsound at point ${fault.index}: ${fault.fault}`);
    if (sameBid(kept.curve, curve) && !participant.needsBid(kept.config.era)) return;
    await participant.bid(kept.config.era, curve, kept.objective, constraintsOf(curve, kept));
    if (consumesAtAnyPrice(curve) && kept.objective === undefined && kept.curve === undefined) {
      log.warn("this curve consumes at any price, and no objective asks for that", { era: kept.config.era });
    }
    kept.curve = curve;
    kept.curvesSent += 1;
    log.debug("bid curve sent", { era: kept.config.era, points: curve.points });
  }

  /** What a curve follows from now; nothing for a device that can't be reached or has not said what it can do. */
  #inputOf(kept: Kept): BidInput | undefined {
    const { lane } = kept;
    const { capability } = lane;
    const { linkUp, socPercent, availability, limits = [] } = lane.snapshot();
    // A device that can't be reached promises nothing: no new bid, and the one before was made in good faith.
    if (capability === undefined || !linkUp) return undefined;
    return {
      kind: kept.config.kind,
      capability,
      limits: [...kept.limits(), ...limits],
      deliveredKWh: kept.progress.deliveredKWh(kept.policy.storage.roundTripEfficiency),
      nowMs: this.#options.clock.now(),
      ...(availability && { availability }),
      ...(socPercent !== undefined && { socPercent: steadySoc(kept.socPercent, socPercent) }),
      ...(lane.measuredKW !== undefined && { presentKW: lane.measuredKW }),
      ...(kept.objective && { objective: kept.objective }),
      ...this.#options.outlook?.(kept.config.era),
    };
  }

  /** An objective that will be missed is said once, when it becomes known. */
  #lookAhead(kept: Kept, input: BidInput): void {
    const before = kept.outlook?.status;
    const now = objectiveOutlook(input, kept.policy);
    if (now === undefined) delete kept.outlook;
    else kept.outlook = now;
    if (now?.status !== "OBJECTIVE_AT_RISK" || before === now.status) return;
    this.#options.log.warn("the objective will be missed", {
      era: kept.config.era,
      shortfallKWh: Math.round(now.shortfallKWh * 1000) / 1000,
    });
  }

  async #report(kept: Kept): Promise<void> {
    if (kept.readings.length === 0) return;
    const { readings } = kept;
    const sent = await this.#options.participant.telemetry({
      era: kept.config.era,
      readings,
      ...(kept.curve && { curve: kept.curve, constraints: constraintsOf(kept.curve, kept) }),
    });
    if (sent) kept.readings = kept.readings.filter((reading) => !readings.includes(reading));
  }

  /** One device's trouble with its bid is its own. */
  async #eachGuarded(work: (kept: Kept) => Promise<void>): Promise<void> {
    for (const kept of this.#kept.values()) {
      try {
        await work(kept);
      } catch (error) {
        this.#options.log.error("bid or telemetry failed", { era: kept.config.era, reason: String(error) });
      }
    }
  }
}

function operatorLimits({ limit }: DeviceConfig): readonly Limit[] {
  if (limit === undefined) return [];
  const { minPowerKW, maxPowerKW } = limit;
  return [
    {
      source: "operator",
      ...(minPowerKW !== undefined && { minPowerKW }),
      ...(maxPowerKW !== undefined && { maxPowerKW }),
    },
  ];
}

function policyOf(config: DeviceConfig, market: MarketConfig): BidPolicy {
  const storage = config.storage;
  return {
    currency: market.currency,
    ...(config.prices && { prices: config.prices }),
    storage: {
      storedValuePerKWh: storage?.storedValuePerKWh ?? 0.1,
      wearPerKWh: storage?.wearPerKWh ?? 0.02,
      roundTripEfficiency: storage?.roundTripEfficiency ?? 0.9,
      spreadPerKWh: storage?.spreadPerKWh ?? 0.02,
    },
    slotMs: market.interval,
    reserveShare: RESERVE_SHARE,
    reserveSocPercent: storage?.reserveSocPercent ?? 10,
  };
}

function objectiveOf(config: DeviceConfig): Objective | undefined {
  const given = config.objective;
  if (given === undefined) return undefined;
  return {
    targetChargeKWh: given.targetChargeKWh,
    deadlineMs: Date.parse(given.deadline),
    ...(given.maxPricePerKWh !== undefined && { maxPricePerKWh: given.maxPricePerKWh }),
    ...(given.minChargeKWh !== undefined && { minChargeKWh: given.minChargeKWh }),
    ...(given.maxChargeKWh !== undefined && { maxChargeKWh: given.maxChargeKWh }),
    ...(given.preferredSource !== undefined && { preferredSource: given.preferredSource }),
  };
}

function sameObjective(a: Objective | undefined, b: Objective): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify({ ...a, ...b });
}

function constraintsOf(
  curve: BidCurve,
  kept: Kept,
): { minPowerKW: number; maxPowerKW: number; rampRateKWPerMin?: number } {
  const powers = curve.points.map((point) => point.powerKW);
  const ramp = kept.lane.capability?.rampRateKWPerMin;
  return {
    minPowerKW: Math.min(0, ...powers),
    maxPowerKW: Math.max(0, ...powers),
    ...(ramp !== undefined && { rampRateKWPerMin: ramp }),
  };
}
