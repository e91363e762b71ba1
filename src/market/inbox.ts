import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Contract, ControlChange, ControlStore, NewOutboxItem } from "../store/control-store.ts";
import { type Answer, Refusal } from "./answer.ts";
import { ackIn, answerStyleOf, nackIn } from "./answer-envelope.ts";
import {
  type CallbackContext,
  isCallbackAction,
  isRequestAction,
  type MessageContext,
  messageContext,
} from "./beckn-context.ts";
import type { ContractBook } from "./contract-book.ts";
import { dialectOf } from "./dialects/choose-dialect.ts";
import type { DialectPolicy, MarketOffer, OrderMessage, SetpointDraft } from "./dialects/order-codec.ts";
import { readSessionWish } from "./dialects/session-wish.ts";
import type { MarketCounters } from "./market-counters.ts";
import { NewestSeen } from "./newest-seen.ts";
import {
  isFrom,
  type Mapping,
  type PlacementRules,
  placeSetpoint,
  type ReductionToSetpoint,
  type ResourceDirectory,
  type SetpointFlag,
} from "./placement.ts";
import type { SentSignatures } from "./sent-signatures.ts";
import { type SessionOrder, sessionOrder } from "./session-order.ts";
import { type Authorization, digestOf, type Signer, signBody, verifySignature } from "./signature.ts";
import type { PinnedKeys } from "./signing-keys.ts";
import { parseStrictJson } from "./strict-json.ts";
import { WireFields } from "./wire-fields.ts";

/** Largest message that is read; real ones stay under 10 KiB. */
export const MAX_MESSAGE_BYTES = 65_536;

/** A sender's clock may be ahead of ours by this much. */
const FUTURE_TOLERANCE_MS = 30_000;
/** How long the signature of an answer counts. */
const ANSWER_LIFETIME_MS = 300_000;
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
  /** True if only these setpoints are taken back and the order goes on. */
  readonly isPartial?: true;
}

/** A request for what an order's resource does: the market asks as if it were the participant, and we the provider. */
export interface StatusRequest {
  readonly context: MessageContext;
  readonly orderId?: string;
  /** True in the dialect with `message.contract`. */
  readonly isContract: boolean;
}

/** Who takes the requests of other participants, on a site that is a provider too. */
export interface RequestTaker {
  takes(action: string): boolean;
  /** From the raw bytes to the answer, with its own check of the signature. */
  receive(message: InboundMessage): Promise<Answer>;
}

/** What the market said to the curve that we sent with `init`. */
export interface InitAnswer {
  /** The most that the grid operator allows for it, kW, either way; absent if it did not say. */
  readonly approvedMaxTradeKW?: number;
}

