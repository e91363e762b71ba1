import type { KeyObject } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { publicKeyText } from "../market/signing-keys.ts";
import type { RegisterPoint } from "../settlement/interval-energy.ts";
import { logFileName, restOfFile } from "./log-lines.ts";
import { type IntervalBody, intervalFault, LOG_FORMAT, NO_HASH, type RecordBody } from "./log-record.ts";
import { IntervalLogError, pointAtEndOf, readTail, type Tip } from "./log-tail.ts";
import { sealRecord } from "./record-seal.ts";

/** Records that may wait for the disk; beyond it they are refused. */
const MAX_WAITING = 10_000;

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

export interface IntervalLogOptions {
  /** Where the files are; made if it is not there. One process at a time. */
  readonly folder: string;
  readonly privateKey: KeyObject;
  readonly clock: Clock;
  /** A new file begins above this many bytes, and on each day (UTC). Default 8 MiB. */
  readonly maxBytes?: number;
}

interface Waiting {
  readonly bodies: readonly IntervalBody[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The energy that was metered, as evidence: JSON Lines that are only ever added to, each with the hash of the one before it
 * and a signature. A record whose `append` resolved is on the disk (`fdatasync`); what waits meanwhile is written together.
 * Files change by day and by size, and the chain goes on from one to the next. Nothing is ever deleted here.
 */
export class IntervalLog implements AsyncDisposable {
  readonly #options: IntervalLogOptions;
  readonly #lasts = new Map<string, RegisterPoint>();
  #handle: FileHandle;
  #day: string;
  #tip: Tip;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #closed = false;
  #failure: Error | undefined;

  private constructor(options: IntervalLogOptions, start: { handle: FileHandle; day: string; tip: Tip }) {
    this.#options = options;
    this.#handle = start.handle;
    this.#day = start.day;
    this.#tip = start.tip;
  }

  /**
   * Opens the newest file of the folder, or the first. A torn end, as a power cut leaves it, is cut off and noted as a record.
   * @throws IntervalLogError if the newest file was changed, since to go on would cover it up
   */
  static async open(options: IntervalLogOptions): Promise<IntervalLog> {
    await mkdir(options.folder, { recursive: true });
    const found = readTail(options.folder);
    const day = dayOf(options.clock.now());
    const file = found?.file ?? join(options.folder, logFileName(1, day));
    const handle = await open(file, "a", 0o640);
    const tip = found?.tip ?? { seq: 0, hash: NO_HASH, bytes: 0 };
    const log = new IntervalLog(options, { handle, day: found?.day ?? day, tip });
    try {
      const torn = found?.isTorn ? restOfFile(file, tip.bytes) : undefined;
      if (torn !== undefined) await handle.truncate(tip.bytes);
      await syncFolder(options.folder);
      await log.#write([
        openBody(options.privateKey),
        ...(torn === undefined
          ? []
          : [{ kind: "recovered" as const, droppedBytes: torn.bytes, droppedSha256: torn.sha256 }]),
      ]);
    } catch (error) {
      await handle.close();
      throw error;
    }
    for (const [era, point] of found?.lasts ?? []) log.#lasts.set(era, point);
    return log;
  }

