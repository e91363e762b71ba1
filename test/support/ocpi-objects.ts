import type {
  Cdr,
  CdrLocation,
  CdrToken,
  OcpiLocation,
  OcpiSession,
  OcpiTariff,
  TariffElement,
} from "../../src/ocpi/ocpi-objects.ts";
import type { OcpiVersion } from "../../src/ocpi/ocpi-version.ts";

/** Objects as another party's system would write them, by hand and in full. */

const AT = "2026-06-15T12:00:00Z";

export const driverToken: CdrToken = {
  country_code: "NL",
  party_id: "EMP",
  uid: "04A2B3C4D5E6F7",
  type: "RFID",
  contract_id: "NL-EMP-C12345678-X",
};

export const cdrLocation: CdrLocation = {
  id: "LOC1",
  name: "Market square",
  address: "Market square 1",
  city: "Gent",
  postal_code: "9000",
  country: "BEL",
  coordinates: { latitude: "51.047599", longitude: "3.729944" },
  evse_uid: "3256",
  evse_id: "BE*BEC*E041503001",
  connector_id: "1",
  connector_standard: "IEC_62196_T2",
  connector_format: "SOCKET",
  connector_power_type: "AC_3_PHASE",
};

export function aLocation(changes: Partial<OcpiLocation> = {}): OcpiLocation {
  return {
    country_code: "BE",
    party_id: "BEC",
    id: "LOC1",
    publish: true,
    name: "Market square",
    address: "Market square 1",
    city: "Gent",
    postal_code: "9000",
    country: "BEL",
    coordinates: { latitude: "51.047599", longitude: "3.729944" },
    time_zone: "Europe/Brussels",
    evses: [
      {
        uid: "3256",
        evse_id: "BE*BEC*E041503001",
        status: "AVAILABLE",
        connectors: [
          {
            id: "1",
            standard: "IEC_62196_T2",
            format: "SOCKET",
            power_type: "AC_3_PHASE",
            max_voltage: 230,
            max_amperage: 16,
            tariff_ids: ["day-night"],
            last_updated: AT,
          },
        ],
        last_updated: AT,
      },
    ],
    last_updated: AT,
    ...changes,
  };
}

export function energyElement(
  price: number,
  restrictions?: TariffElement["restrictions"],
  vat?: number,
): TariffElement {
  return {
    price_components: [{ type: "ENERGY", price, ...(vat !== undefined && { vat }), step_size: 1 }],
    ...(restrictions && { restrictions }),
  };
}

export function aTariff(version: OcpiVersion, changes: Partial<OcpiTariff> = {}): OcpiTariff {
  return {
    country_code: "BE",
    party_id: "BEC",
    id: "flat",
    currency: "INR",
    elements: [energyElement(18.0)],
    ...(version === "2.3.0" && { tax_included: "NO" }),
    last_updated: AT,
    ...changes,
  };
}

export function aSession(version: OcpiVersion, changes: Partial<OcpiSession> = {}): OcpiSession {
  return {
    country_code: "BE",
    party_id: "BEC",
    id: "S1",
    start_date_time: "2026-06-15T10:00:00Z",
    kwh: 1.5,
    cdr_token: driverToken,
    auth_method: "WHITELIST",
    location_id: "LOC1",
    evse_uid: "3256",
    connector_id: "1",
    currency: "EUR",
    charging_periods: [{ start_date_time: "2026-06-15T10:00:00Z", dimensions: [{ type: "ENERGY", volume: 1.5 }] }],
    total_cost: version === "2.2.1" ? { excl_vat: 0.45 } : { before_taxes: 0.45, taxes: [] },
    status: "ACTIVE",
    last_updated: AT,
    ...changes,
  };
}

export function aCdr(version: OcpiVersion, changes: Partial<Cdr> = {}): Cdr {
  return {
    country_code: "BE",
    party_id: "BEC",
    id: "C1",
    start_date_time: "2026-06-15T10:00:00Z",
    end_date_time: "2026-06-15T11:00:00Z",
    session_id: "S1",
    cdr_token: driverToken,
    auth_method: "WHITELIST",
    cdr_location: cdrLocation,
    currency: "INR",
    tariffs: [aTariff(version)],
    charging_periods: [
      { start_date_time: "2026-06-15T10:00:00Z", dimensions: [{ type: "ENERGY", volume: 5.5 }], tariff_id: "flat" },
    ],
    total_cost: version === "2.2.1" ? { excl_vat: 99 } : { before_taxes: 99, taxes: [] },
    total_energy: 5.5,
    total_time: 1,
    last_updated: AT,
    ...changes,
  };
}
