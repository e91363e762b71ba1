import { expect, test } from "vitest";
import { startBroker } from "../../simulators/market/broker.ts";
import { MarketSimulator } from "../../simulators/market/market-simulator.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { ContractBook } from "../../src/market/contract-book.ts";
import { Inbox } from "../../src/market/inbox.ts";
import { MqttInbox } from "../../src/market/mqtt-inbox.ts";
import { Outbox } from "../../src/market/outbox.ts";
import { Participant } from "../../src/market/participant.ts";
import { SentSignatures } from "../../src/market/sent-signatures.ts";
import { PinnedKeys } from "../../src/market/signing-keys.ts";
import { Webhook } from "../../src/market/webhook.ts";
import type { BidCurve } from "../../src/model/bid-curve.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import { MARKET, MarketKey, POLICY, US } from "../support/market-desk.ts";
import { MemoryControlStore } from "../support/memory-control-store.ts";
import { waitFor } from "../support/wait-for.ts";

/** The seed's curve; the grid sells at 0.09, where it says −8 kW. */
const CURVE: BidCurve = {
  shape: "LINEAR",
  currency: "INR",
  points: [
    { pricePerKWh: 0.08, powerKW: -11 },
    { pricePerKWh: 0.1, powerKW: -5 },
    { pricePerKWh: 0.12, powerKW: 0 },
  ],
};

test.each(["http", "mqtt"])("a bid becomes a signed setpoint over %s, and telemetry goes back", async (way) => {
  await using broker = await startBroker();
  const stop = new AbortController();
  const clock = systemClock;
  const log = silentLog;
  const us = new MarketKey();
  await using market = new MarketSimulator({
    subscriberId: MARKET,
    keyId: "key-1",
    clock,
    log,
    seed: 1,
    intervalMs: 300,
    mqttUrl: broker.url,
    participantKeys: new Map([[`${US}|k1`, us.publicKey]]),
  });
  const { url } = await market.start();
  const store = new MemoryControlStore();
  const contracts = new ContractBook(store);
  const counted: string[] = [];
  const counters = {
    received: (action: string, outcome: string) => counted.push(`in ${action} ${outcome}`),
    sent: (action: string, outcome: string) => counted.push(`out ${action} ${outcome}`),
  };
  const sentSignatures = new SentSignatures();
  const setpoints: Setpoint[] = [];
  const inbox = new Inbox({
    store,
    contracts,
    clock,
    log,
    counters,
    keys: new PinnedKeys([[`${MARKET}|key-1`, market.publicKey]]),
    sentSignatures,
    policy: () => POLICY,
    bapIds: [US],
    directory: {
      has: (era) => era === "EV-1",
      capability: () => undefined,
      byOrder: () => undefined,
      byTransaction: () => undefined,
    },
    mapping: ["transaction", "order"],
    onSetpoints: (some) => {
      setpoints.push(...some);
      participant.confirmed(some);
    },
    onRelease: (release) => participant.released(release),
    onOffers: (transactionId, offers) => participant.offered(transactionId, offers),
  });
  const doors = { requireSignature: true, receive: inbox.receive.bind(inbox), clock, log };
  await using hook = new Webhook({ ...doors, host: "127.0.0.1", port: 0, path: "/beckn" });
  const { url: hookUrl } = await hook.start(stop.signal);
  await using mqtt = new MqttInbox({
    ...doors,
    url: broker.url,
    topicIn: `setpointd/${US}/in`,
    topicOut: `setpointd/${US}/out`,
    counters,
    random: Math.random,
  });
  mqtt.start(stop.signal);
  const signer = { subscriberId: US, keyId: "k1", privateKey: us.privateKey };
  await using outbox = new Outbox({ store, clock, log, counters, random: Math.random, signer, sentSignatures });
  outbox.start(stop.signal);
  const participant = new Participant({
    store,
    contracts,
    clock,
    log,
    parties: {
      bapId: US,
      bapUri: way === "http" ? hookUrl : broker.url,
      bppId: MARKET,
      bppUri: url,
      domain: "beckn.one:deg:ev-charging:*",
    },
    dialect: { sign: "export-positive", currency: "INR" },
    kick: () => outbox.kick(),
  });
  await participant.start(stop.signal);

  await waitFor("the broker", () => mqtt.connected);
  await participant.bid("EV-1", CURVE, undefined, { minPowerKW: -11, maxPowerKW: 0 });
  await waitFor("setpoints of two intervals", () => setpoints.length >= 2);
  expect(setpoints.every(({ era, powerKW }) => era === "EV-1" && powerKW <= 0 && powerKW >= -11)).toBe(true);
  expect(participant.snapshot()).toMatchObject([{ era: "EV-1", orderedKW: setpoints.at(-1)?.powerKW }]);

  const reading = { era: "EV-1", receivedAtMs: clock.now(), powerKW: -7.9, importKWh: 1 };
  expect(await participant.telemetry({ era: "EV-1", readings: [reading], curve: CURVE })).toBe(true);
  await waitFor("telemetry", () => market.summary().telemetry === 1);
  await waitFor("acknowledgements", () => market.summary().acked >= 2);
  expect(market.summary()).toMatchObject({ nacked: 0 });
  expect(counted.filter((outcome) => !outcome.endsWith("acked"))).toEqual([]);

  stop.abort();
});
