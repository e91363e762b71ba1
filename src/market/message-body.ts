import { Refusal } from "./answer.ts";
import { isCallbackAction, isRequestAction, type MessageContext } from "./beckn-context.ts";
import { readSessionWish } from "./dialects/session-wish.ts";
import { parseStrictJson } from "./strict-json.ts";

/** Largest message that is read; real ones stay under 10 KiB. */
export const MAX_MESSAGE_BYTES = 65_536;

/** A message as it came through one of the doors. */
export interface InboundMessage {
  /** The bytes that were signed. */
  readonly body: Uint8Array;
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
  /** The `Digest` header, where there was one. */
  readonly digestHeader?: string | undefined;
  /** What the door was asked for, for example `on_confirm`; absent where the door has no name for it (MQTT). */
  readonly action?: string | undefined;
  /** False only for a door that nobody but this machine can reach. A signature that is there must be right in any case. */
  readonly requireSignature: boolean;
}

/**
 * The JSON of a message, whatever it says.
 * @throws Refusal where the bytes are too many or no sound JSON, or the door was asked for something unknown
 */
export function readBody(message: InboundMessage): unknown {
  if (message.body.length > MAX_MESSAGE_BYTES) {
    throw new Refusal(413, "BODY_TOO_LARGE", "", `a message may have at most ${MAX_MESSAGE_BYTES} bytes`);
  }
  if (message.action !== undefined && !isCallbackAction(message.action) && !isRequestAction(message.action)) {
    throw new Refusal(404, "ACTION_UNKNOWN", "", "this address takes no such action");
  }
  const json = parseStrictJson(message.body);
  if (!json.ok) throw new Refusal(400, "BODY_INVALID", json.path, json.fault);
  return json.value;
}

/** The action as far as it can be read. */
export function actionOf(body: unknown): string {
  const action = (body as { context?: { action?: unknown } | null } | null)?.context?.action;
  return typeof action === "string" ? action : "";
}

/** An `update` about a charging session is asked of whoever has the charger. */
export function isSessionUpdate(body: unknown): boolean {
  return actionOf(body) === "update" && ["start", "stop"].includes(readSessionWish(body) ?? "");
}

/**
 * Only `status` may be asked of a participant. A utility that orders a reduction with `confirm` takes us for a provider; our
 * answer would bind us to a contract.
 * @throws Refusal
 */
export function refuseRequest(action: string, body: unknown): void {
  if (action === "status" || !isRequestAction(action)) return;
  const isReduction = JSON.stringify(body).includes('requestedReduction"');
  const instead = isReduction
    ? "a reduction is ordered with on_confirm, in a contract that we asked for"
    : "what it is to hold comes with on_confirm";
  const fault = `"${action}" is asked of a provider (BPP), and this site is a participant: ${instead}`;
  throw new Refusal(404, "NOT_PROVIDER", "context.action", fault);
}

/** @throws Refusal where a message came to the address of another action */
export function checkAction(message: InboundMessage, context: MessageContext): void {
  if (message.action === undefined || message.action === context.action) return;
  const fault = `"${context.action}" came to the address of "${message.action}"`;
  throw new Refusal(400, "ACTION_MISMATCH", "context.action", fault);
}
