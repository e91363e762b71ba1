import { type Profile, profileFields } from "../control/charging-profile.ts";
import type { JsonRecord } from "../link/json.ts";

/** A charging profile as 1.6 writes it, in SetChargingProfile and in RemoteStartTransaction. */
export function profile16(profile: Profile): JsonRecord {
  // A line cannot be chosen in this version.
  const { phaseToUse: _, ...known } = profile;
  const { head, schedule } = profileFields(known, "ChargePointMaxProfile");
  return { chargingProfileId: profile.id, ...head, chargingSchedule: schedule };
}
