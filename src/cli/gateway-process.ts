import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { StatusReport } from "../api/status-report.ts";
import type { Clock } from "../clock.ts";
import { askDaemon } from "./daemon-client.ts";
import { CliError, EXIT } from "./exit-code.ts";

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 6_000;
const LOG_LINES_SHOWN = 12;

/** The daemon as a process of its own, as the demo runs it: the same program, the same command a technician types. */
export class GatewayProcess implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #socket: string;
  readonly #logFile: string;
  readonly #exited: Promise<number | null>;
  #exitCode: number | null | undefined;

  constructor(options: {
    self: { command: string; args: readonly string[] };
    configFile: string;
    socket: string;
    logFile: string;
    clock: Clock;
  }) {
    this.#clock = options.clock;
    this.#socket = options.socket;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, "a", 0o600);
    this.#child = spawn(options.self.command, [...options.self.args, "run", "--config", options.configFile], {
      stdio: ["ignore", "ignore", log],
      // A Ctrl-C at the terminal is for the demo, which stops the gateway in order.
      detached: true,
    });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", (code) => {
        this.#exitCode = code;
        resolve(code);
      });
      this.#child.once("error", () => {
        this.#exitCode = null;
        resolve(null);
      });
    });
  }

  /** @throws CliError with the end of its log when it has stopped, `daemonUnreachable` when it does not answer */
  async status(): Promise<StatusReport> {
    if (this.#exitCode !== undefined) throw this.#stoppedError();
    return await askDaemon<StatusReport>(this.#socket, "GET", "/status");
  }

  /** Waits until it is ready. */
  async ready(signal: AbortSignal): Promise<StatusReport> {
    const giveUpAtMs = this.#clock.elapsedMs() + START_DEADLINE_MS;
    for (;;) {
      signal.throwIfAborted();
      const report = await this.status().catch((error: unknown) => {
        const isLate = this.#clock.elapsedMs() > giveUpAtMs;
        if (isLate || !(error instanceof CliError) || error.exitCode !== EXIT.daemonUnreachable) throw error;
        return undefined;
      });
      if (report?.ready) return report;
      await this.#clock.sleep(50, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exitCode !== undefined) return;
    this.#child.kill("SIGTERM");
    const stopped = new AbortController();
    this.#clock.sleep(STOP_DEADLINE_MS, stopped.signal).then(
      () => this.#child.kill("SIGKILL"),
      () => {},
    );
    await this.#exited;
    stopped.abort();
  }

  #stoppedError(): CliError {
    const lines = readFileSync(this.#logFile, "utf8").trim().split("\n").slice(-LOG_LINES_SHOWN);
    return new CliError(EXIT.failed, `the gateway stopped with ${this.#exitCode}:\n${lines.join("\n")}`);
  }
}
