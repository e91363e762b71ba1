/** From the moment the driver is accepted until the charger stops. */
export interface Transaction {
  /** Chosen by the charger; what 2.0.1 calls the transactionId. */
  readonly ownId: string;
  readonly idTag: string;
  readonly startedAtMs: number;
  /** The id by which a CSMS names it: in 1.6 the one the CSMS gave, so unknown until it answered. */
  id: string | undefined;
  /** The CSMS answered to the start, or cannot be asked: current may flow. */
  confirmed: boolean;
  /** Next number of a 2.0.1 event. */
  seqNo: number;
}

/** Why a transaction ends. The names are those both versions know. */
export type StopReason = "EVDisconnected" | "Remote" | "PowerLoss" | "DeAuthorized" | "Reboot" | "Local";

/** Status of the connector, in the terms of 1.6, which has more of them. */
export type ConnectorStatus =
  | "Available"
  | "Preparing"
  | "Charging"
  | "SuspendedEVSE"
  | "SuspendedEV"
  | "Finishing"
  | "Unavailable";
