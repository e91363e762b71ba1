import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Contract, ControlChange, ControlStore } from "../store/control-store.ts";
import { ACK, type Answer, nack, nackOf, Refusal } from "./answer.ts";
import { type CallbackContext, callbackContext, isCallbackAction } from "./beckn-context.ts";
import type { ContractBook } from "./contract-book.ts";
import type { MarketCounters } from "./market-counters.ts";
import { NewestSeen } from "./newest-seen.ts";
import {
  type Mapping,
  type PlacementRules,
  placeSetpoint,
  type ResourceDirectory,
  type SetpointFlag,
} from "./placement.ts";
import { type OrderMessage, readOrder } from "./seed-codec.ts";
import { type MarketOffer, readOffers } from "./seed-offers.ts";
import type { SeedDialect } from "./seed-shape.ts";
import type { SentSignatures } from "./sent-signatures.ts";
import { digestOf, verifySignature } from "./signature.ts";
import type { PinnedKeys } from "./signing-keys.ts";
import { parseStrictJson } from "./strict-json.ts";
import { WireFields } from "./wire-fields.ts";

/** Largest message that is read; real ones stay under 10 KiB. */
export const MAX_MESSAGE_BYTES = 65_536;

/** A sender's clock may be ahead of ours by this much. */
const FUTURE_TOLERANCE_MS = 30_000;
/** No message is acted on after this, whatever time to live it claims; the store knows repeats for longer. */
const MAX_TTL_MS = 24 * 3_600_000;

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

/** An order of the market that is over, with what was still to come of it. */
export interface Release {
  readonly transactionId: string;
  readonly orderId?: string;
  readonly setpointIds: readonly string[];
  readonly eras: readonly Era[];
  /** For a person: which message ended it. */
  readonly reason: string;
}

export interface InboxOptions {
  readonly store: ControlStore;
  readonly contracts: ContractBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: MarketCounters;
  readonly keys: PinnedKeys;
  readonly sentSignatures?: SentSignatures;
  readonly dialect: SeedDialect;
  /** Names under which the market may address us (`bap_id`); absent: any. */
  readonly bapIds?: readonly string[];
  readonly directory: ResourceDirectory;
  /** How a setpoint finds its resource; the first way that names one counts. */
  readonly mapping: readonly Mapping[];
  /** How long a setpoint holds that comes without an end; 15 min unless told. */
  readonly defaultHoldMs?: number;
  /** A setpoint that ends later than this from now is refused; 7 days unless told. */
  readonly horizonMs?: number;
  /** How old a message without a time to live may be; 5 min unless told. */
  readonly maxAgeMs?: number;
  /** Setpoints that the disk has now. */
  readonly onSetpoints: (setpoints: readonly Setpoint[], flags: readonly SetpointFlag[]) => void;
  readonly onRelease: (release: Release) => void;
  readonly onOffers: (transactionId: string, offers: readonly MarketOffer[]) => void;
}

/** What a message leads to: what is stored with it, and who is told once it is. */
interface Effect {
  readonly change: ControlChange;
  readonly tell: () => void;
  readonly outdated?: true;
}

