import type { Capability } from "../../../src/model/resource.ts";
import { kWFromAmps } from "../../../src/model/units.ts";
import type { OcppDevice } from "../config.ts";
import type { CarNeeds, CarPower } from "../sessions/car-needs.ts";
import { powerFromImportKW, ratingOf } from "./import-limit.ts";
import type { SetpointBounds } from "./v2g-setpoint.ts";

type CarPart = Pick<
  Capability,
  "minPowerKW" | "maxPowerKW" | "minRunKW" | "control" | "capacityKWh" | "consumesOnlyBecause"
>;

/**
 * What connector and car can do together.
 * @param leastKW least power at which the connector runs, kW
 * @param obstacle why the car cannot give anything back now, for a person; absent if it can
 */
export function carCapability(
  device: OcppDevice,
  leastKW: number,
  needs: CarNeeds | undefined,
  obstacle: string | undefined,
): CarPart {
  const capacityKWh = needs?.capacityKWh ?? (needs === undefined ? undefined : device.v2g?.capacityKWh);
  const bySetpoint = obstacle === undefined && needs !== undefined;
  const minRunKW = bySetpoint
    ? Math.max(leastChargeKW(leastKW, device, needs), needs.discharge.minKW ?? 0)
    : leastOfLimitKW(leastKW, device, needs);
  const shared = {
    minPowerKW: powerFromImportKW(mostChargeKW(device, needs)),
    ...(minRunKW > 0 ? { minRunKW } : {}),
    ...(capacityKWh === undefined ? {} : { capacityKWh }),
  };
  if (obstacle !== undefined) return { ...shared, maxPowerKW: 0, control: "limit", consumesOnlyBecause: obstacle };
  return { ...shared, maxPowerKW: mostDischargeKW(device, needs), control: "setpoint" };
}

/** The same in the terms of a setpoint. */
export function setpointBounds(device: OcppDevice, needs: CarNeeds): SetpointBounds {
  const limitW = wholeWatts(mostChargeKW(device, needs));
  const dischargeLimitW = -wholeWatts(mostDischargeKW(device, needs));
  const lines = lineBounds(device, needs);
  return {
    limitW: lines === undefined ? limitW : Math.min(limitW, sum(lines.limitW)),
    dischargeLimitW: lines === undefined ? dischargeLimitW : Math.max(dischargeLimitW, sum(lines.dischargeLimitW)),
    minChargeW: leastChargeKW(ratingOf(device).minKW, device, needs) * 1000,
    minDischargeW: (needs.discharge.minKW ?? 0) * 1000,
    belowMin: device.belowMin,
    ...(lines === undefined ? {} : { lines }),
  };
}

/** What the connector carries and what the car takes, on the lines that the connector is wired to. */
function mostChargeKW(device: OcppDevice, needs: CarNeeds | undefined): number {
  const carA = needs?.supply === "AC" ? needs.maxA : undefined;
  const carKW = carA === undefined ? Number.POSITIVE_INFINITY : kWFromAmps(carA, device);
  return Math.min(ratingOf(device).maxKW, carKW, needs?.charge.maxKW ?? Number.POSITIVE_INFINITY);
}

function mostDischargeKW(device: OcppDevice, needs: CarNeeds | undefined): number {
  return Math.min(device.v2g?.maxDischargeKW ?? 0, needs?.discharge.maxKW ?? 0);
}

/** A car that follows setpoints and says its least power is not bound to the 6 A of IEC 61851. */
function leastChargeKW(leastKW: number, device: OcppDevice, needs: CarNeeds): number {
  return needs.charge.minKW ?? leastOfLimitKW(leastKW, device, needs);
}

function leastOfLimitKW(leastKW: number, device: OcppDevice, needs: CarNeeds | undefined): number {
  return needs?.supply === "DC" ? 0 : Math.max(leastKW, kWFromAmps(needs?.minA ?? 0, device));
}

/** Where all lines can do the same the charger divides by itself (V2X.08: and must, where the car names no lines). */
function lineBounds(device: OcppDevice, needs: CarNeeds): SetpointBounds["lines"] {
  const charge = unequal(needs.charge);
  const discharge = unequal(needs.discharge);
  if (charge === undefined && discharge === undefined) return undefined;
  const ofLine = kWFromAmps(device.maxA, { phases: 1, voltageV: device.voltageV });
  const whole = (power: CarPower) => (index: 0 | 1 | 2) =>
    index >= device.phases
      ? 0
      : wholeWatts(Math.min(ofLine, power.maxOnLinesKW?.[index] ?? (power.maxKW ?? 0) / device.phases));
  const limit = whole(needs.charge);
  const back = whole(needs.discharge);
  return {
    limitW: [limit(0), limit(1), limit(2)],
    dischargeLimitW: [-back(0), -back(1), -back(2)],
  };
}

function unequal({ maxOnLinesKW }: CarPower): readonly [number, number, number] | undefined {
  if (maxOnLinesKW === undefined) return undefined;
  return maxOnLinesKW.every((kW) => kW === maxOnLinesKW[0]) ? undefined : maxOnLinesKW;
}

function wholeWatts(powerKW: number): number {
  return Math.floor(powerKW * 1000 + 1e-6);
}

function sum([l1, l2, l3]: readonly [number, number, number]): number {
  return l1 + l2 + l3;
}
