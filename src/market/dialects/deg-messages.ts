import type { BidCurve } from "../../model/bid-curve.ts";
import type { Reading } from "../../model/reading.ts";
import type { Judgement } from "../../model/verdict.ts";
import { textFromDurationMs, textFromInstantMs } from "../iso-time.ts";
import type { BidContext } from "./bid-context.ts";
import { flowOf } from "./deg-flow.ts";
import { reductionPerformance } from "./deg-performance.ts";
import type { Bid, DeliveryReport } from "./seed-messages.ts";

const SERIES = {
  "@context": "https://schema.nfh.global/BecknTimeSeries/v1.0/context.jsonld",
  "@type": "TimeSeries",
} as const;

/** What our bids answer: a buyer's need for flexibility. */
export interface FlexNeed {
  readonly resourceId: string;
  readonly offerId: string;
  readonly buyerId: string;
}

/** What a curve offers at one price: that much less consumption than at the cheapest. */
export interface ReductionOffer {
  readonly pricePerKWh: number;
  /** kW, ≥ 0. */
  readonly reductionKW: number;
}

/**
 * A curve as reductions against what the device does at the curve's cheap end. A market reads them as steps, so at a
 * price between two points it counts on less than the line would give, never on more.
 */
export function reductionOffers(curve: BidCurve): readonly ReductionOffer[] {
  const cheapKW = curve.points[0]?.powerKW ?? 0;
  const best = new Map<number, number>();
  for (const { pricePerKWh, powerKW } of curve.points) best.set(pricePerKWh, powerKW - cheapKW);
  return [...best].map(([pricePerKWh, reductionKW]) => ({ pricePerKWh, reductionKW }));
}

/** `message` of `confirm`: what we offer in each interval, for the market to clear. */
export function degConfirmMessage(bid: Bid, context: BidContext, need: FlexNeed): object {
  const { bapId, meterIds } = context;
  const offers = reductionOffers(bid.curve);
  const mostKW = Math.max(0, ...offers.map(({ reductionKW }) => reductionKW));
  return {
    contract: {
      status: { code: "DRAFT" },
      commitments: [
        {
          id: commitmentId(context),
          status: { descriptor: { code: "DRAFT" } },
          resources: [{ id: need.resourceId, quantity: { "@type": "Quantity", unitCode: "kW", unitQuantity: mostKW } }],
          offer: {
            id: need.offerId,
            resourceIds: [need.resourceId],
            offerAttributes: {
              "@context": "https://schema.nfh.global/DemandFlexBuyOffer/v2.0/context.jsonld",
              "@type": "DemandFlexBuyOffer",
              inputs: [
                {
                  role: "seller",
                  participantId: bapId,
                  inputs: {
                    participatingMeters: meterIds.length > 0 ? meterIds : [bid.era],
                    reportDescriptors: [
                      {
                        objectType: "REPORT_PAYLOAD_DESCRIPTOR",
                        payloadType: "USAGE",
                        readingType: "DIRECT_READ",
                        units: "KW",
                        cardinality: "PER_INTERVAL",
                      },
                    ],
                  },
                },
              ],
            },
          },
          commitmentAttributes: offerSeries(bid, context),
        },
      ],
      contractAttributes: {
        "@context": "https://schema.nfh.global/DEGContract/v2.0/context.jsonld",
        "@type": "DEGContract",
        roles: [
          { role: "buyer", participantId: need.buyerId },
          { role: "seller", participantId: bapId },
        ],
      },
      participants: [{ id: need.buyerId }, { id: bapId }],
    },
  };
}

/** `message` of `update`: a newer curve for a bid that the market has not cleared. */
export function degUpdateMessage(bid: Bid, context: BidContext): object {
  return {
    contract: {
      ...(context.orderId !== undefined && { id: context.orderId }),
      commitments: [{ id: commitmentId(context), commitmentAttributes: offerSeries(bid, context) }],
    },
  };
}

function commitmentId({ transactionId }: BidContext): string {
  return `commitment-${transactionId}`;
}

