import { type Profile, profileFields } from "../control/charging-profile.ts";
import type { JsonRecord } from "../link/json.ts";

/** A charging profile as 1.6 writes it, in SetChargingProfile and in RemoteStartTransaction. */
export function profile16(profile: Profile): JsonRecord {
  const { head, schedule } = profileFields(profile);
  return { chargingProfileId: profile.id, ...head, chargingSchedule: schedule };
}
