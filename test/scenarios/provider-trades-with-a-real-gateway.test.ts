import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, createPublicKey, generateKeyPairSync, randomUUID, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { authorization, createSigningKey, seedOf } from "../../simulators/market/signature.ts";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { askDaemon } from "../../src/cli/daemon-client.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { parseProviderConfig } from "../../src/market/provider/load-provider-config.ts";
import { Provider } from "../../src/market/provider/provider.ts";
import { verifySignature } from "../../src/market/signature.ts";
import { PinnedKeys, publicKeyText } from "../../src/market/signing-keys.ts";
import { MARKET_ID, SITE_ID, Site } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const EXTERNAL = {
  shape: "STEP",
  points: [
    { price: 0.09, powerKW: 0 },
    { price: 0.09, powerKW: 1000 },
  ],
};
const CHARGER = {
  era: "ev",
  kind: "charger",
  prices: { from: 0.05, to: 0.13 },
  ocpp: { identity: "EV", phases: 1, maxA: 32, settleS: 2 },
};
/** A gate closes every three seconds. */
const FAST = { interval: "3s", gate: "1s", confirmWithin: "2s", external: EXTERNAL };

const guests: AsyncDisposable[] = [];
afterEach(async () => {
  for (const guest of guests.splice(0).reverse()) await guest[Symbol.asyncDispose]();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "setpointd-provider-"));
  guests.push({
    [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true }),
  });
  return path;
}

async function openMarket(config: Record<string, unknown>, where = folder()): Promise<Provider> {
  const text = stringify({ subscriberId: MARKET_ID, http: { port: 0 }, ...config });
  const provider = new Provider({
    config: parseProviderConfig(text, "provider.yaml"),
    folder: where,
    clearGrid,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
  });
  guests.push(provider);
  await provider.start(new AbortController().signal);
  return provider;
}

interface Callback {
  readonly action: string;
  readonly authorization: string | undefined;
  readonly body: Buffer;
  readonly json: { readonly context: Record<string, string>; readonly message: Record<string, unknown> };
}

