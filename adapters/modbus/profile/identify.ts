import { definedOnly } from "../../../src/model/defined-only.ts";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import { like } from "../../quirk-match.ts";
import type { Lookup } from "./point.ts";
import type { Profile } from "./profile-schema.ts";

type Text = Profile["identity"]["vendor"];

/** Names of the points that say who the device is. */
export function identityPoints({ identity }: Profile): readonly string[] {
  return Object.values(identity).flatMap((text) => (typeof text === "object" ? [text.point] : []));
}

/** Who the device says it is, or the profile where it says so for all of them. */
export function identityFrom({ identity }: Profile, look: Lookup): DeviceIdentity {
  const read = (text: Text) => {
    const value = typeof text === "object" ? look(text.point) : text;
    return value === undefined ? undefined : String(value);
  };
  return definedOnly({
    vendor: read(identity.vendor),
    model: read(identity.model),
    firmware: read(identity.firmware),
    serial: read(identity.serial),
  });
}

/** Why this is not the device of the profile, for a person; undefined where all checks hold. */
export function unlike(profile: Profile, look: Lookup): string | undefined {
  for (const check of profile.identify) {
    const value = look(check.point);
    const place = `${check.point} (register ${profile.points[check.point]?.register})`;
    if (value === undefined) return `${place} is not there`;
    const wanted = wantedOf(check, value);
    if (wanted !== undefined) return `${place} reads ${value}, expected ${wanted}`;
  }
  return undefined;
}

/** What a check wants instead of a value; undefined where the value fits. */
function wantedOf(check: Profile["identify"][number], value: number | string): string | undefined {
  const { equals, oneOf, like: pattern, min, max } = check;
  if (equals !== undefined && String(equals) !== String(value)) return String(equals);
  if (oneOf !== undefined && !oneOf.some((one) => String(one) === String(value))) return `one of ${oneOf.join(", ")}`;
  if (pattern !== undefined && !like(pattern, String(value))) return pattern;
  if (min !== undefined && !(Number(value) >= min)) return `at least ${min}`;
  if (max !== undefined && !(Number(value) <= max)) return `at most ${max}`;
  return undefined;
}
