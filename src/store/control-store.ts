import type { Objective, RegisterProgress } from "../model/objective.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Judgement } from "../model/verdict.ts";

/** A market message as it was received, and the answer that was given. Kept so that a repeat gets the same answer. */
export interface ReceivedMessage {
  /** Subscriber id of the sender (`bpp_id` of a callback). */
  readonly senderId: string;
  readonly messageId: string;
  readonly transactionId: string;
  readonly action: string;
  /** BLAKE2b-512 of the raw body, base64. */
  readonly digest: string;
  readonly receivedAtMs: number;
  /** The HTTP status and JSON body that were answered. */
  readonly answerStatus: number;
  readonly answerBody: string;
}

/** Where one contract with the market stands, from `discover` to its end. */
export interface Contract {
  readonly transactionId: string;
  readonly era: string;
  /** `BIDDING` curve sent, `OFFERED` clearing price known, `CONFIRMING` confirm sent, `ACTIVE` setpoint known, `ENDED`. */
  readonly state: "BIDDING" | "OFFERED" | "CONFIRMING" | "ACTIVE" | "ENDED";
  readonly orderId?: string;
  /** The market that it is with: nobody else may speak in it. Absent in what an earlier version wrote. */
  readonly bppId?: string;
  readonly clearingPricePerKWh?: number;
  readonly updatedAtMs: number;
}

/** The goal of a resource and how far it has got, so that a restart goes on from there. */
export interface ObjectiveRecord {
  readonly era: string;
  readonly objective: Objective;
  /** The goal that the config had when this was written; absent: none. */
  readonly configured?: Objective;
  readonly progress: RegisterProgress;
}

/** A message to the market that waits until it has been acknowledged. Signed when it is sent, not when it is queued. */
export interface OutboxItem {
  /** Rising number, given by the store. */
  readonly id: number;
  readonly action: string;
  readonly url: string;
  readonly body: string;
  /** Items with the same key replace each other while they wait (a newer telemetry, a newer curve); absent: never replaced. */
  readonly replaceKey?: string;
  readonly createdAtMs: number;
  /** After this it is of no use to anyone and is dropped, counted. */
  readonly expiresAtMs: number;
  readonly attempts: number;
  readonly nextAttemptMs: number;
}

/** The signature of a message that was delivered, which the answer to it may cover. */
export interface SentSignature {
  readonly messageId: string;
  readonly transactionId: string;
  readonly action: string;
  /** Base64. */
  readonly signature: string;
  readonly sentAtMs: number;
}

export type NewOutboxItem = Omit<OutboxItem, "id" | "attempts" | "nextAttemptMs">;

/** All that follows from one event and must be stored together or not at all. */
export interface ControlChange {
  readonly setpoints?: readonly Setpoint[];
  /** Verdicts so far; a later one for the same setpoint replaces it. */
  readonly judgements?: readonly Judgement[];
  readonly contracts?: readonly Contract[];
  readonly outbox?: readonly NewOutboxItem[];
  /** One a resource; a later one replaces it. */
  readonly objectives?: readonly ObjectiveRecord[];
}

/** A fact that an adapter keeps over a restart. */
export interface MemoryEntry {
  readonly adapter: string;
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  readonly updatedAtMs: number;
}

/** `new`: stored now. `repeat`: the same message was stored before, with this answer. `conflict`: same id, other body. */
export type ReceiveResult =
  | { readonly kind: "new" }
  | { readonly kind: "repeat"; readonly answerStatus: number; readonly answerBody: string }
  | { readonly kind: "conflict" };

/** A setpoint that was stored, with its last judgement. */
export interface StoredSetpoint {
  readonly setpoint: Setpoint;
  readonly judgement?: Judgement;
}

/**
 * What must survive a power cut. A promise that resolved means that the disk has it (`synchronous=FULL`). Commits that
 * wait at the same time are grouped into one.
 */
export interface ControlStore extends AsyncDisposable {
  /** Stores a message, the answer and what follows from it in one transaction, or says that it was there before. */
  receive(message: ReceivedMessage, change: ControlChange): Promise<ReceiveResult>;
  commit(change: ControlChange): Promise<void>;
  findReceived(senderId: string, messageId: string): Promise<ReceivedMessage | undefined>;
  findContract(transactionId: string): Promise<Contract | undefined>;
  findContractByOrder(orderId: string): Promise<Contract | undefined>;
  /** Setpoints that end after `nowMs` or have no final judgement, oldest first. */
  openSetpoints(nowMs: number): Promise<readonly StoredSetpoint[]>;
  /** The newest setpoints, newest first. */
  recentSetpoints(limit: number): Promise<readonly StoredSetpoint[]>;
  objectives(): Promise<readonly ObjectiveRecord[]>;
  /** Items whose next attempt is due, oldest first. */
  dueOutbox(nowMs: number, limit: number): Promise<readonly OutboxItem[]>;
  /** Takes an item out: acknowledged, expired or refused for good. @param sent its signature, if an answer is to come */
  removeOutbox(id: number, sent?: SentSignature): Promise<void>;
  /** The newest signatures of what was delivered, oldest first. */
  sentSignatures(limit: number): Promise<readonly SentSignature[]>;
  retryOutbox(id: number, attempts: number, nextAttemptMs: number): Promise<void>;
  outboxSize(): Promise<number>;
}
