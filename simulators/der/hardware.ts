import { Battery } from "../world/battery.ts";
import type { SolarPanel } from "../world/solar-panel.ts";
import type { ControlMode, ControlModes } from "./control-modes.ts";
import { exportLimitKW, importLimitKW, orderedKW, type Ratings } from "./power-signs.ts";

/** The simulated machine as the protocol part sees it. */
export interface Hardware {
  readonly kind: "solar" | "battery";
  readonly ratings: Ratings;
  /** What it can do unless told otherwise. */
  readonly modes: readonly ControlMode[];
  /** Follows a control; `undefined` is its own default: all the sun gives, or an idle battery. */
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
  return source instanceof Battery ? batteryHardware(source, ratingKW) : solarHardware(source, ratingKW);
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
