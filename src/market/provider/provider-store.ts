import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { systemClock } from "../../clock.ts";
import { rowsOf } from "./change-rows.ts";
import type { ProviderAnswer, ProviderJob, ProviderThreadOptions } from "./provider-jobs.ts";
import type {
  AnsweredRequest,
  ClearedOrder,
  ProviderChange,
  RoundRecord,
  TransactionRecord,
  WaitingCallback,
} from "./provider-records.ts";

/** Jobs that may wait for the disk; more are refused, so that a dead disk does not fill the memory. */
const MAX_WAITING = 20_000;
const MAX_BATCH = 1_000;
const CLOSE_DEADLINE_MS = 3_000;

/** What a provider needs of a disk. A promise that resolved means that the disk has it. */
export interface ProviderStore extends AsyncDisposable {
  /**
   * Rises when a commit failed. What was worked out before on top of that commit is refused, so that nothing is stored
   * that stands on something which is not.
   */
  readonly epoch: number;
  /** @param epoch the one in which the change was worked out @throws ProviderStoreError */
  commit(change: ProviderChange, epoch: number): Promise<void>;
  findRequest(senderId: string, messageId: string): Promise<AnsweredRequest | undefined>;
  /** Transactions that are not over, and those that ended after `sinceMs`. */
  transactions(sinceMs: number): Promise<readonly TransactionRecord[]>;
  hasRound(roundId: string): Promise<boolean>;
  /** Newest first. */
  rounds(limit: number): Promise<readonly RoundRecord[]>;
  ordersOf(roundId: string): Promise<readonly ClearedOrder[]>;
  /** Callbacks whose next attempt is due, oldest first. */
  dueCallbacks(nowMs: number, limit: number): Promise<readonly WaitingCallback[]>;
  removeCallback(id: number): Promise<void>;
  retryCallback(id: number, attempts: number, nextAttemptMs: number): Promise<void>;
  callbacksWaiting(): Promise<number>;
  /** Removes what is old enough. */
  prune(nowMs: number): Promise<void>;
}

/** Thrown when the disk does not take what must not be lost. The caller must not acknowledge. */
export class ProviderStoreError extends Error {
  override readonly name = "ProviderStoreError";
}

