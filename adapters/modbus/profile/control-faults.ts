import { type ControlSpec, type FixedStep, type StepSpec, type WriteSpec, writesOf } from "./control-schema.ts";
import { sourceFaults } from "./point-faults.ts";
import { type PointSpec, widthOf } from "./point-schema.ts";
import type { ProfileFault } from "./profile-faults.ts";
import type { Profile } from "./profile-schema.ts";
import { pointsOf } from "./profile-words.ts";

type Path = readonly (string | number)[];

const UNITS_OF: Readonly<Record<ControlSpec["convert"]["to"], readonly string[]>> = {
  watts: ["W", "kW", "mW"],
  percentOf: ["%"],
  amps: ["A", "mA"],
};
const POWER_WORDS: readonly unknown[] = [
  "power",
  "consumption",
  "generation",
  "magnitude",
  "maxConsumption",
  "maxGeneration",
];

/** What is wrong with one control of a profile. */
export function controlFaults(profile: Profile, name: string, spec: ControlSpec): ProfileFault[] {
  const at = (...path: Path): Path => ["controls", name, ...path];
  return [
    ...conversionFaults(spec).map(([path, message]) => ({ path: at(...path), message })),
    ...safetyFaults(spec).map(([path, message]) => ({ path: at(...path), message })),
    ...writeFaults(profile, spec).map(([path, message]) => ({ path: at(...path), message })),
    ...releaseFaults(profile, spec).map(([path, message]) => ({ path: at(...path), message })),
    ...nameFaults(profile, spec).map(([path, message]) => ({ path: at(...path), message })),
    ...sourceFaults(profile, at("source"), spec.source),
  ];
}

type Faults = (readonly [Path, string])[];

function conversionFaults({ convert, limits, off }: ControlSpec): Faults {
  const faults: Faults = [];
  if (convert.to === "percentOf" && convert.base === undefined) {
    faults.push([["convert", "base"], "is missing: the W that are 100 %"]);
  }
  if (convert.to === "amps") {
    for (const key of ["phases", "volts"] as const) {
      if (convert[key] === undefined) faults.push([["convert", key], "is missing: amps need it"]);
    }
  }
  if (limits.generation === undefined && limits.consumption === undefined) {
    faults.push([["limits"], "needs generation, consumption, or both: how far the device goes"]);
  }
  if (convert.zero === "least" && limits.least === undefined) {
    faults.push([["limits", "least"], "is missing: what 0 kW becomes with `convert.zero: least`"]);
  }
  if ((convert.zero === "off") !== (off !== undefined)) {
    faults.push([["off"], "and `convert.zero: off` belong together: the writes that stop the device"]);
  }
  return faults;
}

function safetyFaults({ failsafe, reversion, heartbeat, verify, writePolicy }: ControlSpec): Faults {
  const faults: Faults = [];
  if (failsafe === "device" && reversion === undefined && heartbeat === undefined) {
    faults.push([["failsafe"], "device needs `reversion` or `heartbeat`: what ends the command without us"]);
  }
  if (!verify.readback && verify.effect === undefined) {
    faults.push([["verify", "effect"], "is missing: without a readback only the meter can prove the order"]);
  }
  if (heartbeat !== undefined && heartbeat.mode !== "rewrite" && heartbeat.point === undefined) {
    faults.push([["heartbeat", "point"], `is missing: what to ${heartbeat.mode}`]);
  }
  if (writePolicy.cyclic === "no" && (heartbeat?.mode === "rewrite" || heartbeat?.mode === "increment")) {
    faults.push([["writePolicy", "cyclic"], "no, and a heartbeat that writes, contradict each other"]);
  }
  if (writePolicy.cyclic !== "ok" && writePolicy.maxPerDay === undefined) {
    faults.push([
      ["writePolicy", "maxPerDay"],
      `is missing: with cyclic: ${writePolicy.cyclic} writing must have a bound`,
    ]);
  }
  return faults;
}

/** Each list of writes, with its place in the control. */
function writeLists({ sequence, enable, off, release }: ControlSpec) {
  const lists: readonly (readonly [Path, readonly (StepSpec | FixedStep)[]])[] = [
    [["sequence"], sequence],
    [["off"], off ?? []],
    [["release", "writes"], release === "baseline" ? [] : release.writes],
  ];
  const steps = lists.flatMap(([path, list]) => list.map((step, index) => [[...path, index], step] as const));
  return enable === undefined ? steps : [...steps, [["enable"], enable] as const];
}

type AnyWrite = Pick<WriteSpec, "point" | "value"> & { readonly onlyIfChanged?: boolean };

