import { z } from "zod";
import { Refusal } from "./answer.ts";
import type { Transaction } from "./order-book.ts";
import { currency, era, id, pricePerKWh, read } from "./wire-fields.ts";

/** Prices that differ by less are the same number written twice. */
const SAME_PRICE_PER_KWH = 1e-9;

const Confirm = z.object({
  order: z.object({
    "beckn:id": id.optional(),
    "beckn:orderItems": z
      .array(z.object({ "beckn:orderedItem": z.string().optional() }))
      .max(100)
      .optional(),
    "beckn:acceptedOffer": z
      .object({
        "beckn:id": z.string().optional(),
        "beckn:price": z.object({ value: pricePerKWh.optional(), currency: currency.optional() }).optional(),
      })
      .optional(),
    "beckn:orderAttributes": z
      .object({
        era: era.optional(),
        // "PAY_AS_CLEAR": the participant takes whatever price the market finds.
        clearingPrice: z.union([pricePerKWh, z.literal("PAY_AS_CLEAR")]).optional(),
      })
      .optional(),
  }),
});

/** What a confirm says it agrees to; only what it names is compared with the offer. */
export interface Agreement {
  readonly items: readonly string[];
  readonly offerId?: string;
  readonly pricePerKWh?: number;
  readonly currency?: string;
}

/** @throws Refusal */
export function readConfirm(body: unknown): Agreement {
  const { order } = read(z.object({ message: Confirm }), body).message;
  const items = (order["beckn:orderItems"] ?? []).flatMap((item) => item["beckn:orderedItem"] ?? []);
  const attributes = order["beckn:orderAttributes"];
  const offer = order["beckn:acceptedOffer"];
  const named = attributes?.clearingPrice;
  const agreed = offer?.["beckn:price"]?.value ?? (typeof named === "number" ? named : undefined);
  const offerId = offer?.["beckn:id"];
  const currency = offer?.["beckn:price"]?.currency;
  return {
    items: attributes?.era === undefined ? items : [...items, attributes.era],
    ...(offerId !== undefined && { offerId }),
    ...(agreed !== undefined && { pricePerKWh: agreed }),
    ...(currency !== undefined && { currency }),
  };
}

/** @throws Refusal if the confirm names anything that differs from what was offered */
export function checkAgreement(agreement: Agreement, transaction: Transaction, currency: string): void {
  const refuse = (paths: string, reason: string) =>
    new Refusal(400, "OFFER_MISMATCH", `message.order.${paths}`, reason);
  const stranger = agreement.items.find((item) => item !== transaction.era);
  if (stranger !== undefined) {
    throw refuse("beckn:orderItems", `${stranger} was not offered; the offer is about ${transaction.era}`);
  }
  const offered = transaction.offer?.pricePerKWh;
  const agreed = agreement.pricePerKWh;
  if (agreed !== undefined && offered !== undefined && Math.abs(agreed - offered) > SAME_PRICE_PER_KWH) {
    throw refuse("beckn:acceptedOffer.beckn:price.value", `the clearing price is ${offered}, not ${agreed}`);
  }
  if (agreement.currency !== undefined && agreement.currency !== currency) {
    throw refuse("beckn:acceptedOffer.beckn:price.currency", `this market trades in ${currency}`);
  }
}
