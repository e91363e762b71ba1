/**
 * Energy Resource Address: the name under which the market knows a resource (a charger's connector, an inverter,
 * a battery, a meter, a group of them, a grid node). Opaque to the core; compared letter by letter.
 */
export type Era = string;

/** Letters that may stand in an ERA: what the seed, OCPI ids (`IN*ECO*BTM*01`) and OCPP identities need, and no more. */
export const ERA_PATTERN = /^[A-Za-z0-9][A-Za-z0-9*_.:@/-]{0,127}$/;

/** The kind of thing behind an ERA; decides the bid curve that it gets by default. */
export type ResourceKind = "charger" | "battery" | "solar" | "load" | "group";

/**
 * How a device behaves when the gateway dies.
 * - `device`: each command carries its own end, which the device keeps by itself
 * - `vendor`: the device has a fallback that was set up outside the protocol
 * - `gateway-only`: only a running gateway ends the command
 * - `none`: nothing ends it
 */
export type FailsafeClass = "device" | "vendor" | "gateway-only" | "none";

/** What a device can do, as it said itself where it can, else as configured. Power in kW, export positive. */
export interface Capability {
  /** Most negative power, ≤ 0: full charging or full load. */
  readonly minPowerKW: number;
  /** Most positive power, ≥ 0: full generation or discharge. */
  readonly maxPowerKW: number;
  /** Why it cannot generate, for a person, where its kind alone does not say so: "OCPP 2.0.1 cannot discharge". */
  readonly consumesOnlyBecause?: string;
  /**
   * Least magnitude at which the device can run, > 0; between it and 0 there is nothing (a car needs 6 A).
   * Absent where every power down to 0 is possible.
   */
  readonly minRunKW?: number;
  /**
   * `setpoint`: the device holds the power it is told (battery). `limit`: it is only kept from exceeding it, and may do
   * less because the car is full or the sun is down (charger, solar inverter).
   */
  readonly control: "setpoint" | "limit";
  readonly failsafe: FailsafeClass;
  /** How that is known, for a person: "reversion timer WSetRvrtTms: seen counting down". */
  readonly failsafeReason?: string;
  /** Elapsed ms from the device's acceptance until the meter is expected to show the new power. */
  readonly settleMs: number;
  /** Elapsed ms between two readings when all is well. */
  readonly sampleMs: number;
  readonly rampRateKWPerMin?: number;
  /** Usable energy of a battery or car, kWh, where known. */
  readonly capacityKWh?: number;
  /** State of charge below which the device itself does not discharge, percent, where it says so. */
  readonly reserveSocPercent?: number;
  /** What it is built for beside active power, where it says so. */
  readonly reactiveRating?: ReactiveBounds;
  /** What it is set to of that. */
  readonly reactiveSetting?: ReactiveBounds;
  readonly identity?: DeviceIdentity;
}

/** Bounds on what a device can do beside active power. Each only if the device states it. */
export interface ReactiveBounds {
  readonly apparentKVA?: number;
  /** Most that it can give out, over-excited, and take in, under-excited; kvar magnitudes. */
  readonly injectKvar?: number;
  readonly absorbKvar?: number;
  /** Least power factor, 0 to 1, over-excited and under-excited. */
  readonly leastOverExcitedPF?: number;
  readonly leastUnderExcitedPF?: number;
}

/** A device can't do less than this, so a rounding error is no wrong sign. */
const NOTHING_KW = 1e-6;

/** Why a resource can't hold a power whatever its amount, for a person: it does not have that direction. */
export function directionFault(
  powerKW: number,
  era: Era,
  band: Pick<Capability, "minPowerKW" | "maxPowerKW" | "consumesOnlyBecause">,
): string | undefined {
  if (powerKW > NOTHING_KW && band.maxPowerKW <= 0) {
    const why = band.consumesOnlyBecause === undefined ? "" : `: ${band.consumesOnlyBecause}`;
    return `${powerKW} kW is generation (positive), and ${era} can only consume${why}`;
  }
  if (powerKW < -NOTHING_KW && band.minPowerKW >= 0) {
    return `${powerKW} kW is consumption (negative), and ${era} can only generate`;
  }
  return undefined;
}

/** What the device says it is. Each part only if the device sent it. */
export interface DeviceIdentity {
  readonly vendor?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly serial?: string;
}
