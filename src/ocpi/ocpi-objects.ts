/** The objects of OCPI 2.2.1 and 2.3.0 as far as this program reads and writes them. Names and units are the wire's. */

/** 2.2.1: `incl_vat` is absent where the VAT is not known. */
export interface PriceExclVat {
  readonly excl_vat: number;
  readonly incl_vat?: number;
}

/** 2.3.0 */
export interface PriceBeforeTaxes {
  readonly before_taxes: number;
  readonly taxes?: readonly TaxAmount[];
}

export interface TaxAmount {
  readonly name: string;
  readonly percentage?: number;
  readonly amount: number;
}

export type OcpiPrice = PriceExclVat | PriceBeforeTaxes;

/** A dimension of a charging period. ENERGY is in kWh, positive into the car. */
export interface CdrDimension {
  readonly type: string;
  readonly volume: number;
}

export interface ChargingPeriod {
  readonly start_date_time: string;
  readonly dimensions: readonly CdrDimension[];
  readonly tariff_id?: string;
}

export interface CdrToken {
  readonly country_code: string;
  readonly party_id: string;
  readonly uid: string;
  readonly type: "AD_HOC_USER" | "APP_USER" | "OTHER" | "RFID";
  readonly contract_id: string;
}

export interface CdrLocation {
  readonly id: string;
  readonly name?: string;
  readonly address: string;
  readonly city: string;
  readonly postal_code?: string;
  readonly state?: string;
  /** ISO 3166-1 alpha-3. */
  readonly country: string;
  readonly coordinates: { readonly latitude: string; readonly longitude: string };
  readonly evse_uid: string;
  readonly evse_id: string;
  readonly connector_id: string;
  readonly connector_standard: string;
  readonly connector_format: string;
  readonly connector_power_type: PowerType;
}

export type AuthMethod = "AUTH_REQUEST" | "COMMAND" | "WHITELIST";

export interface Cdr {
  readonly country_code: string;
  readonly party_id: string;
  readonly id: string;
  readonly start_date_time: string;
  readonly end_date_time: string;
  readonly session_id?: string;
  readonly cdr_token: CdrToken;
  readonly auth_method: AuthMethod;
  readonly cdr_location: CdrLocation;
  readonly meter_id?: string;
  readonly currency: string;
  readonly tariffs?: readonly OcpiTariff[];
  readonly charging_periods: readonly ChargingPeriod[];
  readonly total_cost: OcpiPrice;
  /** kWh */
  readonly total_energy: number;
  readonly total_energy_cost?: OcpiPrice;
  /** Hours, with and without charging. */
  readonly total_time: number;
  /** Hours without charging. */
  readonly total_parking_time?: number;
  readonly remark?: string;
  readonly invoice_reference_id?: string;
  readonly credit?: boolean;
  readonly credit_reference_id?: string;
  readonly last_updated: string;
}

export type SessionStatus = "ACTIVE" | "COMPLETED" | "INVALID" | "PENDING" | "RESERVATION";

export interface OcpiSession {
  readonly country_code: string;
  readonly party_id: string;
  readonly id: string;
  readonly start_date_time: string;
  readonly end_date_time?: string;
  readonly kwh: number;
  readonly cdr_token: CdrToken;
  readonly auth_method: AuthMethod;
  readonly location_id: string;
  readonly evse_uid: string;
  readonly connector_id: string;
  readonly meter_id?: string;
  readonly currency: string;
  readonly charging_periods?: readonly ChargingPeriod[];
  readonly total_cost?: OcpiPrice;
  readonly status: SessionStatus;
  readonly last_updated: string;
}

export const TARIFF_DIMENSIONS = ["ENERGY", "FLAT", "PARKING_TIME", "TIME"] as const;

export type TariffDimension = (typeof TARIFF_DIMENSIONS)[number];

export interface PriceComponent {
  readonly type: TariffDimension;
  /** ENERGY: per kWh. TIME and PARKING_TIME: per hour. FLAT: once. */
  readonly price: number;
  /** Percent. Absent means that none applies, which is not 0 percent. */
  readonly vat?: number;
  /** ENERGY: Wh. TIME and PARKING_TIME: seconds. */
  readonly step_size: number;
}

export const WEEKDAYS = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"] as const;

/** All that are given must hold. Times and dates are local to the location. */
export interface TariffRestrictions {
  readonly start_time?: string;
  readonly end_time?: string;
  readonly start_date?: string;
  readonly end_date?: string;
  readonly min_kwh?: number;
  readonly max_kwh?: number;
  readonly min_current?: number;
  readonly max_current?: number;
  readonly min_power?: number;
  readonly max_power?: number;
  readonly min_duration?: number;
  readonly max_duration?: number;
  readonly day_of_week?: readonly (typeof WEEKDAYS)[number][];
  readonly reservation?: string;
}

export interface TariffElement {
  readonly price_components: readonly PriceComponent[];
  readonly restrictions?: TariffRestrictions;
}

export interface OcpiTariff {
  readonly country_code: string;
  readonly party_id: string;
  readonly id: string;
  readonly currency: string;
  readonly elements: readonly TariffElement[];
  readonly min_price?: object;
  readonly max_price?: object;
  /** 2.3.0 only, where it must be given. In 2.2.1 prices never include VAT. */
  readonly tax_included?: "YES" | "NO" | "N/A";
  readonly start_date_time?: string;
  readonly end_date_time?: string;
  readonly last_updated: string;
}

export const POWER_TYPES = ["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"] as const;

export type PowerType = (typeof POWER_TYPES)[number];

export interface OcpiConnector {
  readonly id: string;
  readonly standard: string;
  readonly format: string;
  readonly power_type: PowerType;
  /** Volts, line to neutral for AC_3_PHASE. */
  readonly max_voltage: number;
  readonly max_amperage: number;
  /** Watts. */
  readonly max_electric_power?: number;
  readonly tariff_ids?: readonly string[];
  readonly last_updated: string;
}

export interface OcpiEvse {
  readonly uid: string;
  readonly evse_id?: string;
  readonly status: string;
  readonly connectors: readonly OcpiConnector[];
  readonly last_updated: string;
}

export interface OcpiLocation {
  readonly country_code: string;
  readonly party_id: string;
  readonly id: string;
  readonly publish: boolean;
  readonly name?: string;
  readonly address: string;
  readonly city: string;
  readonly postal_code?: string;
  readonly country: string;
  readonly coordinates: { readonly latitude: string; readonly longitude: string };
  readonly time_zone: string;
  readonly evses?: readonly OcpiEvse[];
  readonly last_updated: string;
}
