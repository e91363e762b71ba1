import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "../../src/log.ts";
import { Outbox, type OutboxOptions } from "../../src/market/outbox.ts";
import { SentSignatures } from "../../src/market/sent-signatures.ts";
import { verifySignature } from "../../src/market/signature.ts";
import { PinnedKeys } from "../../src/market/signing-keys.ts";
import type { NewOutboxItem } from "../../src/store/control-store.ts";
import { MarketKey, NOW_MS, US, WallClock } from "../support/market-desk.ts";
import { MemoryControlStore } from "../support/memory-control-store.ts";
import { waitFor } from "../support/wait-for.ts";

const ACK = '{"message":{"ack":{"status":"ACK"}}}';
const NACK = '{"message":{"ack":{"status":"NACK"},"error":{"code":"NO","message":"not you"}}}';

interface Arrived {
  readonly body: { context: { message_id: string } };
  readonly raw: Buffer;
  readonly authorization: string | undefined;
}

let store: MemoryControlStore;
let clock: WallClock;
let outbox: Outbox;
let counted: string[];
let arrived: Arrived[];
let stop: AbortController;
/** What the market answers, one after the other; then ACK. */
let answers: ((response: http.ServerResponse) => void)[];
let market: http.Server;
let url: string;

const say = (status: number, body: string) => (response: http.ServerResponse) => {
  response.writeHead(status, { "content-type": "application/json" }).end(body);
};

