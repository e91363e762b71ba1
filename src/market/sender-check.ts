import { Refusal } from "./answer.ts";
import { type CallbackContext, isCallbackAction, isRequestAction, type MessageContext } from "./beckn-context.ts";
import type { InboundMessage } from "./message-body.ts";
import type { SentSignatures } from "./sent-signatures.ts";
import { type Authorization, verifySignature } from "./signature.ts";
import type { PinnedKeys } from "./signing-keys.ts";

/** A sender's clock may be ahead of ours by this much. */
const FUTURE_TOLERANCE_MS = 30_000;
/** No message is acted on after this, whatever time to live it claims; the store knows repeats for longer. */
const MAX_TTL_MS = 24 * 3_600_000;

/** From whom messages are taken, for whom, and until when. */
export interface SenderRules {
  readonly keys: PinnedKeys;
  /** Signatures of our requests, which an answer may cover. */
  readonly sentSignatures?: SentSignatures;
  /** Names under which the market may address us; absent: any. */
  readonly bapIds?: readonly string[];
  /** How old a message without a time to live may be; 5 min unless told. */
  readonly maxAgeMs?: number;
}

/**
 * Who sent a message, whether that is who it says, and whether it is for us.
 * @returns who signed; nothing if it came unsigned through a door that allows that
 * @throws Refusal
 */
export function checkSender(
  message: InboundMessage,
  digest: string,
  context: MessageContext,
  { keys, sentSignatures, bapIds }: SenderRules,
  nowMs: number,
): Authorization | undefined {
  const isRequest = isRequestAction(context.action);
  let signer: Authorization | undefined;
  if (message.requireSignature || message.authorization !== undefined) {
    const result = verifySignature(
      {
        body: message.body,
        digest,
        digestHeader: message.digestHeader,
        authorization: message.authorization,
        requestSignature: sentSignatures?.find(context),
      },
      keys,
      nowMs,
    );
    if (!result.ok) throw new Refusal(401, result.code, "", result.message);
    signer = result.signer;
    const senderId = senderOf(context);
    if (signer.subscriberId !== senderId) {
      const fault = `signed by "${signer.subscriberId}", but the message says it is from "${senderId}"`;
      throw new Refusal(401, "SIGNER_MISMATCH", pathOfParty(context, isRequest ? "bap" : "bpp"), fault);
    }
  }
  const addressee = isRequest ? context.bppId : context.bapId;
  if (bapIds !== undefined && !bapIds.includes(addressee)) {
    const path = pathOfParty(context, isRequest ? "bpp" : "bap");
    throw new Refusal(400, "NOT_ADDRESSEE", path, `"${addressee}" is not known here`);
  }
  return signer;
}

/** @throws Refusal where a message is too old to be acted on, or from the future */
export function checkAge(context: MessageContext, { maxAgeMs = 300_000 }: SenderRules, nowMs: number): void {
  const ageMs = nowMs - context.timestampMs;
  const ttlMs = Math.min(context.ttlMs ?? maxAgeMs, MAX_TTL_MS);
  if (ageMs > ttlMs) {
    const fault = `${Math.round(ageMs / 1000)} s old, and it may be acted on for ${ttlMs / 1000} s`;
    throw new Refusal(400, "MESSAGE_STALE", "context.timestamp", fault);
  }
  if (ageMs < -FUTURE_TOLERANCE_MS) {
    const fault = `${Math.round(-ageMs / 1000)} s in the future by our clock`;
    throw new Refusal(400, "MESSAGE_FROM_FUTURE", "context.timestamp", fault);
  }
}

export function isCallback(context: MessageContext): context is CallbackContext {
  return isCallbackAction(context.action);
}

/** A callback comes from the provider, a request from a participant. */
export function senderOf(context: MessageContext): string {
  return isCallback(context) ? context.bppId : context.bapId;
}

/** Where in a message a party is named. */
export function pathOfParty({ envelope }: MessageContext, party: "bap" | "bpp"): string {
  return envelope === "camel" ? `context.${party}Id` : `context.${party}_id`;
}