function offerSeries(bid: Bid, { window, intervals }: BidContext): object {
  const offers = reductionOffers(bid.curve);
  const durationMs = (window.untilMs - window.fromMs) / intervals;
  const payloads = [
    { type: "OFFER_PRICE", values: offers.map(({ pricePerKWh }) => pricePerKWh) },
    { type: "CAPACITY_OFFERED", values: offers.map(({ reductionKW }) => reductionKW) },
  ];
  return {
    ...SERIES,
    intervalPeriod: { start: textFromInstantMs(window.fromMs), duration: textFromDurationMs(durationMs) },
    payloadDescriptors: [
      eventDescriptor("OFFER_PRICE", `${bid.curve.currency}_PER_KWH`),
      eventDescriptor("CAPACITY_OFFERED", "KW"),
    ],
    intervals: Array.from({ length: intervals }, (_, id) => ({ id, payloads })),
  };
}

function eventDescriptor(payloadType: string, units: string): object {
  return { objectType: "EVENT_PAYLOAD_DESCRIPTOR", payloadType, units, insertedBy: "seller" };
}

/** `message` of `on_status` and `update`: what each meter showed, and what became of the setpoint. */
export function degDeliveryMessage(report: DeliveryReport, transactionId: string, meterIds: readonly string[]): object {
  const { era, orderId, judgement, performance } = report;
  if (performance !== undefined) {
    return {
      contract: {
        ...(orderId !== undefined && { id: orderId }),
        status: { code: "ACTIVE" },
        performance: [reductionPerformance(performance, transactionId)],
      },
    };
  }
  const id = judgement?.setpointId ?? transactionId;
  const telemetry = usageSeries(report.readings);
  return {
    contract: {
      ...(orderId !== undefined && { id: orderId }),
      status: { code: "ACTIVE" },
      performance: [
        {
          id: `performance-${id}`,
          status: judgement?.final
            ? { code: "DELIVERY_COMPLETE", name: `${judgement.verdict}: ${judgement.reason}` }
            : { code: "REPORT_DELIVERED", name: "telemetry" },
          commitmentIds: [`commitment-${transactionId}`],
          performanceAttributes: {
            "@context": "https://schema.nfh.global/DemandFlexPerformance/v2.0/context.jsonld",
            "@type": "DemandFlexPerformance",
            eventId: id,
            methodology: "RESOURCE_TELEMETRY",
            meters: telemetry === undefined ? [] : [{ meterId: meterIds[0] ?? era, telemetry }],
            ...(judgement !== undefined && { verdict: verdictOf(judgement) }),
          },
        },
      ],
    },
  };
}

/** Readings as they were measured: each its own interval without length, since a meter tells a moment and no mean. */
function usageSeries(readings: readonly Reading[]): object | undefined {
  const intervals = readings
    .map((reading) => ({
      start: textFromInstantMs(reading.deviceTimeMs ?? reading.receivedAtMs),
      payloads: payloadsOf(reading),
    }))
    .filter(({ payloads }) => payloads.length > 0);
  const [first] = intervals;
  if (first === undefined) return undefined;
  const types = new Set(intervals.flatMap(({ payloads }) => payloads.map(({ type }) => type)));
  return {
    "@type": "TimeSeries",
    intervalPeriod: { start: first.start, duration: "PT0S" },
    payloadDescriptors: [...types].map((payloadType) => ({
      objectType: "REPORT_PAYLOAD_DESCRIPTOR",
      payloadType,
      units: UNITS[payloadType],
      readingType: "DIRECT_READ",
    })),
    intervals: intervals.map(({ start, payloads }, id) => ({
      id,
      intervalPeriod: { start, duration: "PT0S" },
      payloads: payloads.map(({ type, value }) => ({ type, values: [value] })),
    })),
  };
}

const UNITS = { USAGE: "KW", INJECTION: "KW", STORAGE_CHARGE_LEVEL: "PERCENT" } as const;

interface Payload {
  readonly type: keyof typeof UNITS;
  readonly value: number;
}

function payloadsOf({ powerKW, socPercent }: Reading): readonly Payload[] {
  return [
    ...(powerKW === undefined ? [] : [flowOf(powerKW)]),
    ...(socPercent === undefined ? [] : [{ type: "STORAGE_CHARGE_LEVEL", value: socPercent } as const]),
  ];
}

function verdictOf({ setpointId, verdict, orderedKW, measuredKW, samples, final }: Judgement): object {
  const flows = (powerKW: number) => {
    const { type, value } = flowOf(powerKW);
    return { type, values: [value] };
  };
  return {
    setpointId,
    verdict,
    ordered: flows(orderedKW),
    ...(measuredKW !== undefined && { measured: flows(measuredKW) }),
    samples,
    final,
  };
}
