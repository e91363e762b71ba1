import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { within } from "./within.ts";

const STOP_DEADLINE_MS = 6_000;

const running = new Set<ChildProcess>();

/** A program of the build, for example `src/main.js`; the figures are those of the built program, from wherever they are taken. */
export function builtFile(path: string): string {
  const root = import.meta.url.endsWith(".ts") ? "../dist/" : "../";
  return fileURLToPath(new URL(root + path, import.meta.url));
}

/** Starts Node with a program; it ends with this process at the latest. */
export function startNode(args: readonly string[], stdio: NonNullable<SpawnOptions["stdio"]>): ChildProcess {
  if (running.size === 0) process.once("exit", killAll);
  const child = spawn(process.execPath, [...args], { stdio });
  running.add(child);
  child.once("exit", () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", killAll);
  });
  return child;
}

/** Asks a program to end, and makes it end if it does not. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await within(STOP_DEADLINE_MS, "the end of a program", exited).catch(async () => {
    child.kill("SIGKILL");
    await exited;
  });
}

function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
