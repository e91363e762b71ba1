import { Battery } from "../world/battery.ts";
import { ElectricCar } from "../world/electric-car.ts";
import type { SolarPanel } from "../world/solar-panel.ts";
import type { ControlMode, ControlModes } from "./control-modes.ts";
import type { DerKind } from "./kind.ts";
import { exportLimitKW, importLimitKW, orderedKW, type Ratings } from "./power-signs.ts";

/** The simulated machine as the protocol part sees it. */
export interface Hardware {
  readonly kind: DerKind;
  readonly ratings: Ratings;
  /** What it can do unless told otherwise. */
  readonly modes: readonly ControlMode[];
  /** Follows a control; `undefined` is its own default: all the sun gives, an idle battery, a car that charges. */
  obey(modes: ControlModes | undefined): void;
  /** Why it cannot follow a control at all, or nothing. */
  objection(modes: ControlModes): string | undefined;
  /** kW, export positive. */
  powerKW(): number;
  /** kW that it could give out now. */
  availableKW(): number;
  /** Registers, kWh. */
  meter(): { importKWh: number; exportKWh: number };
  /** Absent where it stores nothing. */
  storage(): { socPercent: number; capacityKWh: number } | undefined;
}

export function hardwareFrom(source: SolarPanel | Battery, ratingKW: number): Hardware {
  if (source instanceof ElectricCar) return evseHardware(source, ratingKW);
  return source instanceof Battery ? batteryHardware(source, ratingKW) : solarHardware(source, ratingKW);
}

/** A charging point with a car that cannot give back. It does not see into the car, so it stores nothing. */
function evseHardware(car: ElectricCar, ratingKW: number): Hardware {
  const ratings = { maxKW: ratingKW, maxChargeKW: ratingKW };
  return {
    kind: "evse",
    ratings,
    modes: ["opModFixedW", "opModTargetW", "opModLoadLimW", "opModImpLimW"],
    obey: (modes = {}) => {
      const bounds = [orderedKW(modes, ratings), importLimitKW(modes)].filter((bound) => bound !== undefined);
      car.command(-Math.min(ratingKW, ...bounds.map(Math.abs)));
    },
    objection: ({ fixedW = 0, targetW = 0 }) =>
      fixedW > 0 || targetW > 0 ? "a charging point cannot give power out" : undefined,
    powerKW: () => car.powerKW(),
    availableKW: () => 0,
    meter: () => car.meter,
    storage: () => undefined,
  };
}

function batteryHardware(battery: Battery, ratingKW: number): Hardware {
  const { maxChargeKW, maxDischargeKW, capacityKWh } = battery.options;
  const ratings = {
    maxKW: ratingKW,
    maxChargeKW: Math.min(maxChargeKW, ratingKW),
    maxDischargeKW: Math.min(maxDischargeKW, ratingKW),
  };
  return {
    kind: "battery",
    ratings,
    modes: ["opModFixedW", "opModMaxLimW", "opModTargetW"],
    obey: (modes = {}) => {
      const wantedKW = orderedKW(modes, ratings) ?? 0;
      const ceilingKW = Math.min(exportLimitKW(modes, ratings) ?? Number.POSITIVE_INFINITY, ratings.maxDischargeKW);
      const floorKW = -Math.min(importLimitKW(modes) ?? Number.POSITIVE_INFINITY, ratings.maxChargeKW);
      battery.command(Math.max(Math.min(wantedKW, ceilingKW), floorKW));
    },
    objection: () => undefined,
    powerKW: () => battery.powerKW(),
    availableKW: () => Math.min(battery.maxDischargeNowKW(), ratings.maxDischargeKW),
    meter: () => battery.meter,
    storage: () => ({ socPercent: battery.socPercent, capacityKWh }),
  };
}

function solarHardware(panel: SolarPanel, ratingKW: number): Hardware {
  const ratings = { maxKW: ratingKW, maxChargeKW: 0 };
  return {
    kind: "solar",
    ratings,
    modes: ["opModFixedW", "opModMaxLimW"],
    obey: (modes = {}) => {
      const bounds = [orderedKW(modes, ratings), exportLimitKW(modes, ratings)].filter((bound) => bound !== undefined);
      panel.limit(bounds.length === 0 ? undefined : Math.max(Math.min(...bounds), 0));
    },
    objection: ({ fixedW = 0, targetW = 0 }) =>
      fixedW < 0 || targetW < 0 ? "a solar inverter cannot take power in" : undefined,
    powerKW: () => panel.powerKW(),
    availableKW: () => panel.availableKW(),
    meter: () => panel.meter,
    storage: () => undefined,
  };
}
