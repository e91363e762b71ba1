import { placePoints } from "../adapters/modbus/profile/point.ts";
import { planReads } from "../adapters/modbus/profile/read-plan.ts";
import { BATTERY_READING, INVERTER_READING } from "../adapters/modbus/sunspec/measurement.ts";
import { sizeOf } from "../adapters/modbus/sunspec/model-block.ts";
import type { ModelTable } from "../adapters/modbus/sunspec/model-table.ts";
import { METER_READING } from "../adapters/modbus/sunspec/power-meter.ts";
import { registerProfiles } from "../adapters/modbus/tools/matching-profiles.ts";
import type { PlannedProfile } from "./modbus-coalescing.ts";

/** What the profiles that come with the program read again and again, each poll group by itself as it is read. */
export function plannedProfiles(): readonly PlannedProfile[] {
  return registerProfiles().flatMap((profile) => {
    const polled = [...placePoints(profile, 1).values()].filter(({ access }) => access !== "write");
    const spaces = new Set(polled.map(({ space }) => space));
    return (["fast", "slow"] as const).flatMap((group) =>
      [...spaces].flatMap((space) => {
        const points = polled.filter((point) => point.poll === group && point.space === space);
        if (points.length === 0) return [];
        const blocks = planReads(points, profile.limits).map(({ address, count }) => ({ address, count }));
        return [
          {
            id: `${profile.id} ${group} ${space}`,
            points: points.map(({ address, width }) => ({ address, count: width })),
            blocks,
          },
        ];
      }),
    );
  });
}

/**
 * What a reading of SunSpec devices takes: an inverter, a battery, a meter. A point whose scale factor is another register counts
 * with it, since both are read each time; a block is a model from its ID to the last point that is used.
 */
export function plannedSunSpec(): readonly PlannedProfile[] {
  const readings = { inverter: INVERTER_READING, battery: BATTERY_READING, meter: METER_READING };
  return Object.entries<readonly ModelTable[]>(readings).flatMap(([id, tables]) =>
    tables.map((table) => {
      const points = Object.values(table.points).map((point) => ({ address: point.offset, count: sizeOf(point) }));
      const count = Math.max(...points.map((point) => point.address + point.count));
      return { id: `SunSpec ${id} ${table.ids.join("-")}`, points, blocks: [{ address: 0, count }] };
    }),
  );
}
