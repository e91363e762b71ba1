import type { CdrLocation, OcpiLocation, OcpiTariff } from "./ocpi-objects.ts";
import { ocpiTimeFromMs } from "./ocpi-time.ts";
import type { OcpiParty, OcpiVersion } from "./ocpi-version.ts";
import type { EvseConfig, OfferConfig } from "./offer-config.ts";

/** How an EVSE stands, as far as we know. */
export type EvseState = "AVAILABLE" | "CHARGING" | "UNKNOWN";

/** The site as a location. @param stateOf by the device's ERA */
export function siteLocation(
  us: OcpiParty,
  offer: OfferConfig,
  stateOf: (era: string) => EvseState,
  nowMs: number,
): OcpiLocation {
  const last_updated = ocpiTimeFromMs(nowMs);
  return {
    country_code: us.countryCode,
    party_id: us.partyId,
    publish: true,
    ...placeOf(offer),
    time_zone: offer.timeZone,
    evses: offer.evses.map((evse) => ({
      uid: evse.uid,
      evse_id: evse.evseId,
      status: stateOf(evse.era),
      connectors: [
        {
          id: evse.connectorId,
          standard: evse.standard,
          format: evse.format,
          power_type: evse.powerType,
          max_voltage: evse.voltageV,
          max_amperage: evse.maxA,
          tariff_ids: [offer.tariff.id],
          last_updated,
        },
      ],
      last_updated,
    })),
    last_updated,
  };
}

/** What a kWh costs where the market gave no price, as a tariff. */
export function siteTariff(us: OcpiParty, offer: OfferConfig, version: OcpiVersion, nowMs: number): OcpiTariff {
  const { id, currency, pricePerKWh, vatPercent } = offer.tariff;
  const vat = vatPercent === undefined ? {} : { vat: vatPercent };
  return {
    country_code: us.countryCode,
    party_id: us.partyId,
    id,
    currency,
    elements: [{ price_components: [{ type: "ENERGY", price: pricePerKWh, ...vat, step_size: 1 }] }],
    ...(version === "2.3.0" && { tax_included: "NO" as const }),
    last_updated: ocpiTimeFromMs(nowMs),
  };
}

/** The place of a charge, as a CDR has it. */
export function cdrLocationOf(offer: OfferConfig, evse: EvseConfig): CdrLocation {
  return {
    ...placeOf(offer),
    evse_uid: evse.uid,
    evse_id: evse.evseId,
    connector_id: evse.connectorId,
    connector_standard: evse.standard,
    connector_format: evse.format,
    connector_power_type: evse.powerType,
  };
}

function placeOf(offer: OfferConfig) {
  return {
    id: offer.id,
    ...(offer.name !== undefined && { name: offer.name }),
    address: offer.address,
    city: offer.city,
    ...(offer.postalCode !== undefined && { postal_code: offer.postalCode }),
    country: offer.country,
    coordinates: { latitude: offer.latitude, longitude: offer.longitude },
  };
}