beforeEach(async () => {
  store = new MemoryControlStore();
  clock = new WallClock();
  counted = [];
  arrived = [];
  answers = [];
  stop = new AbortController();
  market = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks);
      arrived.push({ raw, body: JSON.parse(raw.toString()), authorization: request.headers.authorization });
      (answers.shift() ?? say(200, ACK))(response);
    });
  });
  await new Promise<void>((resolve) => market.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(market.address() as AddressInfo).port}/beckn/update`;
});

afterEach(async () => {
  await outbox[Symbol.asyncDispose]();
  market.closeAllConnections();
  await new Promise((resolve) => market.close(resolve));
});

function start(options: Partial<OutboxOptions> = {}): void {
  outbox = new Outbox({
    store,
    clock,
    log: silentLog,
    counters: { received: () => {}, sent: (action, outcome) => counted.push(`${action} ${outcome}`) },
    random: () => 0,
    backoffBaseMs: 20,
    ...options,
  });
  outbox.start(stop.signal);
}

async function queue(messageId: string, more: Partial<NewOutboxItem> = {}): Promise<void> {
  const context = { message_id: messageId, transaction_id: "t1", action: "update" };
  await store.commit({
    outbox: [
      {
        action: "update",
        url,
        body: JSON.stringify({ context, message: {} }),
        createdAtMs: clock.now(),
        expiresAtMs: clock.now() + 60_000,
        ...more,
      },
    ],
  });
  outbox.kick();
}

const ids = () => arrived.map(({ body }) => body.context.message_id);
const empty = () => waitFor("an empty outbox", async () => (await store.outboxSize()) === 0 && outbox.inFlight === 0);
/** Lets the wall clock pass the next attempt of what waits. */
async function passTime(): Promise<void> {
  await waitFor("an attempt", () => counted.some((outcome) => outcome.endsWith("retried")));
  clock.nowMs += 1000;
  outbox.kick();
}

test("a message goes out at once, signed when it is sent, and is gone once acknowledged", async () => {
  const key = new MarketKey();
  const sentSignatures = new SentSignatures();
  start({ signer: { subscriberId: US, keyId: "k1", privateKey: key.privateKey }, sentSignatures });
  clock.nowMs += 5000;
  await queue("m1", { createdAtMs: NOW_MS });
  await empty();
  const [message] = arrived;
  if (message === undefined) throw new Error("nothing arrived");
  const keys = new PinnedKeys([[`${US}|k1`, key.publicKey]]);
  const result = verifySignature({ body: message.raw, authorization: message.authorization }, keys, clock.now());
  expect(result).toMatchObject({ ok: true, signer: { createdS: (NOW_MS + 5000) / 1000 } });
  expect(counted).toEqual(["update acked"]);
  // An answer to it may cover its signature.
  const callback = { messageId: "other", transactionId: "t1", action: "on_update" };
  expect(message.authorization).toContain(sentSignatures.find(callback));
});

test("without a key it goes unsigned", async () => {
  start();
  await queue("m1");
  await empty();
  expect(arrived[0]?.authorization).toBeUndefined();
});

test("a refusal is final, and counted", async () => {
  answers = [say(400, NACK), say(401, NACK)];
  start();
  await queue("m1");
  await empty();
  await queue("m2");
  await empty();
  expect(ids()).toEqual(["m1", "m2"]);
  expect(counted).toEqual(["update nacked", "update nacked"]);
});

describe("is sent again after", () => {
  test.each([
    ["a server that is down", say(503, NACK)],
    ["a busy server", say(429, "")],
    ["a 200 that is no answer", say(200, "<html>log in to the hotel</html>")],
    ["a redirect", say(302, "")],
    ["a broken connection", (response: http.ServerResponse) => response.socket?.destroy()],
    ["an answer without end", say(200, ACK + " ".repeat(70_000))],
  ])("%s", async (_, answer) => {
    answers = [answer];
    start();
    await queue("m1");
    await passTime();
    await empty();
    expect(ids()).toEqual(["m1", "m1"]);
    expect(counted).toEqual(["update retried", "update acked"]);
  });

  test("silence", async () => {
    answers = [() => {}];
    start({ deadlineMs: 50 });
    await queue("m1");
    await passTime();
    await empty();
    expect(counted).toEqual(["update retried", "update acked"]);
  });
});

test.each([['{"message":{"status":"ACK","messageId":"m1"}}'], ['{"status":"ACK"}']])(
  "the newer form of an acknowledgement counts too: %s",
  async (body) => {
    answers = [say(200, body)];
    start();
    await queue("m1");
    await empty();
    expect(counted).toEqual(["update acked"]);
  },
);

test("what is of no use any more is dropped, not sent", async () => {
  start();
  await queue("m1", { expiresAtMs: NOW_MS });
  await empty();
  expect(arrived).toEqual([]);
  expect(counted).toEqual(["update expired"]);
});

test("the waits between attempts grow, and what has just been tried is left alone", async () => {
  answers = [say(500, ""), say(500, ""), say(500, "")];
  start({ backoffBaseMs: 1000 });
  await queue("m1", { expiresAtMs: NOW_MS + 3_600_000 });
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    await waitFor("an attempt", () => store.outbox[0]?.attempts === attempt);
    waits.push((store.outbox[0]?.nextAttemptMs ?? 0) - clock.nowMs);
    outbox.kick();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(arrived).toHaveLength(attempt);
    clock.nowMs = store.outbox[0]?.nextAttemptMs ?? 0;
    outbox.kick();
  }
  expect(waits).toEqual([500, 1000, 2000]);
  await empty();
});

test("messages of one key go one after the other; a newer one takes the place of the one that waits", async () => {
  let release: (() => void) | undefined;
  answers = [(response) => (release = () => say(200, ACK)(response))];
  start();
  await queue("m1", { replaceKey: "telemetry EV-1" });
  await waitFor("the first on its way", () => release !== undefined);
  await queue("m2", { replaceKey: "telemetry EV-1" });
  await queue("m3", { replaceKey: "telemetry EV-1" });
  await queue("other");
  await waitFor("the other", () => ids().includes("other"));
  expect(ids()).toEqual(["m1", "other"]);
  release?.();
  await empty();
  expect(ids()).toEqual(["m1", "other", "m3"]);
});

test("no more than allowed are on their way at a time", async () => {
  const waiting: http.ServerResponse[] = [];
  answers = Array.from({ length: 6 }, () => (response: http.ServerResponse) => waiting.push(response));
  start({ concurrency: 2 });
  for (let index = 0; index < 6; index++) await queue(`m${index}`);
  for (let done = 0; done < 6; done += 2) {
    await waitFor("two more", () => waiting.length === done + 2);
    expect(outbox.inFlight).toBe(2);
    for (const response of waiting.slice(done)) say(200, ACK)(response);
  }
  await empty();
});

test("an end in the middle keeps the message for the next start, uncounted", async () => {
  answers = [() => {}];
  start();
  await queue("m1");
  await waitFor("it on its way", () => arrived.length === 1);
  stop.abort();
  await outbox[Symbol.asyncDispose]();
  expect(counted).toEqual([]);
  expect(store.outbox).toMatchObject([{ attempts: 0 }]);
  stop = new AbortController();
  start();
  await empty();
  expect(ids()).toEqual(["m1", "m1"]);
});

test("a store that fails for a moment stops nothing", async () => {
  start();
  await queue("m1");
  await empty();
  store.failure = new Error("disk full");
  store.outbox = [
    {
      id: 9,
      action: "update",
      url,
      body: '{"context":{}}',
      createdAtMs: 0,
      expiresAtMs: Infinity,
      attempts: 0,
      nextAttemptMs: 0,
    },
  ];
  outbox.kick();
  await waitFor("an attempt", () => arrived.length >= 2);
  store.failure = undefined;
  await empty();
});
