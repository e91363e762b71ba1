import { randomUUID } from "node:crypto";
import type { ConfirmedOrder, Offer, Transaction } from "./order-book.ts";

const CORE_CONTEXT =
  "https://raw.githubusercontent.com/beckn/protocol-specifications-new/refs/heads/draft/schema/core/v2/context.jsonld";
const COORDINATION_CONTEXT =
  "https://raw.githubusercontent.com/beckn/protocol-specifications-new/refs/heads/draft/schema/EnergyCoordination/v1/context.jsonld";

/** The market's side of every message. */
export interface Market {
  readonly subscriberId: string;
  /** Where participants reach it. */
  readonly url: string;
  /** ISO 4217. */
  readonly currency: string;
}

/** A message of the market on its way to one participant. */
export interface Callback {
  readonly action: "on_discover" | "on_confirm" | "on_status" | "on_cancel";
  readonly messageId: string;
  readonly transaction: Transaction;
  /** JSON, signed and sent byte for byte. */
  readonly body: string;
}

/** Says at what price the market cleared, what the resource would get, and until when it may be confirmed. */
export function onDiscover(
  market: Market,
  transaction: Transaction,
  offer: Offer,
  window: { nowMs: number; confirmByMs: number; validFromMs: number; validUntilMs: number },
): Callback {
  const messageId = transaction.unanswered ?? randomUUID();
  const message = {
    catalogs: [
      {
        "@context": CORE_CONTEXT,
        "@type": "beckn:Catalog",
        "beckn:id": `catalog-${offer.round}`,
        "beckn:descriptor": { "@type": "beckn:Descriptor", "schema:name": `Market interval ${offer.round}` },
        "beckn:items": [
          {
            "@context": CORE_CONTEXT,
            "@type": "beckn:Item",
            "beckn:id": transaction.era,
            "beckn:descriptor": { "@type": "beckn:Descriptor", "schema:name": transaction.era },
            "beckn:itemAttributes": {
              "@context": COORDINATION_CONTEXT,
              "@type": "EnergyResource",
              era: transaction.era,
            },
          },
        ],
        "beckn:offers": [
          {
            "@context": CORE_CONTEXT,
            "@type": "beckn:Offer",
            "beckn:id": offer.offerId,
            "beckn:items": [transaction.era],
            "beckn:price": {
              "@type": "schema:PriceSpecification",
              "schema:price": offer.pricePerKWh,
              "schema:priceCurrency": market.currency,
              "schema:unitText": "kWh",
            },
            "beckn:offerAttributes": {
              "@context": COORDINATION_CONTEXT,
              "@type": "EnergyOffer",
              era: transaction.era,
              clearingPrice: offer.pricePerKWh,
              setpointKW: offer.setpointKW,
              confirmBy: iso(window.confirmByMs),
              validFrom: iso(window.validFromMs),
              validUntil: iso(window.validUntilMs),
            },
          },
        ],
      },
    ],
  };
  return callback(market, transaction, "on_discover", messageId, window.nowMs, message);
}

/** The binding setpoint, in answer to the `confirm` whose id it carries. */
export function onConfirm(
  market: Market,
  transaction: Transaction,
  order: ConfirmedOrder,
  confirm: { messageId: string; nowMs: number; round: number },
): Callback {
  const message = { order: orderBody(market, transaction, order, "CONFIRMED", `${confirm.round}`) };
  return callback(market, transaction, "on_confirm", confirm.messageId, confirm.nowMs, message);
}

/** How the order stands, in answer to a `status`. */
export function onStatus(
  market: Market,
  transaction: Transaction,
  request: { messageId: string; nowMs: number },
): Callback {
  const status = transaction.open ? (transaction.order === undefined ? "PENDING" : "CONFIRMED") : "CANCELLED";
  const message = { order: orderBody(market, transaction, transaction.order, status) };
  return callback(market, transaction, "on_status", request.messageId, request.nowMs, message);
}

export function onCancel(
  market: Market,
  transaction: Transaction,
  request: { messageId: string; nowMs: number },
): Callback {
  const message = { order: orderBody(market, transaction, undefined, "CANCELLED") };
  return callback(market, transaction, "on_cancel", request.messageId, request.nowMs, message);
}

function orderBody(
  market: Market,
  transaction: Transaction,
  order: ConfirmedOrder | undefined,
  status: "PENDING" | "CONFIRMED" | "CANCELLED",
  orderNumber?: string,
) {
  return {
    "@context": CORE_CONTEXT,
    "@type": "beckn:Order",
    "beckn:id": transaction.orderId,
    "beckn:orderStatus": status,
    ...(orderNumber !== undefined && { "beckn:orderNumber": orderNumber }),
    ...(order !== undefined && {
      "beckn:orderValue": { currency: market.currency, value: orderValue(order) },
    }),
    "beckn:orderAttributes": {
      "@context": COORDINATION_CONTEXT,
      "@type": "EnergyOrder",
      era: transaction.era,
      ...(order !== undefined && {
        setpointKW: order.setpointKW,
        clearingPrice: order.pricePerKWh,
        currency: market.currency,
        validFrom: iso(order.validFromMs),
        validUntil: iso(order.validUntilMs),
      }),
      ...(transaction.objectives !== undefined && { objectives: transaction.objectives }),
    },
    "beckn:fulfillment": { "beckn:status": "PENDING", "beckn:mode": "RESERVATION" },
  };
}

/** What the energy of the whole window costs or earns: a magnitude, in the currency. */
function orderValue(order: ConfirmedOrder): number {
  const hours = (order.validUntilMs - order.validFromMs) / 3_600_000;
  return Math.round(Math.abs(order.setpointKW) * hours * order.pricePerKWh * 1e6) / 1e6;
}

function callback(
  market: Market,
  transaction: Transaction,
  action: Callback["action"],
  messageId: string,
  nowMs: number,
  message: object,
): Callback {
  const context = {
    version: "2.0.0",
    action,
    domain: transaction.domain,
    timestamp: iso(nowMs),
    message_id: messageId,
    transaction_id: transaction.transactionId,
    bap_id: transaction.bapId,
    bap_uri: transaction.bapUri,
    bpp_id: market.subscriberId,
    bpp_uri: market.url,
    ttl: "PT30S",
  };
  return { action, messageId, transaction, body: JSON.stringify({ context, message }) };
}

function iso(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
