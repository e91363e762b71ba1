import { z } from "zod";
import { invalidParameters } from "./ocpi-fault.ts";
import { POWER_TYPES, TARIFF_DIMENSIONS, WEEKDAYS } from "./ocpi-objects.ts";
import { msFromOcpiTime } from "./ocpi-time.ts";
import type { OcpiModule, OcpiVersion } from "./ocpi-version.ts";

/**
 * What an object must have before it is kept or sent: the required fields of both versions, the types and lengths of
 * those that are read here. Fields that are not named here are kept as they came.
 */

const ciString = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\x20-\x7e]*$/, "must be printable ASCII");
const text = (most: number) => z.string().min(1).max(most);
const dateTime = z
  .string()
  .max(25)
  .refine((value) => msFromOcpiTime(value) !== undefined, "must be a UTC time such as 2026-06-15T12:00:00Z");
const currency = z.string().regex(/^[A-Z]{3}$/, "must be an ISO 4217 code");
const amount = z.number().min(-1e12).max(1e12);
const quantity = z.number().min(0).max(1e12);
const countryCode = ciString(2).length(2);
const partyId = ciString(3).length(3);
const coordinates = z.looseObject({
  latitude: z.string().regex(/^-?\d{1,2}\.\d{1,7}$/, "must be degrees such as 51.047599"),
  longitude: z.string().regex(/^-?\d{1,3}\.\d{1,7}$/, "must be degrees such as 3.729944"),
});

const priceExclVat = z.looseObject({ excl_vat: amount, incl_vat: amount.optional() });
const priceBeforeTaxes = z.looseObject({
  before_taxes: amount,
  taxes: z
    .array(z.looseObject({ name: text(255), percentage: z.number().optional(), amount }))
    .max(50)
    .optional(),
});

const owned = { country_code: countryCode, party_id: partyId, last_updated: dateTime };

const connector = z.looseObject({
  id: ciString(36),
  standard: text(64),
  format: text(64),
  power_type: z.enum(POWER_TYPES),
  max_voltage: z.int().min(0).max(1_000_000),
  max_amperage: z.int().min(0).max(1_000_000),
  max_electric_power: z.int().min(0).max(1_000_000_000).optional(),
  tariff_ids: z.array(ciString(36)).max(100).optional(),
  last_updated: dateTime,
});

const EVSE_STATUSES = [
  "AVAILABLE",
  "BLOCKED",
  "CHARGING",
  "INOPERATIVE",
  "OUTOFORDER",
  "PLANNED",
  "REMOVED",
  "RESERVED",
  "UNKNOWN",
] as const;

const evse = z.looseObject({
  uid: ciString(36),
  evse_id: ciString(48).optional(),
  status: z.enum(EVSE_STATUSES),
  connectors: z.array(connector).min(1).max(100),
  last_updated: dateTime,
});

const location = z.looseObject({
  ...owned,
  id: ciString(36),
  publish: z.boolean(),
  name: text(255).optional(),
  address: text(45),
  city: text(45),
  postal_code: text(10).optional(),
  country: z.string().length(3),
  coordinates,
  time_zone: text(255).refine(isTimeZone, "must be an IANA time zone, for example Europe/Oslo"),
  evses: z.array(evse).max(1000).optional(),
});