export interface InboxOptions {
  readonly store: ControlStore;
  readonly contracts: ContractBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: MarketCounters;
  readonly keys: PinnedKeys;
  readonly sentSignatures?: SentSignatures;
  /** How the numbers of a market's messages are to be read. @param senderId the market's own id */
  readonly policy: (senderId: string) => DialectPolicy;
  /** Names under which the market may address us; absent: any. */
  readonly bapIds?: readonly string[];
  /** The market that the transactions which we opened are with; absent: any. */
  readonly counterpartId?: string;
  /** Signs the answers to signed messages of the camel envelope; absent: answers go unsigned. */
  readonly answerSigner?: Signer | undefined;
  /** Absent: requests are refused, apart from `status`. */
  readonly requests?: RequestTaker | undefined;
  readonly reductionToSetpoint?: ReductionToSetpoint | undefined;
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
  /** Absent: the site has no charging sessions that a market could order. */
  readonly onSession?: (order: SessionOrder) => void;
  readonly onOffers: (transactionId: string, offers: readonly MarketOffer[]) => void;
  readonly onInit?: (transactionId: string, answer: InitAnswer) => void;
  /** The `on_status` for a request, or nothing if no such order is running. Absent: none is. */
  readonly statusFor?: (request: StatusRequest) => NewOutboxItem | undefined;
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
    const { reductionToSetpoint } = options;
    this.#options = options;
    this.#rules = { directory, contracts, mapping, defaultHoldMs, horizonMs, reductionToSetpoint };
    this.#listRules = { ...this.#rules, mapping: mapping.includes("meter") ? ["era", "meter"] : ["era"] };
  }

  async receive(message: InboundMessage): Promise<Answer> {
    let action = message.action !== undefined && isCallbackAction(message.action) ? message.action : "other";
    const { counters, log, requests } = this.#options;
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
      const signer = this.#checkSender(message, digest, context);
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
      this.#checkAge(context, nowMs);
      effect = await this.#effectOf(body, context, nowMs);
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
    return { answer: ack, outcome: effect.outdated ? "outdated" : "acked" };
  }

  /**
   * Who sent it, whether that is who it says, and whether it is for us.
   * @returns who signed; nothing if it came unsigned through a door that allows that
   */
  #checkSender(message: InboundMessage, digest: string, context: MessageContext): Authorization | undefined {
    const { keys, clock, sentSignatures, bapIds } = this.#options;
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
        clock.now(),
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

  /** An answer in the camel envelope carries a signature over itself and over that of the message it answers. */
  #signed(answer: Answer, signer: Authorization | undefined, { envelope }: MessageContext): Answer {
    const { answerSigner, clock } = this.#options;
    if (answerSigner === undefined || signer === undefined || envelope !== "camel") return answer;
    const times = { nowMs: clock.now(), lifetimeMs: ANSWER_LIFETIME_MS };
    const covered = signer.signature.toString("base64");
    const { authorization } = signBody(answerSigner, Buffer.from(answer.body), times, covered);
    return { ...answer, headers: { signature: authorization } };
  }

  #checkAge(context: MessageContext, nowMs: number): void {
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

  async #effectOf(body: unknown, context: MessageContext, nowMs: number): Promise<Effect> {
    if (!isCallback(context)) {
      return context.action === "update"
        ? this.#sessionRequest(body, context, nowMs)
        : this.#statusEffect(body, context);
    }
    const dialect = dialectOf(body);
    const policy = this.#options.policy(context.bppId);
    switch (context.action) {
      case "on_confirm":
      case "on_update": {
        const order = dialect.readOrder(body, context, policy, nowMs);
        if (order.isOver) return this.#withSession(await this.#release(order, context, nowMs), body, context, nowMs);
        if (order.drafts.length > 0) {
          return this.#withSession(await this.#setpoints(order, context, nowMs), body, context, nowMs);
        }
        if (context.action === "on_update") return this.#withSession(nothing, body, context, nowMs);
        throw new Refusal(400, "MESSAGE_INVALID", order.setpointPath, "expected a number, kW");
      }
      case "on_cancel":
        return this.#release(dialect.readOrder(body, context, policy, nowMs), context, nowMs);
      case "on_discover": {
        const offers = dialect.readOffers(body, policy);
        this.#refuseStranger(await this.#options.contracts.byTransaction(context.transactionId), context);
        if (this.#isOutdated(`${context.transactionId}|offer`, context)) return outdated;
        const tell = () => this.#options.onOffers(context.transactionId, offers);
        return { change: {}, tell };
      }
      case "on_init": {
        const answer = readInitAnswer(body);
        this.#refuseStranger(await this.#options.contracts.byTransaction(context.transactionId), context);
        return { change: {}, tell: () => this.#options.onInit?.(context.transactionId, answer) };
      }
      default:
        // Nothing to act on; kept, so that a repeat is known.
        return nothing;
    }
  }

  /** The market asks; the answer goes its own way, once the question is on the disk. */
  #statusEffect(body: unknown, context: MessageContext): Effect {
    const message = WireFields.ofMessage(body);
    const isContract = message.has("contract");
    const order = message.object(isContract ? "contract" : "order");
    const orderId = order?.text("id");
    const request = { context, isContract, ...(orderId !== undefined && { orderId }) };
    const item = this.#options.statusFor?.(request);
    if (item === undefined) {
      const path = order?.pathOf("id") ?? "message";
      const fault = `no order ${orderId ?? ""} of transaction ${context.transactionId} with "${context.bapId}" is running`;
      throw new Refusal(404, "RESOURCE_UNKNOWN", path, fault.replace("  ", " "));
    }
    return { change: { outbox: [item] }, tell: () => {} };
  }

  /** What the same message says of the order's charging session follows its power. */
  async #withSession(effect: Effect, body: unknown, context: CallbackContext, nowMs: number): Promise<Effect> {
    const { onSession } = this.#options;
    if (onSession === undefined || effect.outdated) return effect;
    const order = await this.#sessionOrder(body, context, effect.change.setpoints ?? [], nowMs);
    if (order === undefined) return effect;
    const tell = () => {
      effect.tell();
      onSession(order);
    };
    return { ...effect, tell };
  }

  /** The market asks to start or stop a session, as if it were the participant and we the provider. */
  async #sessionRequest(body: unknown, context: MessageContext, nowMs: number): Promise<Effect> {
    const order = await this.#sessionOrder(body, context, [], nowMs);
    if (order === undefined) {
      const fault = `no order of transaction ${context.transactionId} with "${context.bapId}" is known`;
      throw new Refusal(404, "RESOURCE_UNKNOWN", "message.order", fault);
    }
    const thread = `${context.bapId}|${context.transactionId}|session`;
    if (this.#newest.isOutdated(thread, context.timestampMs)) return outdated;
    this.#newest.saw(thread, context.timestampMs);
    return { change: {}, tell: () => this.#options.onSession?.(order) };
  }

  async #sessionOrder(
    body: unknown,
    context: MessageContext,
    setpoints: readonly Setpoint[],
    nowMs: number,
  ): Promise<SessionOrder | undefined> {
    const wish = readSessionWish(body);
    if (wish === undefined) return undefined;
    const orderId = WireFields.ofMessage(body, "order").text("id");
    const from = { context, senderId: senderOf(context), ...(orderId !== undefined && { orderId }) };
    return sessionOrder(wish, from, setpoints, this.#options, nowMs);
  }

  /** A transaction that we opened is with our market, and nobody else may speak in it. */
  #refuseStranger(known: Contract | undefined, context: CallbackContext): void {
    const { counterpartId } = this.#options;
    if (known === undefined || counterpartId === undefined || counterpartId === context.bppId) return;
    // An order that runs may have been made by another market, without a bid of ours.
    if (known.state === "ACTIVE" || known.state === "ENDED") return;
    const fault = `this transaction is with "${counterpartId}", not with "${context.bppId}"`;
    throw new Refusal(401, "SIGNER_MISMATCH", pathOfParty(context, "bpp"), fault);
  }

  async #setpoints(order: OrderMessage, context: CallbackContext, nowMs: number): Promise<Effect> {
    const { onSetpoints, onRelease, contracts } = this.#options;
    const known = await contracts.byTransaction(context.transactionId);
    this.#refuseStranger(known, context);
    const rules = { ...(order.isForMany ? this.#listRules : this.#rules), known };
    const drafts = stillToCome(order, nowMs);
    const placed = await Promise.all(
      drafts
        .filter(asksForPower)
        .map((draft) => placeSetpoint(draft, order.drafts.indexOf(draft), context, rules, nowMs)),
    );
    const freed = drafts.filter((draft) => !asksForPower(draft));
    const withdrawn = freed.length === 0 ? undefined : await this.#withdrawn(order, freed, context, nowMs);
    if (this.#isOutdated(`${context.transactionId}|order`, context, known)) return outdated;
    const setpoints = placed.map(({ setpoint }) => setpoint);
    const flags = placed.flatMap((one) => one.flags);
    return {
      change: { setpoints, contracts: activeContracts(order, setpoints, context, known) },
      tell: () => {
        if (withdrawn !== undefined) onRelease(withdrawn);
        if (setpoints.length > 0) onSetpoints(setpoints, flags);
      },
    };
  }

  /** What this order had ordered for the time in which it now asks for nothing. */
  async #withdrawn(
    order: OrderMessage,
    freed: readonly SetpointDraft[],
    context: CallbackContext,
    nowMs: number,
  ): Promise<Release | undefined> {
    const open = (await this.#openOf(order, context, nowMs)).filter(({ validFromMs }) =>
      freed.some((draft) => validFromMs === draft.validFromMs),
    );
    if (open.length === 0) return undefined;
    return {
      transactionId: context.transactionId,
      ...(order.orderId !== undefined && { orderId: order.orderId }),
      setpointIds: open.map(({ id }) => id),
      eras: [...new Set(open.map(({ era }) => era))],
      reason: `${context.action} from ${context.bppId} asks for nothing in this time any more`,
      isPartial: true,
    };
  }

  /**
   * The setpoints of an order that have not ended.
   * @throws Refusal if all of them came from another market
   */
  async #openOf(order: OrderMessage, context: CallbackContext, nowMs: number): Promise<readonly Setpoint[]> {
    const stored = await this.#options.store.openSetpoints(nowMs);
    const open = stored.map(({ setpoint }) => setpoint).filter(isOf(order, context));
    const ours = open.filter((setpoint) => isFrom(context.bppId, setpoint));
    if (open.length > 0 && ours.length === 0) {
      const fault = `order ${order.orderId ?? context.transactionId} was not made by "${context.bppId}"`;
      throw new Refusal(401, "SIGNER_MISMATCH", pathOfParty(context, "bpp"), fault);
    }
    return ours;
  }

  async #release(order: OrderMessage, context: CallbackContext, nowMs: number): Promise<Effect> {
    const { onRelease, contracts } = this.#options;
    const { transactionId, action } = context;
    const open = await this.#openOf(order, context, nowMs);
    const known = await contracts.byTransaction(transactionId);
    this.#refuseStranger(known, context);
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

