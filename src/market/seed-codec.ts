import { z } from "zod";
import type { Objective } from "../model/objective.ts";
import type { Era } from "../model/resource.ts";
import type { Price } from "../model/setpoint.ts";
import { Refusal } from "./answer.ts";
import type { CallbackContext } from "./beckn-context.ts";
import {
  currencyCode,
  named,
  Objectives,
  objectiveFrom,
  powerKWFromMarket,
  priceFrom,
  type SeedDialect,
  windowFields,
  windowFrom,
} from "./seed-shape.ts";
import { wirePath, zodFault } from "./zod-fault.ts";

/** A setpoint as the message has it, before it is known which resource it is for and when it ends. */
export interface SetpointDraft {
  /** Where its power stands in the message, for a person who reads the NACK. */
  readonly path: string;
  /** kW, export positive. */
  readonly powerKW: number;
  readonly validFromMs?: number;
  readonly validUntilMs?: number;
  readonly clearingPrice?: Price;
  readonly objective?: Objective;
  /** Highest price that the order's objectives allow; there even where the rest of the objective is not. */
  readonly maxPricePerKWh?: number;
  readonly orderId?: string;
  readonly transactionId: string;
  readonly messageId: string;
  /** Only where the message names the resource itself. */
  readonly era?: Era;
}

/** An order as the market sends it: setpoints to hold, or that it is over. */
export interface OrderMessage {
  readonly orderId?: string;
  /** True when the order was cancelled or rejected. */
  readonly isOver: boolean;
  readonly drafts: readonly SetpointDraft[];
}

const era = z.string().min(1).max(256);

const SetpointItem = named({
  era,
  setpointKW: z.number().optional(),
  quantity: z.number().optional(),
  ...windowFields,
});

const OrderAttributes = named({
  era: era.optional(),
  setpointKW: z.number().optional(),
  setpoints: z.array(SetpointItem).min(1).max(1000).optional(),
  clearingPrice: z
    .union([z.number(), z.literal("PAY_AS_CLEAR")], { error: 'expected a number or "PAY_AS_CLEAR"' })
    .optional(),
  currency: currencyCode.optional(),
  objectives: Objectives.optional(),
  offsetCommand: named({ enabled: z.boolean().optional(), offsetKW: z.number() }).optional(),
  ...windowFields,
});

// Only read for its currency, so whatever else stands there is no reason to refuse the order.
const CurrencyOf = named({ currency: currencyCode.optional() }).optional().catch(undefined);

const Order = named({
  id: z.string().min(1).max(256).optional(),
  orderStatus: z.string().max(64).optional(),
  orderAttributes: OrderAttributes.optional(),
  orderValue: CurrencyOf,
  acceptedOffer: named({ price: CurrencyOf }).optional().catch(undefined),
});

/** Ways in which an order says that it is over. */
const OVER = new Set(["CANCELLED", "CANCELED", "REJECTED", "TERMINATED"]);

/**
 * Reads `message.order` of `on_confirm`, `on_update` and `on_cancel` in the seed's dialect, with or without `beckn:`.
 *
 * The power stands in `orderAttributes.setpointKW`, or for several resources in `orderAttributes.setpoints` as
 * `{era, setpointKW}` or `{era, quantity}`. The seed gives no time for it; a window is taken from
 * `validFrom`/`validUntil`, `startTime`/`duration` or `timeWindow {start, end}` beside the power, where the market sends
 * one. `clearingPrice` may be the text `PAY_AS_CLEAR`, which is no price.
 * @throws Refusal naming the field
 */
