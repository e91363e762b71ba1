import type { DeviceIdentity, FailsafeClass } from "../../../src/model/resource.ts";
import type { TriedPower } from "../../tried-power.ts";
import type { DeviceOptions } from "./control-range.ts";
import type { RecordedWrite } from "./dump-port.ts";
import type { Measured } from "./profile-sample.ts";
import type { SunSpecQuirks } from "./quirks.ts";

/** One point as the dump shows it. */
export interface TriedPoint {
  readonly name: string;
  readonly space: string;
  /** 0-based. */
  readonly address: number;
  readonly value?: number | string;
  /** What the value is called. */
  readonly label?: string;
  readonly unit?: string;
  readonly uncertain?: string;
}

/** What a profile makes of a dump. */
export interface Trial {
  readonly profile: string;
  readonly kind: string;
  /** Why the device in the dump is not the profile's; absent where it is. */
  readonly fault?: string;
  readonly identity: DeviceIdentity;
  readonly points: readonly TriedPoint[];
  readonly readings: Measured;
  readonly control?: string;
  readonly failsafe?: FailsafeClass;
  readonly minPowerKW?: number;
  readonly maxPowerKW?: number;
  readonly powers: readonly TriedPower<RecordedWrite>[];
  readonly quirks?: SunSpecQuirks;
  readonly sunSpecModels?: readonly number[];
}

export interface TrialOptions extends DeviceOptions {
  /** kW, export positive; sample powers of the device's own range unless given. */
  readonly powers?: readonly number[];
}

/** Time that a trial arms a reversion timer for, s. */
export const TRIAL_S = 60;
