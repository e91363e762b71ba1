import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPki, type Pki } from "../simulators/pki.ts";
import { Stage } from "../simulators/scenarios/stage.ts";
import type { AnyAdapterKind } from "../src/cli/parts.ts";
import { createScenarioHost } from "../src/cli/scenario-host.ts";
import { systemClock } from "../src/clock.ts";
import type { Log } from "../src/log.ts";
import { runClientProcedure } from "./client/run-client-procedure.ts";
import { Failed, NotRun, type Outcome } from "./outcome.ts";
import type { ClientProcedure, Procedures, ServerProcedure } from "./procedure-files.ts";
import { runServerProcedure } from "./server/run-server-procedure.ts";

export interface RunOptions {
  readonly adapters: readonly AnyAdapterKind[];
  readonly version: string;
  /** Only procedures whose name begins with one of these; absent: all. */
  readonly only?: readonly string[];
  /** Model time per real time. */
  readonly speed: number;
  /** Procedures at the same time. */
  readonly parallel: number;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onOutcome: (outcome: Outcome, progress: Progress) => void;
}

/** How far a run has got; what failed comes again behind the others. */
export interface Progress {
  readonly played: number;
  readonly of: number;
}

export interface Outcomes {
  readonly client: readonly Outcome[];
  readonly server: readonly Outcome[];
}

/** Kinds of adapter that the two sides are about. */
const SERVER_KIND = "ieee2030_5";
const CLIENT_KIND = "ieee2030_5_client";

/** Plays all procedures against the gateway, several at a time, each with a gateway and a clock of its own. */
export async function runProcedures(procedures: Procedures, options: RunOptions): Promise<Outcomes> {
  const pki = await createPki();
  const jobs: Job[] = [
    ...procedures.client.map((procedure) => ({ side: "client" as const, procedure })),
    ...procedures.server.map((procedure) => ({ side: "server" as const, procedure })),
  ].filter(({ procedure: { name } }) => options.only?.some((prefix) => name.startsWith(prefix)) ?? true);
  const results: { client: Outcome[]; server: Outcome[] } = { client: [], server: [] };
  for (const { side, outcome } of await playAll(jobs, pki, options)) results[side].push(outcome);
  const byName = (one: Outcome, other: Outcome) => one.name.localeCompare(other.name);
  return { client: results.client.sort(byName), server: results.server.sort(byName) };
}

/** A failure counts only if it comes again, slower: at speed each request takes seconds of model time. */
async function playAll(jobs: readonly Job[], pki: Pki, options: RunOptions): Promise<(Job & { outcome: Outcome })[]> {
  const first = await play(jobs, pki, options);
  const failed = first.filter(({ outcome }) => outcome.verdict === "failed");
  const slower = { ...options, speed: options.speed / 3, parallel: Math.ceil(options.parallel / 2) };
  const again = await play(failed, pki, slower);
  return [...first.filter(({ outcome }) => outcome.verdict !== "failed"), ...again];
}

async function play<T extends Job>(
  jobs: readonly T[],
  pki: Pki,
  options: RunOptions,
): Promise<(T & { outcome: Outcome })[]> {
  const waiting = [...jobs];
  const played: (T & { outcome: Outcome })[] = [];
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const outcome = await outcomeOf(job, pki, options);
      played.push({ ...job, outcome });
      options.onOutcome(outcome, { played: played.length, of: jobs.length });
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, work));
  return played;
}

type Job =
  | { readonly side: "client"; readonly procedure: ClientProcedure }
  | { readonly side: "server"; readonly procedure: ServerProcedure };

async function outcomeOf(job: Job, pki: Pki, options: RunOptions): Promise<Outcome> {
  const { name, Description } = job.procedure;
  const description = Description.replace(new RegExp(`^${name}\\s*`), "").trim();
  try {
    return { name, description, verdict: "passed", reason: await run(job, pki, options) };
  } catch (error) {
    if (error instanceof NotRun) return { name, description, verdict: "notRun", reason: error.message };
    if (options.signal.aborted) return { name, description, verdict: "notRun", reason: "interrupted" };
    const reason = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Failed)) options.log.warn("a procedure broke off", { name, err: error });
    return { name, description, verdict: "failed", reason };
  }
}

async function run(job: Job, pki: Pki, options: RunOptions): Promise<string> {
  const { adapters, version, speed, log, signal } = options;
  const wanted = job.side === "client" ? CLIENT_KIND : SERVER_KIND;
  const kind = adapters.find(({ name }) => name === wanted);
  if (kind === undefined) throw new NotRun(`no ${job.side}: there is no adapter ${wanted}`);
  const folder = mkdtempSync(join(tmpdir(), "setpointd-csip-"));
  try {
    const context = {
      host: createScenarioHost(adapters, version),
      seed: 7,
      folder,
      clock: systemClock,
      log: log.child({ procedure: job.procedure.name }),
      signal,
      onStory: () => {},
    };
    await using stage = new Stage(context, { speed, startAtMs: systemClock.now() });
    return job.side === "client"
      ? await runClientProcedure(job.procedure, stage, pki, speed)
      : await runServerProcedure(job.procedure, stage, pki, kind);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