const nothing: Effect = { change: {}, tell: () => {} };
const outdated: Effect = { change: {}, tell: () => {}, outdated: true };

function conflict({ envelope }: MessageContext): Refusal {
  const fault = "a message with this id and another body was received before";
  return new Refusal(409, "MESSAGE_CONFLICT", envelope === "camel" ? "context.messageId" : "context.message_id", fault);
}

function isCallback(context: MessageContext): context is CallbackContext {
  return isCallbackAction(context.action);
}

/** A callback comes from the provider, a request from a participant. */
function senderOf(context: MessageContext): string {
  return isCallback(context) ? context.bppId : context.bapId;
}

function pathOfParty({ envelope }: MessageContext, party: "bap" | "bpp"): string {
  return envelope === "camel" ? `context.${party}Id` : `context.${party}_id`;
}

/** A reduction of nothing is no order: the device is free in that time. */
function asksForPower(draft: SetpointDraft): boolean {
  return draft.kind === "power" || draft.reductionKW !== 0;
}

/** A series says again what is over by now; only the rest of it is acted on. All or nothing in a list for many. */
function stillToCome({ drafts, isForMany }: OrderMessage, nowMs: number): readonly SetpointDraft[] {
  if (isForMany || drafts.length < 2) return drafts;
  const open = drafts.filter(({ validUntilMs }) => validUntilMs === undefined || validUntilMs > nowMs);
  return open.length > 0 ? open : drafts;
}

