import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { type Answer, Refusal } from "../answer.ts";
import { contextPath, isRequestAction, type MessageContext, messageContext } from "../beckn-context.ts";
import { type InboundMessage, MAX_MESSAGE_BYTES } from "../message-body.ts";
import { type Authorization, digestOf, type Signer, verifySignature } from "../signature.ts";
import { signedAnswer } from "../signed-answer.ts";
import type { PinnedKeys } from "../signing-keys.ts";
import { parseStrictJson } from "../strict-json.ts";
import { type AnswerForm, ackIn, Declined, nackIn } from "./declined.ts";
import type { ReplyAddress } from "./provider-records.ts";
import type { ProviderStore } from "./provider-store.ts";
import type { ProviderRequest } from "./request.ts";
import { addressed, participantOf } from "./request-context.ts";
import type { TradingDesk } from "./trading-desk.ts";

/** A sender's clock may be ahead of ours by this much. */
const FUTURE_TOLERANCE_MS = 30_000;
/** No message is acted on after this, whatever time to live it claims; the store knows repeats for longer. */
const MAX_TTL_MS = 24 * 3_600_000;
const DEFAULT_TTL_MS = 300_000;
/** Requests that are being answered at the same time. */
const MAX_UNDER_WAY = 10_000;

export interface ProviderInboxOptions {
  readonly subscriberId: string;
  readonly store: ProviderStore;
  readonly desk: TradingDesk;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: PinnedKeys;
  /** Callbacks to a participant go here and nowhere else, whatever address it names. */
  readonly pinnedUris: ReadonlyMap<string, string>;
  /** Callbacks to all go here: a protocol adapter that signs and routes them. */
  readonly callbackUri?: string;
  /** Signs the answers to signed requests of the camel envelope; absent: answers go unsigned. */
  readonly answerSigner?: Signer | undefined;
}

/**
 * Takes participants' requests, from the raw bytes to the answer: bounded, parsed strictly, signature checked, carried
 * out, committed, acknowledged. A message is acknowledged only when the disk has it and all that follows from it. The
 * same message again gets the same answer and has no second effect. Nothing that comes in makes it throw.
 */
export class ProviderInbox {
  readonly #options: ProviderInboxOptions;
  /** Requests that are being answered: whoever sends one again meanwhile gets the same answer. */
  readonly #underWay = new Map<string, { readonly digest: string; readonly answer: Promise<Answer> }>();

  constructor(options: ProviderInboxOptions) {
    this.#options = options;
  }

