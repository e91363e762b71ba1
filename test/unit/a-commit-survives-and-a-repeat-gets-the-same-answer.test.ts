import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Setpoint } from "../../src/model/setpoint.ts";
import type { Judgement } from "../../src/model/verdict.ts";
import type { ReceivedMessage } from "../../src/store/control-store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";

let folder: string;
let store: SqliteStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-store-"));
  store = await SqliteStore.open(folder, 200_000);
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const message = (id: string, digest = "d1"): ReceivedMessage => ({
  senderId: "bpp.example",
  messageId: id,
  transactionId: "t1",
  action: "on_confirm",
  digest,
  receivedAtMs: 1000,
  answerStatus: 200,
  answerBody: '{"message":{"ack":{"status":"ACK"}}}',
});

const setpoint = (id: string): Setpoint => ({
  id,
  era: "car",
  powerKW: -8,
  validFromMs: 1000,
  validUntilMs: 901_000,
  receivedAtMs: 1000,
  source: { kind: "market", messageId: "m1" },
});

const judgement = (setpointId: string, final: boolean, verdict: Judgement["verdict"]): Judgement => ({
  setpointId,
  era: "car",
  verdict,
  reason: "test",
  orderedKW: -8,
  samples: 3,
  atMs: 2000,
  final,
});

describe("the control store", () => {
  test("a message is stored once, and again after a restart it is known", async () => {
    expect(await store.receive(message("m1"), { setpoints: [setpoint("s1")] })).toEqual({ kind: "new" });
    await store[Symbol.asyncDispose]();
    store = await SqliteStore.open(folder);
    expect(await store.receive(message("m1"), { setpoints: [setpoint("s1b")] })).toMatchObject({
      kind: "repeat",
      answerStatus: 200,
    });
    expect(await store.receive(message("m1", "other"), {})).toEqual({ kind: "conflict" });
    const open = await store.openSetpoints(2000);
    expect(open.map((stored) => stored.setpoint.id)).toEqual(["s1"]);
  });

  test("the same message many times at once is new exactly once", async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => store.receive(message("m2"), {})));
    expect(results.filter((result) => result.kind === "new")).toHaveLength(1);
    expect(results.filter((result) => result.kind === "repeat")).toHaveLength(49);
  });

  test("a final judgement stays, and closes the setpoint", async () => {
    await store.commit({ setpoints: [setpoint("s1")], judgements: [judgement("s1", true, "ignored")] });
    await store.commit({ judgements: [judgement("s1", false, "effective")] });
    expect(await store.openSetpoints(901_001)).toEqual([]);
    expect((await store.recentSetpoints(1))[0]?.judgement?.verdict).toBe("ignored");
  });

  test("one bad job in a group fails alone", async () => {
    const broken = { setpoints: [{ ...setpoint("bad"), era: undefined as unknown as string }] };
    const results = await Promise.allSettled([
      store.commit({ setpoints: [setpoint("a")] }),
      store.commit({ setpoints: [setpoint("b")] }),
      store.commit(broken),
      store.commit({ setpoints: [setpoint("c")] }),
    ]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect((await store.recentSetpoints(10)).map((stored) => stored.setpoint.id)).toEqual(["c", "b", "a"]);
  });

  test("a newer outbox item replaces the one that waits under the same key, and others wait in order", async () => {
    const item = (body: string, replaceKey?: string) => ({
      action: "update",
      url: "http://127.0.0.1/update",
      body,
      createdAtMs: 1000,
      expiresAtMs: 99_000,
      ...(replaceKey === undefined ? {} : { replaceKey }),
    });
    await store.commit({ outbox: [item("one", "telemetry/car"), item("two"), item("three", "telemetry/car")] });
    const due = await store.dueOutbox(1000, 10);
    expect(due.map((waiting) => waiting.body)).toEqual(["two", "three"]);
    await store.retryOutbox(due[0]?.id ?? 0, 1, 5000);
    expect((await store.dueOutbox(1000, 10)).map((waiting) => waiting.body)).toEqual(["three"]);
    expect((await store.dueOutbox(5000, 10))[0]?.attempts).toBe(1);
  });

  test("telemetry is a ring: it stays under its cap and keeps the newest", async () => {
    for (let round = 0; round < 60; round++) {
      await store.storeReadings(
        Array.from({ length: 100 }, (_, index) => ({
          era: "car",
          receivedAtMs: round * 100 + index,
          powerKW: -7.4,
          voltageV: 230,
        })),
      );
    }
    const newest = await store.recentReadings("car", 5);
    expect(newest.at(-1)?.receivedAtMs).toBe(5999);
    expect((await store.recentReadings("car", 100_000)).length).toBeLessThan(6000);
  });

  test("a second daemon on the same folder is refused, and harms nothing", async () => {
    await expect(SqliteStore.open(folder)).rejects.toThrow(/control\.db is in use: another setpointd/);
    await store.commit({ outbox: [] });
    expect(store.healthy).toBe(true);
  });

  test("a file of a newer program is refused by name", async () => {
    await store[Symbol.asyncDispose]();
    const { default: Database } = await import("libsql");
    const database = new Database(join(folder, "control.db"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expect(SqliteStore.open(folder)).rejects.toThrow(/control\.db: was written by a newer setpointd/);
    database.close();
    rmSync(join(folder, "control.db"));
    store = await SqliteStore.open(folder);
  });
});
