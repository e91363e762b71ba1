import { parentPort, workerData } from "node:worker_threads";
import { openDatabase } from "../../store/open-database.ts";
import type { ProviderAnswer, ProviderBatch, ProviderJob, ProviderThreadOptions } from "./provider-jobs.ts";
import { PROVIDER_MIGRATIONS, providerTables } from "./provider-tables.ts";

// SQLite calls block their thread while the disk syncs; here that thread is this one and never the event loop.

const answer = (message: ProviderAnswer) => parentPort?.postMessage(message);
const WRITES: ReadonlySet<ProviderJob["op"]> = new Set(["commit", "removeCallback", "retryCallback", "prune"]);

function serve(): void {
  const database = openDatabase((workerData as ProviderThreadOptions).file, PROVIDER_MIGRATIONS, 2);
  const tables = providerTables(database);
  const begin = database.prepare("BEGIN IMMEDIATE");
  const end = database.prepare("COMMIT");

  const run = (job: ProviderJob): unknown => {
    switch (job.op) {
      case "commit":
        return tables.commit(job.rows);
      case "findRequest":
        return tables.findRequest(job.senderId, job.messageId);
      case "transactions":
        return tables.transactions(job.sinceMs);
      case "hasRound":
        return tables.hasRound(job.roundId);
      case "rounds":
        return tables.rounds(job.limit);
      case "ordersOf":
        return tables.ordersOf(job.roundId);
      case "dueCallbacks":
        return tables.dueCallbacks(job.nowMs, job.limit);
      case "removeCallback":
        return tables.removeCallback(job.id);
      case "retryCallback":
        return tables.retryCallback(job.id, job.attempts, job.nextAttemptMs);
      case "callbacksWaiting":
        return tables.callbacksWaiting();
      case "prune":
        return tables.prune(job.nowMs);
    }
  };

  parentPort?.on("message", (message: ProviderBatch | "close") => {
    if (message === "close") {
      database.close();
      parentPort?.close();
      return;
    }
    const { batch, jobs } = message;
    const writes = jobs.some(({ op }) => WRITES.has(op));
    let begun = false;
    try {
      if (writes) begin.run();
      begun = writes;
      const values = jobs.map(run);
      if (writes) end.run();
      answer({ kind: "done", batch, values });
    } catch (error) {
      if (begun && database.inTransaction) database.exec("ROLLBACK");
      answer({ kind: "done", batch, values: [], error: error instanceof Error ? error.message : String(error) });
    }
  });
  answer({ kind: "ready" });
}

try {
  serve();
} catch (error) {
  answer({ kind: "failed", error: error instanceof Error ? error.message : String(error) });
}
