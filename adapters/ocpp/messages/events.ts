import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { JsonRecord } from "../link/json.ts";

/** What a connector is doing, in one vocabulary for both versions. */
export type PlugState =
  | "free"
  | "plugged"
  | "charging"
  | "held-by-station"
  | "held-by-car"
  | "finishing"
  | "reserved"
  | "unavailable"
  | "faulted";

/** One sampled value in SI terms of its own: the multiplier is worked in, the unit is as it came or the default. */
export interface Sample {
  readonly measurand: string;
  readonly value: number;
  readonly unit: string;
  /** 1, 2 or 3 for a line; absent for a total. */
  readonly line?: 1 | 2 | 3;
  /** True for a voltage between two lines. */
  readonly lineToLine?: true;
  /** Where in the station; absent means the outlet. */
  readonly location?: string;
}

/** Samples that were taken at one time. */
export interface SampleSet {
  /** Wall time of the charger's clock. */
  readonly takenAtMs?: number;
  readonly samples: readonly Sample[];
}

/**
 * What a message from a charger means, in one vocabulary for both versions. `connector` is the connector of 1.6 and the
 * EVSE of 2.0.1; 0 is the whole station.
 */
export type ChargerEvent =
  | { readonly kind: "booted"; readonly identity: DeviceIdentity }
  | { readonly kind: "state"; readonly connector: number; readonly state: PlugState }
  | { readonly kind: "transaction"; readonly connector: number; readonly transactionId: number | string }
  | { readonly kind: "transaction-over"; readonly connector: number; readonly transactionId: number | string }
  /** A SecurityEventNotification (1.6 security white paper, 2.0.1 part 2, A04). */
  | { readonly kind: "security"; readonly type: string; readonly detail?: string; readonly deviceTimeMs?: number }
  | {
      readonly kind: "samples";
      readonly connector: number;
      readonly sets: readonly SampleSet[];
      /** The charger says itself that it measured this while it was offline. */
      readonly offline?: true;
      /** The transaction that the samples belong to, as far as the message said so. */
      readonly transactionId?: number | string;
    };

/** The answer to an inbound call, and what follows from it once it has been sent. */
export interface Handled {
  readonly answer: JsonRecord;
  readonly events: readonly ChargerEvent[];
}