export function readOrder(body: unknown, context: CallbackContext, dialect: SeedDialect, nowMs: number): OrderMessage {
  const order = (body as { message?: { order?: unknown } | null }).message?.order;
  const parsed = Order.safeParse(order);
  if (!parsed.success) {
    const { path, fault } = zodFault(parsed.error, ["message", "order"], body);
    throw new Refusal(400, "MESSAGE_INVALID", path, fault);
  }
  const { id: orderId, orderStatus, orderAttributes } = parsed.data;
  const isOver = orderStatus !== undefined && OVER.has(orderStatus.toUpperCase());
  const refuse = (path: readonly PropertyKey[], fault: string): never => {
    throw new Refusal(400, "MESSAGE_INVALID", wirePath(["message", "order", ...path], body), fault);
  };
  const base = { isOver, ...(orderId !== undefined && { orderId }) };
  if (orderAttributes === undefined) return { ...base, drafts: [] };
  const items = itemsOf(orderAttributes, refuse);
  if (items.length > 0 && isOver) refuse(["orderStatus"], `${orderStatus} contradicts the setpoint that comes with it`);
  if (items.length > 0 && isOffsetOpen(orderAttributes.offsetCommand)) {
    // The seed shows an offset both already in the setpoint and still to be added, in one example.
    refuse(["orderAttributes", "offsetCommand"], "it is not said whether setpointKW already has this offset in it");
  }
  const objective = objectiveFrom(orderAttributes.objectives);
  const clearingPrice = priceFrom(
    typeof orderAttributes.clearingPrice === "number" ? orderAttributes.clearingPrice : undefined,
    [orderAttributes.currency, parsed.data.acceptedOffer?.price?.currency, parsed.data.orderValue?.currency],
    dialect.currency,
  );
  const drafts = items.map((item): SetpointDraft => {
    const ownWindow = windowFrom(item.window, nowMs);
    if ("fault" in ownWindow) return refuse([...item.path, ownWindow.field], ownWindow.fault);
    return {
      path: wirePath(["message", "order", ...item.path, item.field], body),
      powerKW: powerKWFromMarket(item.power, dialect.sign),
      ...ownWindow,
      ...(clearingPrice !== undefined && { clearingPrice }),
      ...(objective !== undefined && { objective }),
      ...(orderAttributes.objectives?.maxPricePerKWh !== undefined && {
        maxPricePerKWh: orderAttributes.objectives.maxPricePerKWh,
      }),
      ...(orderId !== undefined && { orderId }),
      transactionId: context.transactionId,
      messageId: context.messageId,
      ...(item.era !== undefined && { era: item.era }),
    };
  });
  return { ...base, drafts };
}

interface Item {
  readonly path: readonly PropertyKey[];
  readonly field: string;
  readonly power: number;
  readonly era: Era | undefined;
  readonly window: z.infer<z.ZodObject<typeof windowFields>>;
}

/** The setpoints of an order, however they are written; none is possible (an update about something else). */
function itemsOf(
  attributes: z.infer<typeof OrderAttributes>,
  refuse: (path: readonly PropertyKey[], fault: string) => never,
): readonly Item[] {
  const { setpointKW, setpoints } = attributes;
  if (setpoints === undefined) {
    if (setpointKW === undefined) return [];
    const path = ["orderAttributes"];
    return [{ path, field: "setpointKW", power: setpointKW, era: attributes.era, window: attributes }];
  }
  if (setpointKW !== undefined) refuse(["orderAttributes", "setpointKW"], "given beside setpoints; only one may be");
  const seen = new Set<Era>();
  return setpoints.map((item, index): Item => {
    const path = ["orderAttributes", "setpoints", index];
    if (seen.has(item.era)) refuse([...path, "era"], "this resource stands twice in the list");
    seen.add(item.era);
    const { quantity } = item;
    if (item.setpointKW !== undefined && quantity !== undefined && item.setpointKW !== quantity) {
      refuse([...path, "quantity"], `${quantity} contradicts setpointKW ${item.setpointKW}`);
    }
    const field = item.setpointKW === undefined ? "quantity" : "setpointKW";
    const power = item.setpointKW ?? quantity ?? refuse([...path, "setpointKW"], "expected a number, kW");
    // A window for the whole list holds for an item that has none of its own.
    const hasOwn = Object.keys(windowFields).some((name) => item[name as keyof typeof windowFields] !== undefined);
    return { path, field, power, era: item.era, window: hasOwn ? item : attributes };
  });
}

function isOffsetOpen(offset: z.infer<typeof OrderAttributes>["offsetCommand"]): boolean {
  return offset !== undefined && offset.enabled !== false && offset.offsetKW !== 0;
}