/** A participant by hand: takes callbacks and says ACK. */
async function participant(): Promise<{ url: string; callbacks: Callback[]; busy: { refuse: boolean } }> {
  const callbacks: Callback[] = [];
  const busy = { refuse: false };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (busy.refuse) {
        response.writeHead(503).end();
        return;
      }
      const { authorization } = request.headers;
      callbacks.push({
        action: request.url?.split("/").at(-1) ?? "",
        authorization,
        body,
        json: JSON.parse(`${body}`),
      });
      response.writeHead(200, { "content-type": "application/json" }).end('{"message":{"ack":{"status":"ACK"}}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  guests.push({
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/beckn`, callbacks, busy };
}

function request(action: string, message: object, bapUri: string, context: object = {}): object {
  return {
    context: {
      version: "2.0.0",
      action,
      domain: "beckn.one:deg:*",
      timestamp: new Date().toISOString(),
      message_id: randomUUID(),
      transaction_id: "t1",
      bap_id: SITE_ID,
      bap_uri: bapUri,
      bpp_id: MARKET_ID,
      ttl: "PT30S",
      ...context,
    },
    message,
  };
}

async function post(url: string | undefined, action: string, body: object): Promise<{ status: number; body: string }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/${action}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.text() };
}

const BID = {
  intent: {
    era: "ev",
    currency: "INR",
    bidCurve: [
      { price: 0.08, powerKW: -4 },
      { price: 0.12, powerKW: -2 },
    ],
  },
};

describe("over HTTP", () => {
  test("a real gateway bids, is offered a price, confirms, and its charger follows what was cleared", async () => {
    const key = generateKeyPairSync("ed25519").privateKey;
    const keyFile = join(folder(), "market.key");
    const seed = key.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64");
    writeFileSync(keyFile, seed, { mode: 0o600 });
    const market = await openMarket({ market: FAST, signingKey: { keyId: "k1", privateKeyFile: keyFile } });
    const site = new Site({
      devices: [CHARGER],
      market: {
        participate: true,
        bppUri: market.url,
        interval: "3s",
        trustedKeys: [{ subscriberId: MARKET_ID, keyId: "k1", publicKey: publicKeyText(key) }],
      },
    });
    guests.push(site);
    await site.start();
    const charger = await site.charger({ identity: "EV" });

    await waitFor("a setpoint of the market", () => site.device("ev").setpoints > 0);
    const [round] = (await market.rounds(10)).filter((one) => one.bids > 0);
    expect(round?.currency).toBe("INR");
    await waitFor("an order for settlement", async () => {
      const orders = await Promise.all((await market.rounds(20)).map((one) => market.ordersOf(one.roundId)));
      return orders.flat().length > 0;
    });
    const orders = (await Promise.all((await market.rounds(20)).map((one) => market.ordersOf(one.roundId)))).flat();
    const [order] = orders;
    expect(order).toMatchObject({ era: "ev", bapId: SITE_ID, pricePerKWh: 0.09 });
    const orderedKW = order?.powerKW ?? 0;
    expect(orderedKW).toBeLessThan(-1);
    await waitFor("the car to follow", () => orders.some((one) => Math.abs(charger.powerKW() - one.powerKW) < 0.15));
    await waitFor("what the site reports", () =>
      orders.some((one) => market.transaction(SITE_ID, one.transactionId)?.report?.telemetry !== undefined),
    );
  });

  test("a person asks where an order stands, rates it, and takes it back: the charger is free at once", async () => {
    const market = await openMarket({ market: { ...FAST, interval: "20s", gate: "19s" }, support: { phone: "112" } });
    const site = new Site({
      devices: [CHARGER],
      market: { participate: true, bppUri: market.url, interval: "20s", requireSignature: false },
    });
    guests.push(site);
    await site.start();
    const ask = async (action: string, more: object = {}) => {
      const socket = join(site.folder, "data", "setpointd.sock");
      return askDaemon<Record<string, unknown>>(socket, "POST", `/orders/${action}`, { body: { era: "ev", ...more } });
    };
    await expect(ask("cancel")).rejects.toThrow("there is no order");
    const charger = await site.charger({ identity: "EV" });
    await waitFor("an order that runs", () => site.device("ev").orderedKW !== undefined, 50_000);
    await waitFor("the car to follow", () => Math.abs(charger.powerKW() - (site.device("ev").orderedKW ?? 0)) < 0.15);

    // While the order of the next interval is confirmed already, the transaction is not in progress.
    let status: Record<string, unknown> = {};
    await waitFor("an order in progress", async () => {
      status = await ask("status");
      return JSON.stringify(status).includes('"beckn:orderStatus":"INPROGRESS"');
    });
    expect(status).toMatchObject({ kind: "answered", action: "status" });
    expect(await ask("track")).toMatchObject({ kind: "answered", action: "track" });
    expect(await ask("select")).toMatchObject({ kind: "answered", action: "select" });
    expect(await ask("support")).toMatchObject({ message: { support: { phone: "112" } } });
    await waitFor("the rating", async () => (await ask("rating", { stars: 4 }))["kind"] === "answered");
    const { transactionId } = status as { transactionId: string };
    expect(market.transaction(SITE_ID, transactionId)?.rating).toMatchObject([{ value: 4 }]);

    const curves = site.device("ev").bidCurves;
    expect(JSON.stringify(await ask("cancel", { reason: "the car leaves" }))).toContain("CANCELLED");
    await waitFor("the charger to be free", () => site.device("ev").orderedKW === undefined);
    await waitFor("the car to charge freely", () => charger.powerKW() < -7);
    expect(market.transaction(SITE_ID, transactionId)?.state).toBe("CANCELLED");
    // What is asked in vain is told as well: the next bid is no order that could be rated.
    await waitFor("the next bid", () => site.device("ev").bidCurves > curves);
    expect(await ask("rating")).toMatchObject({ kind: "refused", reason: expect.stringContaining("STATE_ILLEGAL") });
  });

  test("each action is acknowledged and answered, signed by the market", async () => {
    const key = generateKeyPairSync("ed25519").privateKey;
    const keyFile = join(folder(), "market.key");
    writeFileSync(keyFile, key.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64"));
    const market = await openMarket({ market: FAST, signingKey: { keyId: "k1", privateKeyFile: keyFile } });
    const { url, callbacks } = await participant();
    const ask = async (action: string, message: object) => {
      const { status, body } = await post(market.url, action, request(action, message, url));
      expect([status, body]).toEqual([200, '{"message":{"ack":{"status":"ACK"}}}']);
    };
    const came = (action: string) => waitFor(action, () => callbacks.some((one) => one.action === action));
    await ask("discover", BID);
    await came("on_discover");
    await ask("select", { order: {} });
    await ask("init", { order: {} });
    await came("on_init");
    await waitFor("an open offer", () => market.transaction(SITE_ID, "t1")?.offer !== undefined);
    await ask("confirm", { order: {} });
    await came("on_confirm");
    await waitFor("the interval", () => market.transaction(SITE_ID, "t1")?.state === "ACTIVE");
    for (const action of ["update", "status", "track", "rating", "rate", "support", "cancel"]) {
      await ask(action, { order: {} });
      await came(`on_${action}`);
    }
    await ask("aggregate", { aggregationRequest: { participants: [BID.intent] } });
    await came("on_aggregate");
    const keys = new PinnedKeys([[`${MARKET_ID}|k1`, publicKeyText(key)]]);
    for (const { body, authorization } of callbacks) {
      expect(verifySignature({ body, authorization }, keys, Date.now()).ok).toBe(true);
    }
  });

  test("in the dialect of 2026 each answer covers the signature of what it answers, at once and after the gate", async () => {
    const [ours, theirs] = [createSigningKey(MARKET_ID, "k1"), createSigningKey(SITE_ID, "s1")];
    const where = folder();
    writeFileSync(join(where, "market.key"), seedOf(ours), { mode: 0o600 });
    const startMs = Math.ceil(Date.now() / 60_000) * 60_000 + 60_000;
    const need = { id: "need-1", start: new Date(startMs).toISOString(), interval: "1m", requestedKW: [5] };
    const clearingTime = new Date(Date.now() + 3_000).toISOString();
    const signingKey = { keyId: "k1", privateKeyFile: "market.key" };
    const trustedKeys = [{ subscriberId: SITE_ID, keyId: "s1", publicKey: theirs.publicKey }];
    const market = await openMarket({ signingKey, trustedKeys, flexNeeds: [{ ...need, clearingTime }] }, where);
    const { url, callbacks } = await participant();

    const payloads = [
      { type: "OFFER_PRICE", values: [1, 2] },
      { type: "CAPACITY_OFFERED", values: [5, 2] },
    ];
    const series = { intervalPeriod: { start: need.start, duration: "PT1M" }, intervals: [{ id: 0, payloads }] };
    const contract = { id: "c1", commitments: [{ resources: [{ id: "need-1" }], commitmentAttributes: series }] };
    const ask = async (action: string) => {
      const context = {
        ...{ version: "2.0.0", action, timestamp: new Date().toISOString(), messageId: randomUUID() },
        ...{ transactionId: "t2", bapId: SITE_ID, bapUri: url, bppId: MARKET_ID },
      };
      const body = JSON.stringify({ context, message: { contract } });
      const header = authorization(theirs, body, Date.now());
      const response = await fetch(`${market.url}/${action}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: header },
        body,
      });
      const signature = /signature="([^"]+)"/.exec(header)?.[1] ?? "";
      const answer = {
        status: response.status,
        header: response.headers.get("signature"),
        body: await response.text(),
      };
      return { signature, answer };
    };
    const four = (header: string | null | undefined, body: Buffer | string, covered: string): boolean => {
      const part = (name: string) => new RegExp(`${name}="([^"]+)"`).exec(header ?? "")?.[1] ?? "";
      if (part("headers") !== "(created) (expires) digest request-signature") return false;
      const digest = createHash("blake2b512").update(body).digest("base64");
      const lines = [`(created): ${part("created")}`, `(expires): ${part("expires")}`, `digest: BLAKE-512=${digest}`];
      const text = [...lines, `request-signature: ${covered}`].join("\n");
      const key = createPublicKey(ours.privateKey);
      return verify(null, Buffer.from(text), key, Buffer.from(part("signature"), "base64"));
    };
    const taken = await ask("confirm");
    expect(taken.answer.status).toBe(200);
    expect(four(taken.answer.header, taken.answer.body, taken.signature)).toBe(true);
    const refused = await ask("select");
    expect(refused.answer.status).toBe(409);
    expect(four(refused.answer.header, refused.answer.body, refused.signature)).toBe(true);
    const asked = await ask("status");

    await waitFor("on_status and on_confirm", () => callbacks.length === 2);
    const of = (action: string) => callbacks.find((one) => one.action === action);
    const [status, confirmed] = [of("on_status"), of("on_confirm")];
    expect(four(status?.authorization, status?.body ?? "", asked.signature)).toBe(true);
    expect(four(confirmed?.authorization, confirmed?.body ?? "", taken.signature)).toBe(true);
    expect(four(confirmed?.authorization, confirmed?.body ?? "", asked.signature)).toBe(false);
  });

  test("a participant that is away gets its callback when it is back, also from a market that was restarted", async () => {
    const where = folder();
    const config = { market: { ...FAST, interval: "8s", gate: "7s", confirmWithin: "7.9s" } };
    const { url, callbacks, busy } = await participant();
    const first = await openMarket(config, where);
    busy.refuse = true;
    await post(first.url, "discover", request("discover", BID, url));
    await waitFor("the offer", () => first.transaction(SITE_ID, "t1")?.offer !== undefined, 30_000);
    await first[Symbol.asyncDispose]();

    const second = await openMarket(config, where);
    expect(second.transaction(SITE_ID, "t1")?.state).toBe("OFFERED");
    busy.refuse = false;
    await waitFor("on_discover", () => callbacks.some((one) => one.action === "on_discover"));
    const { status } = await post(second.url, "confirm", request("confirm", { order: {} }, url));
    expect(status).toBe(200);
    await waitFor("on_confirm", () => callbacks.some((one) => one.action === "on_confirm"));
    expect(callbacks.map((one) => one.action)).toEqual(["on_discover", "on_confirm"]);
  });
});

