import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AnsweredRequest, NewCallback, TransactionRecord } from "../../src/market/provider/provider-records.ts";
import { SqliteProviderStore } from "../../src/market/provider/provider-store.ts";
import { PROVIDER_MIGRATIONS } from "../../src/market/provider/provider-tables.ts";

let folder: string;
let store: SqliteProviderStore | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-provider-store-"));
});

afterEach(async () => {
  await store?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const request = (messageId: string): AnsweredRequest => ({
  senderId: "site",
  messageId,
  digest: "d",
  receivedAtMs: 1,
  answerStatus: 200,
  answerBody: "{}",
});

const record = (transactionId: string, state: TransactionRecord["state"] = "DISCOVERED"): TransactionRecord => ({
  transactionId,
  bapId: "site",
  envelope: "snake",
  replyTo: { kind: "mqtt", topic: "t", correlation: "YQ==" },
  state,
  era: "ev",
  eraGiven: true,
  orderId: "o",
  missedOffers: 0,
  orderedAtMs: 1,
  reportedAtMs: 1,
  updatedAtMs: 5,
});

const callback: NewCallback = {
  action: "on_discover",
  to: { kind: "http", uri: "http://site" },
  body: "{}",
  lane: "l",
  expiresAtMs: 100,
  requestSignature: "c2ln",
};

test("a commit is there after a restart, whole; one that fails leaves nothing and takes what follows with it", async () => {
  store = await SqliteProviderStore.open(folder);
  const round = { roundId: "r", validFromMs: 1, validUntilMs: 2, closedAtMs: 3, currency: "INR", result: {}, bids: 1 };
  const change = {
    request: request("m1"),
    transactions: [record("t1"), record("t2", "CANCELLED")],
    callbacks: [callback],
  };
  await store.commit({ ...change, round }, store.epoch);

  const { epoch } = store;
  // The same id again can't be stored; what waits behind it was worked out on top of it.
  const twice = store.commit({ request: request("m1"), transactions: [record("t3")] }, epoch);
  const behind = store.commit({ transactions: [record("t4")] }, epoch);
  await expect(twice).rejects.toThrow();
  await expect(behind).rejects.toThrow();
  expect(store.epoch).toBeGreaterThan(epoch);
  await expect(store.commit({ transactions: [record("t5")] }, epoch)).rejects.toThrow("an earlier commit failed");
  await store.commit({ transactions: [record("t6")] }, store.epoch);
  await store[Symbol.asyncDispose]();

  store = await SqliteProviderStore.open(folder);
  const names = (await store.transactions(0)).map((one) => one.transactionId);
  expect(names.toSorted()).toEqual(["t1", "t2", "t6"]);
  // What is over is asked about for a while only.
  expect((await store.transactions(6)).map((one) => one.transactionId).toSorted()).toEqual(["t1", "t6"]);
  expect((await store.transactions(0)).find((one) => one.transactionId === "t1")).toEqual(record("t1"));
  expect(await store.findRequest("site", "m1")).toEqual(request("m1"));
  expect(await store.findRequest("other", "m1")).toBeUndefined();
  expect(await store.hasRound("r")).toBe(true);
  expect(await store.rounds(5)).toEqual([round]);
  const [waiting] = await store.dueCallbacks(0, 10);
  expect(waiting).toMatchObject({ ...callback, attempts: 0 });
  await store.retryCallback(waiting?.id ?? 0, 1, 50);
  expect(await store.dueCallbacks(49, 10)).toEqual([]);
  expect(await store.dueCallbacks(50, 10)).toHaveLength(1);
  await store.removeCallback(waiting?.id ?? 0);
  expect(await store.callbacksWaiting()).toBe(0);
});

test("what an older version stored is still there, and its callbacks leave with three signed lines", async () => {
  // No prepared statement: a connection that has one keeps its hold on the file until the statement is collected.
  const before = new Database(join(folder, "provider.db"));
  const text = (value: unknown) => `'${JSON.stringify(value)}'`;
  before.exec(`${PROVIDER_MIGRATIONS[0]} PRAGMA user_version = 1;
    INSERT INTO request VALUES ('site', 'm1', 'd', 1, 200, '{}');
    INSERT INTO deal VALUES ('site', 't1', 0, 5, ${text(record("t1"))});
    INSERT INTO callback (action, reply_to, body, lane, expires_at_ms)
      VALUES ('on_discover', ${text(callback.to)}, '{}', 'l', 100);`);
  before.close();

  store = await SqliteProviderStore.open(folder);
  expect(await store.findRequest("site", "m1")).toEqual(request("m1"));
  expect(await store.transactions(0)).toEqual([record("t1")]);
  const { requestSignature: _none, ...unsigned } = callback;
  const [waiting] = await store.dueCallbacks(0, 10);
  expect(waiting).toMatchObject(unsigned);
  expect(waiting?.requestSignature).toBeUndefined();
  await expect(store.commit({ request: request("m1") }, store.epoch)).rejects.toThrow();
});