/** Whether it is the IANA name of a zone that is known here. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day such as 13:30");
const date = z.iso.date("must be a date such as 2026-12-24");

const restrictions = z.looseObject({
  start_time: timeOfDay.optional(),
  end_time: timeOfDay.optional(),
  start_date: date.optional(),
  end_date: date.optional(),
  min_kwh: quantity.optional(),
  max_kwh: quantity.optional(),
  min_current: quantity.optional(),
  max_current: quantity.optional(),
  min_power: quantity.optional(),
  max_power: quantity.optional(),
  min_duration: z.int().min(0).optional(),
  max_duration: z.int().min(0).optional(),
  day_of_week: z.array(z.enum(WEEKDAYS)).max(7).optional(),
  reservation: z.enum(["RESERVATION", "RESERVATION_EXPIRES"]).optional(),
});

const tariffElement = z.looseObject({
  price_components: z
    .array(
      z.looseObject({
        type: z.enum(TARIFF_DIMENSIONS),
        price: amount,
        vat: z.number().min(0).max(1000).optional(),
        step_size: z.int().min(0),
      }),
    )
    .min(1)
    .max(20),
  restrictions: restrictions.optional(),
});

const tariff221 = z.looseObject({
  ...owned,
  id: ciString(36),
  currency,
  elements: z.array(tariffElement).min(1).max(2000),
  min_price: priceExclVat.optional(),
  max_price: priceExclVat.optional(),
  start_date_time: dateTime.optional(),
  end_date_time: dateTime.optional(),
});

const priceLimit = z.looseObject({ before_taxes: amount, after_taxes: amount.optional() });

const tariff230 = tariff221.extend({
  min_price: priceLimit.optional(),
  max_price: priceLimit.optional(),
  tax_included: z.enum(["YES", "NO", "N/A"]),
});

const cdrToken = z.looseObject({
  country_code: countryCode,
  party_id: partyId,
  uid: ciString(36),
  // 2.3.0 adds EMAID.
  type: z.enum(["AD_HOC_USER", "APP_USER", "EMAID", "OTHER", "RFID"]),
  contract_id: ciString(36),
});

const DIMENSIONS = [
  "CURRENT",
  "ENERGY",
  "ENERGY_EXPORT",
  "ENERGY_IMPORT",
  "MAX_CURRENT",
  "MAX_POWER",
  "MIN_CURRENT",
  "MIN_POWER",
  "PARKING_TIME",
  "POWER",
  "RESERVATION_TIME",
  "STATE_OF_CHARGE",
  "TIME",
] as const;

const chargingPeriod = z.looseObject({
  start_date_time: dateTime,
  dimensions: z
    .array(z.looseObject({ type: z.enum(DIMENSIONS), volume: amount }))
    .min(1)
    .max(20),
  tariff_id: ciString(36).optional(),
});

const authMethod = z.enum(["AUTH_REQUEST", "COMMAND", "WHITELIST"]);

const session221 = z.looseObject({
  ...owned,
  id: ciString(36),
  start_date_time: dateTime,
  end_date_time: dateTime.optional(),
  kwh: amount,
  cdr_token: cdrToken,
  auth_method: authMethod,
  location_id: ciString(36),
  evse_uid: ciString(36),
  connector_id: ciString(36),
  meter_id: text(255).optional(),
  currency,
  charging_periods: z.array(chargingPeriod).max(10_000).optional(),
  total_cost: priceExclVat.optional(),
  status: z.enum(["ACTIVE", "COMPLETED", "INVALID", "PENDING", "RESERVATION"]),
});

const session230 = session221.extend({ total_cost: priceBeforeTaxes.optional() });

const cdrLocation = z.looseObject({
  id: ciString(36),
  address: text(45),
  city: text(45),
  country: z.string().length(3),
  coordinates,
  evse_uid: ciString(36),
  evse_id: ciString(48),
  connector_id: ciString(36),
  connector_standard: text(64),
  connector_format: text(64),
  connector_power_type: z.enum(POWER_TYPES),
});

const cdrFields = {
  ...owned,
  // 36 but for a credit, which may have something behind it.
  id: ciString(39),
  start_date_time: dateTime,
  end_date_time: dateTime,
  session_id: ciString(36).optional(),
  cdr_token: cdrToken,
  auth_method: authMethod,
  cdr_location: cdrLocation,
  meter_id: text(255).optional(),
  currency,
  charging_periods: z.array(chargingPeriod).min(1).max(10_000),
  total_energy: amount,
  total_time: quantity,
  total_parking_time: quantity.optional(),
  remark: z.string().max(255).optional(),
  invoice_reference_id: ciString(39).optional(),
  credit: z.boolean().optional(),
  credit_reference_id: ciString(39).optional(),
};

const COST_FIELDS = [
  "total_fixed_cost",
  "total_energy_cost",
  "total_time_cost",
  "total_parking_cost",
  "total_reservation_cost",
] as const;

function cdr<P extends z.ZodType, T extends z.ZodType>(price: P, tariff: T) {
  const costs = Object.fromEntries(COST_FIELDS.map((field) => [field, price.optional()]));
  return z
    .looseObject({ ...cdrFields, ...costs, total_cost: price, tariffs: z.array(tariff).max(10_000).optional() })
    .refine((value) => value.credit !== true || value.credit_reference_id !== undefined, {
      message: "is required when `credit` is true",
      path: ["credit_reference_id"],
    });
}

const SCHEMAS: Readonly<Record<OcpiVersion, Readonly<Record<OcpiModule, z.ZodType>>>> = {
  "2.2.1": { locations: location, tariffs: tariff221, sessions: session221, cdrs: cdr(priceExclVat, tariff221) },
  "2.3.0": { locations: location, tariffs: tariff230, sessions: session230, cdrs: cdr(priceBeforeTaxes, tariff230) },
};

const PARTS = { evse, connector } as const;

/** An object of a module that has all it must have. */
export type OcpiObject = Readonly<Record<string, unknown>>;

/** @throws OcpiFault 2001 naming the field and what is wrong with it */
export function checkObject(version: OcpiVersion, module: OcpiModule, value: unknown): OcpiObject {
  return check(SCHEMAS[version][module], value);
}

/** An EVSE or a connector by itself. @throws OcpiFault 2001 */
export function checkLocationPart(part: keyof typeof PARTS, value: unknown): OcpiObject {
  return check(PARTS[part], value);
}

function check(schema: z.ZodType, value: unknown): OcpiObject {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as OcpiObject;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? "the object" : issue.path.join(".");
  throw invalidParameters(`${place.slice(0, 200)}: ${issue?.message ?? "is not valid"}`);
}
