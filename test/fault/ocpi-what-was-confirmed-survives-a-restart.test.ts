import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JournalOcpiStore } from "../../src/ocpi/journal-ocpi-store.ts";
import type { OcpiKey } from "../../src/ocpi/ocpi-store.ts";
import { CPO_TOKEN, openBench } from "../support/ocpi-bench.ts";
import { aCdr, aTariff } from "../support/ocpi-objects.ts";

let folder = "";
let file = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ocpi-"));
  file = join(folder, "ocpi.jsonl");
});

afterEach(() => rm(folder, { recursive: true }));

const page = { side: "theirs", version: "2.2.1", offset: 0, limit: 100 } as const;

function key(id: string): OcpiKey {
  return { side: "theirs", version: "2.2.1", module: "tariffs", countryCode: "BE", partyId: "BEC", id };
}

test("a CDR that was answered with 201 is there after a restart, and a repeat is not a second one", async () => {
  const posted = async () => {
    await using store = await JournalOcpiStore.open(file);
    await using bench = await openBench({ store });
    const answer = await bench.ask("POST", "/ocpi/2.2.1/receiver/cdrs", { token: CPO_TOKEN, body: aCdr("2.2.1") });
    return { status: answer.status, kept: store.list({ ...page, module: "cdrs" }) };
  };
  expect((await posted()).status).toBe(201);
  expect(await posted()).toEqual({ status: 200, kept: { total: 1, objects: [aCdr("2.2.1")] } });
});

test("changes, deletions, order and registrations are as they were", async () => {
  {
    await using store = await JournalOcpiStore.open(file);
    await Promise.all(["a", "b", "c"].map((id) => store.put(key(id), { ...aTariff("2.2.1", { id }) })));
    await store.remove(key("B"));
    await store.put(key("a"), { ...aTariff("2.2.1", { id: "a", currency: "EUR" }) });
    await store.register({ peer: "emsp", version: "2.2.1", tokenIn: "in", tokenOut: "out", usedTokenHash: "hash" });
  }
  for (let restart = 0; restart < 2; restart++) {
    await using store = await JournalOcpiStore.open(file);
    const { objects, total } = store.list({ ...page, module: "tariffs" });
    expect(objects.map(({ id, currency }) => [id, currency])).toEqual([
      ["a", "EUR"],
      ["c", "INR"],
    ]);
    expect(total).toBe(2);
    expect(store.registration("emsp")).toMatchObject({ tokenIn: "in", tokenOut: "out" });
  }
});

test("only the owner may read the file, since tokens stand in it", async () => {
  await using store = await JournalOcpiStore.open(file);
  await store.put(key("a"), { ...aTariff("2.2.1") });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("a line that a crash cut off was never confirmed and is dropped", async () => {
  {
    await using store = await JournalOcpiStore.open(file);
    await store.put(key("a"), { ...aTariff("2.2.1", { id: "a" }) });
  }
  await appendFile(file, '{"put":{"side":"theirs","version":"2.2.1","mod');
  await using store = await JournalOcpiStore.open(file);
  expect(store.list({ ...page, module: "tariffs" }).total).toBe(1);
  await store.put(key("b"), { ...aTariff("2.2.1", { id: "b" }) });
  expect((await readFile(file, "utf8")).split("\n")).toHaveLength(3);
});

test("a whole line that can't be read stops the start, with its number", async () => {
  await writeFile(file, '{"put":\n');
  await expect(JournalOcpiStore.open(file)).rejects.toThrow("ocpi.jsonl:1 can't be read");
});

test("a closed store takes nothing", async () => {
  const store = await JournalOcpiStore.open(file);
  await store[Symbol.asyncDispose]();
  await expect(store.put(key("a"), { ...aTariff("2.2.1") })).rejects.toThrow(/is closed/);
});
