import { merged } from "../../quirk-match.ts";
import { keptForRelease, mostPerDay } from "../../wear/write-policy.ts";
import { pointerSteps } from "../payload/json-pointer.ts";
import { armingS, type ControlSpec, type StepSpec, writesOf } from "./control-schema.ts";
import type { PointSpec, ResourceSpec } from "./point-schema.ts";
import { type Profile, profileSchema } from "./profile-schema.ts";
import { pointsOf } from "./profile-words.ts";

export interface ProfileFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What no shape can say: names that lead nowhere, places that do not fit the format, writes to what is only read. */
export function profileFaults(profile: Profile): ProfileFault[] {
  const faults: ProfileFault[] = [];
  const say = (path: readonly (string | number)[], message: string) => faults.push({ path, message });
  const points = new Map(Object.entries(profile.points));
  const known = (name: string, path: readonly (string | number)[]) => {
    if (!points.has(name)) say(path, `there is no point "${name}"`);
  };
  for (const [name, point] of points) checkPoint(profile, name, point, say);
  for (const [key, given] of Object.entries(profile.readings)) {
    for (const name of namesOf(given)) {
      known(name, ["readings", key]);
      const isPower = key === "powerKW" || key === "offeredKW";
      if (isPower && points.get(name)?.sign === undefined && points.has(name))
        say(["points", name], `is a power, so it needs \`sign\`: what a positive value means`);
    }
  }
  for (const [index, { point }] of profile.identify.entries()) known(point, ["identify", index, "point"]);
  for (const [key, given] of Object.entries(profile.identity))
    if (typeof given === "object") known(given.point, ["identity", key]);
  if (profile.presence !== undefined) known(profile.presence.point, ["presence", "point"]);
  if (typeof profile.capacityKWh === "string") known(profile.capacityKWh, ["capacityKWh"]);
  for (const [name, control] of Object.entries(profile.controls)) checkControl(profile, name, control, say, known);
  return faults.length > 0 ? faults : quirkFaults(profile);
}

/** What a profile would lack once a quirk has patched it. */
function quirkFaults(profile: Profile): ProfileFault[] {
  return profile.quirks.flatMap(({ patch }, index) => {
    const patched = profileSchema().safeParse(merged({ ...profile, quirks: [] }, patch));
    const faults = patched.success
      ? profileFaults(patched.data)
      : patched.error.issues.map(({ path, message }) => ({ path: path as (string | number)[], message }));
    return faults.map(({ path, message }) => ({ path: ["quirks", index, "patch", ...path], message }));
  });
}

function namesOf(given: string | readonly string[] | undefined): readonly string[] {
  return given === undefined ? [] : [given].flat();
}

type Say = (path: readonly (string | number)[], message: string) => void;
type Known = (name: string, path: readonly (string | number)[]) => void;

function checkPoint({ resources, sources, points }: Profile, name: string, point: PointSpec, say: Say): void {
  const path = ["points", name];
  const resource = resources[point.resource];
  if (resource === undefined) say([...path, "resource"], `there is no resource "${point.resource}"`);
  else checkPlace(resource, point, path, say);
  if (sources.length > 1 && point.source === undefined) say(path, "needs `source`, since the profile has several");
  if (point.source !== undefined && !sources.some(({ id }) => id === point.source))
    say([...path, "source"], `there is no source "${point.source}"`);
  if (point.readAs !== undefined && points[point.readAs] === undefined)
    say([...path, "readAs"], `there is no point "${point.readAs}"`);
}

function checkPlace({ format }: ResourceSpec, { at, row }: PointSpec, path: readonly string[], say: Say): void {
  const isTree = format === "json" || format === "cbor";
  if (format === "text" && (at !== undefined || row !== undefined))
    say(path, "a text is one value: it has no `at` and no `row`");
  if (format.startsWith("senml") && at === undefined) say(path, "needs `at`: the whole SenML name");
  if (row !== undefined && !isTree) say([...path, "row"], "only json and cbor have rows");
  if (row !== undefined && at !== undefined) say(path, "has both `at` and `row`; one says where the value stands");
  if (!isTree) return;
  for (const [key, pointer] of Object.entries({ at, row: row?.list })) {
    if (pointer === undefined) continue;
    try {
      pointerSteps(pointer);
    } catch (error) {
      say([...path, key], error instanceof Error ? error.message : String(error));
    }
  }
}

function checkControl(
  { points, resources }: Profile,
  name: string,
  control: ControlSpec,
  say: Say,
  known: Known,
): void {
  const path = ["controls", name];
  const { limits, convert, sequence, release, needs, reversion } = control;
  const referred = [limits.generation, limits.consumption, limits.least, convert.base].flatMap(pointsOf);
  for (const point of [...needs, ...referred]) known(point, path);
  if (convert.to === "percentOf" && convert.base === undefined)
    say([...path, "convert", "base"], "is missing: the W that are 100 %");
  if (limits.generation === undefined && limits.consumption === undefined)
    say([...path, "limits"], "needs generation, consumption, or both");
  const checkSteps = (steps: readonly StepSpec[], at: readonly (string | number)[]) => {
    for (const [index, step] of steps.entries()) {
      const writes = writesOf(step);
      for (const { point } of writes) {
        known(point, [...at, index]);
        if (points[point]?.access === "read") say([...at, index], `"${point}" is only read; give it \`access\``);
        if (points[point]?.row !== undefined) say([...at, index], `"${point}" stands in a row, which can't be written`);
      }
      const whole = new Set(writes.map(({ point }) => points[point]?.resource));
      if (whole.size > 1) say([...at, index], "`atomic` takes points of one resource");
      const [resource = ""] = whole;
      if (writes.length > 1 && resources[resource]?.format === "text")
        say([...at, index], "a text is one value, so that nothing goes with it");
    }
  };
  checkSteps(sequence, [...path, "sequence"]);
  if (release !== "baseline") checkSteps(release.writes, [...path, "release", "writes"]);
  const arms = sequence.flatMap(writesOf).some(({ value }) => value === "reversion");
  if (arms !== (reversion !== undefined))
    say([...path, "reversion"], "and a write of `reversion` go together: the time, and where it is armed");
  if (control.failsafe === "device" && reversion === undefined && control.heartbeat === undefined)
    say([...path, "failsafe"], "device needs `reversion` or `heartbeat`: what ends the order without us");
  checkWear(control, [...path, "writePolicy"], say);
}

/** A timer that is armed all day must not use up the day's writes before the day is over. */
function checkWear(control: ControlSpec, path: readonly string[], say: Say): void {
  const { cyclic, maxPerDay } = control.writePolicy;
  if (cyclic === "ok") return;
  if (maxPerDay === undefined) {
    say([...path, "maxPerDay"], `is missing: with cyclic: ${cyclic} writing must have a bound`);
    return;
  }
  const everyS = armingS(control);
  if (everyS === undefined) return;
  const most = mostPerDay(control.writePolicy);
  const armings = Math.ceil(86_400 / everyS);
  if (armings > most - keptForRelease(most))
    say([...path, "maxPerDay"], `is too little: an order that lasts all day is written ${armings} times`);
}
