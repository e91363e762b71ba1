import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AdapterMemory } from "../../adapters/kind.ts";
import { baselineMemory, keptRegisters } from "../../adapters/modbus/baseline/baseline-memory.ts";
import { DeviceBudgets } from "../../adapters/wear/device-budgets.ts";
import { WriteBudget } from "../../adapters/wear/write-budget.ts";
import type { Clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

const NOON_MS = Date.UTC(2026, 4, 1, 12);
const HOUR_MS = 3_600_000;

class WallClock implements Clock {
  nowMs = NOON_MS;
  now = () => this.nowMs;
  elapsedMs = () => this.nowMs;
  sleep = async () => {};
}

function budget(memory: AdapterMemory = volatileMemory(), clock = new WallClock()) {
  return { clock, memory, budget: new WriteBudget("192.0.2.7:502/1", "register", { memory, clock, log }) };
}

/** How often a register may be ordered in a row. */
function writesUntilRefused(wear: WriteBudget, policy: Parameters<WriteBudget["spend"]>[1]): number {
  for (let writes = 0; writes < 100_000; writes++) if (!wear.spend([40_232], policy).ok) return writes;
  return Number.POSITIVE_INFINITY;
}

describe("the writes of a register", () => {
  test("are refused before the one that would be too many, until the day is over", () => {
    const { budget: wear, clock } = budget();
    const policy = { cyclic: "no", maxPerDay: 10 } as const;
    expect(writesUntilRefused(wear, policy)).toBe(8);
    expect(wear.spend([40_232], policy)).toEqual({
      ok: false,
      place: 40_232,
      writesToday: 8,
      refusedUntilMs: Date.UTC(2026, 4, 2),
    });
    clock.nowMs += 13 * HOUR_MS;
    expect(wear.spend([40_232], policy)).toEqual({ ok: true });
  });

  test("leave room to take the command off again, and even that has its end", () => {
    const { budget: wear } = budget();
    const policy = { cyclic: "no", maxPerDay: 10 } as const;
    writesUntilRefused(wear, policy);
    expect(wear.spend([40_232, 40_232], policy, "release").ok).toBe(true);
    expect(wear.spend([40_232], policy, "release").ok).toBe(false);
  });

  test("are counted all or none", () => {
    const { budget: wear } = budget();
    const policy = { cyclic: "no", maxPerDay: 10 } as const;
    writesUntilRefused(wear, policy);
    expect(wear.spend([50, 51, 40_232], policy).ok).toBe(false);
    expect(wear.usage().writes).toBe(8);
    expect(wear.usage().refused).toBe(2);
  });

  test("are bound tightly where the maker warns, loosely where nobody says, and not where he allows it", () => {
    expect(writesUntilRefused(budget().budget, { cyclic: "no" })).toBeLessThanOrEqual(24);
    // A timer of a minute, armed every 20 s, must go on all day.
    expect(writesUntilRefused(budget().budget, { cyclic: "unknown" })).toBeGreaterThan(86_400 / 20);
    expect(writesUntilRefused(budget().budget, { cyclic: "ok" })).toBe(Number.POSITIVE_INFINITY);
  });

  test("keep their distance where the maker asks for it", () => {
    const { budget: wear, clock } = budget();
    const policy = { cyclic: "ok", minIntervalS: 300 } as const;
    expect(wear.spend([2700], policy).ok).toBe(true);
    clock.nowMs += 299_000;
    expect(wear.spend([2700], policy)).toMatchObject({ ok: false, refusedUntilMs: NOON_MS + 300_000 });
    // A command is taken off whenever it must be.
    expect(wear.spend([2700], policy, "release").ok).toBe(true);
    clock.nowMs += 301_000;
    expect(wear.spend([2700], policy).ok).toBe(true);
  });

  test("stay counted over a restart, also over one that nobody announced", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(10, 300, 5000),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.boolean()), { maxLength: 8 }),
        async (maxPerDay, runs) => {
          const memory = volatileMemory();
          const clock = new WallClock();
          const policy = { cyclic: "no", maxPerDay } as const;
          let written = 0;
          for (const [writes, isClean] of runs) {
            const wear = new WriteBudget("unit", "register", { memory, clock, log });
            for (let each = 0; each < writes; each++) if (wear.spend([1], policy, "release").ok) written += 1;
            if (isClean) await wear.close();
          }
          const left = new WriteBudget("unit", "register", { memory, clock, log });
          while (left.spend([1], policy, "release").ok) written += 1;
          expect(written).toBeLessThanOrEqual(maxPerDay);
          // A crash costs a hundredth of the day, not the day.
          expect(written).toBeGreaterThanOrEqual(maxPerDay - (runs.length * maxPerDay) / 100);
        },
      ),
    );
  });

  test("are not each a write to the disk where there may be many", () => {
    const memory = volatileMemory();
    let writesToDisk = 0;
    const set = memory.set.bind(memory);
    memory.set = (key, value) => {
      writesToDisk += 1;
      return set(key, value);
    };
    const { budget: wear } = budget(memory);
    for (let writes = 0; writes < 4000; writes++) wear.spend([7], { cyclic: "unknown" });
    expect(writesToDisk).toBeGreaterThan(0);
    expect(writesToDisk).toBeLessThan(4000 / 20);
    // A heartbeat, which is never refused, is not the disk's business at all.
    writesToDisk = 0;
    for (let writes = 0; writes < 4000; writes++) wear.spend([8], { cyclic: "ok" });
    expect(writesToDisk).toBe(0);
  });

  test("are not given back by a clock that is set back, nor held against the days to come by one that was far ahead", () => {
    const { budget: wear, clock } = budget();
    const policy = { cyclic: "no" } as const;
    writesUntilRefused(wear, policy);
    clock.nowMs -= 20 * HOUR_MS;
    expect(wear.spend([40_232], policy).ok).toBe(false);
    clock.nowMs += 40_000 * HOUR_MS;
    expect(writesUntilRefused(wear, policy)).toBeGreaterThan(0);
    clock.nowMs = NOON_MS;
    expect(wear.spend([40_232], policy).ok).toBe(true);
  });

  test("are said aloud before they run out, and counted for Prometheus", () => {
    const budgets = new DeviceBudgets("modbus", "register", {
      clock: new WallClock(),
      log,
      random: () => 0.5,
      memory: volatileMemory(),
    });
    const wear = budgets.of("192.0.2.7:502/1");
    expect(budgets.of("192.0.2.7:502/1")).toBe(wear);
    for (let writes = 0; writes < 79; writes++) wear.spend([7], { cyclic: "no", maxPerDay: 100 });
    expect(wear.usage().warnings).toEqual([]);
    wear.spend([7], { cyclic: "no", maxPerDay: 100 });
    expect(wear.usage().warnings).toEqual(["register 7 was written 80 times today, of 100"]);
    const samples = budgets.figures().map(({ name, samples: [sample] }) => [name, sample?.value]);
    expect(samples).toEqual([
      ["setpointd_modbus_register_writes_total", 80],
      ["setpointd_modbus_writes_refused_total", 0],
      ["setpointd_modbus_write_budget_used_ratio", 0.8],
    ]);
  });
});

describe("what a device held before the first write", () => {
  test("is there until it was given back, and is nothing where it does not make sense", async () => {
    const memory = volatileMemory();
    const baseline = () => baselineMemory(memory, "192.0.2.7:502/1", keptRegisters);
    expect(baseline().get()).toBeUndefined();
    await baseline().keep([{ address: 40_236, values: [2424, 0] }]);
    expect(baseline().get()).toEqual([{ address: 40_236, values: [2424, 0] }]);
    await baseline().forget();
    expect(baseline().get()).toBeUndefined();
    await memory.set("baseline/192.0.2.7:502/1", [{ address: 1, values: [70_000] }]);
    expect(baseline().get()).toBeUndefined();
  });
});
