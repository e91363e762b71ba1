import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { AdapterMemories } from "../../src/store/adapter-memories.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";

let folder: string;
let store: SqliteStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-memory-"));
  store = await SqliteStore.open(folder);
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function restart(): Promise<AdapterMemories> {
  await store[Symbol.asyncDispose]();
  store = await SqliteStore.open(folder);
  return AdapterMemories.open(store, systemClock);
}

test("what was kept is there again after a restart, and what was forgotten is not", async () => {
  const memory = (await AdapterMemories.open(store, systemClock)).of("ocpp");
  await memory.set("way/ABB/TAC-W22/1.8", { purpose: "TxDefaultProfile", stackLevel: 0 });
  await memory.set("way/old", 1);
  await memory.set("way/old", 2);
  await memory.forget("way/old");
  const again = (await restart()).of("ocpp");
  expect(again.get("way/ABB/TAC-W22/1.8")).toEqual({ purpose: "TxDefaultProfile", stackLevel: 0 });
  expect(again.keys("way/")).toEqual(["way/ABB/TAC-W22/1.8"]);
});

test("an adapter does not see what another one keeps", async () => {
  const memories = await AdapterMemories.open(store, systemClock);
  await memories.of("ocpp").set("a", 1);
  expect(memories.of("modbus").get("a")).toBeUndefined();
  expect((await restart()).of("modbus").keys("")).toEqual([]);
});

test("what is no JSON, or too long, is refused and names its key", async () => {
  const memory = (await AdapterMemories.open(store, systemClock)).of("ocpp");
  await expect(memory.set("nothing", undefined)).rejects.toThrow(/"nothing" must be JSON/);
  await expect(memory.set("long", "x".repeat(70_000))).rejects.toThrow(/"long" is longer/);
  expect(memory.keys("")).toEqual([]);
});

test("beyond its bound the fact that was written longest ago goes", async () => {
  const memory = (await AdapterMemories.open(store, systemClock)).of("ocpp");
  await Promise.all(Array.from({ length: 4_999 }, (_, index) => memory.set(`k${index}`, index)));
  await memory.set("k0", "again");
  await memory.set("new 1", 1);
  await memory.set("new 2", 2);
  const again = (await restart()).of("ocpp");
  expect(again.get("k1")).toBeUndefined();
  expect(again.get("k0")).toBe("again");
  expect(again.keys("")).toHaveLength(5_000);
});
