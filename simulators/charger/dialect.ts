import type { ElectricCar } from "../world/electric-car.ts";
import type { ChargerSettings } from "./charger-settings.ts";
import type { Outgoing } from "./link/outbox.ts";
import type { BootAnswer, Call } from "./link/uplink.ts";
import type { ChargingState } from "./power/energy-path.ts";
import type { MeterSample, SampleContext } from "./power/meter-sample.ts";
import type { ChargingProfile, OperationMode, PeriodValues, RateUnit } from "./profiles/charging-profile.ts";
import type { CompositePeriod } from "./profiles/composite-schedule.ts";
import type { Wiring } from "./profiles/effective-limit.ts";
import type { ProfileBounds } from "./profiles/profile-rules.ts";
import type { ClearCriteria } from "./profiles/profile-store.ts";
import type { Refusal } from "./profiles/refusal.ts";
import type { LocalList } from "./session/local-list.ts";
import type { Reservation } from "./session/reservations.ts";
import type { ConnectorStatus, StopReason, Transaction } from "./session/transaction.ts";

/** What a call of the CSMS may ask of the charger, whatever the version. Connector 0 is the whole station. */
export interface ChargerControls {
  readonly identity: string;
  readonly settings: ChargerSettings;
  readonly bounds: ProfileBounds;
  readonly wiring: Wiring;
  /** A car can give power back here. */
  readonly bidirectional: boolean;
  readonly localList: LocalList;
  now(): number;
  setProfile(profile: ChargingProfile): Refusal | undefined;
  /** New values for a dynamic profile (2.1). */
  updateProfile(id: number, values: PeriodValues): Refusal | undefined;
  installedProfiles(): readonly ChargingProfile[];
  clearProfiles(criteria: ClearCriteria): number;
  composite(connectorId: number, durationMs: number, unit: RateUnit): CompositePeriod[];
  trigger(what: Trigger, connectorId?: number): void;
  /** Without a connector the first one with a car that waits. The profile is for the transaction that starts. */
  remoteStart(start: RemoteStart): boolean;
  /** False if no such transaction runs. */
  remoteStop(transactionId: string): boolean;
  transactionAt(connectorId: number): Transaction | undefined;
  transactionNamed(transactionId: string): Transaction | undefined;
  setAvailable(connectorId: number, available: boolean): "Accepted" | "Scheduled";
  reserve(reservation: Reservation): "Accepted" | "Occupied" | "Unavailable";
  /** Any connector that nobody uses; nothing if there is none. */
  freeConnector(): number | undefined;
  cancelReservation(id: number): boolean;
  /** False if the charger waits until the transaction is over. */
  reset(immediate: boolean): boolean;
  /** Sends a call of the charger's own once the answer to the present one is out. */
  afterwards(action: string, payload: Record<string, unknown>): void;
  /** Messages about transactions that have not reached the CSMS yet. */
  waitingMessages(): number;
  /** Power at a connector now, W, charging positive; for monitors of 2.1. */
  powerW(connectorId: number): number;
}

export interface RemoteStart {
  readonly idTag: string;
  readonly connectorId?: number;
  readonly remoteStartId?: number;
  /** Without transactionId: it gets that of the transaction. */
  readonly profile?: ChargingProfile;
}

export type Trigger = "boot" | "heartbeat" | "meter" | "status" | "transaction";

/** Answers one call. Its payload has passed the schema of the protocol. */
export type CallHandler = (payload: unknown) => Record<string, unknown>;

/** One version of OCPP, as a charger speaks it. */
export interface Dialect {
  boot(call: Call, identity: string): Promise<BootAnswer>;
  /** Whether the CSMS accepts the driver, and (2.1) whether the car may give back. */
  authorize(call: Call, idTag: string): Promise<{ accepted: boolean; mayDischarge: boolean }>;
  /** What to tell of each place: the station and its connector in 1.6, the connector alone in 2.x. */
  status(connectorId: number, status: ConnectorStatus, timeMs: number): readonly StatusMessage[];
  started(transaction: Transaction, sample: MeterSample, settings: ChargerSettings, offline: boolean): Outgoing;
  /** The verdict on the driver in the answer to `started`, and the id that the CSMS gave if it gives one. */
  startAnswer(answer: unknown): { accepted: boolean; id?: string };
  meter(report: MeterReport, settings: ChargerSettings): Outgoing;
  /** Nothing where the version has no such message. */
  stateChanged(report: MeterReport, settings: ChargerSettings): Outgoing | undefined;
  ended(ending: Ending): Outgoing;
  /** What the car needs, for a CSMS that plans (2.1); nothing where the version cannot say it. */
  needs?(transaction: Transaction, car: ElectricCar, wiring: Wiring, timeMs: number): Note;
  /** What the car will do under a profile it got (2.1). */
  carSchedule?(transaction: Transaction, plan: readonly CompositePeriod[], timeMs: number): Note;
  /** A reservation is over that nobody used (2.x). */
  reservationExpired?(reservation: Reservation): Note;
  handlers(controls: ChargerControls): Readonly<Record<string, CallHandler>>;
}

/** A call that makes sense only now. */
export interface Note {
  readonly action: string;
  readonly payload: Record<string, unknown>;
}

/** The status of one place, as a message. */
export interface StatusMessage {
  readonly place: number;
  /** What is told: the same twice need not be sent. */
  readonly shown: string;
  readonly payload: Record<string, unknown>;
}

export interface MeterReport {
  readonly connectorId: number;
  readonly transaction: Transaction | undefined;
  readonly sample: MeterSample;
  readonly state: ChargingState;
  readonly mode: OperationMode;
  readonly context: SampleContext;
  readonly offline: boolean;
}

export interface Ending {
  readonly transaction: Transaction;
  readonly sample: MeterSample;
  readonly reason: StopReason;
  readonly offline: boolean;
}
