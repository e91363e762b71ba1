import { z } from "zod";
import type { Era } from "../model/resource.ts";
import type { Price } from "../model/setpoint.ts";
import { Refusal } from "./answer.ts";
import { currencyCode, named, powerKWFromMarket, priceFrom, type SeedDialect } from "./seed-shape.ts";
import { zodFault } from "./zod-fault.ts";

/** A cleared price that the market offers, with the power that goes with it. */
export interface MarketOffer {
  readonly offerId?: string;
  readonly clearingPrice: Price;
  /** kW, export positive; absent where the market gives it only with the confirmation. */
  readonly powerKW?: number;
  /** Only where the offer names the resource. */
  readonly era?: Era;
}

// The seed writes `price.value`, its examples `beckn:price.schema:price`.
const OfferPrice = named({
  value: z.number().optional(),
  price: z.number().optional(),
  currency: currencyCode.optional(),
  priceCurrency: currencyCode.optional(),
});

const Offer = named({
  id: z.string().min(1).max(256).optional(),
  price: OfferPrice.optional(),
  offerAttributes: named({
    clearingPrice: z.number().optional(),
    currency: currencyCode.optional(),
    setpointKW: z.number().optional(),
    era: z.string().min(1).max(256).optional(),
  }).optional(),
});

const Message = named({
  catalogs: z
    .array(named({ offers: z.array(Offer).max(1000).optional() }))
    .max(100)
    .optional(),
});

/**
 * The offers of `on_discover` in the seed's dialect, with or without `beckn:`. An offer without any price is none; a
 * catalogue without offers says that nothing was cleared.
 * @throws Refusal naming the field
 */
export function readOffers(body: unknown, dialect: SeedDialect): readonly MarketOffer[] {
  const parsed = Message.safeParse((body as { message?: unknown }).message);
  if (!parsed.success) {
    const { path, fault } = zodFault(parsed.error, ["message"], body);
    throw new Refusal(400, "MESSAGE_INVALID", path, fault);
  }
  const offers = (parsed.data.catalogs ?? []).flatMap((catalog) => catalog.offers ?? []);
  return offers.flatMap((offer): MarketOffer[] => {
    const { id, price, offerAttributes } = offer;
    const clearingPrice = priceFrom(
      offerAttributes?.clearingPrice ?? price?.value ?? price?.price,
      [offerAttributes?.currency, price?.currency, price?.priceCurrency],
      dialect.currency,
    );
    if (clearingPrice === undefined) return [];
    return [
      {
        clearingPrice,
        ...(id !== undefined && { offerId: id }),
        ...(offerAttributes?.setpointKW !== undefined && {
          powerKW: powerKWFromMarket(offerAttributes.setpointKW, dialect.sign),
        }),
        ...(offerAttributes?.era !== undefined && { era: offerAttributes.era }),
      },
    ];
  });
}
