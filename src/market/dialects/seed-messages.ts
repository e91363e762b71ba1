import type { BidCurve } from "../../model/bid-curve.ts";
import type { Objective } from "../../model/objective.ts";
import type { Reading } from "../../model/reading.ts";
import type { Era } from "../../model/resource.ts";
import type { Price } from "../../model/setpoint.ts";
import type { Judgement } from "../../model/verdict.ts";
import { textFromInstantMs } from "../iso-time.ts";
import { marketFromPowerKW, type SeedDialect } from "./seed-shape.ts";

/** What a resource can do at most, beside its curve. Powers in kW, export positive. */
export interface BidConstraints {
  readonly minPowerKW: number;
  readonly maxPowerKW: number;
  readonly rampRateKWPerMin?: number;
}

/** A resource's wish, as it goes to the market. */
export interface Bid {
  readonly era: Era;
  readonly curve: BidCurve;
  readonly constraints: BidConstraints;
  readonly objective?: Objective;
}

/** How a charging session stands, in the words of the published schema. */
export interface SessionReport {
  readonly status: "PENDING" | "ACTIVE" | "STOP";
  /** Why what was asked for was not done, for a person. */
  readonly fault?: string;
}

/** What a resource did and can do now, for a contract that is running. */
export interface DeliveryReport {
  readonly era: Era;
  readonly orderId?: string;
  /** Oldest first. */
  readonly readings: readonly Reading[];
  readonly curve?: BidCurve;
  readonly constraints?: BidConstraints;
  readonly judgement?: Judgement;
  /** What the meters say of a reduction, once it is over. */
  readonly performance?: ReductionPerformance;
  readonly session?: SessionReport;
}

/** Baseline and usage of each meter in the intervals of a reduction. Mean powers in kW, export positive. */
export interface ReductionPerformance {
  readonly setpointId: string;
  /** How the baseline came about, for example `5of10`. */
  readonly methodology: string;
  readonly meters: readonly {
    /** As the market knows it. */
    readonly meterId: string;
    readonly intervals: readonly {
      readonly startMs: number;
      readonly endMs: number;
      readonly baselineKW: number;
      /** Absent: not metered. */
      readonly usageKW?: number;
    }[];
  }[];
}

/** `message` of `discover`: what we want, with the curve (the seed, 3.3 step 1). */
export function discoverMessage(bid: Bid, dialect: SeedDialect): object {
  return {
    intent: {
      "@type": "EnergyIntent",
      era: bid.era,
      ...curveFields(bid.curve, bid.constraints, dialect),
      ...(bid.objective !== undefined && { objectives: objectives(bid.objective) }),
    },
  };
}

/** `message` of `confirm`: the price that was offered, accepted (the seed, 3.3 step 4). */
export function confirmMessage(
  accepted: { era: Era; clearingPrice: Price; offerId?: string; powerKW?: number; objective?: Objective },
  dialect: SeedDialect,
): object {
  const { era, clearingPrice, offerId, powerKW, objective } = accepted;
  return {
    order: {
      "@type": "beckn:Order",
      "beckn:orderItems": [{ "beckn:orderedItem": era }],
      "beckn:acceptedOffer": {
        ...(offerId !== undefined && { "beckn:id": offerId }),
        "beckn:price": {
          value: clearingPrice.pricePerKWh,
          currency: clearingPrice.currency,
          applicableQuantity: { unitCode: "KWH" },
        },
      },
      "beckn:orderAttributes": {
        "@type": "EnergyOrder",
        era,
        clearingPrice: clearingPrice.pricePerKWh,
        ...(powerKW !== undefined && { setpointKW: marketFromPowerKW(powerKW, dialect.sign) }),
        ...(objective !== undefined && { objectives: objectives(objective) }),
      },
    },
  };
}

/**
 * `message` of `update` and `on_status`: telemetry, verdict and the curve that holds now. The seed names no action for
 * them; the order's delivery attributes carry telemetry in the same form in both.
 */
export function deliveryMessage(report: DeliveryReport, dialect: SeedDialect): object {
  const { era, orderId, curve, constraints, judgement, session } = report;
  const telemetry = report.readings
    .map((reading) => ({
      eventTime: textFromInstantMs(reading.deviceTimeMs ?? reading.receivedAtMs),
      metrics: metricsOf(reading, dialect),
    }))
    .filter(({ metrics }) => metrics.length > 0);
  return {
    order: {
      "@type": "beckn:Order",
      ...(orderId !== undefined && { "beckn:id": orderId }),
      "beckn:orderItems": [{ "beckn:orderedItem": era }],
      "beckn:orderAttributes": {
        "@type": "EnergyOrder",
        era,
        ...(curve !== undefined && curveFields(curve, constraints, dialect)),
        ...(judgement !== undefined && { verdict: verdictFields(judgement, dialect) }),
        // The published session has no place for it, and allows none.
        ...(session?.fault !== undefined && { sessionFault: session.fault }),
      },
      ...((telemetry.length > 0 || session !== undefined) && {
        "beckn:fulfillment": {
          "beckn:deliveryAttributes": {
            "@type": "ChargingSession",
            ...(session !== undefined && { sessionStatus: session.status }),
            ...(telemetry.length > 0 && { chargingTelemetry: telemetry }),
          },
        },
      }),
    },
  };
}

interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unitCode: string;
  /** `FORWARD`: into the device; `REVERSE`: out of it. */
  readonly flowDirection?: "FORWARD" | "REVERSE";
}

/**
 * A reading in the market's names. POWER is signed like a setpoint. The published schema gives ENERGY the code KW and
 * POWER the code KWH, against its own sample values; we send the codes that belong to the names.
 */
export function metricsOf(reading: Reading, dialect: SeedDialect): readonly Metric[] {
  const metrics: Metric[] = [];
  const { powerKW, importKWh, exportKWh, voltageV, currentA, socPercent, frequencyHz } = reading;
  if (powerKW !== undefined) {
    metrics.push({ name: "POWER", value: marketFromPowerKW(powerKW, dialect.sign), unitCode: "KW" });
  }
  if (importKWh !== undefined) {
    metrics.push({ name: "ENERGY", value: importKWh, unitCode: "KWH", flowDirection: "FORWARD" });
  }
  if (exportKWh !== undefined) {
    metrics.push({ name: "ENERGY", value: exportKWh, unitCode: "KWH", flowDirection: "REVERSE" });
  }
  if (voltageV !== undefined) metrics.push({ name: "VOLTAGE", value: voltageV, unitCode: "VLT" });
  for (const amps of currentA ?? []) metrics.push({ name: "CURRENT", value: amps, unitCode: "AMP" });
  if (socPercent !== undefined) metrics.push({ name: "STATE_OF_CHARGE", value: socPercent, unitCode: "PERCENTAGE" });
  if (frequencyHz !== undefined) metrics.push({ name: "FREQUENCY", value: frequencyHz, unitCode: "HZ" });
  return metrics;
}

function curveFields(curve: BidCurve, constraints: BidConstraints | undefined, { sign }: SeedDialect): object {
  return {
    bidCurve: curve.points.map((point) => ({
      price: point.pricePerKWh,
      powerKW: marketFromPowerKW(point.powerKW, sign),
    })),
    curveShape: curve.shape,
    currency: curve.currency,
    ...(constraints !== undefined && { constraints: constraintFields(constraints, sign) }),
  };
}

function constraintFields(constraints: BidConstraints, sign: SeedDialect["sign"]): object {
  const bounds = [constraints.minPowerKW, constraints.maxPowerKW].map((powerKW) => marketFromPowerKW(powerKW, sign));
  return {
    minPowerKW: Math.min(...bounds),
    maxPowerKW: Math.max(...bounds),
    ...(constraints.rampRateKWPerMin !== undefined && { rampRateKWPerMin: constraints.rampRateKWPerMin }),
  };
}

function objectives(objective: Objective): object {
  const { minChargeKWh, maxChargeKWh } = objective;
  return {
    targetChargeKWh: objective.targetChargeKWh,
    deadline: textFromInstantMs(objective.deadlineMs),
    ...(objective.maxPricePerKWh !== undefined && { maxPricePerKWh: objective.maxPricePerKWh }),
    ...(objective.priceMode !== undefined && { priceMode: objective.priceMode }),
    ...(objective.preferredSource !== undefined && { preferredSource: objective.preferredSource }),
    ...((minChargeKWh !== undefined || maxChargeKWh !== undefined) && {
      constraints: {
        ...(minChargeKWh !== undefined && { minChargeKWh }),
        ...(maxChargeKWh !== undefined && { maxChargeKWh }),
      },
    }),
  };
}

export function verdictFields(judgement: Judgement, { sign }: SeedDialect): object {
  const { setpointId, verdict, reason, orderedKW, appliedKW, measuredKW, samples, atMs, final } = judgement;
  return {
    setpointId,
    verdict,
    reason,
    orderedKW: marketFromPowerKW(orderedKW, sign),
    ...(appliedKW !== undefined && { appliedKW: marketFromPowerKW(appliedKW, sign) }),
    ...(measuredKW !== undefined && { measuredKW: marketFromPowerKW(measuredKW, sign) }),
    samples,
    judgedAt: textFromInstantMs(atMs),
    final,
  };
}
