import type { GridNode } from "../../clearing/grid-types.ts";
import { marketFromPowerKW } from "../dialects/seed-shape.ts";
import { textFromInstantMs } from "../iso-time.ts";
import { gridNodeItem, priceAdder } from "./grid-node-item.ts";
import type { MarketRules } from "./market-rules.ts";
import type { Allotment, TransactionRecord } from "./provider-records.ts";
import type { TransactionState } from "./transaction.ts";

/** `message` of `on_discover`: what a gate gave, to be confirmed; without an offer, that nothing was cleared. */
export function catalogMessage(record: TransactionRecord, rules: MarketRules): object {
  const { era, offer } = record;
  return {
    catalogs: [
      {
        "@type": "beckn:Catalog",
        "beckn:id": offer?.roundId ?? `market-${rules.subscriberId}`,
        "beckn:descriptor": { "@type": "beckn:Descriptor", "schema:name": "Energy market" },
        "beckn:items": [
          {
            "@type": "beckn:Item",
            "beckn:id": era,
            "beckn:descriptor": { "@type": "beckn:Descriptor", "schema:name": era },
            "beckn:itemAttributes": { "@type": "EnergyResource", era },
          },
          ...nodeItems(offer, rules),
        ],
        "beckn:offers": offer === undefined ? [] : [offerBody(record, rules)],
      },
    ],
  };
}

function nodeItems(offer: Allotment | undefined, rules: MarketRules): readonly object[] {
  const node = nodeOf(offer, rules);
  return node === undefined || offer?.node === undefined
    ? []
    : [gridNodeItem(node, offer.node, rules.dialect.currency)];
}

function nodeOf(offer: Allotment | undefined, rules: MarketRules): GridNode | undefined {
  return rules.nodes.find(({ era }) => era === offer?.node?.era);
}

function offerBody({ era, eraGiven, offer }: TransactionRecord, rules: MarketRules): object {
  const { currency } = rules.dialect;
  if (offer === undefined) return {};
  const node = nodeOf(offer, rules);
  const adder = node && offer.node && priceAdder(node, offer.node, currency);
  return {
    "@type": "beckn:Offer",
    "beckn:id": offer.offerId,
    "beckn:items": [era],
    ...(offer.pricePerKWh !== undefined && {
      "beckn:price": {
        "@type": "schema:PriceSpecification",
        "schema:price": offer.pricePerKWh,
        "schema:priceCurrency": currency,
        "schema:unitText": "kWh",
      },
    }),
    "beckn:offerAttributes": {
      "@type": "EnergyOffer",
      ...(eraGiven && { era }),
      ...(offer.pricePerKWh === undefined ? { pricingModel: "PAY_AS_CLEAR" } : allotmentFields(offer, rules)),
      ...(adder && { locationalPriceAdder: adder }),
      ...windowFields(offer),
      confirmBy: textFromInstantMs(offer.confirmByMs),
    },
  };
}

/**
 * `message.order` of `on_confirm`, with what the participant is to hold. Without an allotment nothing that commands.
 * A participant that speaks in roles gets its power where its role is filled.
 */
export function orderMessage(record: TransactionRecord, rules: MarketRules, allotment?: Allotment): object {
  return { order: orderBody(record, rules, allotment) };
}

/** `message` of `on_status` and `on_track`: where the order stands, and what the resource last said. */
export function statusMessage(record: TransactionRecord, rules: MarketRules): object {
  const isBound = record.state === "CONFIRMED" || record.state === "ACTIVE";
  const order = orderBody(record, rules, isBound ? record.order : undefined);
  const { report } = record;
  return {
    order: {
      ...order,
      "beckn:fulfillment": {
        "@type": "beckn:Fulfillment",
        "beckn:status": record.state,
        ...(report !== undefined && {
          "beckn:deliveryAttributes": {
            "@type": "ChargingSession",
            reportedAt: textFromInstantMs(report.atMs),
            ...(report.telemetry !== undefined && { chargingTelemetry: report.telemetry }),
            ...(report.verdict !== undefined && { verdict: report.verdict }),
          },
        }),
      },
    },
  };
}

/** Names of the states as orders have them on the wire. */
const ORDER_STATUS: Readonly<Record<TransactionState, string>> = {
  DISCOVERED: "PENDING",
  OFFERED: "PENDING",
  CONFIRMED: "CONFIRMED",
  ACTIVE: "INPROGRESS",
  COMPLETED: "COMPLETED",
  CANCELLED: "CANCELLED",
  EXPIRED: "EXPIRED",
};

function orderBody(record: TransactionRecord, rules: MarketRules, allotment: Allotment | undefined): object {
  const { era, eraGiven, orderId, state, roleKey, objectives } = record;
  const inRoles = allotment !== undefined && roleKey !== undefined;
  return {
    "@type": "beckn:Order",
    "beckn:id": orderId,
    "beckn:orderStatus": ORDER_STATUS[state],
    "beckn:orderItems": [{ "beckn:orderedItem": era }],
    "beckn:orderAttributes": {
      "@type": inRoles ? "EnergyContractP2PTrade" : "EnergyOrder",
      ...(eraGiven && { era }),
      transactionState: state,
      ...(allotment !== undefined && { currency: rules.dialect.currency, ...windowFields(allotment) }),
      ...(allotment !== undefined && !inRoles && allotmentFields(allotment, rules)),
      ...(inRoles && { roles: [clearingRole(roleKey, allotment, rules)] }),
      ...(objectives !== undefined && { objectives }),
    },
  };
}

/**
 * `clearingPrice` is the price at which the participant's own curve was read, which is the one of its grid node. What
 * all nodes have in common stands beside it.
 */
function allotmentFields(allotment: Allotment, rules: MarketRules): object {
  const { powerKW, pricePerKWh, marketPricePerKWh } = allotment;
  return {
    setpointKW: marketFromPowerKW(powerKW, rules.dialect.sign),
    ...(pricePerKWh !== undefined && { clearingPrice: pricePerKWh, locationalPrice: pricePerKWh }),
    ...(marketPricePerKWh !== undefined && { marketPrice: marketPricePerKWh }),
  };
}

function clearingRole(roleKey: string, allotment: Allotment, rules: MarketRules): object {
  const { powerKW, pricePerKWh } = allotment;
  return {
    role: "MARKET_CLEARING_AGENT",
    filledBy: rules.subscriberId,
    filled: true,
    roleInputs: {
      ...(pricePerKWh !== undefined && { clearingPrice: pricePerKWh }),
      clearedPower: { [roleKey]: marketFromPowerKW(powerKW, rules.dialect.sign) },
    },
  };
}

function windowFields({ validFromMs, validUntilMs }: Allotment): object {
  return { validFrom: textFromInstantMs(validFromMs), validUntil: textFromInstantMs(validUntilMs) };
}
