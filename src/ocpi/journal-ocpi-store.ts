import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { DEFAULT_BOUNDS, MemoryOcpiStore, type OcpiStoreBounds } from "./memory-ocpi-store.ts";
import type { OcpiObject } from "./ocpi-schemas.ts";
import type { OcpiKey, OcpiPage, OcpiQuery, OcpiRegistration, OcpiStore } from "./ocpi-store.ts";

/** Rewritten when it has grown to more than this and to four times what it was after the last rewrite. */
const MIN_REWRITE_BYTES = 4 * 1024 * 1024;

type Entry =
  | { readonly put: OcpiKey; readonly object: OcpiObject }
  | { readonly remove: OcpiKey }
  | { readonly registration: OcpiRegistration };

/**
 * Objects that survive a restart: in memory for reading, and in a journal of JSON lines that is on the disk before a
 * change is confirmed. Changes that come meanwhile go to the disk together. The event loop never waits.
 *
 * The file holds tokens, so only its owner may read it. A last line that a crash cut off was never confirmed, and is
 * dropped.
 */
export class JournalOcpiStore implements OcpiStore {
  readonly #file: string;
  readonly #memory: MemoryOcpiStore;
  #handle: FileHandle | undefined;
  #size = 0;
  #sizeAfterRewrite = 0;
  #waiting: { text: string; done: () => void; failed: (error: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;
  #broken: Error | undefined;

  private constructor(file: string, bounds: OcpiStoreBounds) {
    this.#file = file;
    this.#memory = new MemoryOcpiStore(bounds);
  }

  /** @throws Error naming the file and line if a line that was confirmed can't be read */
  static async open(file: string, bounds: OcpiStoreBounds = DEFAULT_BOUNDS): Promise<JournalOcpiStore> {
    const store = new JournalOcpiStore(file, bounds);
    await store.#load();
    await store.#rewrite();
    return store;
  }

  get(key: OcpiKey): OcpiObject | undefined {
    return this.#memory.get(key);
  }

  list(query: OcpiQuery): OcpiPage {
    return this.#memory.list(query);
  }

  async put(key: OcpiKey, object: OcpiObject): Promise<"created" | "replaced"> {
    this.#throwIfBroken();
    const text = line({ put: key, object });
    const outcome = this.#memory.putNow(key, object, Buffer.byteLength(text));
    await this.#append(text);
    return outcome;
  }

  async remove(key: OcpiKey): Promise<boolean> {
    this.#throwIfBroken();
    if (!this.#memory.removeNow(key)) return false;
    await this.#append(line({ remove: key }));
    return true;
  }

  registration(peer: string): OcpiRegistration | undefined {
    return this.#memory.registration(peer);
  }

  async register(registration: OcpiRegistration): Promise<void> {
    this.#throwIfBroken();
    await this.#append(line({ registration }));
    await this.#memory.register(registration);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#handle?.close();
    this.#handle = undefined;
    this.#broken ??= new Error(`${this.#file} is closed`);
  }

  #append(text: string): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ text, done, failed });
      this.#writing ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(batch.map(({ text }) => text).join(""));
        for (const { done } of batch) done();
      } catch (error) {
        // What the disk has now is not what memory has; the next start reads what was confirmed.
        this.#broken = new Error(`${this.#file} can't be written; restart when the disk is well`, { cause: error });
        for (const { failed } of [...batch, ...this.#waiting]) failed(this.#broken);
        this.#waiting = [];
      }
    }
    this.#writing = undefined;
  }

  async #write(text: string): Promise<void> {
    if (this.#handle === undefined) throw new Error("the journal is not open");
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
    this.#size += Buffer.byteLength(text);
    if (this.#size > MIN_REWRITE_BYTES && this.#size > 4 * this.#sizeAfterRewrite) await this.#rewrite();
  }

  async #load(): Promise<void> {
    const text = await readFile(this.#file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    const lines = text.split("\n");
    // After the last line feed stands nothing, or a line that was cut off.
    lines.pop();
    for (const [index, content] of lines.entries()) {
      try {
        this.#apply(JSON.parse(content) as Entry);
      } catch (error) {
        throw new Error(`${this.#file}:${index + 1} can't be read`, { cause: error });
      }
    }
  }

  #apply(entry: Entry): void {
    if ("put" in entry) this.#memory.putNow(entry.put, entry.object, Buffer.byteLength(line(entry)));
    else if ("remove" in entry) this.#memory.removeNow(entry.remove);
    else void this.#memory.register(entry.registration);
  }

  /** Writes all that holds into a new file and puts it in the place of the old one. */
  async #rewrite(): Promise<void> {
    const fresh = await open(`${this.#file}.new`, "w", 0o600);
    let size = 0;
    for (const entry of this.#entries()) {
      const text = line(entry);
      await fresh.write(text);
      size += Buffer.byteLength(text);
    }
    await fresh.sync();
    await rename(`${this.#file}.new`, this.#file);
    await syncFolder(dirname(this.#file));
    await this.#handle?.close();
    this.#handle = fresh;
    this.#size = size;
    this.#sizeAfterRewrite = size;
  }

  *#entries(): Generator<Entry> {
    for (const registration of this.#memory.registrations()) yield { registration };
    for (const { key, object } of this.#memory.everything()) yield { put: key, object };
  }

  #throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }
}

function line(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
