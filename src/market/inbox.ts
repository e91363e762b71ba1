import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { ControlStore } from "../store/control-store.ts";
import { type Answer, Refusal } from "./answer.ts";
import { ackIn, answerStyleOf, nackIn } from "./answer-envelope.ts";
import { type CallbackContext, isCallbackAction, type MessageContext, messageContext } from "./beckn-context.ts";
import { CallbackEffects, type CallbackEffectsOptions, type Effect } from "./callback-effects.ts";
import type { MarketCounters } from "./market-counters.ts";
import {
  actionOf,
  checkAction,
  type InboundMessage,
  isSessionUpdate,
  readBody,
  refuseRequest,
} from "./message-body.ts";
import { checkAge, checkSender, isCallback, type SenderRules, senderOf } from "./sender-check.ts";
import { type Authorization, digestOf, type Signer } from "./signature.ts";
import { signedAnswer } from "./signed-answer.ts";

/** Who takes the requests of other participants, on a site that is a provider too. */
export interface RequestTaker {
  takes(action: string): boolean;
  /** From the raw bytes to the answer, with its own check of the signature. */
  receive(message: InboundMessage): Promise<Answer>;
}

export interface InboxOptions extends SenderRules, CallbackEffectsOptions {
  readonly store: Pick<ControlStore, "receive" | "findReceived" | "openSetpoints">;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: MarketCounters;
  /** Signs the answers to signed messages of the camel envelope; absent: answers go unsigned. */
  readonly answerSigner?: Signer | undefined;
  /** Absent: requests are refused, apart from `status`. */
  readonly requests?: RequestTaker | undefined;
  /** Any callback that was taken, after what follows from it. */
  readonly onCallback?: (context: CallbackContext, body: unknown) => void;
}

/**
 * Takes the market's messages, from the raw bytes to the answer: bounded, parsed strictly, signature checked, mapped to
 * resources, committed, acknowledged. A message is acknowledged only when the disk has it. Nothing that comes in makes
 * it throw.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #effects: CallbackEffects;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#effects = new CallbackEffects(options);
  }

  async receive(message: InboundMessage): Promise<Answer> {
    let action = message.action !== undefined && isCallbackAction(message.action) ? message.action : "other";
    const { counters, log, clock, requests } = this.#options;
    let body: unknown;
    try {
      if (message.action !== undefined && requests?.takes(message.action)) return await requests.receive(message);
      body = readBody(message);
      if (message.action === undefined && requests?.takes(actionOf(body))) return await requests.receive(message);
      if (this.#options.onSession === undefined || !isSessionUpdate(body)) refuseRequest(actionOf(body), body);
      const context = messageContext(body);
      action = context.action;
      checkAction(message, context);
      const digest = digestOf(message.body);
      const signer = checkSender(message, digest, context, this.#options, clock.now());
      const { answer, outcome } = await this.#handle(digest, body, context);
      counters.received(action, outcome);
      return this.#signed(answer, signer, context);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : undefined;
      counters.received(action, refusal?.code ?? "NOT_STORED");
      const style = answerStyleOf(body);
      if (refusal === undefined) {
        log.error("market message failed", { action, err: error });
        const fault = "the message could not be stored; send it again";
        return nackIn(style, new Refusal(503, "NOT_STORED", "", fault));
      }
      log.warn("market message refused", { action, code: refusal.code, path: refusal.path, reason: refusal.message });
      return nackIn(style, refusal);
    }
  }

  async #handle(digest: string, body: unknown, context: MessageContext): Promise<{ answer: Answer; outcome: string }> {
    const { store, clock, contracts } = this.#options;
    const nowMs = clock.now();
    const senderId = senderOf(context);
    const ack = ackIn(context);
    let effect: Effect;
    try {
      checkAge(context, this.#options, nowMs);
      effect = await this.#effects.of(body, context, nowMs);
    } catch (refusal) {
      // A repeat gets the answer that the first got, though the same message would be too late by now.
      const before = await store.findReceived(senderId, context.messageId);
      if (before === undefined) throw refusal;
      if (before.digest !== digest) throw conflict(context);
      return { answer: { status: before.answerStatus, body: before.answerBody }, outcome: "repeated" };
    }
    const result = await store.receive(
      {
        senderId,
        messageId: context.messageId,
        transactionId: context.transactionId,
        action: context.action,
        digest,
        receivedAtMs: nowMs,
        answerStatus: ack.status,
        answerBody: ack.body,
      },
      effect.change,
    );
    if (result.kind === "conflict") throw conflict(context);
    if (result.kind === "repeat") {
      return { answer: { status: result.answerStatus, body: result.answerBody }, outcome: "repeated" };
    }
    contracts.committed(effect.change.contracts ?? []);
    this.#tell(effect, context);
    if (isCallback(context)) this.#options.onCallback?.(context, body);
    return { answer: ack, outcome: effect.outdated ? "outdated" : "acked" };
  }

  /** An answer in the camel envelope carries a signature over itself and over that of the message it answers. */
  #signed(answer: Answer, signer: Authorization | undefined, { envelope }: MessageContext): Answer {
    const { answerSigner, clock } = this.#options;
    return signedAnswer(answer, answerSigner, signer, envelope, clock.now());
  }

  /** Hands the result on. It is committed, so a fault in there is ours and no reason for a NACK. */
  #tell(effect: Effect, context: MessageContext): void {
    const { log } = this.#options;
    const { action, messageId, transactionId } = context;
    log.debug("market message taken", { action, messageId, transactionId, outdated: effect.outdated ?? false });
    try {
      effect.tell();
    } catch (error) {
      log.error("handing on a market message failed", { action, messageId, err: error });
    }
  }
}

function conflict({ envelope }: MessageContext): Refusal {
  const fault = "a message with this id and another body was received before";
  return new Refusal(409, "MESSAGE_CONFLICT", envelope === "camel" ? "context.messageId" : "context.message_id", fault);
}
