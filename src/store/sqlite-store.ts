import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import type { Reading } from "../model/reading.ts";
import type {
  Contract,
  ControlChange,
  ControlStore,
  MemoryEntry,
  ObjectiveRecord,
  OutboxItem,
  ReceivedMessage,
  ReceiveResult,
  SentSignature,
  StoredSetpoint,
} from "./control-store.ts";
import type { Job, StoreAnswer, StoreOptions } from "./jobs.ts";

/** Jobs that may wait for the disk; more are refused, so that a dead disk does not fill the memory. */
const MAX_WAITING = 5_000;
const MAX_BATCH = 500;
const CLOSE_DEADLINE_MS = 3_000;

interface Waiting {
  readonly job: Job;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Thrown when the disk does not take what must not be lost. The caller must not acknowledge. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/**
 * The two databases of a gateway, `control.db` (FULL) and `telemetry.db` (NORMAL, a ring), on a thread of their own.
 * All that waits while one commit runs goes into the next one, so a slow disk costs latency and not throughput.
 */
export class SqliteStore implements ControlStore {
  readonly #worker: Worker;
  #waiting: Waiting[] = [];
  #running: readonly Waiting[] = [];
  #batch = 0;
  #broken: StoreError | undefined;
  readonly #exited: Promise<void>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: StoreAnswer) => this.#onAnswer(message));
    worker.on("error", (error) => this.#fail(new StoreError(`the store's thread failed: ${error.message}`)));
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        this.#fail(new StoreError("the store is closed"));
        resolve();
      });
    });
  }

  /**
   * Opens or creates both databases in a folder.
   * @throws StoreError naming the file and the reason
   */
  static async open(folder: string, telemetryMaxBytes = 256 * 1024 * 1024): Promise<SqliteStore> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const workerData: StoreOptions = {
      controlFile: join(folder, "control.db"),
      telemetryFile: join(folder, "telemetry.db"),
      telemetryMaxBytes,
    };
    const worker = startThread(workerData);
    const answer = await new Promise<StoreAnswer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    }).catch((error: unknown): StoreAnswer => ({ kind: "failed", error: String(error) }));
    if (answer.kind !== "ready") {
      await worker.terminate();
      throw new StoreError(
        `can't open the store in ${folder}: ${answer.kind === "failed" ? answer.error : "no answer"}`,
      );
    }
    return new SqliteStore(worker);
  }

  receive(message: ReceivedMessage, change: ControlChange): Promise<ReceiveResult> {
    return this.#ask({ op: "receive", message, change }) as Promise<ReceiveResult>;
  }

  async commit(change: ControlChange): Promise<void> {
    await this.#ask({ op: "commit", change });
  }

  findReceived(senderId: string, messageId: string): Promise<ReceivedMessage | undefined> {
    return this.#ask({ op: "findReceived", senderId, messageId }) as Promise<ReceivedMessage | undefined>;
  }

  findContract(transactionId: string): Promise<Contract | undefined> {
    return this.#ask({ op: "findContract", transactionId }) as Promise<Contract | undefined>;
  }

  findContractByOrder(orderId: string): Promise<Contract | undefined> {
    return this.#ask({ op: "findContractByOrder", orderId }) as Promise<Contract | undefined>;
  }

  openSetpoints(nowMs: number): Promise<readonly StoredSetpoint[]> {
    return this.#ask({ op: "openSetpoints", nowMs }) as Promise<readonly StoredSetpoint[]>;
  }

  recentSetpoints(limit: number): Promise<readonly StoredSetpoint[]> {
    return this.#ask({ op: "recentSetpoints", limit }) as Promise<readonly StoredSetpoint[]>;
  }

  objectives(): Promise<readonly ObjectiveRecord[]> {
    return this.#ask({ op: "objectives" }) as Promise<readonly ObjectiveRecord[]>;
  }

  dueOutbox(nowMs: number, limit: number): Promise<readonly OutboxItem[]> {
    return this.#ask({ op: "dueOutbox", nowMs, limit }) as Promise<readonly OutboxItem[]>;
  }

  sentSignatures(limit: number): Promise<readonly SentSignature[]> {
    return this.#ask({ op: "sentSignatures", limit }) as Promise<readonly SentSignature[]>;
  }

  async removeOutbox(id: number, sent?: SentSignature): Promise<void> {
    await this.#ask({ op: "removeOutbox", id, sent });
  }

  async retryOutbox(id: number, attempts: number, nextAttemptMs: number): Promise<void> {
    await this.#ask({ op: "retryOutbox", id, attempts, nextAttemptMs });
  }

  outboxSize(): Promise<number> {
    return this.#ask({ op: "outboxSize" }) as Promise<number>;
  }

  async remember(entry: MemoryEntry): Promise<void> {
    await this.#ask({ op: "remember", entry });
  }

  async forget(adapter: string, key: string): Promise<void> {
    await this.#ask({ op: "forget", adapter, key });
  }

  /** All that adapters keep, oldest first. */
  memories(): Promise<readonly MemoryEntry[]> {
    return this.#ask({ op: "memories" }) as Promise<readonly MemoryEntry[]>;
  }

  /** Removes what is old enough; call it now and then. */
  async prune(nowMs: number): Promise<void> {
    await this.#ask({ op: "prune", nowMs });
  }

  async storeReadings(readings: readonly Reading[]): Promise<void> {
    await this.#ask({ op: "readings", readings });
  }

  recentReadings(era: string, limit: number): Promise<readonly Reading[]> {
    return this.#ask({ op: "recentReadings", era, limit }) as Promise<readonly Reading[]>;
  }

  /** False once the thread has failed: nothing can be acknowledged any more. */
  get healthy(): boolean {
    return this.#broken === undefined;
  }

  /** Lets what waits reach the disk, then closes both files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#broken === undefined) await this.#ask({ op: "outboxSize" }).catch(() => {});
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

  #ask(job: Job): Promise<unknown> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new StoreError(`the disk is too slow: ${MAX_WAITING} writes wait`));
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

  #onAnswer(message: StoreAnswer): void {
    if (message.kind !== "done" || message.batch !== this.#batch) return;
    const done = this.#running;
    this.#running = [];
    for (const [index, waiting] of done.entries()) {
      const result = message.results[index];
      if (result?.ok) waiting.resolve(result.value);
      else waiting.reject(new StoreError(result?.error ?? "the store gave no answer"));
    }
    this.#next();
  }

  #fail(error: StoreError): void {
    this.#broken ??= error;
    for (const waiting of [...this.#running, ...this.#waiting]) waiting.reject(error);
    this.#running = [];
    this.#waiting = [];
  }
}

function startThread(workerData: StoreOptions): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL("./store-thread.js", import.meta.url), { workerData, resourceLimits });
  }
  // From source (tests) the thread needs the TypeScript loader, which a new thread doesn't inherit.
  const file = JSON.stringify(new URL("./store-thread.ts", import.meta.url).href);
  const boot = `import("tsx/esm/api").then((tsx) => { tsx.register(); return import(${file}); })`;
  return new Worker(boot, { eval: true, workerData });
}
