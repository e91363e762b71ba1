import { generateKeyPairSync, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { adapters } from "../../adapters/index.ts";
import { systemClock } from "../../src/clock.ts";
import { ConfigError, parseConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/log.ts";
import { signBody } from "../../src/market/signature.ts";
import { publicKeyText } from "../../src/market/signing-keys.ts";
import { MarketLink } from "../../src/market-link.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import { MemoryControlStore } from "../support/memory-control-store.ts";

const SITE = "site.example";
const HOME_MARKET = "market.example";
const OTHER_MARKET = "utility.example";
const market = generateKeyPairSync("ed25519").privateKey;

const text = (lines: string) => `
market:
  subscriberId: ${SITE}
  bppId: ${HOME_MARKET}
  bppUri: http://127.0.0.1:9/nobody
  participate: false
  webhook: { port: 0 }
  trustedKeys:
    - { subscriberId: ${HOME_MARKET}, keyId: k1, publicKey: ${publicKeyText(market)} }
    - { subscriberId: ${OTHER_MARKET}, keyId: k1, publicKey: ${publicKeyText(market)} }
${lines}
devices:
  - { era: car, kind: charger, meters: [m1], ocpp: { identity: CAR } }
  - { era: van, kind: charger, meters: [m2], ocpp: { identity: VAN } }
groups:
  - { era: yard, members: [car, van] }
`;

/** A real link with this config, to which a market speaks over HTTP. */
async function linkWith(lines: string) {
  const stop = new AbortController();
  const setpoints: Setpoint[] = [];
  const config = parseConfig(text(lines), "site.yaml", adapters);
  if (config.market === undefined) throw new Error("no market in the config");
  const link = new MarketLink({
    market: config.market,
    config,
    folder: ".",
    store: new MemoryControlStore(),
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    counters: { received: () => {}, sent: () => {} },
    capability: () => undefined,
    onSetpoints: (some) => setpoints.push(...some),
    onRelease: () => {},
    reductionToSetpoint: (_, reductionKW) => ({ powerKW: reductionKW - 7 }),
  });
  await link.start(stop.signal);
  const send = async (bppId: string, message: object, names: "snake" | "camel" = "snake") => {
    const ids = { messageId: randomUUID(), transactionId: randomUUID(), bapId: SITE, bppId };
    const snake = { message_id: ids.messageId, transaction_id: ids.transactionId, bap_id: SITE, bpp_id: bppId };
    const context = { action: "on_confirm", timestamp: new Date().toISOString(), ...(names === "snake" ? snake : ids) };
    const body = JSON.stringify({ context, message });
    const signer = { subscriberId: bppId, keyId: "k1", privateKey: market };
    const { authorization } = signBody(signer, Buffer.from(body), { nowMs: Date.now(), lifetimeMs: 60_000 });
    const headers = { "content-type": "application/json", authorization };
    const response = await fetch(`${link.addresses()["webhook"]}/on_confirm`, { method: "POST", body, headers });
    return response.status === 200 ? "taken" : (await response.text()).match(/"code":"(\w+)"/)?.[1];
  };
  return {
    setpoints,
    send,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await link[Symbol.asyncDispose]();
    },
  };
}

const plain = (setpointKW: number) => ({ order: { orderAttributes: { era: "car", setpointKW } } });

/** 3 kW cleared for an hour, for these meters. */
const capacity = (...participatingMeters: string[]) => ({
  contract: {
    commitments: [
      {
        offer: {
          offerAttributes: {
            "@type": "DemandFlexBuyOffer",
            inputs: [{ role: "seller", inputs: { participatingMeters } }],
          },
        },
        commitmentAttributes: {
          intervalPeriod: { start: new Date(Date.now() + 60_000).toISOString(), duration: "PT1H" },
          intervals: [{ id: 0, payloads: [{ type: "CAPACITY_CLEARED", values: [3] }] }],
        },
      },
    ],
  },
});

test("one word is about powers, and a capacity stays a reduction", async () => {
  await using site = await linkWith("  sign: import-positive");
  expect(await site.send(HOME_MARKET, plain(4))).toBe("taken");
  expect(await site.send(HOME_MARKET, capacity("m1"), "camel")).toBe("taken");
  expect(site.setpoints.map(({ era, powerKW }) => [era, powerKW])).toEqual([
    ["car", -4],
    ["car", -4],
  ]);
});

test("each dialect and each market has its own sign", async () => {
  await using site = await linkWith(`  sign: { deg: import-positive }
  sources: [{ bppId: ${OTHER_MARKET}, sign: { seed: import-positive, deg: reduction } }]`);
  await site.send(HOME_MARKET, plain(-4));
  await site.send(OTHER_MARKET, plain(4));
  await site.send(HOME_MARKET, capacity("m1"), "camel");
  await site.send(OTHER_MARKET, capacity("m2"), "camel");
  expect(site.setpoints.map(({ era, powerKW }) => [era, powerKW])).toEqual([
    ["car", -4],
    ["car", -4],
    ["car", -3],
    ["van", -4],
  ]);
});

test("meters of several devices mean the group of just these", async () => {
  await using site = await linkWith("");
  expect(await site.send(HOME_MARKET, capacity("m1", "m2"), "camel")).toBe("taken");
  expect(site.setpoints).toMatchObject([{ era: "yard" }]);
  expect(await site.send(HOME_MARKET, capacity("m1", "m9"), "camel")).toBe("RESOURCE_UNKNOWN");
});

test.each([
  [
    "a meter of two devices",
    text("").replace("[m2]", "[m1]"),
    /devices\[1\]\.meters\[0\]: "m1" is the meter of "car" already/,
  ],
  [
    "bids in the dialect deg that answer nothing",
    text("  dialect: deg").replace("participate: false", "participate: true"),
    /market\.need: is needed/,
  ],
  ["a sign that is none", text("  sign: { seed: positive }"), /market\.sign/],
])("%s is explained", (_, config, fault) => {
  expect(() => parseConfig(config, "site.yaml", adapters)).toThrow(ConfigError);
  expect(() => parseConfig(config, "site.yaml", adapters)).toThrow(fault);
});
