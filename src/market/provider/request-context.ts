import type { MessageContext } from "../beckn-context.ts";

/**
 * The message with us as its addressee where it names none: the seed's own `discover` is for any market. Everything else
 * stays as it came.
 */
export function addressed(body: unknown, subscriberId: string): unknown {
  const context = (body as { context?: unknown } | null)?.context;
  if (typeof context !== "object" || context === null || Array.isArray(context)) return body;
  const fields = context as Readonly<Record<string, unknown>>;
  if (fields["action"] !== "discover") return body;
  const name = Object.hasOwn(fields, "bapId") ? "bppId" : "bpp_id";
  if (Object.hasOwn(fields, name)) return body;
  return { ...(body as object), context: { ...fields, [name]: subscriberId } };
}

/** The participant of a message; in a report in the role of the provider of data the two sides have changed places. */
export function participantOf(context: MessageContext): { readonly bapId: string; readonly bapUri?: string } {
  const isReport = context.action === "on_status";
  const uri = isReport ? context.bppUri : context.bapUri;
  return { bapId: isReport ? context.bppId : context.bapId, ...(uri !== undefined && { bapUri: uri }) };
}
