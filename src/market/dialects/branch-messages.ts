import type { BidCurve } from "../../model/bid-curve.ts";
import { textFromInstantMs } from "../iso-time.ts";
import type { BidContext } from "./bid-context.ts";
import { type Bid, type DeliveryReport, metricsOf, verdictFields } from "./seed-messages.ts";
import { marketFromPowerKW, type SeedDialect } from "./seed-shape.ts";

/**
 * `message` of `init` and `confirm` in the seed's later form: our role in the contract, with the curve.
 * @param approvedMaxTradeKW what the grid operator allowed in between; part of what we commit ourselves to
 */
export function branchBidMessage(
  bid: Bid,
  { bapId, bppId, transactionId, meterIds, window }: BidContext,
  dialect: SeedDialect,
  approvedMaxTradeKW?: number,
): object {
  const [sourceMeterId] = meterIds;
  return {
    order: {
      "@type": "beckn:Order",
      "beckn:id": branchOrderId(transactionId),
      "beckn:items": [{ "beckn:id": bid.era }],
      "beckn:provider": { "beckn:id": bppId },
      "beckn:orderAttributes": {
        "@type": "EnergyContractP2PTrade",
        status: "PENDING",
        roles: [
          { role: "MARKET_CLEARING_AGENT", filledBy: bppId, filled: true, roleInputs: {} },
          {
            role: "PROSUMER",
            filledBy: bapId,
            filled: true,
            roleInputs: {
              ...(sourceMeterId !== undefined && { sourceMeterId }),
              offerCurve: offerCurve(bid.curve, dialect),
            },
          },
        ],
        inputParameters: {
          validityWindow: { startTime: textFromInstantMs(window.fromMs), endTime: textFromInstantMs(window.untilMs) },
          pricingModel: "PAY_AS_CLEAR",
          ...(approvedMaxTradeKW !== undefined && { approvedMaxTradeKW }),
        },
        inputSignals: [],
        telemetrySources: [],
      },
    },
  };
}

/** We open the order, so we name it. */
function branchOrderId(transactionId: string): string {
  return `order-${transactionId}`;
}

/** The ends of the curve are its bounds, as the contract's rules ask. */
function offerCurve(curve: BidCurve, { sign }: SeedDialect): object {
  const points = curve.points.map((point) => ({
    price: point.pricePerKWh,
    powerKW: marketFromPowerKW(point.powerKW, sign),
  }));
  const powers = points.map((point) => point.powerKW);
  return {
    currency: curve.currency,
    minExport: Math.min(...powers),
    maxExport: Math.max(...powers),
    curve: points,
    curveShape: curve.shape,
  };
}

/** `message` of `update` and `on_status`: what was delivered, as the trade's delivery attributes. */
export function branchDeliveryMessage(report: DeliveryReport, dialect: SeedDialect): object {
  const { era, orderId, judgement, session } = report;
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
      "beckn:items": [{ "beckn:id": era }],
      "beckn:fulfillments": [
        {
          "@type": "beckn:Fulfillment",
          "beckn:type": "ENERGY_DELIVERY",
          "beckn:attributes": {
            "@type": "EnergyTradeDelivery",
            deliveryStatus: judgement?.final ? "COMPLETED" : "IN_PROGRESS",
            telemetry,
            ...(session !== undefined && { sessionStatus: session.status }),
            ...(session?.fault !== undefined && { sessionFault: session.fault }),
            ...(judgement !== undefined && { verdict: verdictFields(judgement, dialect) }),
          },
        },
      ],
    },
  };
}
