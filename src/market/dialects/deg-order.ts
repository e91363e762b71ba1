import type { Price } from "../../model/setpoint.ts";
import { Refusal } from "../answer.ts";
import type { CallbackContext } from "../beckn-context.ts";
import { isCurrency, WireFields } from "../wire-fields.ts";
import type { DialectPolicy, OrderMessage, SetpointDraft } from "./order-codec.ts";
import { isOverWord, powerKWFromMarket, priceFrom } from "./seed-shape.ts";
import {
  oneValueOf,
  type PayloadDescriptor,
  readDescriptors,
  readIntervals,
  type SeriesInterval,
  valuesOf,
} from "./time-series.ts";

const MAX_COMMITMENTS = 100;
const MAX_METERS = 10_000;
const ROUNDING_KW = 0.01;

/** The cleared capacity, under its name of July 2026 and the one before. */
const CLEARED = ["CAPACITY_CLEARED", "CLEARED_POWER"] as const;
const OFFERED = ["CAPACITY_OFFERED", "BID_POWER"] as const;
const PRICE = "CLEARING_PRICE";
/** Signed types, by what a positive one does to the power that is taken from the grid. */
const DELTAS: ReadonlyMap<string, "more" | "less"> = new Map([
  ["DELTA_USAGE", "more"],
  ["DELTA_INJECTION", "less"],
]);

/**
 * Reads `message.contract`, the dialect of the 2026 devkits: each commitment has a time series in which the market puts
 * `CAPACITY_CLEARED` and `CLEARING_PRICE`, one setpoint an interval.
 *
 * A cleared capacity is the magnitude of a reduction against a baseline, as long as the commitment answers a need for
 * flexibility; signed values stand only in types named `DELTA_…`. What else a capacity may mean has to be configured for
 * the market.
 * @throws Refusal naming the field
 */
export function readDegOrder(body: unknown, context: CallbackContext, policy: DialectPolicy): OrderMessage {
  const contract = WireFields.ofMessage(body, "contract");
  const orderId = contract.text("id");
  const code = contract.object("status")?.text("code");
  const isOver = isOverWord(code);
  const commitments = contract.list("commitments", MAX_COMMITMENTS) ?? [];
  const parts = commitments.map((commitment) => {
    const facts = {
      ...(orderId !== undefined && { orderId }),
      transactionId: context.transactionId,
      messageId: context.messageId,
      ...metersOf(commitment, policy),
    };
    return isOverWord(statusOf(commitment)) ? [] : draftsOf(commitment, policy).map((one) => ({ ...one, ...facts }));
  });
  const drafts: readonly SetpointDraft[] = parts.flat();
  if (drafts.length > 0 && (isOver || code?.toUpperCase() === "DRAFT")) {
    contract.object("status")?.fail("code", `${code} contradicts the cleared capacity that comes with it`);
  }
  return {
    ...(orderId !== undefined && { orderId }),
    isOver,
    drafts,
    isForMany: parts.filter((part) => part.length > 0).length > 1,
    setpointPath: `${commitments[0]?.pathOf("commitmentAttributes") ?? contract.pathOf("commitments")}.intervals`,
  };
}

function statusOf(commitment: WireFields): string | undefined {
  const code = commitment.objectIfAny("status")?.objectIfAny("descriptor")?.raw("code");
  return typeof code === "string" ? code : undefined;
}

type IntervalDraft = Pick<SetpointDraft, "path" | "validFromMs" | "validUntilMs" | "clearingPrice"> &
  ({ readonly kind: "power"; readonly powerKW: number } | { readonly kind: "reduction"; readonly reductionKW: number });

function draftsOf(commitment: WireFields, policy: DialectPolicy): readonly IntervalDraft[] {
  const series = commitment.object("commitmentAttributes");
  if (series === undefined) return [];
  const descriptors = readDescriptors(series);
  const isFlexibility = answersFlexibilityNeed(commitment);
  const currency = buyerCurrency(commitment);
  return readIntervals(series).flatMap((interval): readonly IntervalDraft[] => {
    const found = orderOf(interval, descriptors);
    if (found === undefined) return [];
    const { type, payload } = found;
    const path = payload.pathOf("values");
    expectUnit(descriptors.get(type), ["KW"]);
    const value = oneValueOf(payload);
    const clearingPrice = priceOf(interval, descriptors, currency, policy);
    const shared = {
      path,
      validFromMs: interval.startMs,
      validUntilMs: interval.untilMs,
      ...(clearingPrice !== undefined && { clearingPrice }),
    };
    const delta = DELTAS.get(type);
    if (delta !== undefined) return [{ kind: "reduction", reductionKW: reductionKWFromDelta(value, delta), ...shared }];
    refuseMoreThanOffered(interval, value, path);
    const meaning = policy.sign.deg;
    if (meaning !== "reduction") return [{ kind: "power", powerKW: powerKWFromMarket(value, meaning), ...shared }];
    refuseUnclearReduction(value, path, isFlexibility, clearingPrice);
    return [{ kind: "reduction", reductionKW: value + 0, ...shared }];
  });
}

