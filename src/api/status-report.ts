import type { ObjectiveStatus } from "../model/objective.ts";
import type { FailsafeClass, ResourceKind } from "../model/resource.ts";
import type { UtilityDemand, UtilityLink } from "../model/utility.ts";
import type { Verdict } from "../model/verdict.ts";

/** How the objective of a device stands. */
export interface ObjectiveReport {
  readonly targetChargeKWh: number;
  /** Since the objective was set, by the registers of the meter. */
  readonly deliveredKWh: number;
  readonly deadlineMs: number;
  /** Absent while the device has not connected, and on a site that does not bid. */
  readonly status?: ObjectiveStatus;
}

/** One device as `status`, `devices`, the demo's table and the page show it. kW, generation positive; absent is not zero. */
export interface DeviceStatus {
  readonly era: string;
  readonly name: string;
  readonly kind: ResourceKind;
  readonly protocol: string;
  readonly linkUp: boolean;
  readonly linkDetail: string;
  readonly failsafe?: FailsafeClass;
  /** How the class is known, where the device's protocol tells. */
  readonly failsafeReason?: string;
  readonly minPowerKW?: number;
  readonly maxPowerKW?: number;
  readonly availability?: string;
  /** Power that the market ordered and that holds now. */
  readonly orderedKW?: number;
  /** Power that the device accepted. */
  readonly appliedKW?: number;
  readonly command?: string;
  readonly boundBy?: string;
  /** Bounds that others have set, a utility or another master of the device, with who that is. */
  readonly limits?: readonly { readonly source: string; readonly minPowerKW?: number; readonly maxPowerKW?: number }[];
  /** What a technician should know: a wrong clock, an order of somebody else on the device. */
  readonly notices?: readonly string[];
  readonly validUntilMs?: number;
  readonly measuredKW?: number;
  readonly socPercent?: number;
  readonly ageMs?: number;
  /** Of the setpoint that holds now, or of the last one. */
  readonly verdict?: Verdict;
  readonly verdictReason?: string;
  readonly lastError?: string;
  readonly clearingPricePerKWh?: number;
  readonly currency?: string;
  readonly objective?: ObjectiveReport;
  /** Since the start. */
  readonly setpoints: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly readings: number;
  readonly bidCurves: number;
}

/** What `GET /status` answers. */
export interface StatusReport {
  readonly schemaVersion: 1;
  readonly site: string;
  readonly version: string;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly ready: boolean;
  /** Where the listeners are. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly market?: {
    readonly received: number;
    readonly acked: number;
    readonly nacked: number;
    readonly onConfirm: number;
    readonly sent: number;
    readonly outbox: number;
    readonly lastMessageMs?: number;
    readonly mqtt?: string;
  };
  /** The utility's server and what it demands now; absent on a site that obeys none. */
  readonly utility?: UtilityLink & { readonly demands: readonly UtilityDemand[] };
  /** Why no metered intervals are recorded; absent while all is well. */
  readonly meterFault?: string;
  readonly devices: readonly DeviceStatus[];
  readonly strangers: readonly {
    readonly identity: string;
    readonly address: string;
    readonly attempts: number;
    readonly lastSeenMs: number;
    readonly reason: string;
  }[];
}
