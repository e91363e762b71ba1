import type { Availability } from "../../src/model/reading.ts";
import type { Capability, Era, ResourceKind } from "../../src/model/resource.ts";
import type { Measured } from "./profile/measured.ts";

const FULL_PERCENT = 99.5;
const EMPTY_PERCENT = 5;

/** What a device could do now, apart from what it is told; undefined where it does not tell. */
export function availabilityOf(
  era: Era,
  kind: ResourceKind,
  { minPowerKW, maxPowerKW }: Pick<Capability, "minPowerKW" | "maxPowerKW">,
  values: Measured,
  present: boolean | undefined,
): Availability | undefined {
  if (present === false) return { era, minPowerKW: 0, maxPowerKW: 0, reason: "no car" };
  if (present === true) return { era, minPowerKW, maxPowerKW, reason: "car connected" };
  const { socPercent, offeredKW } = values;
  if (kind === "solar" && offeredKW !== undefined)
    return { era, minPowerKW, maxPowerKW: Math.min(offeredKW, maxPowerKW), reason: `sun ${offeredKW.toFixed(1)} kW` };
  if (kind !== "battery" || socPercent === undefined) return undefined;
  const charge = `charge ${Math.floor(socPercent)} %`;
  if (socPercent >= FULL_PERCENT) return { era, minPowerKW: 0, maxPowerKW, reason: `${charge}, full` };
  if (socPercent <= EMPTY_PERCENT) return { era, minPowerKW, maxPowerKW: 0, reason: `${charge}, empty` };
  return { era, minPowerKW, maxPowerKW, reason: charge };
}

/** True where it differs enough to be told. */
export function isNews(before: Availability | undefined, now: Availability, bandKW: number): boolean {
  if (before === undefined) return true;
  const stepKW = Math.max(0.01 * bandKW, 0.01);
  return (
    Math.abs(before.maxPowerKW - now.maxPowerKW) >= stepKW || Math.abs(before.minPowerKW - now.minPowerKW) >= stepKW
  );
}
