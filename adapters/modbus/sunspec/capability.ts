import { DeviceError } from "../../../src/model/adapter.ts";
import type { Capability, Era, ResourceKind } from "../../../src/model/resource.ts";
import type { Failsafe } from "./failsafe.ts";
import type { Facts } from "./sunspec-device.ts";

/** Range of a device's power, kW, export positive; absent if it does not state its rating. */
export function rangeOf(kind: ResourceKind, facts: Facts): { minPowerKW: number; maxPowerKW: number } | undefined {
  if (facts.control !== undefined) return facts.control.control.range(facts.ratings);
  // A load that is only measured states no rating; the config does.
  if (kind === "load") return meteredRange(facts);
  const { derMaxKW, legacyMaxKW, maxChargeKW, maxDischargeKW } = facts.ratings;
  const ratingKW = derMaxKW ?? legacyMaxKW;
  if (kind === "battery") {
    const chargeKW = maxChargeKW ?? ratingKW;
    const dischargeKW = maxDischargeKW ?? ratingKW;
    if (chargeKW === undefined || dischargeKW === undefined) return undefined;
    return { minPowerKW: 0 - chargeKW, maxPowerKW: dischargeKW };
  }
  return ratingKW === undefined ? undefined : { minPowerKW: 0, maxPowerKW: ratingKW };
}

function meteredRange({ ratings }: Facts): { minPowerKW: number; maxPowerKW: number } | undefined {
  const ratingKW = ratings.legacyMaxKW ?? ratings.derMaxKW;
  return ratingKW === undefined ? undefined : { minPowerKW: 0 - ratingKW, maxPowerKW: 0 };
}

/**
 * What the device can do.
 * @throws DeviceError `protocol` if neither the device nor the config states a rating
 */
export function capabilityOf(
  era: Era,
  kind: ResourceKind,
  facts: Facts,
  safety: Failsafe,
  times: { settleMs: number; sampleMs: number },
): Capability {
  const range = rangeOf(kind, facts);
  if (range === undefined) {
    throw new DeviceError(
      "protocol",
      era,
      "states no rating, as sleeping inverters and meters do; wait for it, or set ratingKW",
    );
  }
  const { capacityKWh, rampKWPerMin, reserveSocPercent, reactiveRating, reactiveSetting } = facts.ratings;
  return {
    ...range,
    control: kind === "battery" ? "setpoint" : "limit",
    ...safety,
    ...times,
    // A device that moves slowly by itself shows a command later.
    settleMs: times.settleMs + facts.rampS * 1000,
    ...(facts.control === undefined || rampKWPerMin === undefined ? {} : { rampRateKWPerMin: rampKWPerMin }),
    ...(kind === "battery" && capacityKWh !== undefined ? { capacityKWh } : {}),
    ...(kind === "battery" && reserveSocPercent !== undefined ? { reserveSocPercent } : {}),
    ...(reactiveRating && { reactiveRating }),
    ...(reactiveSetting && { reactiveSetting }),
    identity: facts.identity,
  };
}
