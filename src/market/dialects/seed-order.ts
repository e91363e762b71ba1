import type { Era } from "../../model/resource.ts";
import type { Price } from "../../model/setpoint.ts";
import type { CallbackContext } from "../beckn-context.ts";
import { isCurrency, WireFields } from "../wire-fields.ts";
import type { OrderMessage, PowerDraft } from "./order-codec.ts";
import {
  hasWindow,
  isOverWord,
  powerKWFromMarket,
  priceFrom,
  readObjectives,
  readWindow,
  type SeedDialect,
} from "./seed-shape.ts";

/**
 * Reads `message.order` of `on_confirm`, `on_update` and `on_cancel` in the seed's dialect, with or without `beckn:`.
 *
 * The power stands in `orderAttributes.setpointKW`, or for several resources in `orderAttributes.setpoints` as
 * `{era, setpointKW}` or `{era, quantity}`. The seed gives no time for it; a window is taken from
 * `validFrom`/`validUntil`, `startTime`/`duration` or `timeWindow {start, end}` beside the power, where the market sends
 * one. `clearingPrice` may be the text `PAY_AS_CLEAR`, which is no price.
 * @throws Refusal naming the field
 */
export function readSeedOrder(
  body: unknown,
  context: CallbackContext,
  dialect: SeedDialect,
  nowMs: number,
): OrderMessage {
  const order = WireFields.ofMessage(body, "order");
  const orderId = order.text("id");
  const orderStatus = order.text("orderStatus");
  const isOver = isOverWord(orderStatus);
  const base = { isOver, isForMany: false, ...(orderId !== undefined && { orderId }) };
  const attributes = order.object("orderAttributes");
  if (attributes === undefined) {
    return { ...base, drafts: [], setpointPath: `${order.pathOf("orderAttributes")}.setpointKW` };
  }
  const objectivesAt = attributes.object("objectives");
  const { objective, maxPricePerKWh } = objectivesAt === undefined ? {} : readObjectives(objectivesAt);
  const clearingPrice = readClearingPrice(order, attributes, dialect);
  const shared = {
    ...(clearingPrice !== undefined && { clearingPrice }),
    ...(objective !== undefined && { objective }),
    ...(maxPricePerKWh !== undefined && { maxPricePerKWh }),
    ...(orderId !== undefined && { orderId }),
    transactionId: context.transactionId,
    messageId: context.messageId,
  };
  const items = itemsOf(attributes);
  if (items.length > 0 && isOver) {
    order.fail("orderStatus", `${orderStatus} contradicts the setpoint that comes with it`);
  }
  if (items.length > 0) refuseOpenOffset(attributes);
  const drafts = items.map(
    (item): PowerDraft => ({
      kind: "power",
      path: item.path,
      powerKW: powerKWFromMarket(item.powerKW, dialect.sign),
      ...readWindow(item.window, nowMs),
      ...shared,
      ...(item.era !== undefined && { era: item.era }),
    }),
  );
  return { ...base, drafts, isForMany: drafts.length > 1, setpointPath: attributes.pathOf("setpointKW") };
}

/**
 * The price at the resource's own grid node, in the currency that stands nearest to it; `PAY_AS_CLEAR` is no price yet.
 * `locationalPrice` is that price where it differs from `clearingPrice`; `marketPrice`, else `clearingPrice`, is what all
 * nodes have in common.
 */
function readClearingPrice(order: WireFields, attributes: WireFields, dialect: SeedDialect): Price | undefined {
  const ownCurrency = attributes.currency("currency");
  if (attributes.raw("clearingPrice") === "PAY_AS_CLEAR") return undefined;
  if (!["number", "undefined"].includes(typeof attributes.raw("clearingPrice"))) {
    attributes.fail("clearingPrice", 'expected a number or "PAY_AS_CLEAR"');
  }
  // Only read for their currency, so whatever else stands there is no reason to refuse the order.
  const elsewhere = [order.objectIfAny("acceptedOffer")?.objectIfAny("price"), order.objectIfAny("orderValue")].map(
    (price) => price?.raw("currency"),
  );
  const clearedPerKWh = attributes.number("clearingPrice");
  const pricePerKWh = attributes.number("locationalPrice") ?? clearedPerKWh;
  const price = priceFrom(pricePerKWh, [ownCurrency, ...elsewhere.filter(isCurrency)], dialect.currency);
  const commonPerKWh = attributes.number("marketPrice") ?? clearedPerKWh;
  if (price === undefined || commonPerKWh === undefined || commonPerKWh === price.pricePerKWh) return price;
  return { ...price, adderPerKWh: price.pricePerKWh - commonPerKWh };
}

interface Item {
  /** Where its power stands. */
  readonly path: string;
  /** In the market's sign. */
  readonly powerKW: number;
  readonly era: Era | undefined;
  /** Where its window stands. */
  readonly window: WireFields;
}

/** The setpoints of an order, however they are written; none is possible (an update about something else). */
function itemsOf(attributes: WireFields): readonly Item[] {
  const powerKW = attributes.number("setpointKW");
  const era = attributes.text("era");
  const list = attributes.list("setpoints");
  if (list === undefined) {
    if (powerKW === undefined) return [];
    return [{ path: attributes.pathOf("setpointKW"), powerKW, era, window: attributes }];
  }
  if (list.length === 0) attributes.fail("setpoints", "expected at least one setpoint");
  if (powerKW !== undefined) attributes.fail("setpointKW", "given beside setpoints; only one may be");
  const seen = new Set<Era>();
  return list.map((item): Item => {
    const itemEra = item.required("era", item.text("era"), "string");
    if (seen.has(itemEra)) item.fail("era", "this resource stands twice in the list");
    seen.add(itemEra);
    const itemKW = item.number("setpointKW");
    const quantityKW = item.number("quantity");
    if (itemKW !== undefined && quantityKW !== undefined && itemKW !== quantityKW) {
      item.fail("quantity", `${quantityKW} contradicts setpointKW ${itemKW}`);
    }
    return {
      path: item.pathOf(itemKW === undefined ? "quantity" : "setpointKW"),
      powerKW: itemKW ?? quantityKW ?? item.fail("setpointKW", "expected a number, kW"),
      era: itemEra,
      // A window for the whole list holds for an item that has none of its own.
      window: hasWindow(item) ? item : attributes,
    };
  });
}

/** The seed shows an offset both already in the setpoint and still to be added, in one example. */
function refuseOpenOffset(attributes: WireFields): void {
  const offset = attributes.object("offsetCommand");
  if (offset === undefined || offset.boolean("enabled") === false) return;
  if (offset.required("offsetKW", offset.number("offsetKW"), "number") === 0) return;
  attributes.fail("offsetCommand", "it is not said whether setpointKW already has this offset in it");
}
