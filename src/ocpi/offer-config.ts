import { z } from "zod";
import { isTimeZone } from "../config/time-zone.ts";
import { ERA_PATTERN } from "../model/resource.ts";
import { POWER_TYPES } from "./ocpi-objects.ts";

const countryCode = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two letters, for example "IN"');
const partyId = z.string().regex(/^[A-Z0-9]{3}$/, 'must be three letters or digits, for example "ECO"');
const era = z.string().regex(ERA_PATTERN, "must be the ERA of a device");
const id = (most: number) =>
  z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${most}}$`), `must be 1 to ${most} printable letters without spaces`);
const degrees = (most: number) =>
  z
    .string()
    .regex(/^-?\d{1,3}\.\d{5,7}$/, 'must be degrees with 5 to 7 decimals in quotes, for example "12.97160"')
    .refine((text) => Math.abs(Number(text)) <= most, `must be at most ${most} degrees either way`);
const timeZone = z
  .string()
  .max(255)
  .refine((name) => isTimeZone(name), "must be an IANA time zone, for example Europe/Oslo");

const evse = z
  .strictObject({
    era: era.describe("the device behind it: a charger"),
    uid: id(36).describe("id of the EVSE, for programs"),
    evseId: id(48).describe("id of the EVSE, for people, for example IN*ECO*E1"),
    connectorId: id(36).default("1"),
    standard: z.string().max(64).default("IEC_62196_T2"),
    format: z.enum(["SOCKET", "CABLE"]).default("SOCKET"),
    powerType: z.enum(POWER_TYPES).default("AC_3_PHASE"),
    voltageV: z.int().min(1).max(2000).default(230).describe("line to neutral where there are three phases"),
    maxA: z.int().min(1).max(2000),
    token: z
      .strictObject({
        countryCode,
        partyId,
        uid: id(36),
        contractId: id(36),
        type: z.enum(["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]).default("RFID"),
      })
      .describe("the contract that sessions here are charged to; only its provider is shown them"),
  })
  .describe("a charging point that peers see");

/** The site as OCPI has it, and what a charge costs where the market gave no price. */
export const offerConfig = z
  .strictObject({
    id: id(36),
    name: z.string().min(1).max(255).optional(),
    address: z.string().min(1).max(45),
    city: z.string().min(1).max(45),
    postalCode: z.string().min(1).max(10).optional(),
    country: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 3166-1 code of three letters, for example "IND"'),
    latitude: degrees(90),
    longitude: degrees(180),
    timeZone,
    tariff: z
      .strictObject({
        id: id(36),
        currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code, for example "INR"'),
        pricePerKWh: z.number("must be a price per kWh without taxes, for example 18.0"),
        vatPercent: z.number().min(0).max(100).optional().describe("on top of the price; absent: not known"),
      })
      .describe("what a kWh costs where the market cleared no price"),
    evses: z.array(evse).min(1).max(1000),
  })
  .describe("what we offer to peers: this site, its tariff, and a session and a CDR of each charge");

export type OfferConfig = z.output<typeof offerConfig>;
export type EvseConfig = OfferConfig["evses"][number];