  /** @param replyTopic where the answers go if the message came over MQTT */
  async receive(message: InboundMessage, replyTopic?: Extract<ReplyAddress, { kind: "mqtt" }>): Promise<Answer> {
    const { log, answerSigner, clock } = this.#options;
    let form: AnswerForm | undefined;
    let signer: Authorization | undefined;
    const signed = (answer: Answer) => signedAnswer(answer, answerSigner, signer, form?.envelope, clock.now());
    try {
      const body = addressed(readBody(message), this.#options.subscriberId);
      const context = messageContext(body);
      form = { envelope: context.envelope, messageId: context.messageId };
      const { action } = context;
      if (!isRequestAction(action) && action !== "on_status") {
        throw new Refusal(404, "ACTION_UNKNOWN", "context.action", `"${action}" is not taken by a market`);
      }
      if (message.action !== undefined && message.action !== action) {
        const fault = `"${action}" came to the address of "${message.action}"`;
        throw new Refusal(400, "ACTION_MISMATCH", "context.action", fault);
      }
      const { bapId, bapUri } = participantOf(context);
      const digest = digestOf(message.body);
      signer = this.#checkSender(message, digest, bapId, context);
      this.#checkAddressee(context);
      const replyTo = this.#replyTo(bapId, bapUri, replyTopic, action);
      const request = {
        ...{ action, context, bapId, body, replyTo },
        ...(bapUri !== undefined && { bapUri }),
        ...(signer !== undefined && { signature: signer.signature.toString("base64") }),
      };
      return signed(await this.#once(request, digest, form));
    } catch (error) {
      if (error instanceof Refusal || error instanceof Declined) {
        log.warn("request refused", { code: error.code, path: error.path, reason: error.message });
        return signed(nackIn(form, error));
      }
      log.error("request failed", { err: error });
      return nackIn(form, new Refusal(503, "NOT_STORED", "", "the message could not be stored; send it again"));
    }
  }

  /** The same message at the same time is worked on once. */
  async #once(request: Omit<ProviderRequest, "nowMs">, digest: string, form: AnswerForm): Promise<Answer> {
    const key = `${request.bapId}|${request.context.messageId}`;
    const running = this.#underWay.get(key);
    if (running !== undefined) {
      if (running.digest !== digest) throw conflict(request.context);
      return await running.answer;
    }
    if (this.#underWay.size >= MAX_UNDER_WAY) throw new Declined("BUSY", "", "too many requests wait; send it again");
    const answer = this.#answer(request, digest, form);
    this.#underWay.set(key, { digest, answer });
    try {
      return await answer;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #answer(request: Omit<ProviderRequest, "nowMs">, digest: string, form: AnswerForm): Promise<Answer> {
    const { store, desk, clock, log } = this.#options;
    const { bapId, context } = request;
    // A repeat gets the answer that the first got, though the same message would be too late by now.
    const before = await store.findRequest(bapId, context.messageId);
    if (before !== undefined) {
      if (before.digest !== digest) throw conflict(context);
      return { status: before.answerStatus, body: before.answerBody };
    }
    const nowMs = clock.now();
    checkAge(context.timestampMs, context.ttlMs, nowMs);
    await desk.ready();
    const record = (answer: Answer) => ({
      senderId: bapId,
      messageId: context.messageId,
      digest,
      receivedAtMs: nowMs,
      answerStatus: answer.status,
      answerBody: answer.body,
    });
    try {
      const ack = ackIn(form);
      await desk.carryOut({ ...request, nowMs }, record(ack));
      log.debug("request taken", { action: request.action, bapId, transactionId: context.transactionId });
      return ack;
    } catch (error) {
      const isForGood =
        (error instanceof Refusal && error.status !== 503) || (error instanceof Declined && error.code !== "BUSY");
      if (!isForGood) throw error;
      const answer = nackIn(form, error);
      log.warn("request refused", { action: request.action, bapId, code: error.code, reason: error.message });
      await desk.remember(record(answer));
      return answer;
    }
  }

  /**
   * Who sent it, and whether that is who it says.
   * @returns who signed; nothing if it came unsigned through a door that allows that
   */
  #checkSender(
    message: InboundMessage,
    digest: string,
    bapId: string,
    { envelope }: MessageContext,
  ): Authorization | undefined {
    if (!message.requireSignature && message.authorization === undefined) return undefined;
    const { keys, clock } = this.#options;
    const { body, authorization, digestHeader } = message;
    const result = verifySignature({ body, digest, digestHeader, authorization }, keys, clock.now());
    if (!result.ok) throw new Refusal(401, result.code, "", result.message);
    const { subscriberId } = result.signer;
    if (subscriberId === bapId) return result.signer;
    const fault = `signed by "${subscriberId}", but the message says it is from "${bapId}"`;
    throw new Refusal(401, "SIGNER_MISMATCH", contextPath(envelope, "bapId"), fault);
  }

  #checkAddressee({ bppId, bapId, envelope }: MessageContext): void {
    const { subscriberId } = this.#options;
    if (bppId === subscriberId || bapId === subscriberId) return;
    const fault = `"${bppId}" is not known here, this is "${subscriberId}"`;
    throw new Refusal(400, "NOT_ADDRESSEE", contextPath(envelope, "bppId"), fault);
  }

  #replyTo(
    bapId: string,
    bapUri: string | undefined,
    topic: Extract<ReplyAddress, { kind: "mqtt" }> | undefined,
    action: string,
  ): ReplyAddress {
    if (topic !== undefined) return topic;
    const { callbackUri, pinnedUris } = this.#options;
    const uri = callbackUri ?? pinnedUris.get(bapId) ?? bapUri;
    if (uri !== undefined && isHttpUrl(uri)) return { kind: "http", uri: uri.replace(/\/+$/, "") };
    // A report is answered to nobody.
    if (action === "on_status") return { kind: "http", uri: "" };
    throw new Declined("REPLY_ADDRESS_INVALID", "context.bap_uri", "expected the http or https URL for callbacks");
  }
}

function checkAge(timestampMs: number, claimedMs: number | undefined, nowMs: number): void {
  const ageMs = nowMs - timestampMs;
  const ttlMs = Math.min(claimedMs ?? DEFAULT_TTL_MS, MAX_TTL_MS);
  if (ageMs > ttlMs) {
    const fault = `${Math.round(ageMs / 1000)} s old, and it may be acted on for ${ttlMs / 1000} s`;
    throw new Refusal(400, "MESSAGE_STALE", "context.timestamp", fault);
  }
  if (ageMs < -FUTURE_TOLERANCE_MS) {
    const fault = `${Math.round(-ageMs / 1000)} s in the future by our clock`;
    throw new Refusal(400, "MESSAGE_FROM_FUTURE", "context.timestamp", fault);
  }
}

function conflict({ envelope }: MessageContext): Refusal {
  const fault = "a message with this id and another body was received before";
  return new Refusal(409, "MESSAGE_CONFLICT", contextPath(envelope, "messageId"), fault);
}

function readBody(message: InboundMessage): unknown {
  if (message.body.length > MAX_MESSAGE_BYTES) {
    throw new Refusal(413, "BODY_TOO_LARGE", "", `a message may have at most ${MAX_MESSAGE_BYTES} bytes`);
  }
  const json = parseStrictJson(message.body);
  if (!json.ok) throw new Refusal(400, "BODY_INVALID", json.path, json.fault);
  return json.value;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
