/**
 * Whether registers may be written once more. One for each unit; it outlives a restart, since a memory that wears out does
 * not care who wrote.
 */
export interface WriteBudget {
  /**
   * Counts a write to these registers, or refuses it, all or none.
   * @param purpose orders leave a part of the day for `release`
   */
  spend(
    registers: readonly number[],
    policy: WritePolicy,
    purpose?: "order" | "release",
  ): { ok: true } | { ok: false; place: string | number; writesToday: number; refusedUntilMs: number };
}

export interface WritePolicy {
  /** Whether the registers bear cyclic writing. */
  readonly cyclic: "ok" | "no" | "unknown";
  readonly maxPerDay?: number;
  readonly minIntervalS?: number;
}

/** Registers with what they held, in the order in which they are written back. */
export type RegisterRanges = readonly { readonly address: number; readonly values: readonly number[] }[];

/** What a unit's registers held before our first write; survives a crash. */
export interface BaselineMemory {
  /** Absent where nothing of ours is in the device. */
  get(): RegisterRanges | undefined;
  /** Resolves when the disk has it, which is before the first write goes out. */
  keep(ranges: RegisterRanges): Promise<void>;
  /** After a successful release. */
  forget(): Promise<void>;
}
