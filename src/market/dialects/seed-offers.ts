import { WireFields } from "../wire-fields.ts";
import type { MarketOffer } from "./order-codec.ts";
import { powerKWFromMarket, priceFrom, type SeedDialect } from "./seed-shape.ts";

const MAX_CATALOGS = 100;

/**
 * The offers of `on_discover` in the seed's dialect, with or without `beckn:`. An offer without any price is none; a
 * catalogue without offers says that nothing was cleared.
 * @throws Refusal naming the field
 */
export function readSeedOffers(body: unknown, dialect: SeedDialect): readonly MarketOffer[] {
  const catalogs = WireFields.ofMessage(body).list("catalogs", MAX_CATALOGS) ?? [];
  const offers = catalogs.flatMap((catalog) => catalog.list("offers") ?? []);
  return offers.flatMap((offer): MarketOffer[] => {
    const attributes = offer.object("offerAttributes");
    const price = offer.object("price");
    // The seed writes `price.value`, its examples `beckn:price.schema:price`.
    const clearingPrice = priceFrom(
      attributes?.number("clearingPrice") ?? price?.number("value") ?? price?.number("price"),
      [attributes?.currency("currency"), price?.currency("currency"), price?.currency("priceCurrency")],
      dialect.currency,
    );
    if (clearingPrice === undefined) return [];
    const offerId = offer.text("id");
    const powerKW = attributes?.number("setpointKW");
    const era = attributes?.text("era");
    return [
      {
        clearingPrice,
        ...(offerId !== undefined && { offerId }),
        ...(powerKW !== undefined && { powerKW: powerKWFromMarket(powerKW, dialect.sign) }),
        ...(era !== undefined && { era }),
      },
    ];
  });
}
