import { type AdapterCommand, OperationError } from "../../kind.ts";
import { SEP2_GROUP } from "./command-group.ts";
import { textOption, wholeOption } from "./command-options.ts";
import { controlsTable } from "./controls-command.ts";
import type { ListedControl } from "./listed-controls.ts";

const MOST_S = 7 * 86_400;

/** What may be ordered: name, flag, as commander calls it, what it is. */
const NUMBERS = [
  ["exportKW", "--export-kw", "exportKw", "opModExpLimW of the whole connection"],
  ["importKW", "--import-kw", "importKw", "opModImpLimW of the whole connection"],
  ["generationKW", "--generation-kw", "generationKw", "opModGenLimW"],
  ["loadKW", "--load-kw", "loadKw", "opModLoadLimW"],
  ["maxPercent", "--max-percent", "maxPercent", "opModMaxLimW, percent of setMaxW"],
  ["fixedPercent", "--fixed-percent", "fixedPercent", "opModFixedW, percent; generation positive"],
  ["targetKW", "--target-kw", "targetKw", "opModTargetW; generation positive"],
  ["storageTargetKW", "--storage-target-kw", "storageTargetKw", "opModStorageTargetW; discharge positive"],
] as const;
const SWITCHES = [
  ["connect", "--connect", "opModConnect"],
  ["energize", "--energize", "opModEnergize"],
] as const;

type Options = Parameters<typeof textOption>[0];

/** `setpointd 2030.5 order`: an operator's order to one device, which goes before the market's. */
export const orderCommand: AdapterCommand = {
  group: SEP2_GROUP,
  name: "order",
  summary: "order any controls of a device for a time; where the market orders the same, this goes first",
  examples: [
    "2030.5 order der.roof --export-kw 1.5 --import-kw 5 --for 3600 --config site.yaml",
    "2030.5 order der.roof --connect false --start 2026-11-29T08:00:00Z --for 900 --config site.yaml",
  ],
  arguments: [{ name: "<era>", description: "device" }],
  options: [
    ...NUMBERS.map(([, flag, , description]) => ({ flags: `${flag} <number>`, description })),
    ...SWITCHES.map(([, flag, description]) => ({
      flags: `${flag} <bool>`,
      description: `${description}, true or false`,
    })),
    { flags: "--start <time>", description: "RFC 3339; absent: now" },
    { flags: "--for <seconds>", description: "how long it holds" },
  ],
  needs: "daemon",
  run: async ({ args: [era], options }, { ask }) => {
    const start = textOption(options, "start");
    const durationS = wholeOption(options, "for", 1, MOST_S);
    if (durationS === undefined) throw new OperationError("invalid", "--for is missing: how many seconds it holds");
    const answer = await ask("order", {
      era,
      order: orderFrom(options),
      durationS,
      ...(start !== undefined && { start }),
    });
    return shown(answer);
  },
};

/** `setpointd 2030.5 cancel`: takes back what `order` gave. */
export const cancelCommand: AdapterCommand = {
  group: SEP2_GROUP,
  name: "cancel",
  summary: "take back an operator's order, or all of a device",
  examples: [
    "2030.5 cancel der.roof 5C41A7E09B3D6F2288C1D4A000000000 --config site.yaml",
    "2030.5 cancel der.roof all --config site.yaml",
  ],
  arguments: [
    { name: "<era>", description: "device" },
    { name: "<mrid>", description: "of the order, or all" },
  ],
  needs: "daemon",
  run: async ({ args: [era, cancel] }, { ask }) => shown(await ask("order", { era, cancel })),
};

function shown(answer: unknown) {
  const { orders, at } = answer as { at: string; orders: readonly ListedControl[] };
  return { json: { schemaVersion: 1, at, orders }, table: controlsTable(orders) };
}

/** @throws OperationError for what is neither a number nor true or false */
function orderFrom(options: Options): Readonly<Record<string, number | boolean>> {
  const numbers = NUMBERS.flatMap(([key, flag, option]) => {
    const text = textOption(options, option);
    if (text === undefined) return [];
    const value = Number(text);
    if (!Number.isFinite(value)) throw new OperationError("invalid", `${flag} is "${text}", expected a number`);
    return [[key, value] as const];
  });
  const switches = SWITCHES.flatMap(([key, flag]) => {
    const text = textOption(options, key);
    if (text === undefined) return [];
    if (text !== "true" && text !== "false")
      throw new OperationError("invalid", `${flag} is "${text}", expected true or false`);
    return [[key, text === "true"] as const];
  });
  return Object.fromEntries<number | boolean>([...numbers, ...switches]);
}
