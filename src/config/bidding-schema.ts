import { z } from "zod";
import { duration } from "./duration.ts";
import { isTimeZone } from "./time-zone.ts";

export const price = z.number("must be a price per kWh, for example 0.12");

/** A price difference or a penalty. */
const surcharge = z.number("must be a price per kWh of 0 or more, for example 0.02").nonnegative("must be 0 or more");

export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code, for example "INR"')
  .describe("ISO 4217");

export const priceBand = z
  .strictObject({ from: price, to: price })
  .refine((band) => band.from <= band.to, { message: "`from` must not be above `to`", path: ["from"] })
  .describe("prices per kWh between which the device goes from one end of its power to the other");

export const objective = z
  .strictObject({
    targetChargeKWh: z.number("must be kWh above 0, for example 20").positive(),
    deadline: z.iso
      .datetime({ offset: true, message: 'must be a time with a zone, for example "2026-12-15T18:00:00Z"' })
      .describe("when the energy must be there"),
    maxPricePerKWh: price.optional(),
    priceMode: z
      .enum(["HARD_DEADLINE", "HARD_PRICE"])
      .optional()
      .describe(
        "above maxPricePerKWh: HARD_DEADLINE (default) still takes what can't wait, HARD_PRICE takes nothing and may miss the deadline",
      ),
    minChargeKWh: z.number().nonnegative().optional().describe("energy that is needed at any price"),
    maxChargeKWh: z.number().positive().optional(),
    preferredSource: z
      .string()
      .max(64)
      .optional()
      .describe("for example SOLAR; counts where market.energySource says where the market's energy comes from"),
  })
  .describe("a goal from which the bid curve follows");

export const storage = z.strictObject({
  storedValuePerKWh: price.default(0.1).describe("what a stored kWh is worth where no prices ahead are known"),
  wearPerKWh: price.default(0.02),
  roundTripEfficiency: z.number().gt(0).max(1).default(0.9),
  spreadPerKWh: z.number().nonnegative().default(0.02),
  reserveSocPercent: z.number().min(0).max(100).default(10).describe("charge that is never sold, percent"),
  keepForLaterKWh: z
    .number()
    .nonnegative()
    .default(0)
    .describe("kept on top of that for loads that must run later, kWh at the meter"),
});

export const charging = z
  .strictObject({
    efficiency: z
      .number("must be a share above 0 and up to 1, for example 0.92")
      .gt(0)
      .max(1)
      .default(1)
      .describe("share of the energy at the meter that arrives in the battery"),
    spreadPerKWh: surcharge
      .default(0)
      .describe(
        "half the span over which a jump at an expected price is drawn out, so that like cars don't switch together",
      ),
    reserveShare: z
      .number("must be a share from 0 to below 1, for example 0.05")
      .min(0)
      .lt(1)
      .default(0.05)
      .describe("share of the time until the deadline that is kept back"),
  })
  .describe("how a car with an objective is charged");

const DAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"] as const;

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, for example "22:00"');

const timeZone = z
  .string()
  .refine((name) => isTimeZone(name), 'must be the name of a time zone, for example "Europe/Berlin"');

export const tariff = z
  .strictObject({
    currency: currency.optional().describe("default: market.currency; one in another currency counts for nothing"),
    timeZone: timeZone.default("UTC"),
    pricePerKWh: price.optional().describe("price at all times that `times` does not name"),
    times: z
      .array(
        z.strictObject({
          from: timeOfDay,
          until: timeOfDay.describe("not after `from`: on the next day"),
          days: z.array(z.enum(DAYS)).min(1).max(7).optional(),
          pricePerKWh: price,
        }),
      )
      .max(50)
      .default([])
      .describe("prices by time of day; of two that hold the first counts"),
    ocpi: z
      .strictObject({
        countryCode: z.string().regex(/^[A-Z]{2}$/, 'must be two letters, for example "DE"'),
        partyId: z.string().regex(/^[A-Z0-9]{3}$/, 'must be three letters or digits, for example "ECO"'),
        id: z.string().min(1).max(36),
      })
      .optional()
      .describe("a tariff that comes over OCPI, instead of `pricePerKWh` and `times`"),
  })
  .refine((value) => (value.ocpi === undefined) !== (value.pricePerKWh === undefined), {
    message: "needs either `pricePerKWh` or `ocpi`",
    path: ["pricePerKWh"],
  })
  .describe("what energy costs without the market: a bid and its expectation of later prices follow from it");

const baseline = z
  .strictObject({
    lookAt: z
      .int()
      .min(1)
      .max(100)
      .default(10)
      .describe("earlier days of the same kind that are looked at, newest first"),
    pick: z.int().min(1).max(100).default(10).describe("how many of them count: those with the highest use"),
    minDays: z.int().min(1).max(100).default(5).describe("with fewer there is no baseline, and a reduction is refused"),
    lookBackDays: z.int().min(1).max(400).default(45),
    adjustmentCap: z.number().min(0).max(1).default(0.2).describe("largest correction by the day itself, as a share"),
    adjustment: duration("3h", { min: "0s", max: "24h" }).describe("hours before the event that correct the baseline"),
    buffer: duration("1h", { min: "0s", max: "24h" }).describe(
      "time between those and the event, which does not count",
    ),
    timeZone: timeZone.default("UTC"),
    holidays: z.array(z.iso.date('must be a date such as "2026-12-25"')).max(1000).default([]),
    clampAtZero: z
      .boolean()
      .default(true)
      .describe("true: a meter that used more than its baseline takes nothing from what the others delivered"),
  })
  .refine((value) => value.pick <= value.lookAt, { message: "must not be above `lookAt`", path: ["pick"] })
  .refine((value) => value.minDays <= value.lookAt, { message: "must not be above `lookAt`", path: ["minDays"] })
  .describe(
    "what a reduction is counted against: the site's own meters on earlier days; absent: reductions are refused",
  );

/** How this site bids, beside what each device says for itself. */
export const marketBidding = {
  bidLead: duration("0s", { min: "0s", max: "24h" }).describe("time from a bid to the start of the interval it is for"),
  baseline: baseline.optional(),
  forecastFile: z
    .string()
    .min(1)
    .optional()
    .describe("JSON with the prices expected ahead and the sun's output; read again whenever it changes"),
  energySource: z.string().max(64).optional().describe("where this market's energy comes from, for example SOLAR"),
  otherSourceAdder: surcharge
    .default(0.02)
    .describe("what energy from another source than the preferred one counts as dearer, per kWh"),
  shortfallPrice: surcharge
    .default(0)
    .describe("what a kWh costs on top that panels sold and could not give; counts with an output forecast"),
};

export type ObjectiveConfig = z.output<typeof objective>;
export type StorageConfig = z.output<typeof storage>;
export type ChargingConfig = z.output<typeof charging>;
export type BaselineConfig = z.output<typeof baseline>;
export type TariffConfig = z.output<typeof tariff>;