  /** Number and hash of the newest record; noted elsewhere, they prove that nothing up to there was cut off or changed. */
  get head(): { readonly seq: number; readonly hash: string } {
    return { seq: this.#tip.seq, hash: this.#tip.hash };
  }

  /** The registers at the end of a resource's last interval; absent if none is known. */
  lastOf(era: string): RegisterPoint | undefined {
    return this.#lasts.get(era);
  }

  /**
   * Resolves when the records are on the disk. All of them are, or none.
   * @throws RangeError if one overlaps what is there or is not a valid record; IntervalLogError if the disk failed
   */
  append(bodies: readonly IntervalBody[]): Promise<void> {
    if (this.#closed) return Promise.reject(new IntervalLogError("the interval log is closed"));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const waiting = this.#waiting.reduce((sum, one) => sum + one.bodies.length, bodies.length);
    if (waiting > MAX_WAITING) {
      return Promise.reject(new IntervalLogError(`more than ${MAX_WAITING} records wait for the disk`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bodies, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Writes what waits, and that the log ends here in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#draining;
    try {
      if (this.#failure === undefined) await this.#write([{ kind: "close" }]);
    } finally {
      await this.#handle.close();
    }
  }

  async #drain(): Promise<void> {
    // One turn later, so that what is appended at the same time goes to the disk at the same time.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const sound: Waiting[] = [];
      let ends = new Map([...this.#lasts].map(([era, { atMs }]) => [era, atMs]));
      for (const one of batch) {
        const endsWith = new Map(ends);
        const fault = one.bodies.map((body) => bodyFault(body, endsWith)).find((text) => text !== undefined);
        if (fault === undefined) {
          sound.push(one);
          ends = endsWith;
        } else one.reject(new RangeError(fault));
      }
      const bodies = sound.flatMap((one) => one.bodies);
      try {
        if (bodies.length > 0) {
          await this.#rotateIfDue();
          await this.#write(bodies);
        }
      } catch (error) {
        const reason = error instanceof Error ? error : new Error(String(error));
        for (const one of sound) one.reject(reason);
        continue;
      }
      for (const body of bodies) this.#lasts.set(body.era, pointAtEndOf(body));
      for (const one of sound) one.resolve();
    }
    // In the same turn as the last look: what is appended from now on begins anew.
    this.#draining = undefined;
  }

  /** Adds records and waits for the disk. If that fails, the file is as it was before. */
  async #write(bodies: readonly RecordBody[]): Promise<void> {
    const { privateKey, clock } = this.#options;
    const at = new Date(clock.now()).toISOString();
    let { seq, hash } = this.#tip;
    let text = "";
    for (const body of bodies) {
      const sealed = sealRecord(body, { seq: seq + 1, previous: hash, at }, privateKey);
      seq += 1;
      hash = sealed.hash;
      text += `${sealed.line}\n`;
    }
    try {
      await this.#handle.appendFile(text);
      await this.#handle.datasync();
    } catch (error) {
      await this.#undo(error);
      throw new IntervalLogError(`the interval log can't be written: ${(error as Error).message}`, { cause: error });
    }
    this.#tip = { seq, hash, bytes: this.#tip.bytes + Buffer.byteLength(text) };
  }

  /** Part of a line may have come to the file; the next one must not be glued to it. */
  async #undo(cause: unknown): Promise<void> {
    try {
      await this.#handle.truncate(this.#tip.bytes);
    } catch {
      this.#failure = new IntervalLogError("the interval log has a torn end and takes nothing until a restart", {
        cause,
      });
    }
  }

  async #rotateIfDue(): Promise<void> {
    const day = dayOf(this.#options.clock.now());
    if (day === this.#day && this.#tip.bytes < (this.#options.maxBytes ?? DEFAULT_MAX_BYTES)) return;
    const { folder, privateKey } = this.#options;
    await this.#write([{ kind: "close" }]);
    const next = await open(join(folder, logFileName(this.#tip.seq + 1, day)), "a", 0o640);
    await this.#handle.close();
    this.#handle = next;
    this.#day = day;
    this.#tip = { ...this.#tip, bytes: 0 };
    await syncFolder(folder);
    await this.#write([openBody(privateKey)]);
  }
}

function openBody(privateKey: KeyObject): RecordBody {
  return { kind: "open", format: LOG_FORMAT, publicKey: publicKeyText(privateKey) };
}

/** Why a record can't be taken; if it can, it counts for the ones after it. */
function bodyFault(body: IntervalBody, ends: Map<string, number>): string | undefined {
  const fault = intervalFault(body);
  if (fault !== undefined) return `${body.era}: ${fault}`;
  const [startMs, endMs] = [Date.parse(body.start), Date.parse(body.end)];
  if (!(endMs > startMs)) return `${body.era}: the interval at ${body.start} ends before it starts`;
  const lastEndMs = ends.get(body.era);
  if (lastEndMs !== undefined && startMs < lastEndMs) {
    return `${body.era}: an interval starts at ${body.start}, before ${new Date(lastEndMs).toISOString()} where the last one ends`;
  }
  ends.set(body.era, endMs);
  return undefined;
}

function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** A new file is there after a power cut only if its folder was written as well. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
