import { z } from "zod";
import type { ProfileKind, ProfilePurpose } from "./charging-profile.ts";
import type { RateUnit } from "./import-limit.ts";

/** One way to tell a charger its limit. */
export const waySchema = z.discriminatedUnion("via", [
  z.object({
    via: z.literal("profile"),
    purpose: z.enum(["TxProfile", "TxDefaultProfile", "MaxProfile"]),
    unit: z.enum(["A", "W"]),
    kind: z.enum(["Absolute", "Relative"]),
    stackLevel: z.int().min(0),
  }),
  z.object({ via: z.literal("changeConfiguration") }),
  z.object({ via: z.literal("dataTransfer") }),
]);

export type Way = z.output<typeof waySchema>;

export type ProfileWay = Extract<Way, { via: "profile" }>;

/** What decides which ways there are, at one moment. */
export interface WayChoice {
  /** Best first. */
  readonly purposes: readonly ProfilePurpose[];
  /** Best first; more than one where the charger has not said which it takes. */
  readonly units: readonly RateUnit[];
  readonly kinds: readonly ProfileKind[];
  /** The highest that the charger allows; 0 is tried as well. */
  readonly stackLevel: number;
  readonly vendor: readonly Exclude<Way["via"], "profile">[];
  readonly vendorWhen: "first" | "last" | "only";
}

/**
 * All ways, in the order in which they are tried: the purposes in turn, and for each the highest stack level and 0, then the
 * other kind, then the other unit.
 */
export function waysOf(choice: WayChoice): readonly Way[] {
  const levels = choice.stackLevel === 0 ? [0] : [choice.stackLevel, 0];
  const profiles = choice.purposes.flatMap((purpose) =>
    choice.units.flatMap((unit) =>
      // A maximum belongs to no transaction, so it cannot be relative to one: strict chargers refuse it.
      (purpose === "MaxProfile" ? (["Absolute"] as const) : choice.kinds).flatMap((kind) =>
        levels.map((stackLevel): Way => ({ via: "profile", purpose, unit, kind, stackLevel })),
      ),
    ),
  );
  const vendor = choice.vendor.map((via): Way => ({ via }));
  if (choice.vendorWhen === "only") return vendor;
  return choice.vendorWhen === "first" ? [...vendor, ...profiles] : [...profiles, ...vendor];
}

/** Whether a way is one of those that `waysOf` gives, without making them all. */
export function isAmong(choice: WayChoice, way: Way): boolean {
  if (way.via !== "profile") return choice.vendor.includes(way.via);
  const { purpose, unit, kind, stackLevel } = way;
  return (
    choice.vendorWhen !== "only" &&
    choice.purposes.includes(purpose) &&
    choice.units.includes(unit) &&
    (purpose === "MaxProfile" ? kind === "Absolute" : choice.kinds.includes(kind)) &&
    (stackLevel === 0 || stackLevel === choice.stackLevel)
  );
}

/** With the one that worked first; one that is no longer among them is of no use. */
export function startingWith(ways: readonly Way[], worked: Way | undefined): readonly Way[] {
  const first = worked === undefined ? undefined : ways.find((way) => sameWay(way, worked));
  return first === undefined ? ways : [first, ...ways.filter((way) => way !== first)];
}

/**
 * The ways after one that a charger accepted and did not follow: first those that differ in more than the stack level, from
 * where it stands in the order and round to the start, then that way itself once more.
 */
export function correctionsOf(ways: readonly Way[], used: Way): readonly Way[] {
  const place = ways.findIndex((way) => sameWay(way, used));
  const onward = [...ways.slice(place + 1), ...ways.slice(0, Math.max(place, 0))];
  const rank = (way: Way) => {
    if (way.via !== "profile" || used.via !== "profile") return 0;
    if (way.purpose !== used.purpose) return way.stackLevel >= used.stackLevel || way.purpose === "MaxProfile" ? 0 : 2;
    return way.kind === used.kind ? 3 : 1;
  };
  return [...onward].sort((a, b) => rank(a) - rank(b)).concat(used);
}

export function sameWay(a: Way, b: Way): boolean {
  if (a.via !== "profile" || b.via !== "profile") return a.via === b.via;
  return a.purpose === b.purpose && a.unit === b.unit && a.kind === b.kind && a.stackLevel === b.stackLevel;
}

/** For a person. */
export function describeWay(way: Way): string {
  if (way.via !== "profile") return way.via;
  return `${way.purpose} ${way.kind} in ${way.unit} at stack level ${way.stackLevel}`;
}