const mosquitto = spawnSync("mosquitto", ["-h"]).error === undefined;

describe.skipIf(!mosquitto)(
  `over MQTT 5${mosquitto ? "" : " (skipped: the Debian package mosquitto is not installed)"}`,
  () => {
    async function broker(): Promise<string> {
      const probe = createSocketServer();
      await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
      const { port } = probe.address() as AddressInfo;
      await new Promise((resolve) => probe.close(resolve));
      // Without a config file it listens on loopback only, and anybody there may connect.
      const child: ChildProcess = spawn("mosquitto", ["-p", String(port)], { stdio: "ignore" });
      guests.push({ [Symbol.asyncDispose]: async () => void child.kill() });
      return `mqtt://127.0.0.1:${port}`;
    }

    async function client(url: string): Promise<MqttClient> {
      let found: MqttClient | undefined;
      await waitFor("the broker", async () => {
        found = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 }).catch(() => undefined);
        return found !== undefined;
      });
      if (found === undefined) throw new Error("no broker");
      const client = found;
      guests.push({ [Symbol.asyncDispose]: () => client.endAsync(true) });
      return client;
    }

    test("the answer and the callbacks come to the response topic, with correlation and expiry, never retained", async () => {
      const url = await broker();
      const site = await client(url);
      const market = await openMarket({
        http: undefined,
        subscriberUri: "http://market.test/beckn",
        market: FAST,
        mqtt: { url, requestTopic: "market/requests", responsePrefix: "site/" },
      });
      await waitFor("the market at the broker", () => market.mqttConnected);
      const came: { json: Record<string, unknown>; correlation: string; expiry: number; retain: boolean }[] = [];
      site.on("message", (_topic, payload, { properties, retain }) => {
        const correlation = `${properties?.correlationData}`;
        const expiry = properties?.messageExpiryInterval ?? 0;
        came.push({ json: JSON.parse(`${payload}`), correlation, expiry, retain });
      });
      await site.subscribeAsync("site/replies", { qos: 1 });
      const ask = (action: string, message: object, more: { retain?: boolean; responseTopic?: string } = {}) => {
        const { responseTopic = "site/replies", retain = false } = more;
        const properties = { responseTopic, correlationData: Buffer.from(action), messageExpiryInterval: 30 };
        return site.publishAsync("market/requests", JSON.stringify(request(action, message, "none")), {
          qos: 1,
          retain,
          properties,
        });
      };
      const of = (correlation: string) => came.filter((one) => one.correlation === correlation);

      await ask("discover", BID);
      await waitFor("ACK and on_discover", () => of("discover").length === 2);
      const [ack, offer] = of("discover");
      expect(ack?.json).toMatchObject({ message: { ack: { status: "ACK" } }, action: "discover" });
      expect(offer?.json["context"]).toMatchObject({ action: "on_discover" });
      await ask("confirm", { order: {} });
      await waitFor("on_confirm", () => of("confirm").length === 2);
      expect(of("confirm").map((one) => one.json["context"] !== undefined)).toEqual([false, true]);
      expect(came.every((one) => one.expiry > 0 && !one.retain)).toBe(true);

      // Answers to where they must not go: to us, as the next request, or outside of what is agreed.
      const before = came.length;
      await ask("status", { order: {} }, { responseTopic: "market/requests" });
      await ask("status", { order: {} }, { responseTopic: "elsewhere/x" });
      await ask("track", { order: {} });
      await waitFor("on_track", () => of("track").length === 2);
      expect(came.length).toBe(before + 2);
    });

    test("a gateway and a market trade through the broker alone, and neither can be dialled", async () => {
      const url = await broker();
      const [ours, theirs] = [createSigningKey(MARKET_ID, "k1"), createSigningKey(SITE_ID, "s1")];
      const where = folder();
      writeFileSync(join(where, "market.key"), seedOf(ours), { mode: 0o600 });
      const config = {
        http: undefined,
        subscriberUri: "http://market.test/beckn",
        market: FAST,
        requireSignature: true,
        signingKey: { keyId: "k1", privateKeyFile: "market.key" },
        trustedKeys: [{ subscriberId: SITE_ID, keyId: "s1", publicKey: theirs.publicKey }],
        mqtt: { url, requestTopic: "market/requests", responsePrefix: "site/" },
      };
      const market = await openMarket(config, where);
      await waitFor("the market at the broker", () => market.mqttConnected);
      const watch = await client(url);
      const seen: { topic: string; expiry: number; retain: boolean; response?: string | undefined }[] = [];
      watch.on("message", (topic, _payload, { properties, retain }) => {
        seen.push({
          topic,
          expiry: properties?.messageExpiryInterval ?? 0,
          retain,
          response: properties?.responseTopic,
        });
      });
      await watch.subscribeAsync("#", { qos: 1 });
      const site = new Site({
        devices: [CHARGER],
        market: {
          participate: true,
          bppUri: "http://127.0.0.1:9/nobody",
          interval: "3s",
          webhook: undefined,
          trustedKeys: [{ subscriberId: MARKET_ID, keyId: "k1", publicKey: ours.publicKey }],
          signingKey: { keyId: "s1", privateKeyFile: "site.key" },
          mqtt: { url, topicIn: "site/in", topicOut: "site/out", protocolVersion: 5, requestTopic: "market/requests" },
        },
      });
      guests.push(site);
      writeFileSync(join(site.folder, "site.key"), seedOf(theirs), { mode: 0o600 });
      await site.start();
      const charger = await site.charger({ identity: "EV" });
      await waitFor("an order", () => site.device("ev").orderedKW !== undefined, 30_000);
      await waitFor("the car to follow", () => {
        const { orderedKW } = site.device("ev");
        return orderedKW !== undefined && Math.abs(charger.powerKW() - orderedKW) < 0.15;
      });
      await waitFor("telemetry at the market", () => seen.filter((one) => one.topic === "market/requests").length > 3);
      expect(seen.every((one) => one.expiry > 0 && !one.retain)).toBe(true);
      const requests = seen.filter((one) => one.topic === "market/requests");
      expect(new Set(requests.map((one) => one.response))).toEqual(new Set(["site/in"]));
      expect(site.gateway.status().market).toMatchObject({ nacked: 0 });
    });

    test("a request that was retained is refused", async () => {
      const url = await broker();
      const site = await client(url);
      const answers: string[] = [];
      site.on("message", (_topic, payload) => answers.push(`${payload}`));
      await site.subscribeAsync("site/replies", { qos: 1 });
      const properties = { responseTopic: "site/replies" };
      const message = JSON.stringify(request("discover", BID, "none"));
      await site.publishAsync("market/requests", message, { qos: 1, retain: true, properties });
      const config = { http: undefined, subscriberUri: "http://market.test/beckn", market: FAST };
      const market = await openMarket({ ...config, mqtt: { url, requestTopic: "market/requests" } });
      await waitFor("the refusal", () => answers.length > 0);
      expect(answers[0]).toContain("RETAINED");
      expect(market.transaction(SITE_ID, "t1")).toBeUndefined();
    });
  },
);