/** @throws Refusal naming the field */
function readInitAnswer(body: unknown): InitAnswer {
  const order = WireFields.ofMessage(body).objectIfAny("order");
  const parameters = order?.objectIfAny("orderAttributes")?.objectIfAny("inputParameters");
  const approvedMaxTradeKW = parameters?.number("approvedMaxTradeKW", 0);
  return approvedMaxTradeKW === undefined ? {} : { approvedMaxTradeKW };
}

function readBody(message: InboundMessage): unknown {
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
function actionOf(body: unknown): string {
  const action = (body as { context?: { action?: unknown } | null } | null)?.context?.action;
  return typeof action === "string" ? action : "";
}

/** An `update` about a charging session is asked of whoever has the charger. */
function isSessionUpdate(body: unknown): boolean {
  return actionOf(body) === "update" && ["start", "stop"].includes(readSessionWish(body) ?? "");
}

/** A utility that orders a reduction with `confirm` takes us for a provider; our answer would bind us to a contract. */
function refuseRequest(action: string, body: unknown): void {
  if (action === "status" || !isRequestAction(action)) return;
  const isReduction = JSON.stringify(body).includes('requestedReduction"');
  const instead = isReduction
    ? "a reduction is ordered with on_confirm, in a contract that we asked for"
    : "what it is to hold comes with on_confirm";
  const fault = `"${action}" is asked of a provider (BPP), and this site is a participant: ${instead}`;
  throw new Refusal(404, "NOT_PROVIDER", "context.action", fault);
}

function checkAction(message: InboundMessage, context: MessageContext): void {
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
  const [setpoint] = setpoints;
  if (setpoint === undefined || order.isForMany || setpoints.some(({ era }) => era !== setpoint.era)) return [];
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
