import { powerLines } from "../../tried-power.ts";
import type { RecordedWrite } from "./dump-port.ts";
import type { Profile } from "./profile-schema.ts";
import type { Trial } from "./trial.ts";

/** One line a profile, for `profile list`. */
export function profileRow(profile: Profile): readonly string[] {
  const control = Object.values(profile.controls)[0];
  return [
    profile.id,
    profile.kind,
    profile.title,
    profile.sunspec !== undefined ? "by model" : (control?.failsafe ?? "–"),
    profile.uncertain.length > 0 || hasUncertainRow(profile) ? "yes" : "no",
  ];
}

function hasUncertainRow({ points, controls, quirks }: Profile): boolean {
  return [...Object.values(points), ...Object.values(controls), ...quirks].some(
    ({ uncertain }) => uncertain !== undefined,
  );
}

/** A trial for a person. */
export function trialText(trial: Trial): string {
  const { identity, points, powers, readings } = trial;
  const who = Object.entries(identity).map(([key, value]) => `${key} ${value}`);
  const band =
    trial.minPowerKW === undefined || trial.maxPowerKW === undefined
      ? []
      : [`range     ${trial.minPowerKW} to ${trial.maxPowerKW} kW (generation is positive)`];
  return [
    `profile   ${trial.profile} (${trial.kind})`,
    trial.fault === undefined ? "identify  ok" : `identify  FAILED: ${trial.fault}`,
    `identity  ${who.join(", ") || "the device does not tell"}`,
    ...(trial.sunSpecModels === undefined ? [] : [`models    ${trial.sunSpecModels.join(" ")}`]),
    ...(trial.quirks === undefined ? [] : [`quirks    ${JSON.stringify(trial.quirks)}`]),
    `control   ${trial.control ?? "none: only measured"}${trial.failsafe ? `, failsafe ${trial.failsafe}` : ""}`,
    ...band,
    ...(points.length === 0 ? [] : ["", "points"]),
    ...points.map(
      ({ name, space, address, value, label, unit = "", uncertain }) =>
        `  ${name.padEnd(22)} ${space.padEnd(8)} ${String(address).padStart(5)}  ${`${value ?? "–"} ${unit}`.trim()}${label === undefined ? "" : ` (${label})`}${uncertain === undefined ? "" : "  [uncertain]"}`,
    ),
    "",
    "readings",
    ...Object.entries(readings).map(([name, value]) => `  ${name.padEnd(22)} ${[value].flat().join(" ")}`),
    ...powers.flatMap((power) => powerLines(power, writeLine)),
  ].join("\n");
}

function writeLine({ space, address, registers, functionCode }: RecordedWrite): string {
  const hex = registers.map((word) => word.toString(16).padStart(4, "0")).join(" ");
  return `    FC${functionCode} ${space} ${address} (1-based ${address + 1}): ${registers.join(" ")}  [${hex}]`;
}
