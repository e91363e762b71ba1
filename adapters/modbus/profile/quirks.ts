import { definedOnly } from "../../../src/model/defined-only.ts";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import { matches, merged } from "../../quirk-match.ts";
import { type Profile, profileSchema, type SunSpecQuirkPart } from "./profile-schema.ts";

/** A profile as it is for one device, with the patches of the quirks that match it. The same object where none does. */
export function profileFor(profile: Profile, identity: DeviceIdentity): Profile {
  const patches = profile.quirks.filter((quirk) => quirk.patch !== undefined && matches(quirk.match, identity));
  if (patches.length === 0) return profile;
  const patched = patches.reduce<unknown>((whole, { patch }) => merged(whole, patch), profile);
  return profileSchema.parse(patched);
}

/** What the common model (1) of a SunSpec device says of it. */
export interface SunSpecIdentity {
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
}

/** Where a SunSpec device departs from what SunSpec says; each is absent where it does as it should. */
export type SunSpecQuirks = { readonly [K in keyof SunSpecQuirkPart]?: NonNullable<SunSpecQuirkPart[K]> };

/** The quirks of a SunSpec device by what it says of itself; where several match, the later one counts. */
export function sunSpecQuirksOf(profile: Profile): (identity: SunSpecIdentity) => SunSpecQuirks {
  const { control, minPercent } = profile.sunspec ?? {};
  const base = { control: control === "auto" ? undefined : control, minPercent };
  return ({ manufacturer, model, version }) => {
    const identity = definedOnly<DeviceIdentity>({ vendor: manufacturer, model, firmware: version });
    const matching = profile.quirks.filter((quirk) => matches(quirk.match, identity));
    const merged: SunSpecQuirkPart = Object.assign({}, base, ...matching.map(({ sunspec }) => sunspec ?? {}));
    return definedOnly<SunSpecQuirks>(merged as { [K in keyof SunSpecQuirks]: SunSpecQuirks[K] });
  };
}
