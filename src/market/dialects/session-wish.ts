import { WireFields } from "../wire-fields.ts";

/**
 * What an order says of its charging session: begin it, end it, or keep the connector free for it. A `start` or `stop` is
 * a wish once, not a state to keep.
 */
export type SessionWish = "start" | "stop" | "reserve";

/** The seed's examples write `INPROGRESS`, the published schema of a charging session `ACTIVE`. */
const START: ReadonlySet<string> = new Set(["ACTIVE", "INPROGRESS", "IN_PROGRESS"]);
const STOP: ReadonlySet<string> = new Set(["STOP", "STOPPED", "COMPLETED"]);

/**
 * Reads the wish from `order.fulfillment`: from `deliveryAttributes.sessionStatus` where it is, else from `status`; with or
 * without `beckn:`. Both are texts; a session that was `INTERRUPTED` is a report and no wish. The dialect with
 * `message.contract` knows no sessions.
 * @returns nothing where the order says nothing of a session
 * @throws Refusal naming the field
 */
export function readSessionWish(body: unknown): SessionWish | undefined {
  const fulfillment = WireFields.of(body, "").objectIfAny("message")?.objectIfAny("order")?.objectIfAny("fulfillment");
  if (fulfillment === undefined) return undefined;
  const word = fulfillment.objectIfAny("deliveryAttributes")?.text("sessionStatus") ?? textIfAny(fulfillment, "status");
  const status = word?.toUpperCase() ?? "";
  if (START.has(status)) return "start";
  if (STOP.has(status)) return "stop";
  return status === "PENDING" && fulfillment.raw("mode") === "RESERVATION" ? "reserve" : undefined;
}

/** Elsewhere `status` is an object with a code, which is no wish. */
function textIfAny(fields: WireFields, name: string): string | undefined {
  const value = fields.raw(name);
  return typeof value === "string" ? value : undefined;
}
