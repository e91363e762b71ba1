import { ModbusError } from "../link/modbus-error.ts";
import { unlike } from "../profile/identify.ts";
import { findProfile } from "../profile/load-profile.ts";
import { placePoints } from "../profile/point.ts";
import { PointReader } from "../profile/point-reader.ts";
import { profileIds } from "../profile/profile-files.ts";
import type { Profile } from "../profile/profile-schema.ts";
import type { UnitPort } from "../profile/unit-port.ts";
import type { FieldBus } from "./field-bus.ts";

/** Of a station with several: who has the others has this one too. */
const FIRST_CONNECTOR = 1;

/** The profiles with registers of their own that come with the program; a SunSpec map says itself what it is. */
export function registerProfiles(): readonly Profile[] {
  return profileIds()
    .map((id) => findProfile(id).profile)
    .filter((profile) => profile.sunspec === undefined && profile.identify.length > 0);
}

/** Those whose checks all hold for a unit. Reads only what they check, and writes nothing. */
export async function matchingProfiles(
  bus: FieldBus,
  unit: number,
  profiles: readonly Profile[],
): Promise<readonly Profile[]> {
  const port = lookAt(bus, unit);
  const { signal } = new AbortController();
  const matching: Profile[] = [];
  for (const profile of profiles) {
    const reader = new PointReader(port, placePoints(profile, FIRST_CONNECTOR), profile.limits);
    try {
      await reader.read(
        profile.identify.map(({ point }) => point),
        "slow",
        signal,
      );
      if (unlike(profile, reader.look) === undefined) matching.push(profile);
    } catch (error) {
      // Silence on a register that it does not have is a way of some devices to say so.
      if (!(error instanceof ModbusError)) throw error;
    }
  }
  return matching;
}

function lookAt(bus: FieldBus, unit: number): UnitPort {
  return {
    open: async () => 0,
    read: (space, address, count) => bus.read(unit, space, address, count),
    write: () => Promise.reject(new Error("a look writes nothing")),
  };
}