function writeFaults(profile: Profile, spec: ControlSpec): Faults {
  return writeLists(spec).flatMap(([path, step]) => {
    const apart = "atomic" in step ? apartFault(profile, writesOf<AnyWrite>(step)) : undefined;
    return [
      ...writesOf<AnyWrite>(step).flatMap((write, place) => {
        const at: Path = "atomic" in step ? [...path, "atomic", place] : path;
        return pointFaults(profile, spec, write).map(([rest, text]) => [[...at, ...rest], text] as const);
      }),
      ...(apart === undefined ? [] : [[[...path, "atomic"], apart] as const]),
    ];
  });
}

function pointFaults({ points }: Profile, spec: ControlSpec, write: AnyWrite): Faults {
  const point = points[write.point];
  if (point === undefined) return [[["point"], `there is no point ${write.point}`]];
  const faults: Faults = [];
  if (point.access === "read") faults.push([["point"], `${write.point} is only read; set its \`access\``]);
  const words = typeof write.value === "object" ? Object.values(write.value) : [write.value];
  const units = UNITS_OF[spec.convert.to];
  if (words.some((word) => POWER_WORDS.includes(word)) && !units.includes(point.unit ?? "")) {
    faults.push([
      ["point"],
      `${write.point} is in ${point.unit ?? "no unit"}, and ${spec.convert.to} give ${units.join(" or ")}`,
    ]);
  }
  if (words.includes("power") && point.sign === undefined) {
    faults.push([["value"], `power needs \`sign\` at the point ${write.point}: what a positive value means`]);
  }
  if (words.includes("reversion") && spec.reversion === undefined) {
    faults.push([["value"], "reversion needs `reversion.seconds`"]);
  }
  if (words.includes("reversion") && !["s", "ms", "min"].includes(point.unit ?? "")) {
    faults.push([["point"], `${write.point} is in ${point.unit ?? "no unit"}, and a time is in s, ms or min`]);
  }
  if ((words.includes("keep") || write.onlyIfChanged) && !isShown(point)) {
    faults.push([["value"], `${write.point} can't be read, so what it holds is not known`]);
  }
  return faults;
}

function apartFault({ points, limits }: Profile, writes: readonly AnyWrite[]): string | undefined {
  const inOrder = writes.flatMap(({ point }) => points[point] ?? []).sort((a, b) => a.register - b.register);
  for (const [index, point] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before === undefined) continue;
    if (before.space !== point.space || before.register + widthOf(before) !== point.register) {
      return `registers ${before.register} and ${point.register} are no neighbours, so they can't go out in one request`;
    }
  }
  const total = inOrder.reduce((sum, point) => sum + widthOf(point), 0);
  if (total > limits.maxWrite) return `takes ${total} registers, and maxWrite is ${limits.maxWrite}`;
  return undefined;
}

function releaseFaults(profile: Profile, spec: ControlSpec): Faults {
  const written = writeLists(spec).flatMap(([, step]) => writesOf<AnyWrite>(step));
  const points = written.flatMap(({ point }) => {
    const found = profile.points[point];
    return found === undefined ? [] : [[point, found] as const];
  });
  const faults: Faults = [];
  const hidden = points.find(([, point]) => !isShown(point) || point.space === "coil");
  if (spec.release === "baseline" && hidden !== undefined) {
    const why = hidden[1].space === "coil" ? "is a coil" : "can't be read";
    faults.push([["release"], `baseline: ${hidden[0]} ${why}, so give \`writes\``]);
  }
  if (spec.verify.readback && !points.some(([, point]) => isShown(point))) {
    faults.push([["verify", "readback"], "true, and none of the written points can be read"]);
  }
  return faults;
}

function isShown(point: PointSpec): boolean {
  return point.access === "readWrite" || point.readAs !== undefined;
}

function nameFaults({ points }: Profile, { convert, limits, needs, heartbeat, reversion }: ControlSpec): Faults {
  const named: readonly (readonly [Path, readonly string[]])[] = [
    [["convert", "base"], pointsOf(convert.base)],
    [["convert", "phases"], pointsOf(convert.phases)],
    [["convert", "volts"], pointsOf(convert.volts)],
    [["limits", "generation"], pointsOf(limits.generation)],
    [["limits", "consumption"], pointsOf(limits.consumption)],
    [["limits", "least"], pointsOf(limits.least)],
    [["needs"], needs],
    [["heartbeat", "point"], heartbeat?.point === undefined ? [] : [heartbeat.point]],
    [["reversion", "proof", "point"], reversion?.proof === undefined ? [] : [reversion.proof.point]],
  ];
  return named.flatMap(([path, names]) =>
    names.flatMap((name) => (points[name] === undefined ? [[path, `there is no point ${name}`] as const] : [])),
  );
}
