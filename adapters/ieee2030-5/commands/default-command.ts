import { type AdapterCommand, OperationError } from "../../kind.ts";
import type { DefaultControl } from "../config.ts";
import type { DefaultChanges } from "../default-control.ts";
import { SEP2_GROUP } from "./command-group.ts";
import { textOption } from "./command-options.ts";
import type { ListedDefault } from "./default-operation.ts";

interface BoundOption {
  readonly bound: keyof DefaultControl;
  /** As commander calls it. */
  readonly option: string;
  readonly flag: string;
  readonly unit: string;
  readonly description: string;
}

const BOUNDS: readonly BoundOption[] = [
  {
    bound: "exportKW",
    option: "exportKw",
    flag: "--export-kw",
    unit: "kW",
    description: "opModExpLimW of the whole connection",
  },
  {
    bound: "importKW",
    option: "importKw",
    flag: "--import-kw",
    unit: "kW",
    description: "opModImpLimW of the whole connection",
  },
  {
    bound: "generationKW",
    option: "generationKw",
    flag: "--generation-kw",
    unit: "kW",
    description: "opModGenLimW",
  },
  { bound: "loadKW", option: "loadKw", flag: "--load-kw", unit: "kW", description: "opModLoadLimW" },
  {
    bound: "maxPercent",
    option: "maxPercent",
    flag: "--max-percent",
    unit: "%",
    description: "opModMaxLimW, percent of setMaxW",
  },
  {
    bound: "rampPercentPerS",
    option: "rampPercentPerS",
    flag: "--ramp-percent-per-s",
    unit: "%/s",
    description: "setGradW, percent of setMaxW per second",
  },
];

/** `setpointd 2030.5 default`: what holds at a device while no control does. */
export const defaultCommand: AdapterCommand = {
  group: SEP2_GROUP,
  name: "default",
  summary: "show or change what holds at a device while no control does (DefaultDERControl)",
  examples: [
    "2030.5 default --config site.yaml",
    "2030.5 default der.roof --export-kw 1.5 --ramp-percent-per-s none --config site.yaml",
    "2030.5 default der.roof --as-configured --config site.yaml",
  ],
  arguments: [{ name: "[era]", description: "device; absent: all are shown" }],
  options: [
    ...BOUNDS.map(({ flag, description }) => ({ flags: `${flag} <number>`, description: `${description}, or none` })),
    { flags: "--as-configured", description: "take back what was set here" },
  ],
  needs: "daemon",
  run: async ({ args: [era], options }, { ask }) => {
    const changes = changesFrom(options);
    const answer = (await ask("default", {
      ...(era !== undefined && { era }),
      ...(Object.keys(changes).length > 0 && { changes }),
      ...(options["asConfigured"] === true && { reset: true }),
    })) as { at: string; defaults: readonly ListedDefault[] };
    const rows = answer.defaults.map((one) => [one.era, boundsText(one.bounds), one.setBy]);
    return { json: { schemaVersion: 1, ...answer }, table: { heading: ["RESOURCE", "DEFAULT", "SET BY"], rows } };
  },
};

/** @throws OperationError for what is neither a number nor `none` */
function changesFrom(options: Parameters<typeof textOption>[0]): DefaultChanges {
  const given = BOUNDS.flatMap(({ bound, option, flag }) => {
    const text = textOption(options, option);
    if (text === undefined) return [];
    const value = text === "none" ? null : Number(text);
    if (value !== null && !Number.isFinite(value))
      throw new OperationError("invalid", `${flag} is "${text}", expected a number, or none`);
    return [[bound, value]];
  });
  return Object.fromEntries(given);
}

function boundsText(bounds: DefaultControl): string {
  const texts = BOUNDS.flatMap(({ bound, flag, unit }) => {
    const value = bounds[bound];
    return value === undefined ? [] : [`${flag.slice(2).replace(/-(kw|percent.*)$/, "")} ${value} ${unit}`];
  });
  return texts.length === 0 ? "no bound" : texts.join(", ");
}
