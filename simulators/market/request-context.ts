import { z } from "zod";
import { id, instant, participantUrl, read, subscriber } from "./wire-fields.ts";

/** What participants may ask of this market. */
export const REQUEST_ACTIONS = ["discover", "confirm", "update", "status", "on_status", "cancel"] as const;
export type RequestAction = (typeof REQUEST_ACTIONS)[number];

const Context = z.object({
  version: z.literal("2.0.0"),
  action: z.string().max(64),
  domain: z.string().max(256).optional(),
  timestamp: instant,
  message_id: id,
  transaction_id: id,
  bap_id: subscriber,
  bap_uri: participantUrl,
  bpp_id: subscriber.optional(),
  bpp_uri: participantUrl.optional(),
  ttl: z
    .string()
    .regex(/^P(?!$)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/, "expected an ISO 8601 duration such as PT30S")
    .optional(),
});

export type RequestContext = z.infer<typeof Context>;

/** @throws Refusal */
export function readContext(body: unknown): RequestContext {
  return read(z.object({ context: Context }), body, "CONTEXT_INVALID").context;
}
