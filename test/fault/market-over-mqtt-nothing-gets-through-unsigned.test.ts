import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startBroker } from "../../simulators/market/broker.ts";
import { silentLog } from "../../src/log.ts";
import { MqttInbox, type MqttInboxOptions } from "../../src/market/mqtt-inbox.ts";
import { Desk, onConfirm } from "../support/market-desk.ts";
import { waitFor } from "../support/wait-for.ts";

const IN = "setpointd/bap.site.example/in";
const OUT = "setpointd/bap.site.example/out";

type Broker = Awaited<ReturnType<typeof startBroker>>;

let broker: Broker;
let market: MqttClient;
let desk: Desk;
let door: MqttInbox;
let stop: AbortController;
let answers: Record<string, unknown>[];

beforeEach(async () => {
  broker = await startBroker();
  market = await connectAsync(broker.url, { reconnectPeriod: 50 });
  answers = [];
  market.on("message", (_, payload) => answers.push(JSON.parse(payload.toString())));
  await market.subscribeAsync(OUT, { qos: 1 });
  desk = new Desk();
  stop = new AbortController();
});

afterEach(async () => {
  await door[Symbol.asyncDispose]();
  await market.endAsync(true);
  await broker[Symbol.asyncDispose]();
});

async function open(options: Partial<MqttInboxOptions> = {}): Promise<void> {
  door = new MqttInbox({
    url: broker.url,
    topicIn: IN,
    topicOut: OUT,
    requireSignature: true,
    receive: (message) => desk.inbox.receive(message),
    clock: desk.clock,
    log: silentLog,
    counters: { received: (action, outcome) => desk.counted.push(`${action} ${outcome}`), sent: () => {} },
    random: () => 0,
    backoffBaseMs: 50,
    ...options,
  });
  door.start(stop.signal);
  await waitFor("the connection", () => door.connected);
}

const signed = (message: unknown) => {
  const body = JSON.stringify(message);
  return JSON.stringify({ authorization: desk.key.sign(body), body });
};

async function send(payload: string | Buffer, retain = false): Promise<Record<string, unknown>> {
  const before = answers.length;
  await market.publishAsync(IN, payload, { qos: 1, retain });
  await waitFor("an answer", () => answers.length > before);
  return answers[before] ?? {};
}

const nackWith = (code: string) => ({ message: { ack: { status: "NACK" }, error: { code } } });

test("a signed message is taken, and the answer says to which it belongs", async () => {
  await open();
  expect(await send(signed(onConfirm()))).toEqual({
    message_id: "message-1",
    transaction_id: "transaction-1",
    action: "on_confirm",
    httpStatus: 200,
    message: { ack: { status: "ACK" } },
  });
  expect(desk.setpoints).toHaveLength(1);
});

test("without or with a wrong signature nothing is, and the next good message is", async () => {
  await open();
  expect(await send(JSON.stringify(onConfirm()))).toMatchObject(nackWith("SIGNATURE_MISSING"));
  const wrong = JSON.stringify({ authorization: desk.key.sign("{}"), body: JSON.stringify(onConfirm()) });
  expect(await send(wrong)).toMatchObject({ message_id: "message-1", ...nackWith("SIGNATURE_BAD") });
  expect(await send("no JSON")).toMatchObject({ message_id: null, ...nackWith("BODY_INVALID") });
  expect(await send(JSON.stringify({ body: 7 }))).toMatchObject(nackWith("ENVELOPE_INVALID"));
  expect(await send(Buffer.alloc(200_000, 0x20))).toMatchObject(nackWith("BODY_TOO_LARGE"));
  expect(desk.setpoints).toEqual([]);
  expect(await send(signed(onConfirm()))).toMatchObject({ httpStatus: 200 });
});

test("a message twice gives the same answer and one command", async () => {
  await open();
  const message = signed(onConfirm());
  expect(await send(message)).toEqual(await send(message));
  expect(desk.setpoints).toHaveLength(1);
});

test("a retained message is refused, though it is signed", async () => {
  await market.publishAsync(IN, signed(onConfirm()), { qos: 1, retain: true });
  door = new MqttInbox({
    url: broker.url,
    topicIn: IN,
    topicOut: OUT,
    requireSignature: true,
    receive: (message) => desk.inbox.receive(message),
    clock: desk.clock,
    log: silentLog,
    counters: { received: (action, outcome) => desk.counted.push(`${action} ${outcome}`), sent: () => {} },
    random: () => 0,
  });
  door.start(stop.signal);
  await waitFor("an answer", () => answers.length > 0);
  expect(answers[0]).toMatchObject(nackWith("RETAINED"));
  expect(desk.counted).toEqual(["other RETAINED"]);
  expect(desk.setpoints).toEqual([]);
});

test("without signatures, where they are not required, a bare message is taken", async () => {
  await open({ requireSignature: false });
  expect(await send(JSON.stringify(onConfirm()))).toMatchObject({ httpStatus: 200 });
});

test("a broker that goes away and comes back is found again", async () => {
  await open();
  const port = Number(new URL(broker.url).port);
  await broker[Symbol.asyncDispose]();
  await waitFor("the loss", () => !door.connected);
  broker = await startBroker(port);
  await waitFor("both back", () => door.connected && market.connected);
  await market.subscribeAsync(OUT, { qos: 1 });
  await waitFor("an answer", async () => {
    await market.publishAsync(IN, signed(onConfirm()), { qos: 1 });
    return answers.length > 0;
  });
  expect(desk.setpoints).toHaveLength(1);
});

test("a broker that was never there holds up neither start nor end", async () => {
  const port = Number(new URL(broker.url).port);
  await broker[Symbol.asyncDispose]();
  door = new MqttInbox({
    url: `mqtt://127.0.0.1:${port}`,
    topicIn: IN,
    topicOut: OUT,
    requireSignature: true,
    receive: (message) => desk.inbox.receive(message),
    clock: desk.clock,
    log: silentLog,
    counters: { received: () => {}, sent: () => {} },
    random: () => 0,
    backoffBaseMs: 10,
  });
  door.start(stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(door.connected).toBe(false);
  stop.abort();
  broker = await startBroker();
});
