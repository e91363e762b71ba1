import { z } from "zod";
import type { Clock } from "../../../src/clock.ts";
import type { AdapterMemory } from "../../kind.ts";
import type { BaselineMemory, RegisterRanges, WriteBudget } from "./control-keeping.ts";

const DAY_MS = 86_400_000;

/** Writes of a day that orders leave alone, so that the device can still be given back to itself. */
function keptForRelease(most: number): number {
  return Number.isFinite(most) ? Math.min(Math.max(2, Math.ceil(most / 10)), most - 1) : 0;
}

const ranges = z.array(z.strictObject({ address: z.number(), values: z.array(z.number()) }));

/** The baseline of one unit in the adapter's memory. */
export function baselineIn(memory: AdapterMemory, unit: string): BaselineMemory {
  const key = `profile-baseline ${unit}`;
  return {
    get: () => {
      const kept = ranges.safeParse(memory.get(key));
      return kept.success ? kept.data : undefined;
    },
    keep: (value: RegisterRanges) => memory.set(key, value),
    forget: () => memory.forget(key),
  };
}

const day = z.strictObject({ day: z.number(), counts: z.record(z.string(), z.number()) });

/** Counts of one unit's writes by register and day (UTC) in the adapter's memory. */
export function writeBudgetIn(memory: AdapterMemory, unit: string, clock: Clock): WriteBudget {
  const key = `profile-writes ${unit}`;
  const lastAtMs = new Map<number, number>();
  return {
    spend: (registers, policy, purpose = "order") => {
      const today = Math.floor(clock.now() / DAY_MS);
      const kept = day.safeParse(memory.get(key));
      const counts = kept.success && kept.data.day === today ? kept.data.counts : {};
      for (const register of registers) {
        const writesToday = counts[register] ?? 0;
        const notBeforeMs = (lastAtMs.get(register) ?? Number.NEGATIVE_INFINITY) + (policy.minIntervalS ?? 0) * 1000;
        const waitMs = notBeforeMs - clock.elapsedMs();
        if (waitMs > 0) return { ok: false, register, writesToday, refusedUntilMs: clock.now() + waitMs };
        const most = policy.maxPerDay ?? Number.POSITIVE_INFINITY;
        if (writesToday >= (purpose === "release" ? most : most - keptForRelease(most))) {
          return { ok: false, register, writesToday, refusedUntilMs: (today + 1) * DAY_MS };
        }
      }
      for (const register of registers) {
        counts[register] = (counts[register] ?? 0) + 1;
        lastAtMs.set(register, clock.elapsedMs());
      }
      // Where nothing is limited nobody asks for the count, and the disk is spared too.
      if (policy.maxPerDay !== undefined) memory.set(key, { day: today, counts }).catch(() => {});
      return { ok: true };
    },
  };
}
