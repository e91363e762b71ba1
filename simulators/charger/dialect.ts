import type { ChargerSettings } from "./charger-settings.ts";
import type { Outgoing } from "./link/outbox.ts";
import type { BootAnswer, Call } from "./link/uplink.ts";
import type { ChargingState } from "./power/energy-path.ts";
import type { MeterSample, SampleContext } from "./power/meter-sample.ts";
import type { ChargingProfile, RateUnit } from "./profiles/charging-profile.ts";
import type { CompositePeriod } from "./profiles/composite-schedule.ts";
import type { Wiring } from "./profiles/effective-limit.ts";
import type { ProfileBounds, Refusal } from "./profiles/profile-rules.ts";
import type { ClearCriteria } from "./profiles/profile-store.ts";
import type { ConnectorStatus, StopReason, Transaction } from "./session/transaction.ts";

/** What a call of the CSMS may ask of the charger, whatever the version. */
export interface ChargerControls {
  readonly identity: string;
  readonly settings: ChargerSettings;
  readonly bounds: ProfileBounds;
  readonly wiring: Wiring;
  now(): number;
  setProfile(profile: ChargingProfile): Refusal | undefined;
  clearProfiles(criteria: ClearCriteria): number;
  composite(durationMs: number, unit: RateUnit): CompositePeriod[];
  trigger(what: Trigger): void;
  /** False if there is no car, or it charges already. The profile is for the transaction that starts. */
  remoteStart(idTag: string, profile?: ChargingProfile): boolean;
  /** False if no such transaction runs. */
  remoteStop(transactionId: string): boolean;
  setAvailable(available: boolean): "Accepted" | "Scheduled";
  /** False if the charger waits until the transaction is over. */
  reset(immediate: boolean): boolean;
  /** Sends a call of the charger's own once the answer to the present one is out. */
  afterwards(action: string, payload: Record<string, unknown>): void;
  transactionRuns(): boolean;
}

export type Trigger = "boot" | "heartbeat" | "meter" | "status" | "transaction";

/** Answers one call. Its payload has passed the schema of the protocol. */
export type CallHandler = (payload: unknown) => Record<string, unknown>;

/** One version of OCPP, as a charger speaks it. */
export interface Dialect {
  readonly subprotocol: string;
  boot(call: Call, identity: string): Promise<BootAnswer>;
  /** True if the CSMS accepts the driver. */
  authorize(call: Call, idTag: string): Promise<boolean>;
  /** What to tell of each place: the station and its connector in 1.6, the connector alone in 2.0.1. */
  status(status: ConnectorStatus, timeMs: number): readonly StatusMessage[];
  started(transaction: Transaction, sample: MeterSample, settings: ChargerSettings, offline: boolean): Outgoing;
  /** The verdict on the driver in the answer to `started`, and the id that the CSMS gave if it gives one. */
  startAnswer(answer: unknown): { accepted: boolean; id?: string };
  meter(report: MeterReport, settings: ChargerSettings): Outgoing;
  /** Nothing where the version has no such message. */
  stateChanged(report: MeterReport, settings: ChargerSettings): Outgoing | undefined;
  ended(transaction: Transaction, sample: MeterSample, reason: StopReason, offline: boolean): Outgoing;
  handlers(controls: ChargerControls): Readonly<Record<string, CallHandler>>;
}

/** The status of one place, as a message. */
export interface StatusMessage {
  readonly place: number;
  /** What is told: the same twice need not be sent. */
  readonly shown: string;
  readonly payload: Record<string, unknown>;
}

export interface MeterReport {
  readonly transaction: Transaction | undefined;
  readonly sample: MeterSample;
  readonly state: ChargingState;
  readonly context: SampleContext;
  readonly offline: boolean;
}
