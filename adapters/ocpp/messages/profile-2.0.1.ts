import { type Profile, profileFields } from "../control/charging-profile.ts";
import type { JsonRecord } from "../link/json.ts";

/** A charging profile as 2.0.1 writes it, in SetChargingProfile and in RequestStartTransaction. */
export function profile201(profile: Profile): JsonRecord {
  const { head, schedule } = profileFields(profile, "ChargingStationMaxProfile");
  return { id: profile.id, ...head, chargingSchedule: [{ id: profile.id, ...schedule }] };
}
