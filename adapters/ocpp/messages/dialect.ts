import type { Profile } from "../control/charging-profile.ts";
import type { RateUnit } from "../control/import-limit.ts";
import type { SetpointProfile } from "../control/setpoint-profile.ts";
import type { WireSetpoint } from "../control/v2g-setpoint.ts";
import type { JsonRecord } from "../link/json.ts";
import type { OcppVersion } from "../version.ts";
import type { Handled } from "./events.ts";

/** A call to a charger. */
export interface Request {
  readonly action: string;
  readonly payload: JsonRecord;
  /** What is wrong with an answer, for a person, where nothing can be made of it. */
  readonly unusable?: (answer: JsonRecord) => string | undefined;
}

/** What a charger says of its smart charging; each part only if it said so. */
export interface Traits {
  readonly rateUnits?: readonly RateUnit[];
  readonly maxStackLevel?: number;
  /** Whether it takes profiles of the kind Dynamic (2.1). */
  readonly dynamicProfiles?: boolean;
  /** What its EVSEs say of bidirectional charging (2.1), by EVSE. */
  readonly v2x?: ReadonlyMap<number, V2xTraits>;
}

export interface V2xTraits {
  readonly enabled?: boolean;
  readonly operationModes?: readonly string[];
}

export type Triggered = "BootNotification" | "StatusNotification" | "MeterValues";

/** What was answered to a request: the word, and for a person the charger's reason. */
export interface Status {
  readonly word: string;
  readonly reason?: string;
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
  inbound(action: string, payload: JsonRecord): Handled;
  setProfile(profile: Profile): Request;
  clearProfile(id: number): Request;
  readTraits(): Request;
  traitsFrom(answer: JsonRecord): Traits;
  /** Settings to make, each as a list of alternatives of which the first accepted one is enough. */
  settings(meterIntervalS: number): readonly (readonly Request[])[];
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

/** What all versions need from outside. */
export interface DialectContext {
  /** Wall time, epoch ms. */
  readonly now: () => number;
  readonly heartbeatIntervalS: number;
  /** The connector that an event belongs to when the charger does not say; absent where there is more than one. */
  readonly onlyConnector: () => number | undefined;
  /** EVSEs whose cars may give energy back. */
  readonly v2gConnectors: () => readonly number[];
  /** True if a charging profile for this connector is in force, or is on its way. */
  readonly hasTarget: (connector: number) => boolean;
  /** The setpoint of the dynamic profile with this id; absent if none of ours is in force. */
  readonly setpointOf: (profileId: number) => WireSetpoint | undefined;
}

/** Measurands to ask for, best first; a charger that refuses a list is offered the next. */
export const MEASURAND_LISTS = [
  "Power.Active.Import,Energy.Active.Import.Register,Current.Import,Voltage,Current.Offered,Power.Offered,SoC",
  "Power.Active.Import,Energy.Active.Import.Register,Current.Import,Voltage",
  "Power.Active.Import,Energy.Active.Import.Register",
  "Current.Import,Voltage,Energy.Active.Import.Register",
] as const;

/** Rate units from a list such as `Current,Power`, `A,W` or `Amp;Watt`; absent when nothing in it is known. */
export function rateUnitsFrom(text: string | undefined): readonly RateUnit[] | undefined {
  const units: RateUnit[] = [];
  for (const word of (text ?? "").split(/[,;]/)) {
    const letters = word.replace(/[^a-z]/gi, "").toLowerCase();
    if (/^(a|amps?|amperes?|current)$/.test(letters)) units.push("A");
    else if (/^(w|watts?|power)$/.test(letters)) units.push("W");
  }
  return units.length > 0 ? [...new Set(units)] : undefined;
}

/** The best of the whole numbers that a charger may have quoted or padded. */
export function wholeNumberFrom(text: string | undefined): number | undefined {
  const digits = /^\s*["']?(\d{1,9})["']?\s*$/.exec(text ?? "");
  return digits === null ? undefined : Number(digits[1]);
}
