import type { BidBounds } from "../../clearing/clearing-types.ts";
import type { Era } from "../../model/resource.ts";
import type { SeedDialect } from "../dialects/seed-shape.ts";
import { WireFields } from "../wire-fields.ts";
import { readCurve, type WireCurve } from "./curve-fields.ts";

/** Telemetry entries that are kept of a report: the newest. */
const MAX_TELEMETRY = 20;

/** What a participant asks of the market in the seed's dialect; each part only where the message has it. */
export interface SeedRequest {
  /** The resource, or the meter that stands for it. */
  readonly era?: Era;
  readonly curve?: WireCurve;
  /** As it came. */
  readonly objectives?: unknown;
  /** The name under which the participant looks for its power, where it speaks in roles. */
  readonly roleKey?: string;
  readonly orderId?: string;
  /** What a confirmation says that it agrees to, with the place for a fault. */
  readonly accepted: {
    readonly offerId?: string;
    readonly pricePerKWh?: number;
    readonly currency?: string;
    readonly items: readonly string[];
    readonly fields: WireFields;
  };
  /** Newest last, as they came. */
  readonly telemetry?: readonly unknown[];
  readonly verdict?: unknown;
  readonly rating?: unknown;
}

/** Reads `message.intent` of `discover`. A market may be asked what it has without a bid. @throws Refusal */
export function readSeedIntent(body: unknown, dialect: SeedDialect): SeedRequest {
  const message = WireFields.ofMessage(body);
  const intent = message.object("intent") ?? message;
  const era = intent.text("era");
  const curve = readCurve(intent, dialect);
  const objectives = intent.raw("objectives");
  return {
    accepted: { items: [], fields: intent },
    ...(era !== undefined && { era }),
    ...(curve !== undefined && { curve }),
    ...(objectives !== undefined && { objectives }),
  };
}

/**
 * Reads `message.order` of the requests about an order, with or without `beckn:`. The curve stands in `orderAttributes`,
 * or, as the seed's later version has it, as `offerCurve` in the inputs of the PROSUMER role.
 * @param bapId the sender, which names its power where it names no meter
 * @throws Refusal
 */
export function readSeedOrderRequest(body: unknown, dialect: SeedDialect, bapId: string): SeedRequest {
  const message = WireFields.ofMessage(body);
  const order = message.object("order") ?? message;
  const attributes = order.object("orderAttributes");
  const inputs = attributes === undefined ? undefined : prosumerInputs(attributes);
  const curve = attributes && (readCurve(attributes, dialect) ?? (inputs && readCurve(inputs, dialect)));
  const era = attributes?.text("era") ?? inputs?.text("sourceMeterId");
  const roleKey = inputs && (inputs.text("sourceMeterId") ?? bapId);
  const orderId = order.text("id");
  const objectives = attributes?.raw("objectives");
  const delivery = deliveryOf(order);
  const verdict = attributes?.raw("verdict") ?? delivery.verdict;
  const { telemetry } = delivery;
  const rating = message.raw("ratings") ?? message.raw("rating") ?? message.raw("ratingInputs");
  return {
    accepted: acceptedOf(order, attributes),
    ...(era !== undefined && { era }),
    ...(curve !== undefined && { curve: approved(curve, attributes) }),
    ...(roleKey !== undefined && { roleKey }),
    ...(orderId !== undefined && { orderId }),
    ...(objectives !== undefined && { objectives }),
    ...(telemetry !== undefined && { telemetry }),
    ...(verdict !== undefined && { verdict }),
    ...(rating !== undefined && { rating }),
  };
}

function prosumerInputs(attributes: WireFields): WireFields | undefined {
  const filled = (attributes.list("roles") ?? [])
    .filter((role) => role.raw("role") === "PROSUMER")
    .map((role) => role.object("roleInputs"))
    .filter((inputs) => inputs?.has("offerCurve") || inputs?.has("bidCurve"));
  if (filled.length > 1) attributes.fail("roles", "more than one PROSUMER has a curve; a transaction is for one");
  return filled[0];
}

/** A utility's approval in the same message bounds the trade in both directions. */
function approved(curve: WireCurve, attributes: WireFields | undefined): WireCurve {
  const mostKW = attributes?.object("inputParameters")?.number("approvedMaxTradeKW", 0);
  if (mostKW === undefined) return curve;
  const { minPowerKW = -mostKW, maxPowerKW = mostKW } = curve.bounds;
  const bounds: BidBounds = {
    ...curve.bounds,
    minPowerKW: Math.max(minPowerKW, -mostKW),
    maxPowerKW: Math.min(maxPowerKW, mostKW),
  };
  return { ...curve, bounds };
}

function acceptedOf(order: WireFields, attributes: WireFields | undefined): SeedRequest["accepted"] {
  const offer = order.object("acceptedOffer") ?? order.list("offers")?.[0];
  const price = offer?.object("price");
  const offerId = offer?.text("id");
  const named = attributes?.raw("clearingPrice");
  const pricePerKWh =
    price?.number("value") ?? price?.number("price") ?? (typeof named === "number" ? named : undefined);
  const currency = price?.currency("currency") ?? price?.currency("priceCurrency") ?? attributes?.currency("currency");
  const items = (order.list("orderItems") ?? []).flatMap((item) => item.text("orderedItem") ?? []);
  return {
    items,
    fields: offer ?? order,
    ...(offerId !== undefined && { offerId }),
    ...(pricePerKWh !== undefined && { pricePerKWh }),
    ...(currency !== undefined && { currency }),
  };
}

/**
 * What was delivered, from wherever the seed, its branch or its samples put it: `fulfillment`, or a list of
 * `fulfillments`, of which the first that tells something counts.
 */
function deliveryOf(order: WireFields): Pick<SeedRequest, "telemetry" | "verdict"> {
  const fulfillments = [order.objectIfAny("fulfillment"), ...(order.list("fulfillments") ?? [])];
  const places = fulfillments.flatMap((one) =>
    ["deliveryAttributes", "fulfillmentAttributes", "attributes"].map((name) => one?.objectIfAny(name)),
  );
  const telemetry = places
    .flatMap((place) => [place?.raw("chargingTelemetry"), place?.raw("telemetry")])
    .find((entries): entries is unknown[] => Array.isArray(entries) && entries.length > 0);
  const verdict = places.map((place) => place?.raw("verdict")).find((one) => one !== undefined);
  return {
    ...(telemetry !== undefined && { telemetry: telemetry.slice(-MAX_TELEMETRY) }),
    ...(verdict !== undefined && { verdict }),
  };
}
