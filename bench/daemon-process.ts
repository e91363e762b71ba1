import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { StatusReport } from "../src/api/status-report.ts";
import { builtFile, startNode, stopChild } from "./child-program.ts";

const READY_DEADLINE_MS = 30_000;
const ASK_DEADLINE_MS = 5_000;
const LOG_LETTERS_SHOWN = 2_000;

/** The daemon, built, as a process of its own with a data folder of its own. */
export class DaemonProcess implements AsyncDisposable {
  /** From the start of the process until `GET /health` answered 200, ms. */
  readonly readyAfterMs: number;
  readonly #child: ChildProcess;
  readonly #socket: string;

  private constructor(child: ChildProcess, socket: string, readyAfterMs: number) {
    this.#child = child;
    this.#socket = socket;
    this.readyAfterMs = readyAfterMs;
  }

  /**
   * @param folder empty, for this daemon alone
   * @param config all but `data`, `log` and `api`
   * @throws Error with the end of its log when it does not get ready
   */
  static async start(folder: string, config: object, profileFolder?: string): Promise<DaemonProcess> {
    const configFile = join(folder, "site.yaml");
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify({ ...config, data: "data", log: { level: "warn" }, api: { port: 0 } }));
    const logFile = join(folder, "daemon.log");
    const log = openSync(logFile, "a");
    const profile = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
    const startedAtMs = performance.now();
    const child = startNode(
      [...profile, builtFile("src/main.js"), "run", "--config", configFile],
      ["ignore", "ignore", log],
    );
    closeSync(log);
    const socket = join(folder, "data", "setpointd.sock");
    while ((await ask(socket, "/health").catch(() => undefined))?.status !== 200) {
      const isLate = performance.now() - startedAtMs > READY_DEADLINE_MS;
      if (child.exitCode !== null || isLate) {
        await stopChild(child);
        const words = readFileSync(logFile, "utf8").slice(-LOG_LETTERS_SHOWN);
        throw new Error(`the daemon did not get ready (exit code ${child.exitCode}): ${words}`);
      }
      await pause(2);
    }
    return new DaemonProcess(child, socket, performance.now() - startedAtMs);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async status(): Promise<StatusReport> {
    return JSON.parse((await ask(this.#socket, "/status")).body) as StatusReport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopChild(this.#child);
  }
}

/** Asks the local API on its Unix socket, which is where a free port can be learnt. */
function ask(socketPath: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, agent: false, timeout: ASK_DEADLINE_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    asking.on("timeout", () => asking.destroy(new Error(`${path} was not answered`)));
    asking.on("error", reject);
    asking.end();
  });
}
