import type { FailsafeClass } from "../../../src/model/resource.ts";

/** What the common model (1) says of a device. */
export interface SunSpecIdentity {
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly serial?: string | undefined;
}

/** Where a device departs from what SunSpec says. Each is absent where it does as it should. */
export interface SunSpecQuirks {
  /** Least limit in percent of WMax; below it the device drops off or locks up. */
  readonly minPercent?: number;
  /**
   * How a new value comes into force. `write_enable`: by writing the enabling point anew, after the value. `toggle`: by
   * disabling and enabling. `none`, the default: at once.
   */
  readonly rearm?: "none" | "write_enable" | "toggle";
  /** The one Modbus function that it takes for writing; unless given, 16, and 6 where it refuses that. */
  readonly writeFunction?: 6 | 16;
  /** False: the control registers do not tell what is in force. */
  readonly readback?: boolean;
  /** What ends a command if we are gone, where the registers of the reversion timer do not tell the truth about it. */
  readonly failsafe?: FailsafeClass;
  /** Whether the control registers may be written all day. */
  readonly cyclic?: "ok" | "no" | "unknown";
  /** The model that carries commands. */
  readonly control?: "704" | "123" | "124" | "none";
}

/** Finds the quirks of a device by what it says of itself. */
export type QuirksOf = (identity: SunSpecIdentity) => SunSpecQuirks;

interface KnownMaker {
  readonly name: RegExp;
  readonly quirks: SunSpecQuirks;
}

const KNOWN: readonly KnownMaker[] = [
  // Shows 0 % and "enabled" in model 123 whatever it does: register dump of a Sunny Boy 3.6 (github.com/nielsbasjes/
  // sunspec-device).
  { name: /^SMA\b/i, quirks: { readback: false } },
  // A new limit counts when the enabling point is written (github.com/callifo/fronius_modbus, pull request 58); below 1 %
  // it goes to standby (github.com/victronenergy/venus, issue 641).
  { name: /^Fronius\b/i, quirks: { minPercent: 1, rearm: "write_enable" } },
  // Takes WMaxLimPct with function 6 only (github.com/evcc-io/evcc, template kostal-plenticore-gen2).
  { name: /\bKOSTAL\b/i, quirks: { writeFunction: 6 } },
];

/** Quirks that are known without a profile. */
export const knownQuirks: QuirksOf = ({ manufacturer }) =>
  KNOWN.find(({ name }) => name.test(manufacturer ?? ""))?.quirks ?? {};
