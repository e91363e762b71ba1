import { readFileSync } from "node:fs";
import { ConfigError } from "../../../src/config/load.ts";
import { type AdapterCommand, OperationError } from "../../kind.ts";
import { findProfile, loadProfile } from "./load-profile.ts";
import { profileFileOf, profileIds } from "./profile-files.ts";
import { profileJsonSchema } from "./profile-json-schema.ts";
import { profileRow, trialText } from "./profile-text.ts";
import { loadDump } from "./register-dump.ts";
import type { TrialOptions } from "./trial.ts";
import { tryProfile } from "./try-profile.ts";

const group = { name: "profile", summary: "device profiles: models of Modbus devices, as data" } as const;

const list: AdapterCommand = {
  group,
  name: "list",
  summary: "the profiles that come with setpointd",
  examples: ["profile list", "profile list --json"],
  needs: "alone",
  run: async () => {
    const profiles = profileIds().map((id) => loadProfile(profileFileOf(id) ?? id));
    return {
      json: {
        schemaVersion: 1,
        profiles: profiles.map(({ id, title, vendor, models, kind, uncertain, notes, sources, sunspec, controls }) => ({
          id,
          title,
          vendor,
          models,
          kind,
          sunspec: sunspec !== undefined,
          controls: Object.entries(controls).map(([name, { failsafe, kind: control }]) => ({
            name,
            control,
            failsafe,
          })),
          uncertain,
          notes,
          sources,
        })),
      },
      table: { heading: ["PROFILE", "KIND", "DEVICE", "FAILSAFE", "UNCERTAIN"], rows: profiles.map(profileRow) },
    };
  },
};

const lint: AdapterCommand = {
  group,
  name: "lint",
  summary: "find all faults of profile files: file, line, key, what was expected",
  examples: ["profile lint my-inverter.yaml", "profile lint config/profiles/*.yaml --json"],
  arguments: [{ name: "<file...>", description: "YAML profiles" }],
  needs: "alone",
  run: async ({ args }) => {
    const results = args.map((file) => ({ file, faults: faultsOf(file) }));
    const faults = results.flatMap((result) => result.faults);
    const lines = results.map(({ file, faults: found }) =>
      found.length === 0 ? `${file}: ok` : found.map(({ text }) => text).join("\n"),
    );
    return {
      json: { schemaVersion: 1, valid: faults.length === 0, faults: faults.map(({ text: _, ...fault }) => fault) },
      text: lines.join("\n"),
      exitCode: faults.length === 0 ? 0 : 1,
    };
  },
};

function faultsOf(file: string) {
  try {
    loadProfile(file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split("\n");
    return error.faults.map((fault, index) => ({ ...fault, text: lines[index] ?? fault.fault }));
  }
}

const test: AdapterCommand = {
  group,
  name: "test",
  summary: "run a profile against a register dump: points, identity, and what setpoints would write",
  examples: ["profile test eastron-sdm630 meter.json", "profile test my-box.yaml box.json --power -3.5 --json"],
  arguments: [
    { name: "<profile>", description: "id of a profile, or a file" },
    { name: "<dump>", description: "register dump, as `setpointd modbus dump` writes it" },
  ],
  options: [
    { flags: "--power <kW>", description: "setpoint to try, kW, generation positive; several with commas" },
    { flags: "--phases <n>", description: "phases of a charger, 1 or 3" },
    { flags: "--max-a <amps>", description: "greatest current of a charger, A" },
    { flags: "--rating-kw <kW>", description: "rating, for a device that does not state it" },
    { flags: "--connector <n>", description: "connector of a station, from 1" },
  ],
  needs: "alone",
  run: async ({ args, options }, { clock, signal }) => {
    const [profileName = "", dumpFile = ""] = args;
    const { profile } = findProfile(profileName);
    const trial = await tryProfile(profile, () => loadDump(dumpFile), trialOptions(options), clock, signal);
    return {
      json: { schemaVersion: 1, ...trial },
      text: trialText(trial),
      exitCode: trial.fault === undefined ? 0 : 1,
    };
  },
};

function trialOptions(options: Readonly<Record<string, string | boolean | undefined>>): TrialOptions {
  const number = (key: string, flag: string) => {
    const text = options[key];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) throw new OperationError("invalid", `${flag}: ${text} is no number`);
    return value;
  };
  const powers = options["power"];
  return {
    phases: number("phases", "--phases"),
    maxA: number("maxA", "--max-a"),
    ratingKW: number("ratingKw", "--rating-kw"),
    connector: number("connector", "--connector") ?? 1,
    ...(powers === undefined
      ? {}
      : {
          powers: String(powers)
            .split(",")
            .map((text) => {
              const value = Number(text);
              if (text.trim() === "" || !Number.isFinite(value)) {
                throw new OperationError("invalid", `--power: ${text} is no number`);
              }
              return value;
            }),
        }),
  };
}

const schema: AdapterCommand = {
  group,
  name: "schema",
  summary: "print the JSON Schema of a profile, for editors",
  examples: ["profile schema > profile.schema.json"],
  options: [{ flags: "--check <file>", description: "compare with a file and fail if it differs" }],
  needs: "alone",
  run: async ({ options }) => {
    const value = profileJsonSchema();
    const text = `${JSON.stringify(value, null, 2)}\n`;
    const file = options["check"];
    if (typeof file !== "string") return { json: value, text };
    const isSame = readFileSync(file, "utf8") === text;
    return {
      json: { schemaVersion: 1, upToDate: isSame },
      text: isSame ? `${file}: up to date` : `${file}: differs from the program; write it again with: npm run schema`,
      exitCode: isSame ? 0 : 1,
    };
  },
};

/** `setpointd profile list|lint|test|schema`. */
export const profileCommands: readonly AdapterCommand[] = [list, lint, test, schema];
