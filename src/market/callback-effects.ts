import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Contract, ControlChange, ControlStore, NewOutboxItem } from "../store/control-store.ts";
import { Refusal } from "./answer.ts";
import type { CallbackContext, MessageContext } from "./beckn-context.ts";
import type { ContractBook } from "./contract-book.ts";
import { dialectOf } from "./dialects/choose-dialect.ts";
import type { DialectPolicy, MarketOffer, OrderMessage, SetpointDraft } from "./dialects/order-codec.ts";
import { readSessionWish } from "./dialects/session-wish.ts";
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
import { isCallback, pathOfParty, senderOf } from "./sender-check.ts";
import { type SessionOrder, sessionOrder } from "./session-order.ts";
import { WireFields } from "./wire-fields.ts";

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

/** What the market said to the curve that we sent with `init`. */
export interface InitAnswer {
  /** The most that the grid operator allows for it, kW, either way; absent if it did not say. */
  readonly approvedMaxTradeKW?: number;
}

export interface CallbackEffectsOptions {
  readonly store: Pick<ControlStore, "openSetpoints">;
  readonly contracts: ContractBook;
  /** How the numbers of a market's messages are to be read. @param senderId the market's own id */
  readonly policy: (senderId: string) => DialectPolicy;
  readonly reductionToSetpoint?: ReductionToSetpoint | undefined;
  readonly directory: ResourceDirectory;
  /** How a setpoint finds its resource; the first way that names one counts. */
  readonly mapping: readonly Mapping[];
  /** How long a setpoint holds that comes without an end; 15 min unless told. */
  readonly defaultHoldMs?: number;
  /** A setpoint that ends later than this from now is refused; 7 days unless told. */
  readonly horizonMs?: number;
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
export interface Effect {
  readonly change: ControlChange;
  readonly tell: () => void;
  /** A later message of the same thread was acted on already. */
  readonly outdated?: true;
}

/** What each of the market's messages leads to, by its action and in whichever dialect. The inbox carries it out. */
export class CallbackEffects {
  readonly #options: CallbackEffectsOptions;
  readonly #rules: Omit<PlacementRules, "known">;
  /** A list is for many resources, so what names a single one (order, transaction) can't tell them apart. */
  readonly #listRules: Omit<PlacementRules, "known">;
  readonly #newest = new NewestSeen();

  constructor(options: CallbackEffectsOptions) {
    const { directory, contracts, mapping, defaultHoldMs = 900_000, horizonMs = 7 * 86_400_000 } = options;
    const { reductionToSetpoint } = options;
    this.#options = options;
    this.#rules = { directory, contracts, mapping, defaultHoldMs, horizonMs, reductionToSetpoint };
    this.#listRules = { ...this.#rules, mapping: mapping.includes("meter") ? ["era", "meter"] : ["era"] };
  }

  /**
   * What a message leads to. A refusal changes nothing.
   * @throws Refusal naming the field
   */
  async of(body: unknown, context: MessageContext, nowMs: number): Promise<Effect> {
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

  /** A transaction is with one market, and nobody else may speak in it. */
  #refuseStranger(known: Contract | undefined, context: CallbackContext): void {
    if (known?.bppId === undefined || known.bppId === context.bppId) return;
    const fault = `this transaction is with "${known.bppId}", not with "${context.bppId}"`;
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
}

const nothing: Effect = { change: {}, tell: () => {} };
const outdated: Effect = { change: {}, tell: () => {}, outdated: true };

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
      bppId: context.bppId,
      ...(orderId !== undefined && { orderId }),
      ...(clearingPricePerKWh !== undefined && { clearingPricePerKWh }),
      updatedAtMs: context.timestampMs,
    },
  ];
}
