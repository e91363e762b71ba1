import type { Availability } from "../../src/model/reading.ts";
import type { Capability, Era, ResourceKind } from "../../src/model/resource.ts";
import type { ControlMode, PowerBases } from "./controls/control-power.ts";
import type { DerAvailability, DerRating } from "./der-record.ts";
import type { CsipausVersion } from "./xml/csipaus.ts";

/** What the config says of a device's size and control; each goes before what the device says, except as noted. */
export interface ConfiguredRating {
  readonly ratingKW?: number | undefined;
  readonly maxChargeKW?: number | undefined;
  readonly control: "auto" | ControlMode;
  /** `none`: whatever the device says, it is ordered in the standard's own controls. */
  readonly csipaus?: "none" | CsipausVersion;
}

/** What is known of a device that has said nothing. */
export const NOTHING_SAID: DerRating = { isStorage: false, modes: new Set() };

/**
 * What percentages are of. Here the device's own word goes before the config, because it is the device that turns the
 * percentage back into watts.
 */
export function basesFrom(kind: ResourceKind, config: ConfiguredRating, rating: DerRating): PowerBases {
  const ratedKW = generationKW(rating) ?? config.ratingKW ?? 0;
  return {
    generationKW: ratedKW,
    ...(rating.maxKW === undefined ? {} : { maxKW: rating.maxKW }),
    chargeKW: rating.maxChargeKW ?? config.maxChargeKW ?? (generates(kind) ? 0 : ratedKW),
  };
}

/** A charger or a load only takes power in, so its one rating is that of its consumption. */
function generates(kind: ResourceKind): boolean {
  return kind !== "charger" && kind !== "load";
}

/**
 * The schema lets a positive opModFixedW be of setMaxW "or" setMaxDischargeRateW. A device that is storage alone means
 * its discharge rate; any other its whole power.
 */
function generationKW(rating: DerRating): number | undefined {
  return rating.isStorage ? (rating.maxDischargeKW ?? rating.maxKW) : rating.maxKW;
}

/**
 * The mode to order in: watts where the device takes them, since they need no agreement about a base; else percent; bounds
 * where it knows nothing better. Bounds of the whole connection are not this device's power, so only the config chooses
 * them. A device that has not said what it knows gets percent.
 */
export function modeFrom(kind: ResourceKind, config: ConfiguredRating, { isStorage, modes }: DerRating): ControlMode {
  if (config.control !== "auto") return config.control;
  if (modes.has("opModTargetW")) return "opModTargetW";
  if (modes.has("opModFixedW")) return "opModFixedW";
  if (config.csipaus !== "none") {
    if (modes.has("opModStorageTargetW") && (isStorage || kind === "battery")) return "opModStorageTargetW";
    if (modes.has(generates(kind) ? "opModGenLimW" : "opModLoadLimW")) return "opModGenLimW+opModLoadLimW";
  }
  if (modes.has("opModMaxLimW") && kind === "solar") return "opModMaxLimW";
  return "opModFixedW";
}

/** False for a mode that only bounds: within it a battery does what it likes. */
function holds(mode: ControlMode): boolean {
  return mode === "opModFixedW" || mode === "opModTargetW" || mode === "opModStorageTargetW";
}

/** The device's range in the core's terms, or nothing while its rated power is not known. */
export function capabilityFrom(
  kind: ResourceKind,
  config: ConfiguredRating,
  rating: DerRating,
  timing: { readonly settleMs: number; readonly sampleMs: number },
): Capability | undefined {
  const ratedKW = config.ratingKW ?? generationKW(rating);
  if (ratedKW === undefined) return undefined;
  const chargeKW = config.maxChargeKW ?? rating.maxChargeKW ?? (generates(kind) ? 0 : ratedKW);
  return {
    minPowerKW: kind !== "solar" && chargeKW > 0 ? -chargeKW : 0,
    maxPowerKW: generates(kind) ? ratedKW : 0,
    control: (kind === "battery" || kind === "group") && holds(modeFrom(kind, config, rating)) ? "setpoint" : "limit",
    // Each DERControl carries its duration, and a conforming device ends it without us.
    failsafe: "device",
    ...timing,
    ...(rating.rampPerSecond === undefined ? {} : { rampRateKWPerMin: rating.rampPerSecond * 60 * ratedKW }),
    ...(rating.capacityKWh === undefined ? {} : { capacityKWh: rating.capacityKWh }),
  };
}

/** What the device could do now, never wider than its capability. */
export function availabilityFrom(era: Era, capability: Capability, now: DerAvailability): Availability {
  const generationKW = now.canGenerate ? Math.min(now.availableKW ?? capability.maxPowerKW, capability.maxPowerKW) : 0;
  return {
    era,
    minPowerKW: now.canCharge ? capability.minPowerKW : 0,
    maxPowerKW: generationKW,
    reason:
      now.availableKW === undefined || !now.canGenerate
        ? `can ${now.canCharge ? "" : "not "}charge, can ${now.canGenerate ? "" : "not "}give power`
        : `${now.availableKW} kW available`,
  };
}
