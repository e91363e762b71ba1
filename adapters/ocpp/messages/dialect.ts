import type { Profile, ProfilePurpose } from "../control/charging-profile.ts";
import type { SetpointProfile } from "../control/setpoint-profile.ts";
import type { WireSetpoint } from "../control/v2g-setpoint.ts";
import type { JsonRecord } from "../link/json.ts";
import type { Admission } from "../sessions/admission.ts";
import type { TransactionBook } from "../sessions/transaction-book.ts";
import type { FactNames } from "../setup/traits.ts";
import type { Variables } from "../setup/variable.ts";
import type { OcppVersion } from "../version.ts";
import type { Handled } from "./events.ts";
import type { SessionCalls } from "./session-calls.ts";

/** A call to a charger. */
export interface Request {
  readonly action: string;
  readonly payload: JsonRecord;
  /** What is wrong with an answer, for a person, where nothing can be made of it. */
  readonly unusable?: (answer: JsonRecord) => string | undefined;
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
/** The status words on which something is decided; a charger may write them in another case. */
export const STATUS_WORDS = ["Accepted", "Rejected", "NotSupported", "Unknown", "RebootRequired"] as const;

/** One version of OCPP: it knows the messages and keeps no connection. */
export interface Dialect {
  readonly version: OcppVersion;
  /**
   * Answers a call from the charger.
   * @throws CallRefusal for what it does not know or cannot read
   */
  inbound(action: string, payload: JsonRecord, context: DialectContext): Handled;
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
  readVariables(context: DialectContext): readonly Request[];
  variablesFrom(answer: JsonRecord): Variables;
  /** Asks for everything there is, for a charger that does not answer the questions above. */
  readEverything(requestId: number): Request;
  /** What `readEverything` brings in reports that follow; absent where it is in the answer itself. */
  readonly reportedVariables?: (rows: readonly JsonRecord[]) => Variables;
  readonly factNames: FactNames;
  /** Status words of an answer; more than one where the request held a list. */
  statuses(answer: JsonRecord): readonly Status[];
  trigger(message: Triggered, connector: number): Request;
  /** Setpoints in both directions; absent in a version that only has limits. */
  readonly v2g?: V2gRequests;
}

/** What a version says to make a car charge or discharge at a setpoint. */
export interface V2gRequests {
  setSetpoint(profile: SetpointProfile): Request;
  /** Moves the setpoint of a dynamic profile that is in place. */
  updateSetpoint(profileId: number, setpoint: WireSetpoint): Request;
  /** Allows the car of a transaction these modes of energy transfer. */
  allowTransfer(transactionId: string, modes: readonly string[]): Request;
}

/** What all versions need of the station that speaks. */
export interface DialectContext {
  /** Wall time, epoch ms. */
  now(): number;
  readonly heartbeatIntervalS: number;
  /** The connector that an event belongs to when the charger does not say; absent where there is more than one. */
  onlyConnector(): number | undefined;
  readonly book: TransactionBook;
  readonly admission: Admission;
  /** EVSEs whose cars may give energy back. */
  v2gConnectors(): readonly number[];
  /** True if a charging profile for this connector is in force, or is on its way. */
  hasTarget(connector: number): boolean;
  /** The setpoint of the dynamic profile with this id; absent if none of ours is in force. */
  setpointOf(profileId: number): WireSetpoint | undefined;
}
