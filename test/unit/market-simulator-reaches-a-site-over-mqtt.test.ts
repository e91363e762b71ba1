import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startBroker } from "../../simulators/market/broker.ts";
import { MarketSimulator } from "../../simulators/market/market-simulator.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { isSignedBy, SmallParticipant } from "./market-simulator-participant.ts";

const CAR = [
  { price: 0.08, powerKW: -11 },
  { price: 0.12, powerKW: 0 },
];

let broker: Awaited<ReturnType<typeof startBroker>>;
let site: MqttClient;
let opened: AsyncDisposable[];
/** Packets that came for the site, as they were published. */
let packets: { topic: string; retain: boolean; qos: number; envelope: { authorization: string; body: string } }[];

beforeEach(async () => {
  packets = [];
  broker = await startBroker();
  opened = [broker];
  site = await connectAsync(broker.url, { protocolVersion: 4 });
  await site.subscribeAsync("setpointd/bap.site.test/in", { qos: 1 });
});

afterEach(async () => {
  await site.endAsync(true);
  for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
});

test("a participant with an mqtt: address gets offer and setpoint through the broker, signed", async () => {
  const { market, car } = await marketAndCar("mqtt:bap.site.test");
  answerOverMqtt(car, (messageId) => ({ message_id: messageId, message: { ack: { status: "ACK" } } }));
  await car.discover(CAR);
  market.openGate();
  await waitFor("the setpoint to be acknowledged", () => market.summary().acked === 1);
  expect(packets.map(({ qos, retain }) => ({ qos, retain }))).toEqual([
    { qos: 1, retain: false },
    { qos: 1, retain: false },
  ]);
  for (const { envelope } of packets) {
    expect(isSignedBy(market.publicKey, "market.test|market-1", { ...envelope, raw: envelope.body })).toBe(true);
  }
  expect(JSON.parse(packets[1]?.envelope.body ?? "").context.action).toBe("on_confirm");
});

test("a single resource of a participant with an HTTP address can be reached through the broker", async () => {
  const { market, car } = await marketAndCar(undefined, (era) => era === "car-1");
  answerOverMqtt(car, (messageId) => ({
    message_id: messageId,
    status: 400,
    answer: { message: { ack: { status: "NACK" }, error: { code: "RESOURCE_UNKNOWN" } } },
  }));
  await car.discover(CAR);
  market.openGate();
  await waitFor("the refusal to be counted", () => market.summary().nacked === 1);
  expect(packets.length).toBe(2);
});

test("a callback that nobody answers is sent again and then given up, and nonsense on the topic harms nobody", async () => {
  const given: string[] = [];
  const { market, car } = await marketAndCar("mqtt:bap.site.test", undefined, {
    intervalMs: 1200,
    onUndelivered: (action) => given.push(action),
  });
  site.on("message", (topic, payload, packet) => {
    keep(topic, payload, packet);
    for (const nonsense of ["{", "7", "null", '{"message_id":1}', '{"message_id":"x","message":{"ack":{}}}']) {
      site.publish("setpointd/bap.site.test/out", nonsense);
    }
  });
  await car.discover(CAR);
  await waitFor("the market to give up", () => given.includes("on_discover"));
  const [first, second] = packets;
  expect(second?.envelope.body).toBe(first?.envelope.body);
  expect(market.summary().acked).toBe(0);
});

test("a broker that goes away keeps neither market nor broker from closing", async () => {
  const { market, car } = await marketAndCar("mqtt:bap.site.test");
  await car.discover(CAR);
  await broker[Symbol.asyncDispose]();
  market.openGate();
  await market[Symbol.asyncDispose]();
  await market[Symbol.asyncDispose]();
});

async function marketAndCar(
  bapUri?: string,
  deliverOverMqtt?: (era: string) => boolean,
  more: { intervalMs?: number; onUndelivered?: (action: string) => void } = {},
) {
  const market = new MarketSimulator({
    subscriberId: "market.test",
    keyId: "market-1",
    clock: systemClock,
    log: silentLog,
    seed: 1,
    intervalMs: more.intervalMs ?? 60_000,
    mqttUrl: broker.url,
    onEvent: (event) => {
      if (event.kind === "undelivered") more.onUndelivered?.(event.action);
    },
    ...(deliverOverMqtt !== undefined && { deliverOverMqtt }),
  });
  opened.push(market);
  const { url } = await market.start();
  const car = await new SmallParticipant(url, "bap.site.test", "car-1").start();
  opened.push(car);
  if (bapUri !== undefined) car.uri = bapUri;
  return { market, car };
}

function answerOverMqtt(car: SmallParticipant, answer: (messageId: string) => object): void {
  site.on("message", (topic, payload, packet) => {
    const envelope = keep(topic, payload, packet);
    const messageId = JSON.parse(envelope.body).context.message_id;
    site.publish("setpointd/bap.site.test/out", JSON.stringify(answer(messageId)), { qos: 1 });
    car.received({ path: topic, authorization: envelope.authorization, raw: envelope.body });
  });
}

function keep(topic: string, payload: Buffer, packet: { retain: boolean; qos: number }) {
  const envelope = JSON.parse(payload.toString("utf8")) as { authorization: string; body: string };
  packets.push({ topic, retain: packet.retain, qos: packet.qos, envelope });
  return envelope;
}
