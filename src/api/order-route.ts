import { z } from "zod";
import { ORDER_ACTIONS } from "../market/dialects/order-questions.ts";
import type { OrderDesk } from "../market/order-desk.ts";
import type { ApiAnswer } from "./local-api.ts";

const action = z.enum(ORDER_ACTIONS);

const question = z.strictObject({
  era: z.string().min(1).max(128),
  reason: z.string().min(1).max(256).optional(),
  stars: z.number("must be 1 to 5").int().min(1).max(5).optional(),
  waitMs: z.number("must be a time to wait").min(0).max(120_000).default(15_000),
});

/** `POST /orders/{action}`: a question about the order of a resource, with the market's answer. */
export async function answerOrder(
  orders: OrderDesk | undefined,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const name = action.safeParse(path.split("/").at(-1));
  const asked = question.safeParse(body);
  if (!name.success || !asked.success) {
    const error = name.error ?? asked.error;
    return { status: 400, json: { error: error === undefined ? "not understood" : z.prettifyError(error) } };
  }
  const { waitMs, era, reason, stars } = asked.data;
  const about = { era, ...(reason !== undefined && { reason }), ...(stars !== undefined && { stars }) };
  const reply = await orders?.ask(name.data, about, waitMs, signal);
  if (reply === undefined || reply.kind === "no order") {
    return { status: 404, json: { error: `there is no order and no bid of "${era}"` } };
  }
  return { status: reply.kind === "busy" ? 503 : 200, json: reply };
}
