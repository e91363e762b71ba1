import { placePoints } from "../adapters/modbus/profile/point.ts";
import { planReads } from "../adapters/modbus/profile/read-plan.ts";
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
