import { readFileSync } from "node:fs";
import { type AdapterCommand, OperationError } from "../../kind.ts";

// What these commands need is loaded when one of them runs: the daemon knows them too, and has no use for it.

const group = { name: "coap profile", summary: "device profiles: models of CoAP devices, as data" } as const;

const list: AdapterCommand = {
  group,
  name: "list",
  summary: "the CoAP profiles that come with setpointd",
  examples: ["coap profile list", "coap profile list --json"],
  needs: "alone",
  run: async () => {
    const { findProfile } = await import("../profile/load-profile.ts");
    const { profileIds } = await import("../profile/profile-files.ts");
    const profiles = profileIds().map((id) => findProfile(id));
    return {
      json: {
        schemaVersion: 1,
        profiles: profiles.map(({ id, title, vendor, models, kind, uncertain, notes, sources, controls }) => {
          const told = Object.entries(controls).map(([name, control]) => ({
            name,
            control: control.kind,
            failsafe: control.failsafe,
          }));
          return { id, title, vendor, models, kind, controls: told, uncertain, notes, sources };
        }),
      },
      table: {
        heading: ["PROFILE", "KIND", "DEVICE", "FAILSAFE"],
        rows: profiles.map(({ id, kind, title, controls }) => [
          id,
          kind,
          title,
          Object.values(controls)[0]?.failsafe ?? "–",
        ]),
      },
    };
  },
};

const lint: AdapterCommand = {
  group,
  name: "lint",
  summary: "find all faults of CoAP profile files: file, line, key, what was expected",
  examples: ["coap profile lint my-heater.yaml", "coap profile lint config/profiles/coap/*.yaml --json"],
  arguments: [{ name: "<file...>", description: "YAML profiles" }],
  needs: "alone",
  run: async ({ args }) => {
    const { ConfigError } = await import("../../../src/config/load.ts");
    const { loadProfile } = await import("../profile/load-profile.ts");
    const results = args.map((file) => {
      try {
        loadProfile(file);
        return { text: `${file}: ok`, faults: [] };
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return { text: error.message, faults: error.faults };
      }
    });
    const faults = results.flatMap((result) => result.faults);
    return {
      json: { schemaVersion: 1, valid: faults.length === 0, faults },
      text: results.map(({ text }) => text).join("\n"),
      exitCode: faults.length === 0 ? 0 : 1,
    };
  },
};

const test: AdapterCommand = {
  group,
  name: "test",
  summary: "run a profile against a dump of a device: points, identity, and what setpoints would write",
  examples: [
    "coap profile test lwm2m-power-control heater.json --rating-kw 3",
    "coap profile test my-box.yaml box.json --power -3.5,2 --json",
  ],
  arguments: [
    { name: "<profile>", description: "id of a profile, or a file" },
    { name: "<dump>", description: "as `setpointd coap dump` writes it" },
  ],
  options: [
    { flags: "--power <kW>", description: "setpoint to try, kW, generation positive; several with commas" },
    { flags: "--rating-kw <kW>", description: "rating, for a device that does not state it" },
  ],
  needs: "alone",
  run: async ({ args: [profile = "", dump = ""], options }, { signal }) => {
    const powers = numbersFrom("--power", options["power"]);
    const [ratingKW] = numbersFrom("--rating-kw", options["ratingKw"]) ?? [];
    const { findProfile } = await import("../profile/load-profile.ts");
    const { loadDump } = await import("../profile/resource-dump.ts");
    const { tryProfile } = await import("../profile/try-profile.ts");
    const { trialText } = await import("../profile/trial-text.ts");
    const found = findProfile(profile);
    const trial = await tryProfile(found, loadDump(dump), { ratingKW, ...(powers && { powers }) }, signal);
    return {
      json: { schemaVersion: 1, ...trial },
      text: trialText(trial),
      exitCode: trial.fault === undefined ? 0 : 1,
    };
  },
};

function numbersFrom(flag: string, given: string | boolean | undefined): readonly number[] | undefined {
  if (given === undefined) return undefined;
  return String(given)
    .split(",")
    .map((text) => {
      const value = Number(text);
      if (text.trim() === "" || !Number.isFinite(value))
        throw new OperationError("invalid", `${flag}: ${text} is no number`);
      return value;
    });
}

const schema: AdapterCommand = {
  group,
  name: "schema",
  summary: "print the JSON Schema of a CoAP profile, for editors",
  examples: ["coap profile schema > coap-profile.schema.json"],
  options: [{ flags: "--check <file>", description: "compare with a file and fail if it differs" }],
  needs: "alone",
  run: async ({ options }) => {
    const { profileJsonSchema } = await import("../profile/profile-json-schema.ts");
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

/** `setpointd coap profile list|lint|test|schema`. */
export const profileCommands: readonly AdapterCommand[] = [list, lint, test, schema];
