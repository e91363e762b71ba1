import type { OperationMode } from "../profiles/charging-profile.ts";

/** From the moment the driver is accepted until the charger stops. */
export interface Transaction {
  readonly connectorId: number;
  /** Chosen by the charger; what 2.x calls the transactionId. */
  readonly ownId: string;
  readonly idTag: string;
  /** Given by a CSMS that asked for the start (2.x). */
  readonly remoteStartId?: number;
  /** The reservation that this transaction uses up. */
  readonly reservationId?: number;
  readonly startedAtMs: number;
  /** The id by which a CSMS names it: in 1.6 the one the CSMS gave, so unknown until it answered. */
  id: string | undefined;
  /** The CSMS answered to the start, or cannot be asked: current may flow. */
  confirmed: boolean;
  /** Next number of a 2.x event. */
  seqNo: number;
  /** The CSMS allowed the car to give back (2.1). */
  mayDischarge: boolean;
  /** The mode that was told last (2.1). */
  operationMode: OperationMode;
}

/** Why a transaction ends. The names are those all versions know. */
export type StopReason = "EVDisconnected" | "Remote" | "PowerLoss" | "DeAuthorized" | "Reboot" | "Local";

/** Status of the connector, in the terms of 1.6, which has more of them. */
export type ConnectorStatus =
  | "Available"
  | "Preparing"
  | "Charging"
  | "SuspendedEVSE"
  | "SuspendedEV"
  | "Finishing"
  | "Reserved"
  | "Unavailable";