interface Waiting {
  readonly job: ProviderJob;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * `provider.db` (`synchronous=FULL`) on a thread of its own. All that waits while one commit runs goes into the next one;
 * a batch is stored as a whole or not at all.
 */
export class SqliteProviderStore implements ProviderStore {
  readonly #worker: Worker;
  #waiting: Waiting[] = [];
  #running: readonly Waiting[] = [];
  #batch = 0;
  #epoch = 0;
  #broken: ProviderStoreError | undefined;
  readonly #exited: Promise<void>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: ProviderAnswer) => this.#onAnswer(message));
    worker.on("error", (error) => this.#break(new ProviderStoreError(`the store's thread failed: ${error.message}`)));
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        this.#break(new ProviderStoreError("the store is closed"));
        resolve();
      });
    });
  }

  /**
   * Opens or creates `provider.db` in a folder.
   * @throws ProviderStoreError naming the folder and the reason
   */
  static async open(folder: string): Promise<SqliteProviderStore> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const worker = startThread({ file: join(folder, "provider.db") });
    const answer = await new Promise<ProviderAnswer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    }).catch((error: unknown): ProviderAnswer => ({ kind: "failed", error: String(error) }));
    if (answer.kind !== "ready") {
      await worker.terminate();
      const reason = answer.kind === "failed" ? answer.error : "no answer";
      throw new ProviderStoreError(`can't open the store in ${folder}: ${reason}`);
    }
    return new SqliteProviderStore(worker);
  }

  get epoch(): number {
    return this.#epoch;
  }

  async commit(change: ProviderChange, epoch: number): Promise<void> {
    if (epoch !== this.#epoch) throw new ProviderStoreError("an earlier commit failed");
    await this.#ask({ op: "commit", rows: rowsOf(change) });
  }

  findRequest(senderId: string, messageId: string): Promise<AnsweredRequest | undefined> {
    return this.#ask({ op: "findRequest", senderId, messageId }) as Promise<AnsweredRequest | undefined>;
  }

  transactions(sinceMs: number): Promise<readonly TransactionRecord[]> {
    return this.#ask({ op: "transactions", sinceMs }) as Promise<readonly TransactionRecord[]>;
  }

  hasRound(roundId: string): Promise<boolean> {
    return this.#ask({ op: "hasRound", roundId }) as Promise<boolean>;
  }

  rounds(limit: number): Promise<readonly RoundRecord[]> {
    return this.#ask({ op: "rounds", limit }) as Promise<readonly RoundRecord[]>;
  }

  ordersOf(roundId: string): Promise<readonly ClearedOrder[]> {
    return this.#ask({ op: "ordersOf", roundId }) as Promise<readonly ClearedOrder[]>;
  }

  dueCallbacks(nowMs: number, limit: number): Promise<readonly WaitingCallback[]> {
    return this.#ask({ op: "dueCallbacks", nowMs, limit }) as Promise<readonly WaitingCallback[]>;
  }

  async removeCallback(id: number): Promise<void> {
    await this.#ask({ op: "removeCallback", id });
  }

  async retryCallback(id: number, attempts: number, nextAttemptMs: number): Promise<void> {
    await this.#ask({ op: "retryCallback", id, attempts, nextAttemptMs });
  }

  callbacksWaiting(): Promise<number> {
    return this.#ask({ op: "callbacksWaiting" }) as Promise<number>;
  }

  async prune(nowMs: number): Promise<void> {
    await this.#ask({ op: "prune", nowMs });
  }

  /** Lets what waits reach the disk, then closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#broken === undefined) await this.#ask({ op: "callbacksWaiting" }).catch(() => {});
    this.#worker.postMessage("close");
    const closed = new AbortController();
    // A thread that hangs on a dead disk must not keep the process from stopping.
    systemClock.sleep(CLOSE_DEADLINE_MS, closed.signal).then(
      () => void this.#worker.terminate(),
      () => {},
    );
    await this.#exited;
    closed.abort();
  }

  #ask(job: ProviderJob): Promise<unknown> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new ProviderStoreError(`the disk is too slow: ${MAX_WAITING} writes wait`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#running.length > 0 || this.#waiting.length === 0) return;
    this.#running = this.#waiting.splice(0, MAX_BATCH);
    this.#batch += 1;
    this.#worker.postMessage({ batch: this.#batch, jobs: this.#running.map((waiting) => waiting.job) });
  }

  #onAnswer(message: ProviderAnswer): void {
    if (message.kind !== "done" || message.batch !== this.#batch) return;
    const done = this.#running;
    this.#running = [];
    if (message.error !== undefined) {
      // What waits was worked out on top of what just failed.
      this.#epoch += 1;
      const error = new ProviderStoreError(message.error);
      const behind = this.#waiting;
      this.#waiting = [];
      for (const waiting of [...done, ...behind]) waiting.reject(error);
      return;
    }
    for (const [index, waiting] of done.entries()) waiting.resolve(message.values[index]);
    this.#next();
  }

  #break(error: ProviderStoreError): void {
    this.#broken ??= error;
    this.#epoch += 1;
    for (const waiting of [...this.#running, ...this.#waiting]) waiting.reject(error);
    this.#running = [];
    this.#waiting = [];
  }
}

function startThread(workerData: ProviderThreadOptions): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL("./provider-store-thread.js", import.meta.url), { workerData, resourceLimits });
  }
  // From source (tests) the thread needs the TypeScript loader, which a new thread doesn't inherit.
  const file = JSON.stringify(new URL("./provider-store-thread.ts", import.meta.url).href);
  const boot = `import("tsx/esm/api").then((tsx) => { tsx.register(); return import(${file}); })`;
  return new Worker(boot, { eval: true, workerData });
}
