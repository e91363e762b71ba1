import { ConfigError } from "../../../src/config/load.ts";
import type { ResourceKind } from "../../../src/model/resource.ts";
import { loadProfile } from "./load-profile.ts";
import { profileFileOf } from "./profile-files.ts";
import type { Profile } from "./profile-schema.ts";

/** The keys of a device's config that select a profile. */
interface Selection {
  readonly profile?: string | undefined;
  readonly profileFile?: string | undefined;
}

/** What the config calls the kinds of profiles. */
export const KIND_OF: Readonly<Record<Profile["kind"], Exclude<ResourceKind, "group">>> = {
  inverter: "solar",
  battery: "battery",
  charger: "charger",
  meter: "load",
};

/** The profile that a device's config selects; undefined where it selects none. @throws ConfigError */
export function profileOf({ profile, profileFile }: Selection): Profile | undefined {
  const file = profileFile ?? (profile === undefined ? undefined : profileFileOf(profile));
  if (file === undefined && profile !== undefined) {
    throw new ConfigError([{ file: profile, path: "profile", fault: "there is no such profile" }]);
  }
  return file === undefined ? undefined : loadProfile(file);
}

/** What is wrong with the profile that a device's config selects; undefined where it fits. */
export function profileFault(device: Selection, kind: ResourceKind): string | undefined {
  if (device.profile !== undefined && device.profileFile !== undefined) {
    return "has both `profile` and `profileFile`; a device has one profile";
  }
  try {
    const profile = profileOf(device);
    if (profile === undefined || KIND_OF[profile.kind] === kind) return undefined;
    return `profile ${profile.id} is for a ${profile.kind} (kind: ${KIND_OF[profile.kind]}), and this device is a ${kind}`;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `its profile can't be used:\n${error.message}`;
  }
}
