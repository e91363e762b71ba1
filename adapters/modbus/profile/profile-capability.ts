import { definedOnly } from "../../../src/model/defined-only.ts";
import type { Capability, ResourceKind } from "../../../src/model/resource.ts";
import { bandOf } from "./control-range.ts";
import type { ProfileFacts } from "./profile-device.ts";

/** What the config says of a device's times and size. */
export interface ProfileTimes {
  /** Seconds from a command until the meter shows it, where the config says it; else the profile's. */
  readonly settleS?: number | undefined;
  /** Elapsed ms between two readings. */
  readonly pollMs: number;
  readonly ratingKW?: number | undefined;
}

const SETTLE_S = 6;

/** What a device can do by its profile. A device without a control goes as far as the config says, or stands still. */
export function capabilityFrom(kind: ResourceKind, facts: ProfileFacts, times: ProfileTimes): Capability {
  const { control, identity, capacityKWh } = facts;
  const settleS = times.settleS ?? control?.spec.verify.effect?.settleS ?? SETTLE_S;
  const common = {
    settleMs: settleS * 1000,
    sampleMs: times.pollMs,
    identity,
    ...definedOnly({ capacityKWh, rampRateKWPerMin: control?.spec.ramp?.rateKWPerMin }),
  };
  if (control === undefined) {
    const ratingKW = times.ratingKW ?? 0;
    const minPowerKW = kind === "solar" ? 0 : 0 - ratingKW;
    const maxPowerKW = kind === "charger" ? 0 : ratingKW;
    return { minPowerKW, maxPowerKW, control: "limit", failsafe: "none", ...common };
  }
  return {
    ...bandOf(control.range),
    control: control.spec.kind,
    failsafe: control.failsafe,
    ...definedOnly({ failsafeReason: control.spec.failsafeNote }),
    ...common,
  };
}
