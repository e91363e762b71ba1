import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { waitFor } from "./wait-for.ts";

const FOLDER = resolve(import.meta.dirname, "../peers");
/** Where .ci/run puts Python with the packages of requirements.txt. */
const PYTHON = resolve(import.meta.dirname, "../../.cache/modbus-peers/bin/python");

const MAY_TAKE_MS = 30_000;

/** A program that is not ours, or why it is not there. */
export interface Peer {
  /** Empty where it is there; else for the title of the tests that are skipped. */
  readonly missing: string;
  /** What it printed. @throws Error with what it complained of */
  run(...args: string[]): Promise<string>;
  /** Starts it as a server, whose port is tried until it is open. */
  serve(port: number, ...args: string[]): Promise<AsyncDisposable>;
}

export const hasSocat = isThere("socat", ["-V"]);
export const mbpoll = peer(isThere("mbpoll", ["-h"]) ? "" : "the Debian package mbpoll is not installed", () => [
  "mbpoll",
]);
export const libmodbus = peer(whyNoLibmodbus(), () => [compiled()]);
export const pymodbus = python("pymodbus", "pymodbus_peer.py");
export const pysunspec2 = python("sunspec2", "pysunspec2_scan.py");

function peer(why: string, command: () => readonly string[]): Peer {
  const parts = () => {
    const [program = "", ...first] = command();
    return { program, first };
  };
  return {
    missing: why === "" ? "" : ` (skipped: ${why})`,
    run: async (...args) => {
      const { program, first } = parts();
      const { stdout } = await promisify(execFile)(program, [...first, ...args], { timeout: MAY_TAKE_MS });
      return stdout.trim();
    },
    serve: async (port, ...args) => {
      const { program, first } = parts();
      const child = spawn(program, [...first, "server", String(port), ...args], { stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      child.stdout.on("data", (chunk) => {
        said += chunk;
      });
      child.stderr.on("data", (chunk) => {
        said += chunk;
      });
      await waitFor(`${program} to start`, () => said !== "" || child.exitCode !== null);
      if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
      return { [Symbol.asyncDispose]: () => ended(child) };
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await exit;
}

function python(module: string, script: string): Peer {
  const program = existsSync(PYTHON) ? PYTHON : "python3";
  const why = isThere(program, ["-c", `import ${module}`]) ? "" : `Python has no package ${module}`;
  return peer(why, () => [program, join(FOLDER, script)]);
}

function whyNoLibmodbus(): string {
  if (!isThere("cc", ["--version"])) return "there is no C compiler";
  return isThere("pkg-config", ["--exists", "libmodbus"]) ? "" : "the Debian package libmodbus-dev is not installed";
}

let program: string | undefined;

function compiled(): string {
  if (program !== undefined) return program;
  const file = join(mkdtempSync(join(tmpdir(), "setpointd-peer-")), "libmodbus-peer");
  const flags = execFileSync("pkg-config", ["--cflags", "--libs", "libmodbus"], { encoding: "utf8" })
    .trim()
    .split(/\s+/);
  execFileSync("cc", ["-O1", "-Wall", "-o", file, join(FOLDER, "libmodbus-peer.c"), ...flags]);
  program = file;
  return file;
}

/** True if it can be started and ends well. */
function isThere(command: string, args: readonly string[]): boolean {
  const { error, status } = spawnSync(command, [...args], { stdio: "ignore" });
  return error === undefined && (status === 0 || command === "mbpoll");
}
