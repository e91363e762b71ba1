#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { keepYoungObjectsFew, letHelpersGiveWay } from "./cli/engine-flags.ts";

keepYoungObjectsFew();
letHelpersGiveWay();

const [{ adapters }, { simulatorCommands }, { runCli }] = await Promise.all([
  import("../adapters/index.ts"),
  import("../simulators/commands.ts"),
  import("./cli/program.ts"),
]);

// Built, this file is dist/src/main.js; from source it is src/main.ts.
const file = fileURLToPath(import.meta.url);
const root = new URL(file.endsWith(".ts") ? "../" : "../../", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string };

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  adapters,
  simulators: simulatorCommands,
  startDemoWorld: async (options) => {
    // The daemon is the same program and has no use for simulators in its memory.
    const { startDemoWorld } = await import("../simulators/demo/demo-world.ts");
    return startDemoWorld({ ...options, configTemplate: fileURLToPath(new URL("config/demo.yaml", root)) });
  },
  scenarios: async () => (await import("../simulators/scenarios/index.ts")).scenarios,
  scenarioHost: async () => (await import("./cli/scenario-host.ts")).createScenarioHost(adapters, version),
  self: { command: process.execPath, args: [...process.execArgv, file] },
});
