import type { Profile, ProfilePurpose } from "../control/charging-profile.ts";
import type { JsonRecord } from "../link/json.ts";
import type { Admission } from "../sessions/admission.ts";
import type { TransactionBook } from "../sessions/transaction-book.ts";
import type { FactNames, Variables } from "../setup/traits.ts";
import type { OcppVersion } from "../version.ts";
import type { Handled } from "./events.ts";
import type { SessionCalls } from "./session-calls.ts";

/** A call to a charger. */
export interface Request {
  readonly action: string;
  readonly payload: JsonRecord;
}

export type Triggered = "BootNotification" | "StatusNotification" | "MeterValues";

/** What was answered to a request: the word, and for a person the charger's reason. */
export interface Status {
  readonly word: string;
  readonly reason?: string;
}

/** Which profiles are meant, whoever set them; what is absent is any. */
export interface ProfileFilter {
  readonly connector?: number;
  readonly purpose?: ProfilePurpose;
}

/** One version of OCPP: it knows the messages and keeps no connection. */
export interface Dialect {
  readonly version: OcppVersion;
  /**
   * Answers a call from the charger.
   * @throws CallRefusal for what it does not know or cannot read
   */
  inbound(action: string, payload: JsonRecord): Handled;
  readonly sessions: SessionCalls;
  setProfile(profile: Profile): Request;
  clearProfile(id: number): Request;
  clearMatching(filter: ProfileFilter): Request;
  /** Asks for the profiles of a connector, or of all, in reports that follow; absent where the version has no such question. */
  readonly listProfiles?: (requestId: number, connector?: number) => Request;
  /** Asks what holds on a connector now and for so many seconds, all profiles taken together. */
  compositeSchedule(connector: number, durationS: number): Request;
  stopTransaction(transactionId: number | string): Request;
  /** Changes a configuration key, or a variable as `component.variable`. */
  change(name: string, value: string): Request;
  dataTransfer(vendorId: string, messageId: string | undefined, data: string): Request;
  /** Questions for what the charger can do and how it is set. */
  readVariables(): readonly Request[];
  variablesFrom(answer: JsonRecord): Variables;
  /** Asks for everything there is, for a charger that does not answer the questions above. */
  readEverything(requestId: number): Request;
  /** What `readEverything` brings in reports that follow; absent where it is in the answer itself. */
  readonly reportedVariables?: (rows: readonly JsonRecord[]) => Variables;
  readonly factNames: FactNames;
  /** Status words of an answer; more than one where the request held a list. */
  statuses(answer: JsonRecord): readonly Status[];
  trigger(message: Triggered, connector: number): Request;
}

/** What both versions need from outside. */
export interface DialectContext {
  /** Wall time, epoch ms. */
  readonly now: () => number;
  readonly heartbeatIntervalS: number;
  /** The connector that an event belongs to when the charger does not say; absent where there is more than one. */
  readonly onlyConnector: () => number | undefined;
  readonly book: TransactionBook;
  readonly admission: Admission;
}
