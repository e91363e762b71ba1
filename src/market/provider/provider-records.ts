import type { BidBounds } from "../../clearing/clearing-types.ts";
import type { BidCurve } from "../../model/bid-curve.ts";
import type { Era } from "../../model/resource.ts";
import type { Envelope } from "../beckn-context.ts";
import type { FlexOffer } from "./flex-clearing.ts";
import type { TransactionState } from "./transaction.ts";

/** Where callbacks of a transaction go: over HTTP, or to the response topic of an MQTT request. */
export type ReplyAddress =
  | { readonly kind: "http"; readonly uri: string }
  /** @property correlation base64 of the request's correlation data, given back with each answer */
  | { readonly kind: "mqtt"; readonly topic: string; readonly correlation?: string };

/** When a setpoint holds, wall time, epoch ms. */
export interface Interval {
  readonly validFromMs: number;
  readonly validUntilMs: number;
}

/** What a participant bids, kW with export positive. */
export interface StandingBid {
  readonly curve: BidCurve;
  readonly bounds: BidBounds;
  readonly submittedAtMs: number;
}

/** What a gate gave to one bid. */
export interface Allotment extends Interval {
  readonly roundId: string;
  /** kW, export positive. */
  readonly powerKW: number;
  /**
   * Price at which the bid's own curve was read, currency per kWh: the one of its grid node. Absent where nothing
   * trades.
   */
  readonly pricePerKWh?: number;
  /** The market's own price, above all grid nodes. */
  readonly marketPricePerKWh?: number;
  /** What the gate found at the resource's grid node; absent for one that hangs on none. */
  readonly node?: {
    readonly era: Era;
    readonly pricePerKWh?: number;
    readonly adderPerKWh: number;
    /** Export positive. */
    readonly flowKW: number;
  };
}

/** An allotment that waits to be confirmed. */
export interface Offer extends Allotment {
  readonly offerId: string;
  readonly confirmByMs: number;
}

/** An allotment that binds both sides. */
export interface Order extends Allotment {
  readonly confirmedAtMs: number;
}

/** What a resource last said about itself, as it came. */
export interface LastReport {
  readonly atMs: number;
  /** Newest telemetry entries, in the form of the message. */
  readonly telemetry?: readonly unknown[];
  readonly verdict?: unknown;
}

/** An offer of flexibility in the dialect of 2026: the contract as it came, and its prices and capacities, read. */
export interface FlexContract {
  readonly needId: string;
  readonly offers: readonly FlexOffer[];
  /** `message.contract` as it came, which the callback gives back with the result in it. */
  readonly contract: Readonly<Record<string, unknown>>;
  readonly window: Interval;
  /** In the order of the offers, once the need was cleared: kW against the baseline and the price of all. */
  readonly cleared?: readonly { readonly capacityKW: number; readonly pricePerKWh?: number }[];
}

/** One dealing with one participant, from its first message to its end. */
export interface TransactionRecord {
  readonly transactionId: string;
  /** Subscriber id of the participant; a transaction belongs to the one who opened it. */
  readonly bapId: string;
  readonly envelope: Envelope;
  readonly domain?: string;
  readonly networkId?: string;
  readonly bapUri?: string;
  readonly replyTo: ReplyAddress;
  readonly state: TransactionState;
  /** The resource; the transaction's own id where the participant names none. */
  readonly era: Era;
  readonly eraGiven: boolean;
  /** For a participant that speaks in roles: the name under which its cleared power is put. */
  readonly roleKey?: string;
  readonly orderId: string;
  /** Absent: nothing to be cleared (yet, or any more, because a newer transaction bids for the resource). */
  readonly bid?: StandingBid;
  /** Goals as they came, given back with the order. */
  readonly objectives?: unknown;
  /** Message id of a `discover` that no `on_discover` has answered yet. */
  readonly unanswered?: string;
  readonly offer?: Offer;
  /** Message id of a `confirm` that the next gate answers, where the price is found after the confirmation. */
  readonly committed?: string;
  /** Base64 signature of that `confirm`, which its answer covers in the camel envelope. */
  readonly committedSignature?: string;
  /** The newest order; it may run, be to come, or be over. */
  readonly order?: Order;
  /** The order before it, where that one had not ended yet. */
  readonly running?: Order;
  readonly flex?: FlexContract;
  readonly report?: LastReport;
  readonly rating?: unknown;
  /** Gates in a row whose offer was not confirmed. */
  readonly missedOffers: number;
  /** Timestamp of the newest message that changed what is traded, by the participant's own clock. */
  readonly orderedAtMs: number;
  /** The same for reports, which overtake the others without harm. */
  readonly reportedAtMs: number;
  /** Our wall time of the last change. */
  readonly updatedAtMs: number;
}

/** What one gate did, kept for settlement. */
export interface RoundRecord extends Interval {
  readonly roundId: string;
  readonly closedAtMs: number;
  readonly currency: string;
  /** What the clearing said, as it was: price, status, setpoints and nodes. */
  readonly result: unknown;
  readonly bids: number;
}

/** An order that a round led to, kept for settlement. */
export interface ClearedOrder extends Allotment {
  readonly bapId: string;
  readonly transactionId: string;
  readonly orderId: string;
  readonly era: Era;
  readonly confirmedAtMs: number;
  /** Wall time from which it no longer binds, where it was cancelled. */
  readonly cancelledAtMs?: number;
}

/** A request as it was received, and the answer that it got. */
export interface AnsweredRequest {
  readonly senderId: string;
  readonly messageId: string;
  /** BLAKE2b-512 of the raw body, base64. */
  readonly digest: string;
  readonly receivedAtMs: number;
  readonly answerStatus: number;
  readonly answerBody: string;
}

/** A callback that waits until it has been acknowledged. Signed when it leaves. */
export interface WaitingCallback {
  /** Rising number, given by the store. */
  readonly id: number;
  readonly action: string;
  readonly to: ReplyAddress;
  readonly body: string;
  /** Callbacks with the same one leave one after the other, in order. */
  readonly lane: string;
  /** After this it is of no use to anyone and is dropped, counted. */
  readonly expiresAtMs: number;
  /** Base64 signature of the request that it answers, for the fourth signed line; absent: three lines are signed. */
  readonly requestSignature?: string;
  readonly attempts: number;
  readonly nextAttemptMs: number;
}

export type NewCallback = Omit<WaitingCallback, "id" | "attempts" | "nextAttemptMs">;

/** All that follows from one event and is stored together or not at all. */
export interface ProviderChange {
  readonly request?: AnsweredRequest;
  readonly transactions?: readonly TransactionRecord[];
  readonly callbacks?: readonly NewCallback[];
  readonly round?: RoundRecord;
  readonly orders?: readonly ClearedOrder[];
}
