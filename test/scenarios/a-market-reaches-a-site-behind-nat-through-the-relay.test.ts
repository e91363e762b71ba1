import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { connect, connectAsync } from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import { startBroker } from "../../simulators/market/broker.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { Relay } from "../../src/relay/relay.ts";
import { relayConfig } from "../../src/relay/relay-config.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const mosquitto = spawnSync("mosquitto", ["-h"]).error === undefined;
const TOPICS = { topicIn: "setpointd/garage/in", topicOut: "setpointd/garage/out" };

const open: AsyncDisposable[] = [];
let process: ChildProcess | undefined;

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  process?.kill();
});

/** Starts a relay and says where the market finds the site. */
async function startRelay(broker: { url: string; protocolVersion: 4 | 5 }): Promise<{ relay: Relay; url: string }> {
  const config = relayConfig.parse({
    http: { port: 0 },
    broker,
    answerTimeout: 2,
    sites: [{ name: "garage", ...TOPICS }],
  });
  const relay = new Relay({ config, clock: systemClock, log: silentLog, random: Math.random });
  open.push(relay);
  const { url } = await relay.start();
  await waitFor("the relay at its broker", () => relay.connected);
  return { relay, url };
}

async function startSite(url: string): Promise<Site> {
  const site = new Site({
    devices: [{ era: "ev", kind: "charger", ocpp: { identity: "EV", phases: 1, maxA: 32, settleS: 2 } }],
    market: { webhook: undefined, mqtt: { url, ...TOPICS } },
  });
  open.push(site);
  await site.start();
  await waitFor("the gateway at the broker", () => site.gateway.status().market?.mqtt === "connected");
  return site;
}

async function post(url: string, site: Site, message: unknown, headers: Record<string, string> = {}) {
  const { body, authorization } = site.envelope(message);
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization, ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const ACK = { message: { ack: { status: "ACK" } } };

describe("with the broker that comes along (MQTT 3.1.1)", () => {
  test("a POST to the relay moves the charger, and the site's own ACK comes back", async () => {
    const broker = await startBroker();
    open.push(broker);
    const { url } = await startRelay({ url: broker.url, protocolVersion: 4 });
    const site = await startSite(broker.url);
    const charger = await site.charger({ identity: "EV" });

    const message = site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) });
    expect(await post(`${url}/garage/on_confirm`, site, message)).toEqual({ status: 200, body: ACK });
    await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);

    // The market was not sure and sends again: the same answer, and no second setpoint.
    expect(await post(`${url}/garage/on_confirm`, site, message)).toEqual({ status: 200, body: ACK });
    expect(site.device("ev").setpoints).toBe(1);
  });

  test("what the site refuses is refused with the site's reason, and nonsense never gets as far as the site", async () => {
    const broker = await startBroker();
    open.push(broker);
    const { url } = await startRelay({ url: broker.url, protocolVersion: 4 });
    const site = await startSite(broker.url);
    const message = site.onConfirm({ era: "nobody", setpointKW: -3, ...windowFor(60) });
    expect(await post(`${url}/garage/on_confirm`, site, message)).toMatchObject({
      status: 404,
      body: { message: { error: { code: "RESOURCE_UNKNOWN" } } },
    });
    const good = site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) });
    const forged = site.envelope(site.onConfirm({ era: "ev", setpointKW: -2, ...windowFor(60) }));
    expect(await post(`${url}/garage/on_confirm`, site, good, { authorization: forged.authorization })).toMatchObject({
      status: 401,
      body: { message: { error: { code: "SIGNATURE_BAD" } } },
    });
    const before = site.gateway.status().market?.received;
    expect(await post(`${url}/garage/on_cancel`, site, good)).toMatchObject({
      status: 400,
      body: { message: { error: { code: "ACTION_MISMATCH" } } },
    });
    expect(await post(`${url}/elsewhere/on_confirm`, site, good)).toMatchObject({
      status: 404,
      body: { message: { error: { code: "SITE_UNKNOWN" } } },
    });
    const noJson = await fetch(`${url}/garage/on_confirm`, {
      method: "POST",
      body: "{",
      headers: { "content-type": "application/json", authorization: "x" },
    });
    expect(noJson.status).toBe(400);
    expect(site.gateway.status().market?.received).toBe(before);
  });

  test("a site that is away is a 503, after which the market may send again", async () => {
    const broker = await startBroker();
    open.push(broker);
    const { url } = await startRelay({ url: broker.url, protocolVersion: 4 });
    const absent = new Site({ devices: [] });
    open.push(absent);
    const message = absent.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) });
    expect(await post(`${url}/garage/on_confirm`, absent, message)).toMatchObject({
      status: 503,
      body: { message: { error: { code: "SITE_UNREACHABLE" } } },
    });
  });
});

describe.skipIf(!mosquitto)(
  `with Mosquitto (MQTT 5)${mosquitto ? "" : " (skipped: the Debian package mosquitto is not installed)"}`,
  () => {
    test("a POST moves the charger there too", async () => {
      const url = await startMosquitto();
      const relay = await startRelay({ url, protocolVersion: 5 });
      const site = await startSite(url);
      const charger = await site.charger({ identity: "EV" });
      const message = site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) });
      expect(await post(`${relay.url}/garage/on_confirm`, site, message)).toEqual({ status: 200, body: ACK });
      await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);
    });

    test("a message that the market was told to send again is not in the broker any more when the site comes back", async () => {
      const url = await startMosquitto();
      const relay = await startRelay({ url, protocolVersion: 5 });
      const session = { protocolVersion: 5, clientId: "garage", properties: { sessionExpiryInterval: 60 } } as const;
      const away = await connectAsync(url, { ...session, clean: true });
      await away.subscribeAsync(TOPICS.topicIn, { qos: 1 });
      await away.endAsync();

      const sender = new Site({ devices: [] });
      open.push(sender);
      const message = sender.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) });
      expect((await post(`${relay.url}/garage/on_confirm`, sender, message)).status).toBe(503);
      await systemClock.sleep(1200);

      const other = await connectAsync(url, { protocolVersion: 5 });
      open.push({ [Symbol.asyncDispose]: () => other.endAsync(true) });
      await other.publishAsync(TOPICS.topicIn, "a later one", { qos: 1 });
      const received: string[] = [];
      const back = connect(url, { ...session, clean: false });
      open.push({ [Symbol.asyncDispose]: () => back.endAsync(true) });
      back.on("message", (_topic, payload) => received.push(payload.toString()));
      await waitFor("the later message", () => received.length > 0);
      expect(received).toEqual(["a later one"]);
    });
  },
);

async function startMosquitto(): Promise<string> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process = spawn("mosquitto", ["-p", String(port)], { stdio: "ignore" });
  return `mqtt://127.0.0.1:${port}`;
}
