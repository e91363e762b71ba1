#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { adapters } from "../adapters/index.ts";
import { simulatorCommands } from "../simulators/commands.ts";
import { runCli } from "./cli/program.ts";

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
  self: { command: process.execPath, args: [...process.execArgv, file] },
});
