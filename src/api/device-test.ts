import type { Verdict } from "../model/verdict.ts";

/** One step of a device test, for a technician. */
export interface DeviceTestStep {
  readonly name: "link" | "read" | "command" | "meter" | "restore";
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
