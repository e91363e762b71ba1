import { type PointSpec, widthOf } from "./point-schema.ts";
import type { ProfileFault } from "./profile-faults.ts";
import type { Profile } from "./profile-schema.ts";

/** What is wrong with the points of a profile. */
export function pointFaults(profile: Profile): ProfileFault[] {
  return Object.entries(profile.points).flatMap(([name, point]) => [
    ...shapeFaults(profile, point).map(([key, message]) => ({ path: ["points", name, key], message })),
    ...referenceFaults(profile, name, point),
    ...sourceFaults(profile, ["points", name, "source"], point.source),
  ]);
}

/** A row of a profile with several sources says from which it comes. */
export function sourceFaults(
  profile: Profile,
  path: readonly (string | number)[],
  source: string | undefined,
): ProfileFault[] {
  const ids = profile.sources.map(({ id }) => id);
  if (source === undefined) {
    return ids.length === 1 ? [] : [{ path, message: `is missing: one of ${ids.join(", ")}` }];
  }
  return ids.includes(source) ? [] : [{ path, message: `there is no source ${source}; there is ${ids.join(", ")}` }];
}

type Shape = readonly (readonly [key: string, message: string])[];

function shapeFaults({ addressBase, limits }: Profile, point: PointSpec): Shape {
  const isBit = point.space === "coil" || point.space === "discrete";
  const width = widthOf(point);
  const address = point.register - addressBase;
  const faults: [string, string, boolean][] = [
    ["register", `is below addressBase ${addressBase}`, address < 0],
    ["register", `its ${width} registers go beyond 65535`, address + width > 65_536],
    ["type", `must be bit for a ${point.space}`, isBit && point.type !== "bit"],
    ["type", "bit is for coil and discrete; take `bits` for a part of a register", !isBit && point.type === "bit"],
    ["length", "is missing: how many registers the text takes", point.type === "str" && point.length === undefined],
    ["length", "is for str alone", point.type !== "str" && point.length !== undefined],
    ["access", `a ${point.space} can't be written`, isReadOnly(point) && point.access !== "read"],
    ["access", "a part of a register is not written", point.bits !== undefined && point.access !== "read"],
    ["bits", "is for u16 and u32", point.bits !== undefined && point.type !== "u16" && point.type !== "u32"],
    ["type", `takes ${width} registers, and maxRead is ${limits.maxRead}`, width > limits.maxRead],
    ["readAs", "is for a point that can't be read itself", point.readAs !== undefined && point.access !== "write"],
    ["poll", "a point that can't be read is not polled", point.access === "write" && point.poll !== "never"],
  ];
  return faults.filter(([, , isWrong]) => isWrong).map(([key, message]) => [key, message] as const);
}

function isReadOnly({ space }: PointSpec): boolean {
  return space === "input" || space === "discrete";
}

function referenceFaults({ points }: Profile, name: string, point: PointSpec): ProfileFault[] {
  const references: readonly (readonly [string, string | undefined])[] = [
    ["scaleFrom", point.scaleFrom],
    ["direction", point.direction?.point],
    ["readAs", point.readAs],
  ];
  return references.flatMap(([key, other]) => {
    if (other === undefined) return [];
    const path = ["points", name, key];
    const target = points[other];
    if (target === undefined) return [{ path, message: `there is no point ${other}` }];
    const isPlain = target.scaleFrom === undefined && target.direction === undefined;
    if (other === name || !isPlain) return [{ path, message: `${other} must not lean on another point itself` }];
    return target.access === "write" ? [{ path, message: `${other} can't be read` }] : [];
  });
}
