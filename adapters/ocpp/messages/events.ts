import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { JsonRecord } from "../link/json.ts";
import type { Measurand } from "../metering/measurands.ts";
import type { CarNeeds } from "../sessions/car-needs.ts";
import type { CarPlan } from "../sessions/car-plan.ts";

/** What a connector is doing, in one vocabulary for all versions. */
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

/** One sampled value; multiplier and unit are worked in. */
export interface Sample {
  readonly measurand: Measurand;
  /** In the unit that we count the measurand in: kW, kWh, A, V, percent, Hz, °C, s. */
  readonly value: number;
  /** 1, 2 or 3 for a line; absent for a total. */
  readonly line?: 1 | 2 | 3 | undefined;
  /** True for a voltage between two lines. */
  readonly lineToLine?: true | undefined;
  /** Where in the station; absent means the outlet. */
  readonly location?: string | undefined;
  /** What it was taken for, such as `Transaction.Begin`; absent means a periodic sample. */
  readonly context?: string | undefined;
}

/** A value that the meter signed, as it came: evidence, and never read as a number. */
export interface SignedValue {
  readonly data: string;
  readonly context?: string;
  readonly encoding?: string;
  readonly method?: string;
  readonly publicKey?: string;
}

/** Samples that were taken at one time. */
export interface SampleSet {
  /** Wall time of the charger's clock. */
  readonly takenAtMs?: number | undefined;
  readonly samples: readonly Sample[];
  readonly signed?: readonly SignedValue[];
}

/**
 * What a message from a charger means, in one vocabulary for all versions. `connector` is the connector of 1.6 and the
 * EVSE of 2.x; 0 is the whole station.
 */
export type ChargerEvent =
  | { readonly kind: "booted"; readonly identity: DeviceIdentity }
  | { readonly kind: "state"; readonly connector: number; readonly state: PlugState }
  | {
      readonly kind: "transaction";
      readonly connector: number;
      readonly transactionId: number | string;
      /** The message tells of the past, so that the transaction may be over by now. */
      readonly past?: true;
      /** It began because we asked for it: the station says so itself (2.x), or it has our token (1.6). */
      readonly remote?: true;
    }
  | {
      readonly kind: "transaction-over";
      readonly connector: number;
      readonly transactionId: number | string;
      /** As the charger says it. */
      readonly reason?: string;
    }
  /** A reservation was used, ran out or was taken away. It does not say on which connector, so that is 0. */
  | { readonly kind: "reservation-over"; readonly connector: 0; readonly reservationId: number }
  | { readonly kind: "needs"; readonly connector: number; readonly needs: CarNeeds }
  | { readonly kind: "plan"; readonly connector: number; readonly plan: CarPlan }
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
    }
  /** A part of a report that was asked for (2.x). */
  | {
      readonly kind: "report";
      readonly requestId: number;
      readonly rows: readonly JsonRecord[];
      readonly more: boolean;
    };

/** What concerns a connector, or all of them; a boot, a report and the security of the station are its own business. */
export type PlugEvent = Exclude<ChargerEvent, { kind: "booted" | "report" | "security" }>;

/** The answer to an inbound call, and what follows from it once it has been sent. */
export interface Handled {
  readonly answer: JsonRecord;
  readonly events: readonly ChargerEvent[];
}
