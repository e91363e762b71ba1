import { type BidPolicy, makeBid, sameBid } from "./bidding/bidder.ts";
import { type Clock, repeatEvery } from "./clock.ts";
import type { DeviceConfig, MarketConfig } from "./config/schema.ts";
import type { DeviceLane } from "./dispatch/device-lane.ts";
import type { Log } from "./log.ts";
import type { Participant } from "./market/participant.ts";
import { type BidCurve, consumesAtAnyPrice, curveFault } from "./model/bid-curve.ts";
import type { Objective } from "./model/objective.ts";
import type { Reading } from "./model/reading.ts";
import type { Era } from "./model/resource.ts";
import type { Judgement } from "./model/verdict.ts";

/** How often a curve is looked at; a change is sent at most this often. */
const LOOK_MS = 1_000;
/** Readings that one telemetry message carries at most: the newest. */
const MAX_READINGS = 60;
const DEFAULT_PRICES = {
  charger: { from: 0.08, to: 0.14 },
  load: { from: 0.08, to: 0.14 },
  solar: { from: 0, to: 0.01 },
  battery: { from: 0, to: 0 },
} as const;

export interface BidKeeperOptions {
  readonly market: MarketConfig;
  readonly participant: Participant;
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: readonly { readonly config: DeviceConfig; readonly lane: DeviceLane }[];
}

interface Kept {
  readonly config: DeviceConfig;
  readonly lane: DeviceLane;
  readonly policy: BidPolicy;
  objective: Objective | undefined;
  /** Energy register when the objective was set, kWh. */
  startKWh?: number;
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
  readonly #kept: Map<Era, Kept>;

  constructor(options: BidKeeperOptions) {
    this.#options = options;
    this.#kept = new Map(
      options.devices.map(({ config, lane }) => [
        config.era,
        {
          config,
          lane,
          policy: policyOf(config, options.market),
          objective: objectiveOf(config),
          curvesSent: 0,
          readings: [],
        },
      ]),
    );
  }

  /** Curves sent for a resource since the start. */
  curvesSent(era: Era): number {
    return this.#kept.get(era)?.curvesSent ?? 0;
  }

  curve(era: Era): BidCurve | undefined {
    return this.#kept.get(era)?.curve;
  }

  /** A goal that came with an order takes the place of the one before. */
  setObjective(era: Era, objective: Objective): void {
    const kept = this.#kept.get(era);
    if (kept === undefined || sameObjective(kept.objective, objective)) return;
    kept.objective = objective;
    delete kept.startKWh;
  }

  addReading(reading: Reading): void {
    const kept = this.#kept.get(reading.era);
    if (kept === undefined) return;
    kept.readings.push(reading);
    if (kept.readings.length > MAX_READINGS) kept.readings.shift();
    if (reading.importKWh !== undefined && !reading.replayed) kept.startKWh ??= reading.importKWh;
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
    const { capability } = kept.lane;
    const { linkUp, socPercent, importKWh, availability } = kept.lane.snapshot();
    // A device that can't be reached promises nothing: no new bid, and the one before was made in good faith.
    if (capability === undefined || !linkUp) return;
    const curve = makeBid(
      {
        kind: kept.config.kind,
        capability,
        deliveredKWh: deliveredKWh(kept, importKWh),
        nowMs: this.#options.clock.now(),
        ...(availability && { availability }),
        ...(socPercent !== undefined && { socPercent }),
        ...(kept.objective && { objective: kept.objective }),
      },
      kept.policy,
    );
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

/** Energy at the meter since the objective was set, kWh; 0 while the meter has no register. */
function deliveredKWh(kept: Kept, importKWh: number | undefined): number {
  return importKWh === undefined || kept.startKWh === undefined ? 0 : importKWh - kept.startKWh;
}

function policyOf(config: DeviceConfig, market: MarketConfig): BidPolicy {
  const storage = config.storage;
  return {
    currency: market.currency,
    prices: config.prices ?? DEFAULT_PRICES[config.kind],
    storage: {
      storedValuePerKWh: storage?.storedValuePerKWh ?? 0.1,
      wearPerKWh: storage?.wearPerKWh ?? 0.02,
      roundTripEfficiency: storage?.roundTripEfficiency ?? 0.9,
      spreadPerKWh: storage?.spreadPerKWh ?? 0.02,
    },
    slotMs: market.interval,
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
