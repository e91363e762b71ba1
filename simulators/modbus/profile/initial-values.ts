import { controlPoints } from "./control-in-force.ts";
import { baseFactor, type PlacedPoint } from "./placed-point.ts";
import type { ControlShape, ProfileShape, SourceList } from "./profile-shape.ts";

/** What a device is built for. */
export interface Ratings {
  readonly ratingKW: number;
  readonly phases: number;
  readonly volts: number;
  readonly capacityKWh: number;
  readonly serial: string;
}

const LEAST_CAR_A = 6;

/**
 * What the points hold at power-on, by name, in each point's own unit: who the device is, what it is built for, and
 * controls that hold nothing back.
 */
export function initialValues(
  profile: ProfileShape,
  points: ReadonlyMap<string, PlacedPoint>,
  ratings: Ratings,
): ReadonlyMap<string, number | string> {
  const values = new Map<string, number | string>();
  const put = (name: string, value: number | string) => {
    if (points.has(name) && !values.has(name)) values.set(name, value);
  };
  const putBase = (given: SourceList | undefined, value: number) => {
    for (const name of given ?? []) {
      const point = typeof name === "string" ? points.get(name) : undefined;
      if (point !== undefined) put(point.name, value / baseFactor(point));
    }
  };
  for (const [name, text] of Object.entries(whoItIs(profile, ratings))) {
    const at = profile.identity[name];
    if (typeof at === "object" && at !== null && "point" in at) put(String(at.point), text);
  }
  if (profile.presence !== undefined) {
    const { point, present } = profile.presence;
    put(point, rawNamed(points.get(point), present[0] ?? ""));
  }
  if (typeof profile.capacityKWh === "string") putBase([profile.capacityKWh], ratings.capacityKWh * 1000);
  for (const control of Object.values(profile.controls)) {
    putBase(control.convert.base, ratings.ratingKW * 1000);
    putBase(control.convert.phases, ratings.phases);
    putBase(control.convert.volts, ratings.volts);
    const most = greatest(control, ratings);
    putBase(control.limits.generation, most);
    putBase(control.limits.consumption, most);
    putBase(control.limits.least, control.convert.to === "amps" ? LEAST_CAR_A : 0);
    for (const [name, value] of atRest(control, most, points)) put(name, value);
  }
  for (const check of profile.identify) {
    const known = values.get(check.point);
    if (!points.has(check.point) || (known !== undefined && passes(check, known))) continue;
    values.set(check.point, fitting(check));
  }
  for (const point of points.values())
    if (point.values !== undefined) put(point.name, Number(Object.keys(point.values)[0]));
  return values;
}

/** What the control's points hold while nobody controls. */
function atRest(
  control: ControlShape,
  most: number,
  points: ReadonlyMap<string, PlacedPoint>,
): ReadonlyMap<string, number> {
  const rest = new Map<string, number>();
  if (typeof control.release === "object") {
    for (const { point: name, value } of control.release.writes) {
      const point = points.get(name);
      if (typeof value === "number") rest.set(name, value);
      else if (point !== undefined && String(value).startsWith("max")) rest.set(name, most / baseFactor(point));
    }
  }
  const used = new Map<string, number[]>();
  for (const { point, value } of [...control.sequence, ...control.off, ...(control.enable ? [control.enable] : [])]) {
    const words = typeof value === "object" ? [value.consumption, value.generation, value.zero] : [value];
    const numbers = words.filter((word): word is number => typeof word === "number");
    used.set(point, [...(used.get(point) ?? []), ...numbers]);
  }
  for (const name of controlPoints(control)) {
    const point = points.get(name);
    if (point === undefined || rest.has(name)) continue;
    const numbers = used.get(name) ?? [];
    // Of a register that chooses a mode, the least number that is none of the control's own.
    if (numbers.length > 0) rest.set(name, [0, 1, 2, 3, 4, 5, 6, 7].find((each) => !numbers.includes(each)) ?? 8);
    else rest.set(name, control.kind === "limit" ? most / baseFactor(point) : 0);
  }
  return rest;
}

/** W, A or % at the rating. */
function greatest({ convert }: ControlShape, { ratingKW, phases, volts }: Ratings): number {
  switch (convert.to) {
    case "watts":
      return ratingKW * 1000;
    case "percentOf":
      return 100;
    case "amps":
      return (ratingKW * 1000) / (phases * volts);
  }
}

function whoItIs({ vendor, models }: ProfileShape, { serial }: Ratings): Readonly<Record<string, string>> {
  return { vendor, model: models[0] ?? "Simulated", firmware: "9.9.9", serial };
}

function passes({ equals, oneOf, like, min, max }: ProfileShape["identify"][number], value: number | string): boolean {
  if (equals !== undefined) return equals === value;
  if (oneOf !== undefined) return oneOf.includes(value);
  if (like !== undefined) return false;
  return Number(value) >= (min ?? Number.NEGATIVE_INFINITY) && Number(value) <= (max ?? Number.POSITIVE_INFINITY);
}

/** A value that passes a check. */
function fitting(check: ProfileShape["identify"][number]): number | string {
  const { equals, oneOf, like, min, max } = check;
  return equals ?? oneOf?.[0] ?? like?.replaceAll("*", "") ?? min ?? max ?? 0;
}

function rawNamed(point: PlacedPoint | undefined, name: string): number | string {
  if (point?.type === "str") return name;
  const [raw] = Object.entries(point?.values ?? {}).find(([, label]) => label === name) ?? [name];
  return Number(raw) || 0;
}
