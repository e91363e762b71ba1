import type { Objective } from "../../../src/model/objective.ts";
import type { CarNeeds } from "./car-needs.ts";

/**
 * What a car wants by its departure. Nothing without a departure: then nobody knows by when, and nothing where it said
 * no energy. What the car asks for is needed at any price; it knows nothing of prices.
 */
export function carObjective(needs: CarNeeds | undefined): Objective | undefined {
  if (needs?.targetKWh === undefined || needs.departureMs === undefined) return undefined;
  const { targetKWh, fullKWh, departureMs } = needs;
  return {
    targetChargeKWh: targetKWh,
    deadlineMs: departureMs,
    ...(fullKWh === undefined || fullKWh <= 0 ? {} : { maxChargeKWh: Math.max(fullKWh, targetKWh) }),
  };
}
