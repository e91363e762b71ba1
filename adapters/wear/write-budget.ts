import { z } from "zod";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { AdapterMemory } from "../kind.ts";
import { keptForRelease, mostPerDay, type WritePolicy } from "./write-policy.ts";

const DAY_MS = 86_400_000;
/** Share of a day's writes from which on it is said aloud. */
const WARN_FROM = 0.8;
/** Writes counted in advance on the disk, so that not each write to a device is one to the disk. */
const MOST_AHEAD = 256;

const Kept = z.object({ day: z.int(), writes: z.record(z.string().max(255), z.int().min(0)) });

/** What is written and wears out: the address of a register, or the path of a resource. */
export type Place = string | number;

/** What became of the wish to write. */
export type Spending =
  | { readonly ok: true }
  | { readonly ok: false; readonly place: Place; readonly writesToday: number; readonly refusedUntilMs: number };

/** What has been written to one device. */
export interface WriteUsage {
  /** Writes since the start, each place counted as often as it was written. */
  readonly writes: number;
  /** Wishes refused since the start. */
  readonly refused: number;
  /** The greatest share of its day that a place has used up, 0 to 1; 0 where nothing is bound. */
  readonly usedShare: number;
  /** For a person: places that have used up most of their day. */
  readonly warnings: readonly string[];
}

/** What a place is called before a person. */
export type PlaceKind = "register" | "resource";

interface Count {
  today: number;
  /** What the disk says: never less than `today`, so that a crash forgets no write. */
  onDisk: number;
  lastAtMs: number;
  most: number;
}

/**
 * Counts the writes of each register or resource of one device, and refuses the one that would be too many: many devices
 * keep what is written in flash, which wears out. The day is that of UTC. The count outlives a restart; after a crash it may
 * be higher than true, by a hundredth of the day's writes, and never lower than what was on its way to the disk. What may be
 * written without a bound, as heartbeats are, does not go to the disk.
 */
export class WriteBudget {
  readonly #name: string;
  readonly #kind: PlaceKind;
  readonly #memory: AdapterMemory;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counts = new Map<string, Count>();
  #day: number;
  #writes = 0;
  #refused = 0;

  /** @param name of the device, such as "192.0.2.7:502/1" */
  constructor(name: string, kind: PlaceKind, context: { memory: AdapterMemory; clock: Clock; log: Log }) {
    this.#name = name;
    this.#kind = kind;
    this.#memory = context.memory;
    this.#clock = context.clock;
    this.#log = context.log;
    this.#day = this.#today();
    this.#recall();
  }

  /**
   * Counts a write to these places, or refuses it: all or none. One that is named twice is written twice.
   * @param purpose orders leave a part of the day for `release`
   */
  spend(places: readonly Place[], policy: WritePolicy, purpose: "order" | "release" = "order"): Spending {
    this.#turnDay();
    const nowMs = this.#clock.now();
    const most = mostPerDay(policy);
    const allowed = purpose === "release" ? most : most - keptForRelease(most);
    const wanted = new Map<Place, number>();
    for (const place of places) wanted.set(place, (wanted.get(place) ?? 0) + 1);
    for (const [place, times] of wanted) {
      const count = this.#counts.get(String(place));
      const writesToday = count?.today ?? 0;
      const nextMs = count === undefined ? 0 : count.lastAtMs + (policy.minIntervalS ?? 0) * 1000;
      const isTooSoon = purpose === "order" && nextMs > nowMs;
      const isTooMany = writesToday + times > allowed;
      if (!isTooMany && !isTooSoon) continue;
      this.#refused += 1;
      const refusedUntilMs = isTooMany ? (this.#day + 1) * DAY_MS : nextMs;
      return { ok: false, place, writesToday, refusedUntilMs };
    }
    for (const [place, times] of wanted) this.#count(String(place), times, most, nowMs);
    this.#keepAhead();
    return { ok: true };
  }

  usage(): WriteUsage {
    this.#turnDay();
    let usedShare = 0;
    const warnings: string[] = [];
    for (const [place, { today, most }] of this.#counts) {
      if (!Number.isFinite(most) || most === 0) continue;
      usedShare = Math.max(usedShare, today / most);
      if (today >= most * WARN_FROM)
        warnings.push(`${this.#kind} ${place} was written ${today} times today, of ${most}`);
    }
    return { writes: this.#writes, refused: this.#refused, usedShare: Math.min(usedShare, 1), warnings };
  }

  /** Leaves the true count on the disk. */
  async close(): Promise<void> {
    const bound = this.#bound();
    if (bound.every(({ today, onDisk }) => today === onDisk)) return;
    for (const count of bound) count.onDisk = count.today;
    await this.#keep();
  }

  #count(place: string, times: number, most: number, nowMs: number): void {
    const count = this.#counts.get(place) ?? { today: 0, onDisk: 0, lastAtMs: 0, most };
    const before = count.today;
    count.today += times;
    count.lastAtMs = nowMs;
    count.most = most;
    this.#counts.set(place, count);
    this.#writes += times;
    if (before < most * WARN_FROM && count.today >= most * WARN_FROM) {
      this.#log.warn(`a ${this.#kind} has nearly been written as often as its day allows`, {
        device: this.#name,
        [this.#kind]: place,
        writesToday: count.today,
        mostPerDay: most,
      });
    }
  }

  /** Writes the count down ahead of the writes, long enough before it is reached for the disk to have it. */
  #keepAhead(): void {
    const bound = this.#bound();
    if (!bound.some(({ today, onDisk, most }) => today + aheadOf(most) / 2 > onDisk)) return;
    for (const count of bound) count.onDisk = Math.max(count.onDisk, count.today + aheadOf(count.most));
    this.#keep().catch((error: unknown) => {
      this.#log.warn("the count of writes could not be kept", { device: this.#name, reason: String(error) });
    });
  }

  #bound(): readonly Count[] {
    return [...this.#counts.values()].filter(({ most }) => Number.isFinite(most));
  }

  #keep(): Promise<void> {
    const kept = [...this.#counts].filter(([, { onDisk }]) => onDisk > 0);
    const writes = Object.fromEntries(kept.map(([place, { onDisk }]) => [place, onDisk]));
    return this.#memory.set(this.#key, { day: this.#day, writes });
  }

  #recall(): void {
    const kept = Kept.safeParse(this.#memory.get(this.#key));
    if (!kept.success) return;
    // A clock that was set back within two days does not give the writes of the day back.
    const isPast = kept.data.day < this.#day || kept.data.day > this.#day + 2;
    if (isPast) return;
    this.#day = kept.data.day;
    for (const [place, writes] of Object.entries(kept.data.writes)) {
      this.#counts.set(place, {
        today: writes,
        onDisk: writes,
        lastAtMs: 0,
        most: Number.POSITIVE_INFINITY,
      });
    }
  }

  #turnDay(): void {
    const today = this.#today();
    if (today === this.#day || (today < this.#day && today >= this.#day - 2)) return;
    this.#day = today;
    this.#counts.clear();
  }

  #today(): number {
    return Math.floor(this.#clock.now() / DAY_MS);
  }

  get #key(): string {
    return `writes/${this.#name}`;
  }
}

/** Writes that are counted on the disk before they happen. */
function aheadOf(most: number): number {
  return Math.min(Math.floor(most / 100), MOST_AHEAD);
}
