import type { DeviceIdentity } from "../../../src/model/resource.ts";
import { matches, merged } from "../../quirk-match.ts";
import { type Profile, profileSchema } from "./profile-schema.ts";

/** A profile as it is for one device, with the patches of the quirks that match it. The same object where none does. */
export function profileFor(profile: Profile, identity: DeviceIdentity): Profile {
  const patches = profile.quirks.filter(({ match }) => matches(match, identity));
  if (patches.length === 0) return profile;
  return profileSchema().parse(patches.reduce<unknown>((whole, { patch }) => merged(whole, patch), profile));
}