/**
 * Takes the market's messages, from the raw bytes to the answer: bounded, parsed strictly, signature checked, mapped to
 * resources, committed, acknowledged. A message is acknowledged only when the disk has it. Nothing that comes in makes
 * it throw.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #rules: Omit<PlacementRules, "known">;
  /** A list is for many resources, so what names a single one (order, transaction) can't tell them apart. */
  readonly #listRules: Omit<PlacementRules, "known">;
  readonly #newest = new NewestSeen();

  constructor(options: InboxOptions) {
    const { directory, contracts, mapping, defaultHoldMs = 900_000, horizonMs = 7 * 86_400_000 } = options;
    this.#options = options;
    this.#rules = { directory, contracts, mapping, defaultHoldMs, horizonMs };
    this.#listRules = { ...this.#rules, mapping: ["era"] };
  }

  async receive(message: InboundMessage): Promise<Answer> {
    let action = message.action !== undefined && isCallbackAction(message.action) ? message.action : "other";
    const { counters, log } = this.#options;
    try {
      const body = readBody(message);
      const context = callbackContext(body);
      action = context.action;
      checkAction(message, context);
      const digest = digestOf(message.body);
      this.#checkSender(message, digest, context);
      const { answer, outcome } = await this.#handle(digest, body, context);
      counters.received(action, outcome);
      return answer;
    } catch (error) {
      const refusal = error instanceof Refusal ? error : undefined;
      counters.received(action, refusal?.code ?? "NOT_STORED");
      if (refusal === undefined) {
        log.error("market message failed", { action, err: error });
        return nack(503, "NOT_STORED", "", "the message could not be stored; send it again");
      }
      log.warn("market message refused", { action, code: refusal.code, path: refusal.path, reason: refusal.message });
      return nackOf(refusal);
    }
  }

  async #handle(digest: string, body: unknown, context: CallbackContext): Promise<{ answer: Answer; outcome: string }> {
    const { store, clock, contracts } = this.#options;
    const nowMs = clock.now();
    let effect: Effect;
    try {
      this.#checkAge(context, nowMs);
      effect = await this.#effectOf(body, context, nowMs);
    } catch (refusal) {
      // A repeat gets the answer that the first got, though the same message would be too late by now.
      const before = await store.findReceived(context.bppId, context.messageId);
      if (before === undefined) throw refusal;
      if (before.digest !== digest) throw conflict();
      return { answer: { status: before.answerStatus, body: before.answerBody }, outcome: "repeated" };
    }
    const result = await store.receive(
      {
        senderId: context.bppId,
        messageId: context.messageId,
        transactionId: context.transactionId,
        action: context.action,
        digest,
        receivedAtMs: nowMs,
        answerStatus: ACK.status,
        answerBody: ACK.body,
      },
      effect.change,
    );
    if (result.kind === "conflict") throw conflict();
    if (result.kind === "repeat") {
      return { answer: { status: result.answerStatus, body: result.answerBody }, outcome: "repeated" };
    }
    contracts.committed(effect.change.contracts ?? []);
    this.#tell(effect, context);
    return { answer: ACK, outcome: effect.outdated ? "outdated" : "acked" };
  }

  /** Who sent it, whether that is who it says, and whether it is for us. */
  #checkSender(message: InboundMessage, digest: string, context: CallbackContext): void {
    const { keys, clock, sentSignatures, bapIds } = this.#options;
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
        clock.now(),
      );
      if (!result.ok) throw new Refusal(401, result.code, "", result.message);
      const signer = result.signer.subscriberId;
      if (signer !== context.bppId) {
        const fault = `signed by "${signer}", but the message says it is from "${context.bppId}"`;
        throw new Refusal(401, "SIGNER_MISMATCH", "context.bpp_id", fault);
      }
    }
    if (bapIds !== undefined && !bapIds.includes(context.bapId)) {
      throw new Refusal(400, "NOT_ADDRESSEE", "context.bap_id", `"${context.bapId}" is not known here`);
    }
  }

  #checkAge(context: CallbackContext, nowMs: number): void {
    const ageMs = nowMs - context.timestampMs;
    const ttlMs = Math.min(context.ttlMs ?? this.#options.maxAgeMs ?? 300_000, MAX_TTL_MS);
    if (ageMs > ttlMs) {
      const fault = `${Math.round(ageMs / 1000)} s old, and it may be acted on for ${ttlMs / 1000} s`;
      throw new Refusal(400, "MESSAGE_STALE", "context.timestamp", fault);
    }
    if (ageMs < -FUTURE_TOLERANCE_MS) {
      const fault = `${Math.round(-ageMs / 1000)} s in the future by our clock`;
      throw new Refusal(400, "MESSAGE_FROM_FUTURE", "context.timestamp", fault);
    }
  }

  async #effectOf(body: unknown, context: CallbackContext, nowMs: number): Promise<Effect> {
    const { dialect } = this.#options;
    switch (context.action) {
      case "on_confirm":
      case "on_update": {
        const order = readOrder(body, context, dialect, nowMs);
        if (order.isOver) return this.#release(order, context, nowMs);
        if (order.drafts.length > 0) return this.#setpoints(order, context, nowMs);
        if (context.action === "on_update") return nothing;
        const attributes = WireFields.ofMessage(body, "order").object("orderAttributes");
        const path = attributes?.pathOf("setpointKW") ?? "message.order.orderAttributes.setpointKW";
        throw new Refusal(400, "MESSAGE_INVALID", path, "expected a number, kW");
      }
      case "on_cancel":
        return this.#release(readOrder(body, context, dialect, nowMs), context, nowMs);
      case "on_discover": {
        const offers = readOffers(body, dialect);
        if (this.#isOutdated(`${context.transactionId}|offer`, context)) return outdated;
        const tell = () => this.#options.onOffers(context.transactionId, offers);
        return { change: {}, tell };
      }
      default:
        // Nothing to act on; kept, so that a repeat is known.
        return nothing;
    }
  }

  async #setpoints(order: OrderMessage, context: CallbackContext, nowMs: number): Promise<Effect> {
    const { onSetpoints, contracts } = this.#options;
    const known = await contracts.byTransaction(context.transactionId);
    const rules = { ...(order.drafts.length > 1 ? this.#listRules : this.#rules), known };
    const placed = await Promise.all(
      order.drafts.map((draft, index) => placeSetpoint(draft, index, context, rules, nowMs)),
    );
    if (this.#isOutdated(`${context.transactionId}|order`, context, known)) return outdated;
    const setpoints = placed.map(({ setpoint }) => setpoint);
    const flags = placed.flatMap((one) => one.flags);
    return {
      change: { setpoints, contracts: activeContracts(order, setpoints, context, known) },
      tell: () => onSetpoints(setpoints, flags),
    };
  }

  async #release(order: OrderMessage, context: CallbackContext, nowMs: number): Promise<Effect> {
    const { store, contracts, onRelease } = this.#options;
    const { transactionId, action } = context;
    const open = (await store.openSetpoints(nowMs)).map(({ setpoint }) => setpoint).filter(isOf(order, context));
    const known = await contracts.byTransaction(transactionId);
    if (this.#isOutdated(`${transactionId}|order`, context, known)) return outdated;
    const orderId = order.orderId ?? known?.orderId;
    const release: Release = {
      transactionId,
      ...(orderId !== undefined && { orderId }),
      setpointIds: open.map((setpoint) => setpoint.id),
      eras: [...new Set(open.map((setpoint) => setpoint.era))],
      reason: `${action} from ${context.bppId}`,
    };
    const ended: readonly Contract[] =
      known === undefined ? [] : [{ ...known, state: "ENDED", updatedAtMs: context.timestampMs }];
    return { change: { contracts: ended }, tell: () => onRelease(release) };
  }

  /** Whether a later message of this thread was seen; if not, this one is the latest from now on. */
  #isOutdated(thread: string, context: CallbackContext, known?: Contract): boolean {
    const name = `${context.bppId}|${thread}`;
    // After a restart the contract still knows the time of the message that made it active.
    if (known?.state === "ACTIVE" && known.updatedAtMs > context.timestampMs) return true;
    if (this.#newest.isOutdated(name, context.timestampMs)) return true;
    this.#newest.saw(name, context.timestampMs);
    return false;
  }

  /** Hands the result on. It is committed, so a fault in there is ours and no reason for a NACK. */
  #tell(effect: Effect, context: CallbackContext): void {
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

const nothing: Effect = { change: {}, tell: () => {} };
const outdated: Effect = { change: {}, tell: () => {}, outdated: true };

function conflict(): Refusal {
  const fault = "a message with this id and another body was received before";
  return new Refusal(409, "MESSAGE_CONFLICT", "context.message_id", fault);
}

function readBody(message: InboundMessage): unknown {
  if (message.body.length > MAX_MESSAGE_BYTES) {
    throw new Refusal(413, "BODY_TOO_LARGE", "", `a message may have at most ${MAX_MESSAGE_BYTES} bytes`);
  }
  if (message.action !== undefined && !isCallbackAction(message.action)) {
    throw new Refusal(404, "ACTION_UNKNOWN", "", "this address takes no such action");
  }
  const json = parseStrictJson(message.body);
  if (!json.ok) throw new Refusal(400, "BODY_INVALID", json.path, json.fault);
  return json.value;
}

function checkAction(message: InboundMessage, context: CallbackContext): void {
  if (message.action === undefined || message.action === context.action) return;
  const fault = `"${context.action}" came to the address of "${message.action}"`;
  throw new Refusal(400, "ACTION_MISMATCH", "context.action", fault);
}

function isOf(order: OrderMessage, context: CallbackContext): (setpoint: Setpoint) => boolean {
  const { orderId } = order;
  return ({ source }) =>
    orderId !== undefined && source.orderId !== undefined
      ? source.orderId === orderId
      : source.transactionId === context.transactionId;
}

/** The contract that this order makes active. An order for many resources is no contract of one of them. */
function activeContracts(
  order: OrderMessage,
  setpoints: readonly Setpoint[],
  context: CallbackContext,
  known: Contract | undefined,
): readonly Contract[] {
  const [setpoint, other] = setpoints;
  if (setpoint === undefined || other !== undefined) return [];
  const orderId = order.orderId ?? known?.orderId;
  const clearingPricePerKWh = setpoint.clearingPrice?.pricePerKWh ?? known?.clearingPricePerKWh;
  return [
    {
      transactionId: context.transactionId,
      era: setpoint.era,
      state: "ACTIVE",
      ...(orderId !== undefined && { orderId }),
      ...(clearingPricePerKWh !== undefined && { clearingPricePerKWh }),
      updatedAtMs: context.timestampMs,
    },
  ];
}
