import { parentPort, workerData } from "node:worker_threads";
import { controlTables } from "./control-tables.ts";
import type { Batch, Job, JobResult, StoreAnswer, StoreOptions } from "./jobs.ts";
import { CONTROL_MIGRATIONS, TELEMETRY_MIGRATIONS } from "./migrations.ts";
import { openDatabase } from "./open-database.ts";
import { telemetryTables } from "./telemetry-tables.ts";

// SQLite calls block their thread while the disk syncs; here that thread is this one and never the event loop.

const options = workerData as StoreOptions;
const answer = (message: StoreAnswer) => parentPort?.postMessage(message);

function serve(): void {
  const controlDatabase = openDatabase(options.controlFile, CONTROL_MIGRATIONS, 2);
  const telemetryDatabase = openDatabase(options.telemetryFile, TELEMETRY_MIGRATIONS, 1);
  const control = controlTables(controlDatabase);
  const telemetry = telemetryTables(telemetryDatabase, options.telemetryMaxBytes);
  const begin = controlDatabase.prepare("BEGIN IMMEDIATE");
  const end = controlDatabase.prepare("COMMIT");

  // SQLite would move the log into the database inside the commit that fills it, which then takes several times as long.
  // Here that is done when the answer is out, so that no message waits for it.
  controlDatabase.exec("PRAGMA wal_autocheckpoint = 0");
  const checkpoint = controlDatabase.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  let commits = 0;
  const afterCommit = () => {
    commits += 1;
    if (commits < COMMITS_PER_CHECKPOINT) return;
    commits = 0;
    guarded(() => checkpoint.all());
  };

  const run = (job: Job): unknown => {
    switch (job.op) {
      case "receive":
        return control.receive(job.message, job.change);
      case "commit":
        return control.commit(job.change);
      case "findReceived":
        return control.findReceived(job.senderId, job.messageId);
      case "findContract":
        return control.findContract(job.transactionId);
      case "findContractByOrder":
        return control.findContractByOrder(job.orderId);
      case "openSetpoints":
        return control.openSetpoints(job.nowMs);
      case "recentSetpoints":
        return control.recentSetpoints(job.limit);
      case "objectives":
        return control.objectives();
      case "dueOutbox":
        return control.dueOutbox(job.nowMs, job.limit);
      case "removeOutbox":
        return control.removeOutbox(job.id, job.sent);
      case "sentSignatures":
        return control.sentSignatures(job.limit);
      case "retryOutbox":
        return control.retryOutbox(job.id, job.attempts, job.nextAttemptMs);
      case "outboxSize":
        return control.outboxSize();
      case "remember":
        return control.remember(job.entry);
      case "forget":
        return control.forget(job.adapter, job.key);
      case "memories":
        return control.memories();
      case "prune":
        return control.prune(job.nowMs);
      case "readings":
        return telemetry.store(job.readings);
      case "recentReadings":
        return telemetry.recent(job.era, job.limit);
    }
  };

  /** One job inside the batch's transaction: if it fails, its own changes go and the others stay. */
  const runInSavepoint = (job: Job): JobResult => {
    if (!WRITES_CONTROL.has(job.op)) return guarded(() => run(job));
    controlDatabase.exec("SAVEPOINT job");
    const result = guarded(() => run(job));
    controlDatabase.exec(result.ok ? "RELEASE job" : "ROLLBACK TO job; RELEASE job");
    return result;
  };

  parentPort?.on("message", (message: Batch | "close") => {
    if (message === "close") {
      controlDatabase.close();
      telemetryDatabase.close();
      parentPort?.close();
      return;
    }
    const { batch, jobs } = message;
    const [only] = jobs;
    // One commit, and so one sync of the disk, for all that waited together; a batch of reads needs none.
    const writes = jobs.some((job) => WRITES_CONTROL.has(job.op));
    const whole = guarded(() => {
      if (writes) begin.run();
      // A lone job needs no savepoint: if it fails the whole transaction goes.
      const results = jobs.length === 1 && only !== undefined ? [guarded(() => run(only))] : jobs.map(runInSavepoint);
      if (writes) {
        if (jobs.length === 1 && results[0]?.ok === false) controlDatabase.exec("ROLLBACK");
        else end.run();
      }
      return results;
    });
    if (whole.ok) {
      answer({ kind: "done", batch, results: whole.value as JobResult[] });
      if (writes) afterCommit();
      return;
    }
    guarded(() => controlDatabase.exec("ROLLBACK"));
    answer({ kind: "done", batch, results: jobs.map(() => whole) });
  });
  answer({ kind: "ready" });
}

/** A commit of one message is 3 to 5 pages of 4 KiB, so the log stays around 1 MiB. */
const COMMITS_PER_CHECKPOINT = 64;

const WRITES_CONTROL: ReadonlySet<Job["op"]> = new Set([
  "receive",
  "commit",
  "removeOutbox",
  "retryOutbox",
  "remember",
  "forget",
  "prune",
]);

function guarded(work: () => unknown): JobResult {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

try {
  serve();
} catch (error) {
  answer({ kind: "failed", error: error instanceof Error ? error.message : String(error) });
}
