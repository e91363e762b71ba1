import { beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "../../src/log.ts";
import { ContractBook } from "../../src/market/contract-book.ts";
import { offerFault } from "../../src/market/offer-check.ts";
import { Participant, type ParticipantOptions } from "../../src/market/participant.ts";
import type { BidCurve } from "../../src/model/bid-curve.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import type { Judgement } from "../../src/model/verdict.ts";
import type { OutboxItem } from "../../src/store/control-store.ts";
import { MARKET, NOW_MS, US, WallClock } from "../support/market-desk.ts";
import { MemoryControlStore } from "../support/memory-control-store.ts";
import { waitFor } from "../support/wait-for.ts";

/** The seed's own curve: 0.09 gives −8 kW. */
const CURVE: BidCurve = {
  shape: "LINEAR",
  currency: "INR",
  points: [
    { pricePerKWh: 0.08, powerKW: -11 },
    { pricePerKWh: 0.1, powerKW: -5 },
    { pricePerKWh: 0.12, powerKW: 0 },
  ],
};
const OTHER: BidCurve = { ...CURVE, points: [{ pricePerKWh: 0.08, powerKW: -3 }] };
const BOUNDS = { minPowerKW: -11, maxPowerKW: 0 };
const OFFER = { offerId: "offer-1", clearingPrice: { pricePerKWh: 0.09, currency: "INR" }, powerKW: -8 };

let store: MemoryControlStore;
let clock: WallClock;
let kicks: number;

beforeEach(() => {
  store = new MemoryControlStore();
  clock = new WallClock();
  kicks = 0;
});

function participant(options: Partial<ParticipantOptions> = {}): Participant {
  return new Participant({
    store,
    contracts: new ContractBook(store),
    clock,
    log: silentLog,
    parties: {
      bapId: US,
      bapUri: "https://bap.site.example/beckn",
      bppId: MARKET,
      bppUri: "https://bpp.market.example/beckn/",
      domain: "beckn.one:deg:ev-charging:*",
    },
    dialect: { sign: "export-positive", currency: "INR" },
    kick: () => {
      kicks += 1;
    },
    ...options,
  });
}

/** What these tests look at in a message on its way out. */
interface Wire {
  readonly context: { readonly transaction_id: string };
  readonly message: {
    readonly intent: { readonly bidCurve: unknown };
    readonly order: {
      readonly "beckn:acceptedOffer": { readonly "beckn:id": string };
      readonly "beckn:orderAttributes": { readonly bidCurve?: unknown };
      readonly "beckn:fulfillment"?: { readonly "beckn:deliveryAttributes": { readonly chargingTelemetry: unknown } };
    };
  };
}

const body = (item: OutboxItem | undefined): Wire => JSON.parse(item?.body ?? "{}");
const actions = () => store.outbox.map((item) => item.action);
const transactionOf = (item: OutboxItem | undefined): string => body(item).context.transaction_id;

/** As far as `confirm`. */
async function confirming(us: Participant): Promise<string> {
  await us.bid("EV-1", CURVE, undefined, BOUNDS);
  const transactionId = transactionOf(store.outbox[0]);
  us.offered(transactionId, [OFFER]);
  await waitFor("the confirm", () => actions().includes("confirm"));
  return transactionId;
}

function setpoint(transactionId: string): Setpoint {
  return {
    id: "s1",
    era: "EV-1",
    powerKW: -8,
    validFromMs: NOW_MS,
    validUntilMs: NOW_MS + 900_000,
    receivedAtMs: NOW_MS,
    source: { kind: "market", transactionId, orderId: "order-1" },
  };
}

describe("the contract flow of the seed", () => {
  test("opens with a discover that holds curve, bounds, objective and resource", async () => {
    const us = participant();
    const objective = { targetChargeKWh: 20, deadlineMs: NOW_MS + 3_600_000, maxPricePerKWh: 0.12, minChargeKWh: 5 };
    await us.bid("EV-1", CURVE, objective, BOUNDS);
    expect(store.outbox).toMatchObject([
      { action: "discover", url: "https://bpp.market.example/beckn/discover", expiresAtMs: NOW_MS + 300_000 },
    ]);
    expect(body(store.outbox[0])).toEqual({
      context: {
        version: "2.0.0",
        action: "discover",
        domain: "beckn.one:deg:ev-charging:*",
        timestamp: "2026-06-15T12:00:00.000Z",
        message_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        transaction_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        bap_id: US,
        bap_uri: "https://bap.site.example/beckn",
        bpp_id: MARKET,
        bpp_uri: "https://bpp.market.example/beckn/",
        ttl: "PT300S",
      },
      message: {
        intent: {
          "@type": "EnergyIntent",
          era: "EV-1",
          bidCurve: [
            { price: 0.08, powerKW: -11 },
            { price: 0.1, powerKW: -5 },
            { price: 0.12, powerKW: 0 },
          ],
          curveShape: "LINEAR",
          currency: "INR",
          constraints: { minPowerKW: -11, maxPowerKW: 0 },
          objectives: {
            targetChargeKWh: 20,
            deadline: "2026-06-15T13:00:00.000Z",
            maxPricePerKWh: 0.12,
            constraints: { minChargeKWh: 5 },
          },
        },
      },
    });
    expect(kicks).toBe(1);
    expect(us.snapshot()).toMatchObject([{ era: "EV-1", state: "BIDDING", bidWaiting: false }]);
  });

  test("confirms the price that was offered, and becomes active with the setpoint", async () => {
    const us = participant();
    const transactionId = await confirming(us);
    expect(body(store.outbox[1]).message.order).toMatchObject({
      "beckn:orderItems": [{ "beckn:orderedItem": "EV-1" }],
      "beckn:acceptedOffer": { "beckn:id": "offer-1", "beckn:price": { value: 0.09, currency: "INR" } },
      "beckn:orderAttributes": { era: "EV-1", clearingPrice: 0.09, setpointKW: -8 },
    });
    expect(store.contracts.get(transactionId)).toMatchObject({ state: "CONFIRMING", clearingPricePerKWh: 0.09 });
    us.confirmed([setpoint(transactionId)]);
    expect(us.snapshot()).toMatchObject([{ state: "ACTIVE", orderId: "order-1", orderedKW: -8 }]);
  });

  test("a newer curve before the offer takes the place of the one that waits, in the same transaction", async () => {
    const us = participant();
    await us.bid("EV-1", CURVE, undefined, BOUNDS);
    const transactionId = transactionOf(store.outbox[0]);
    await us.bid("EV-1", OTHER, undefined, BOUNDS);
    expect(actions()).toEqual(["discover"]);
    expect(transactionOf(store.outbox[0])).toBe(transactionId);
    expect(body(store.outbox[0]).message.intent.bidCurve).toEqual([{ price: 0.08, powerKW: -3 }]);
  });

  test("a newer curve while the market confirms waits, and opens a new transaction afterwards", async () => {
    const us = participant();
    const transactionId = await confirming(us);
    await us.bid("EV-1", OTHER, undefined, BOUNDS);
    expect(actions()).toEqual(["discover", "confirm"]);
    us.confirmed([setpoint(transactionId)]);
    await waitFor("the next discover", () => transactionOf(store.outbox.at(-1)) !== transactionId);
    expect(actions()).toEqual(["confirm", "discover"]);
    expect(us.snapshot()).toMatchObject([{ state: "BIDDING", bidWaiting: false }]);
  });

  test("a market that offers again in the same transaction is confirmed again", async () => {
    const us = participant();
    const transactionId = await confirming(us);
    us.confirmed([setpoint(transactionId)]);
    store.outbox = [];
    us.offered(transactionId, [
      { ...OFFER, offerId: "offer-2", powerKW: -5, clearingPrice: { pricePerKWh: 0.1, currency: "INR" } },
    ]);
    await waitFor("the confirm", () => actions().includes("confirm"));
    expect(body(store.outbox[0]).message.order["beckn:acceptedOffer"]["beckn:id"]).toBe("offer-2");
  });

  test("an offer that is not what we bid is not confirmed", async () => {
    const us = participant();
    await us.bid("EV-1", CURVE, undefined, BOUNDS);
    const transactionId = transactionOf(store.outbox[0]);
    us.offered(transactionId, [{ ...OFFER, powerKW: -11 }]);
    await waitFor("a decision", () => store.contracts.get(transactionId)?.state === "OFFERED");
    expect(actions()).toEqual(["discover"]);
    us.offered(transactionId, [OFFER]);
    await waitFor("the confirm", () => actions().includes("confirm"));
  });

  test("an offer for a bid that is not ours any more is ignored", async () => {
    const us = participant();
    us.offered("unknown", [OFFER]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(store.outbox).toEqual([]);
  });
});

describe("a market that is silent", () => {
  test("ends the transaction after the timeout, and the resource needs a new bid", async () => {
    const stop = new AbortController();
    const us = participant({ clock: quick(clock), offerTimeoutMs: 60_000 });
    await us.start(stop.signal);
    await us.bid("EV-1", CURVE, undefined, BOUNDS);
    const transactionId = transactionOf(store.outbox[0]);
    expect(us.needsBid("EV-1")).toBe(false);
    clock.nowMs += 60_001;
    await waitFor("the end", () => us.needsBid("EV-1"));
    await waitFor("the end on the disk", () => store.contracts.get(transactionId)?.state === "ENDED");
    stop.abort();
  });

  test("an order that was cancelled leaves the resource without a bid", async () => {
    const us = participant();
    const transactionId = await confirming(us);
    us.confirmed([setpoint(transactionId)]);
    us.released({ transactionId, setpointIds: ["s1"], eras: ["EV-1"], reason: "on_cancel" });
    expect(us.needsBid("EV-1")).toBe(true);
    expect(await us.telemetry({ era: "EV-1", readings: [] })).toBe(false);
  });
});

describe("telemetry for a running order", () => {
  const reading = {
    era: "EV-1",
    receivedAtMs: NOW_MS + 500,
    deviceTimeMs: NOW_MS,
    powerKW: -7.9,
    importKWh: 5.5,
    socPercent: 62,
    currentA: [11, 12],
  };
  const judgement: Judgement = {
    setpointId: "s1",
    era: "EV-1",
    verdict: "effective",
    reason: "ordered -8 kW, measured -7.9 kW",
    orderedKW: -8,
    appliedKW: -8,
    measuredKW: -7.9,
    samples: 3,
    atMs: NOW_MS,
    final: true,
  };

  async function running(options: Partial<ParticipantOptions> = {}): Promise<Participant> {
    const us = participant(options);
    const transactionId = await confirming(us);
    us.confirmed([setpoint(transactionId)]);
    store.outbox = [];
    return us;
  }

  test("goes as update, with what was measured in the market's units, the curve and the verdict", async () => {
    const us = await running();
    expect(await us.telemetry({ era: "EV-1", readings: [reading], curve: OTHER, judgement })).toBe(true);
    const { context, message } = body(store.outbox[0]);
    expect(context).toMatchObject({ action: "update", bap_id: US, ttl: "PT3600S" });
    expect(message.order).toMatchObject({
      "beckn:id": "order-1",
      "beckn:orderAttributes": {
        era: "EV-1",
        bidCurve: [{ price: 0.08, powerKW: -3 }],
        verdict: { verdict: "effective", orderedKW: -8, measuredKW: -7.9, final: true },
      },
    });
    expect(message.order["beckn:fulfillment"]?.["beckn:deliveryAttributes"].chargingTelemetry).toEqual([
      {
        eventTime: "2026-06-15T12:00:00.000Z",
        metrics: [
          { name: "POWER", value: -7.9, unitCode: "KW" },
          { name: "ENERGY", value: 5.5, unitCode: "KWH", flowDirection: "FORWARD" },
          { name: "CURRENT", value: 11, unitCode: "AMP" },
          { name: "CURRENT", value: 12, unitCode: "AMP" },
          { name: "STATE_OF_CHARGE", value: 62, unitCode: "PERCENTAGE" },
        ],
      },
    ]);
  });

  test("what was not measured is not sent", async () => {
    const us = await running();
    await us.telemetry({ era: "EV-1", readings: [{ era: "EV-1", receivedAtMs: NOW_MS }] });
    expect(body(store.outbox[0]).message.order["beckn:fulfillment"]).toBeUndefined();
  });

  test("a later report replaces one that waits, but never a final verdict", async () => {
    const us = await running();
    await us.telemetry({ era: "EV-1", readings: [reading] });
    await us.telemetry({ era: "EV-1", readings: [reading], judgement });
    await us.telemetry({ era: "EV-1", readings: [{ ...reading, powerKW: -1 }] });
    expect(store.outbox.map((item) => item.replaceKey)).toEqual(["verdict s1", "telemetry EV-1"]);
  });

  test("goes as on_status from the other end where the site is the provider of data", async () => {
    const us = await running({ telemetryRole: "bpp" });
    await us.telemetry({ era: "EV-1", readings: [reading] });
    expect(store.outbox).toMatchObject([{ action: "on_status", url: "https://bpp.market.example/beckn/on_status" }]);
    expect(body(store.outbox[0]).context).toMatchObject({ bap_id: MARKET, bpp_id: US });
  });

  test("leaves the curve out once a newer transaction carries it", async () => {
    const us = await running();
    await us.bid("EV-1", OTHER, undefined, BOUNDS);
    await us.telemetry({ era: "EV-1", readings: [reading], curve: OTHER });
    const update = store.outbox.find((item) => item.action === "update");
    expect(body(update).message.order["beckn:orderAttributes"].bidCurve).toBeUndefined();
  });

  test("finds its order again after a restart", async () => {
    await store.commit({ setpoints: [setpoint("t-before")] });
    const stop = new AbortController();
    const us = participant();
    await us.start(stop.signal);
    expect(us.needsBid("EV-1")).toBe(true);
    expect(await us.telemetry({ era: "EV-1", readings: [reading] })).toBe(true);
    expect(transactionOf(store.outbox[0])).toBe("t-before");
    stop.abort();
  });
});

describe("an offer is compared with our own curve", () => {
  const bid = { era: "EV-1", curve: CURVE, constraints: BOUNDS };
  const offer = (pricePerKWh: number, powerKW?: number) => ({
    clearingPrice: { pricePerKWh, currency: "INR" },
    ...(powerKW !== undefined && { powerKW }),
  });

  test.each([
    ["on the curve", offer(0.09, -8)],
    ["less than the curve, as a market gives that rations", offer(0.09, -3)],
    ["nothing", offer(0.13, 0)],
    ["without a power", offer(0.5)],
  ])("%s is fine", (_, given) => {
    expect(offerFault(given, bid)).toBeUndefined();
  });

  test.each([
    ["more than the curve", offer(0.09, -9), /not on our curve, which says -8/],
    ["the other direction", offer(0.09, 2), /not on our curve/],
    ["another currency", { clearingPrice: { pricePerKWh: 0.09, currency: "EUR" } }, /in EUR, our curve is in INR/],
    ["another resource", { ...offer(0.09, -8), era: "EV-2" }, /for EV-2/],
  ])("%s is not", (_, given, fault) => {
    expect(offerFault(given, bid)).toMatch(fault);
  });

  test("above the objective's highest price only the must-run part is", () => {
    const objective = { targetChargeKWh: 20, deadlineMs: NOW_MS, maxPricePerKWh: 0.12 };
    expect(offerFault(offer(0.13, -5), { ...bid, objective })).toMatch(/above the objective's maximum of 0.12/);
    const mustRun = {
      ...CURVE,
      points: [
        { pricePerKWh: 0.08, powerKW: -11 },
        { pricePerKWh: 0.12, powerKW: -2 },
      ],
    };
    expect(offerFault(offer(0.13, -2), { ...bid, curve: mustRun, objective })).toBeUndefined();
  });
});

/** The same wall time, with waits that are over at once. */
function quick(wall: WallClock): WallClock {
  const fast = Object.create(wall) as WallClock;
  fast.sleep = (_, signal) => wall.sleep(5, signal);
  return fast;
}
