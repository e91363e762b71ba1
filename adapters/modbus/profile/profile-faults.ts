import { merged } from "../../quirk-match.ts";
import { controlFaults } from "./control-faults.ts";
import { pointFaults } from "./point-faults.ts";
import type { Profile } from "./profile-schema.ts";
import { profileSchema } from "./profile-schema.ts";

/** Something that makes a profile unusable, with its place. */
export interface ProfileFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Unit = NonNullable<Profile["points"][string]["unit"]>;

/** The units that a reading may come in. */
const READING_UNITS: Readonly<Record<keyof Profile["readings"], readonly Unit[]>> = {
  powerKW: ["W", "kW", "mW"],
  offeredKW: ["W", "kW", "mW"],
  importKWh: ["Wh", "kWh"],
  exportKWh: ["Wh", "kWh"],
  voltageV: ["V", "mV"],
  currentA: ["A", "mA"],
  socPercent: ["%"],
  frequencyHz: ["Hz"],
  temperatureC: ["C"],
};

/** What no single key can tell: names that lead nowhere, controls that contradict themselves. */
export function profileFaults(profile: Profile): readonly ProfileFault[] {
  if (profile.sunspec !== undefined) return [...sunSpecFaults(profile), ...quirkFaults(profile)];
  const own = [
    ...pointFaults(profile),
    ...readingFaults(profile),
    ...referenceFaults(profile),
    ...Object.entries(profile.controls).flatMap(([name, spec]) => controlFaults(profile, name, spec)),
    ...kindFaults(profile),
  ];
  return own.length > 0 ? own : quirkFaults(profile);
}

/** A SunSpec map says itself where everything is. */
function sunSpecFaults(profile: Profile): ProfileFault[] {
  const given = (["points", "controls"] as const).filter((key) => Object.keys(profile[key]).length > 0);
  return [
    ...given.map((key) => ({ path: [key], message: "a profile with `sunspec` has none: the models say where it is" })),
    ...profile.quirks.flatMap((quirk, index) =>
      quirk.patch === undefined
        ? []
        : [{ path: ["quirks", index, "patch"], message: "a profile with `sunspec` has `sunspec` here instead" }],
    ),
  ];
}

function kindFaults({ kind, controls, readings, points }: Profile): ProfileFault[] {
  const faults: ProfileFault[] = [];
  if (Object.keys(points).length === 0) {
    faults.push({ path: ["points"], message: "is missing: without points nothing can be read; or give `sunspec`" });
  }
  if (readings.powerKW === undefined) {
    faults.push({
      path: ["readings", "powerKW"],
      message: "is missing: only the meter proves that an order took effect",
    });
  }
  if (kind === "meter" && Object.keys(controls).length > 0) {
    faults.push({ path: ["controls"], message: "a meter has none" });
  }
  return faults;
}

function readingFaults(profile: Profile): ProfileFault[] {
  const faults: ProfileFault[] = [];
  for (const [reading, names] of Object.entries(profile.readings)) {
    const units = READING_UNITS[reading as keyof Profile["readings"]];
    for (const name of [names ?? []].flat()) {
      const path = ["readings", reading];
      const point = profile.points[name];
      if (point === undefined) faults.push({ path, message: `there is no point ${name}` });
      else if (point.unit === undefined || !units.includes(point.unit)) {
        faults.push({ path, message: `${name} is in ${point.unit ?? "no unit"}, expected ${units.join(" or ")}` });
      } else if (point.poll === "never" || point.access === "write") {
        faults.push({ path, message: `${name} is never read` });
      } else if (units.includes("W") && point.sign === undefined && point.direction === undefined) {
        const message = `${name} needs \`sign\` (what a positive value means) or \`direction\``;
        faults.push({ path: ["points", name, "sign"], message });
      }
    }
  }
  return faults;
}

function referenceFaults(profile: Profile): ProfileFault[] {
  const { identity, identify, presence, capacityKWh } = profile;
  const named: readonly (readonly [readonly (string | number)[], string | undefined])[] = [
    ...Object.entries(identity).map(
      ([key, text]) => [["identity", key], typeof text === "object" ? text.point : undefined] as const,
    ),
    ...identify.map(({ point }, index) => [["identify", index, "point"], point] as const),
    [["presence", "point"], presence?.point],
    [["capacityKWh"], typeof capacityKWh === "string" ? capacityKWh : undefined],
  ];
  return named.flatMap(([path, name]) =>
    name === undefined || profile.points[name] !== undefined ? [] : [{ path, message: `there is no point ${name}` }],
  );
}

/** Each patch must leave a profile that is sound. */
function quirkFaults(profile: Profile): ProfileFault[] {
  return profile.quirks.flatMap((quirk, index) => {
    const path = ["quirks", index];
    if ((quirk.patch === undefined) === (quirk.sunspec === undefined)) {
      return [{ path, message: profile.sunspec === undefined ? "needs `patch`" : "needs `sunspec`" }];
    }
    if (quirk.sunspec !== undefined) {
      return profile.sunspec !== undefined
        ? []
        : [{ path: [...path, "sunspec"], message: "only for a profile with `sunspec`; give `patch`" }];
    }
    const patched = profileSchema.safeParse(merged({ ...profile, quirks: [] }, quirk.patch));
    const faults = patched.success
      ? profileFaults(patched.data)
      : patched.error.issues.map((issue) => ({ path: issue.path as (string | number)[], message: issue.message }));
    return faults.map((fault) => ({ path: [...path, "patch", ...fault.path], message: fault.message }));
  });
}
