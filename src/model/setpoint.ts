import type { Objective } from "./objective.ts";
import type { Era } from "./resource.ts";

/** A power that a resource is to hold from `validFromMs` until `validUntilMs`. It always ends. */
export interface Setpoint {
  /** Unique and stable; the same market message gives the same id. */
  readonly id: string;
  readonly era: Era;
  /** kW, positive = generation (out of the device), negative = consumption. */
  readonly powerKW: number;
  /** Wall time, epoch ms, inclusive. */
  readonly validFromMs: number;
  /** Wall time, epoch ms, exclusive; after it the device goes back to its own default. */
  readonly validUntilMs: number;
  readonly receivedAtMs: number;
  readonly source: SetpointSource;
  readonly clearingPrice?: Price;
  readonly objective?: Objective;
}

/** Where a setpoint came from, to answer there and to find it again. */
export interface SetpointSource {
  /**
   * `market` for a cleared setpoint, `operator` for one given by a person on the command line, `utility` for what holds a
   * device within a utility's bounds while nobody else orders anything.
   */
  readonly kind: "market" | "operator" | "utility";
  readonly transactionId?: string;
  readonly messageId?: string;
  readonly orderId?: string;
}

/** A price of energy with its currency; never converted silently. */
export interface Price {
  readonly pricePerKWh: number;
  /** ISO 4217, for example INR. */
  readonly currency: string;
  /** Part of it that is the place's: this price less the one that all grid nodes have in common; absent: not told. */
  readonly adderPerKWh?: number;
}
