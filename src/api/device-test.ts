import type { Verdict } from "../model/verdict.ts";

/** One step of a device test, for a technician. */
export interface DeviceTestStep {
  readonly name: "link" | "device" | "read" | "command" | "meter" | "restore";
  readonly ok: boolean;
  readonly detail: string;
}

export interface DeviceTestResult {
  readonly schemaVersion: 1;
  readonly era: string;
  readonly passed: boolean;
  readonly verdict?: Verdict;
  readonly steps: readonly DeviceTestStep[];
}

/** One level of a ramp. Powers in kW, export positive; absent is not measured. */
export interface RampStep {
  readonly orderedKW: number;
  readonly appliedKW?: number;
  readonly command?: string;
  readonly beforeKW?: number;
  readonly afterKW?: number;
  readonly tookMs: number;
  readonly verdict?: Verdict;
  readonly reason: string;
}

export interface DeviceRampResult {
  readonly schemaVersion: 1;
  readonly era: string;
  /** Every level was effective, and the device has been given back. */
  readonly passed: boolean;
  /** Why nothing was ordered; absent where something was. */
  readonly notBegun?: string;
  readonly steps: readonly RampStep[];
  readonly restore?: { readonly ok: boolean; readonly detail: string };
}
