import { z } from "zod";
import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { AdapterMemory } from "../../kind.ts";
import type { Watched } from "../link/link-watch.ts";

/** Kept for each charger, so that none pushes out what another has told. */
const MAX_PER_CHARGER = 32;

/** A charger that tells one thing after the other is written down no more often than this. */
const WRITE_EVERY_MS = 10_000;

const KEY = "security-events/";

const storedEvents = z.array(
  z.object({
    atMs: z.number(),
    source: z.enum(["charger", "gateway"]),
    type: z.string(),
    detail: z.string().optional(),
    deviceTimeMs: z.number().optional(),
    count: z.number(),
  }),
);

type StoredEvent = z.output<typeof storedEvents>[number];

/** Something about the security of a charger, told by itself (SecurityEventNotification) or seen here. */
export interface SecurityEvent extends StoredEvent {
  readonly identity: string;
}

interface Kept {
  readonly events: StoredEvent[];
  writtenAtMs: number;
  isDirty: boolean;
}

/** What happened to the security of each charger, kept over a restart. Bounded; the oldest goes first. */
export class SecurityLog implements Watched {
  readonly #memory: AdapterMemory;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kept = new Map<string, Kept>();

  constructor(memory: AdapterMemory, clock: Clock, log: Log) {
    this.#memory = memory;
    this.#clock = clock;
    this.#log = log;
    for (const key of memory.keys(KEY)) {
      const read = storedEvents.safeParse(memory.get(key));
      if (!read.success) continue;
      this.#kept.set(key.slice(KEY.length), {
        events: read.data,
        writtenAtMs: Number.NEGATIVE_INFINITY,
        isDirty: false,
      });
    }
  }

  /**
   * The same thing again right after itself counts up, and takes no room.
   * @returns true if it is worth a line in the log as well: not more often than it is written down
   */
  note(identity: string, event: Omit<StoredEvent, "atMs" | "count">): boolean {
    const kept = this.#kept.get(identity) ?? {
      events: [],
      writtenAtMs: Number.NEGATIVE_INFINITY,
      isDirty: false,
    };
    this.#kept.set(identity, kept);
    const last = kept.events.at(-1);
    const isAgain = last?.source === event.source && last.type === event.type && last.detail === event.detail;
    if (isAgain) kept.events.pop();
    kept.events.push({ ...event, atMs: this.#clock.now(), count: isAgain ? last.count + 1 : 1 });
    if (kept.events.length > MAX_PER_CHARGER) kept.events.shift();
    kept.isDirty = true;
    this.look(this.#clock.elapsedMs());
    return !kept.isDirty;
  }

  /** Newest first. */
  list(identity?: string): readonly SecurityEvent[] {
    return [...this.#kept]
      .filter(([known]) => identity === undefined || known === identity)
      .flatMap(([known, { events }]) => events.map((event) => ({ ...event, identity: known })))
      .sort((a, b) => b.atMs - a.atMs);
  }

  async forget(identity: string): Promise<void> {
    if (this.#kept.delete(identity)) await this.#memory.forget(KEY + identity);
  }

  look(nowMs: number): void {
    for (const [identity, kept] of this.#kept) {
      if (!kept.isDirty || nowMs - kept.writtenAtMs < WRITE_EVERY_MS) continue;
      kept.writtenAtMs = nowMs;
      this.#write(identity, kept).catch((error: unknown) => {
        this.#log.error("security events could not be stored", { charger: identity, err: error });
      });
    }
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    const dirty = [...this.#kept].filter(([, { isDirty }]) => isDirty);
    await Promise.all(dirty.map(([identity, kept]) => this.#write(identity, kept)));
  }

  async #write(identity: string, kept: Kept): Promise<void> {
    kept.isDirty = false;
    await this.#memory.set(KEY + identity, kept.events);
  }
}