/** The one payload of an interval that orders something. */
function orderOf(
  interval: SeriesInterval,
  descriptors: ReadonlyMap<string, PayloadDescriptor>,
): { readonly type: string; readonly payload: WireFields } | undefined {
  let found: { readonly type: string; readonly payload: WireFields } | undefined;
  for (const [type, payload] of interval.payloads) {
    const isCleared = CLEARED.some((name) => name === type);
    if (!isCleared && type.startsWith("DELTA_") && CLEARED.some((name) => type.endsWith(name))) {
      const fault = "a signed change, and it is not said of what";
      throw new Refusal(400, "SIGN_AMBIGUOUS", payload.pathOf("type"), `${type}: ${fault}`);
    }
    if (!isCleared && !DELTAS.has(type)) continue;
    const isOurs = descriptors.get(type)?.insertedBy === "seller";
    if (isOurs && isCleared)
      payload.fail("type", `${type} is said to come from the seller, and only the market clears`);
    if (isOurs) continue;
    if (found !== undefined) payload.fail("type", `given beside ${found.type}; only one may be`);
    found = { type, payload };
  }
  return found;
}

/** The only place where a signed change turns: less from the grid is a positive reduction. */
export function reductionKWFromDelta(deltaKW: number, positiveMeans: "more" | "less"): number {
  return (positiveMeans === "less" ? deltaKW : -deltaKW) + 0;
}

/** A magnitude is one only while all that stands around it says so; a wrong guess would turn less into more. */
function refuseUnclearReduction(value: number, path: string, isFlexibility: boolean, price: Price | undefined): void {
  const refuse = (fault: string) => {
    throw new Refusal(400, "SIGN_AMBIGUOUS", path, fault);
  };
  if (!isFlexibility) {
    refuse("a cleared capacity, and neither a DemandFlexNeed nor a DemandFlexBuyOffer says that it is a reduction");
  }
  if (value < 0) refuse(`${value} kW, where a reduction is a positive magnitude`);
  if (value > 0 && price !== undefined && price.pricePerKWh < 0) {
    refuse("a negative price pays for more consumption, and this would be a reduction");
  }
}

function refuseMoreThanOffered(interval: SeriesInterval, value: number, path: string): void {
  const offered = OFFERED.map((name) => interval.payloads.get(name)).find((payload) => payload !== undefined);
  if (offered === undefined) return;
  const mostKW = Math.max(0, ...valuesOf(offered));
  if (Math.abs(value) <= mostKW + ROUNDING_KW) return;
  throw new Refusal(400, "MESSAGE_INVALID", path, `${value} kW cleared, and only ${mostKW} kW offered`);
}

function priceOf(
  interval: SeriesInterval,
  descriptors: ReadonlyMap<string, PayloadDescriptor>,
  buyersCurrency: string | undefined,
  policy: DialectPolicy,
): Price | undefined {
  const payload = interval.payloads.get(PRICE);
  if (payload === undefined) return undefined;
  const descriptor = descriptors.get(PRICE);
  const unit = /^([A-Z]{3})(?:_PER_|\/)KWH$/i.exec(descriptor?.units ?? "");
  if (descriptor?.units !== undefined && unit === null) {
    descriptor.fields.fail("units", "expected a currency per kWh, such as INR_PER_KWH");
  }
  return priceFrom(oneValueOf(payload), [unit?.[1]?.toUpperCase(), buyersCurrency], policy.currency);
}

/** Units are never converted: a capacity in MW is a slip somewhere, or a market that has to be asked. */
function expectUnit(descriptor: PayloadDescriptor | undefined, units: readonly string[]): void {
  if (descriptor?.units === undefined || units.includes(descriptor.units.toUpperCase())) return;
  descriptor.fields.fail("units", `expected ${units.join(" or ")}`);
}

function answersFlexibilityNeed(commitment: WireFields): boolean {
  if (isA(commitment.objectIfAny("offer")?.objectIfAny("offerAttributes"), "DemandFlexBuyOffer")) return true;
  const resources = commitment.raw("resources");
  if (!Array.isArray(resources)) return false;
  return (commitment.list("resources") ?? []).some((one) =>
    isA(one.objectIfAny("resourceAttributes"), "DemandFlexNeed"),
  );
}

function isA(fields: WireFields | undefined, type: string): boolean {
  const types = fields?.raw("@type");
  return (Array.isArray(types) ? types : [types]).some((one) => one === type || one === `beckn:${type}`);
}

function buyerCurrency(commitment: WireFields): string | undefined {
  const currency = inputsOf(commitment, "buyer")?.raw("currency");
  return isCurrency(currency) ? currency : undefined;
}

function inputsOf(commitment: WireFields, role: string): WireFields | undefined {
  const attributes = commitment.objectIfAny("offer")?.objectIfAny("offerAttributes");
  const inputs = Array.isArray(attributes?.raw("inputs")) ? attributes?.list("inputs") : undefined;
  return inputs?.find((one) => one.raw("role") === role)?.objectIfAny("inputs");
}

/** Our side's devices if the site knows them all by these names, else the meters that take part. */
function metersOf(commitment: WireFields, policy: DialectPolicy): { readonly meterIds?: readonly string[] } {
  const seller = inputsOf(commitment, "seller");
  const resources = seller?.list("energyResources", MAX_METERS) ?? [];
  const ids = resources.map((one) => one.raw("id")).filter((id) => typeof id === "string");
  if (ids.length > 0 && ids.length === resources.length && ids.every(policy.isMeter)) return { meterIds: ids };
  const meters = seller?.raw("participatingMeters");
  if (meters === undefined) return {};
  if (!Array.isArray(meters) || meters.length > MAX_METERS || meters.some((one) => typeof one !== "string")) {
    return seller?.fail("participatingMeters", "expected a list of meter names") ?? {};
  }
  return meters.length === 0 ? {} : { meterIds: meters };
}
