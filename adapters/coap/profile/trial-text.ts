import { powerLines } from "../../tried-power.ts";
import type { Trial, TriedWrite } from "./try-profile.ts";

/** A trial for a person. */
export function trialText({ profile, kind, fault, identity, points, readings, powers, ...control }: Trial): string {
  const who = Object.entries(identity).map(([key, value]) => `${key} ${value}`);
  const { minPowerKW, maxPowerKW, failsafe } = control;
  const band = minPowerKW === undefined ? [] : [`range     ${minPowerKW} to ${maxPowerKW} kW (generation is positive)`];
  return [
    `profile   ${profile} (${kind})`,
    fault === undefined ? "identify  ok" : `identify  FAILED: ${fault}`,
    `identity  ${who.join(", ") || "the device does not tell"}`,
    `control   ${control.control ?? "none: only measured"}${failsafe ? `, failsafe ${failsafe}` : ""}`,
    ...band,
    "",
    "points",
    ...points.map(
      ({ name, path, at = "", value, label, unit = "", uncertain }) =>
        `  ${name.padEnd(18)} ${`${path} ${at}`.trim().padEnd(34)} ${`${value ?? "–"} ${unit}`.trim()}${label === undefined ? "" : ` (${label})`}${uncertain === undefined ? "" : "  [uncertain]"}`,
    ),
    "",
    "readings",
    ...Object.entries(readings).map(([name, value]) => `  ${name.padEnd(18)} ${[value].flat().join(" ")}`),
    ...powers.flatMap((power) => powerLines(power, writeLine)),
  ].join("\n");
}

function writeLine({ method, path, contentFormat, payload }: TriedWrite): string {
  return `    ${method} ${path} (content-format ${contentFormat}): ${payload}`;
}
