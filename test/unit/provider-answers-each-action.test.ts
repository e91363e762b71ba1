import { describe, expect, test } from "vitest";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { branchDeliveryMessage } from "../../src/market/dialects/branch-messages.ts";
import { clearRequest } from "../../src/market/provider/aggregation.ts";
import { extensionsIn, schemaFaults } from "../support/docs-library.ts";
import { at, CAR, GRID_AT_009, MARKET, MarketHall, NOON_MS, SITE } from "./provider-market-hall.ts";

const ORDER = "beckn:orderAttributes";
const confirmOf = (offerId: unknown, price = 0.09) => ({
  order: {
    "beckn:orderItems": [{ "beckn:orderedItem": "ev-1" }],
    "beckn:acceptedOffer": { "beckn:id": offerId, "beckn:price": { value: price, currency: "INR" } },
    "beckn:orderAttributes": { era: "ev-1", clearingPrice: price },
  },
});

/** The car has bid, the gate has closed, and the offer is there. */
async function offered(hall: MarketHall): Promise<string> {
  await hall.ask("discover", CAR);
  await hall.untilGate();
  const offer = at(hall.sent().at(-1)?.message, "catalogs", 0, "beckn:offers", 0);
  return String(at(offer, "beckn:id"));
}

async function active(hall: MarketHall): Promise<void> {
  await hall.ask("confirm", confirmOf(await offered(hall)));
  await hall.wait(60_000);
  hall.sent();
}

describe("the seed's contract", () => {
  test("discover waits for the gate; then price and setpoint are offered, with window and deadline", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await hall.ask("discover", CAR);
    expect(hall.sent()).toEqual([]);
    expect(hall.state()).toBe("DISCOVERED");
    await hall.wait(13 * 60_000 + 59_000);
    expect(hall.sent()).toEqual([]);
    await hall.wait(1000);
    const [callback, other] = hall.sent();
    expect(other).toBeUndefined();
    expect(callback?.context).toMatchObject({
      action: "on_discover",
      message_id: "message-1",
      transaction_id: "t1",
      bap_id: SITE,
      bpp_id: MARKET,
      domain: "beckn.one:deg:*",
    });
    expect(at(callback?.message, "catalogs", 0, "beckn:offers", 0, "beckn:offerAttributes")).toEqual({
      "@type": "EnergyOffer",
      era: "ev-1",
      setpointKW: expect.closeTo(-8, 9),
      clearingPrice: 0.09,
      locationalPrice: 0.09,
      marketPrice: 0.09,
      validFrom: "2026-06-15T12:15:00.000Z",
      validUntil: "2026-06-15T12:30:00.000Z",
      confirmBy: "2026-06-15T12:14:45.000Z",
    });
    expect(hall.state()).toBe("OFFERED");
  });

  test("confirm makes it binding: on_confirm has the setpoint, and the round is kept for settlement", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await hall.ask("confirm", confirmOf(await offered(hall)));
    const [callback] = hall.sent();
    expect(callback?.action).toBe("on_confirm");
    expect(at(callback?.message, "order", "beckn:orderStatus")).toBe("CONFIRMED");
    expect(at(callback?.message, "order", ORDER)).toMatchObject({
      era: "ev-1",
      setpointKW: expect.closeTo(-8, 9),
      clearingPrice: 0.09,
      validFrom: "2026-06-15T12:15:00.000Z",
      validUntil: "2026-06-15T12:30:00.000Z",
      currency: "INR",
    });
    expect(hall.state()).toBe("CONFIRMED");
    const [round] = await hall.store.rounds(1);
    expect(round).toMatchObject({ bids: 1, currency: "INR", validFromMs: NOON_MS + 900_000 });
    expect(await hall.store.ordersOf(round?.roundId ?? "")).toEqual([
      expect.objectContaining({ era: "ev-1", bapId: SITE, powerKW: expect.closeTo(-8, 9), pricePerKWh: 0.09 }),
    ]);
    await hall.wait(60_000);
    expect(hall.state()).toBe("ACTIVE");
  });

  test("the bid stands: the next gate offers again, and an order that nobody renews is completed", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await active(hall);
    await hall.untilGate();
    const [again] = hall.sent();
    expect(again?.action).toBe("on_discover");
    expect(again?.context["message_id"]).not.toBe("message-1");
    const offerId = at(again?.message, "catalogs", 0, "beckn:offers", 0, "beckn:id");
    await hall.ask("confirm", confirmOf(offerId));
    await hall.wait(60_000);
    expect(hall.state()).toBe("ACTIVE");
    await hall.untilGate();
    await hall.wait(60_000);
    expect(hall.state()).toBe("COMPLETED");
    await hall.untilGate();
    expect(hall.store.roundList[0]?.bids).toBe(0);
  });

  test("an offer that is not confirmed lapses and is made again, three times at most", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await offered(hall);
    await hall.wait(46_000);
    expect(hall.state()).toBe("DISCOVERED");
    await hall.untilGate();
    await hall.untilGate();
    expect(hall.state()).toBe("OFFERED");
    await hall.wait(46_000);
    expect(hall.state()).toBe("EXPIRED");
  });

  test("a newer curve takes the place of the one before, in the same transaction or in another", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const small = { intent: { ...CAR.intent, bidCurve: [{ price: 0.09, powerKW: -2 }] } };
    await hall.ask("discover", CAR);
    await hall.ask("discover", small, { transaction_id: "t2" });
    expect(hall.state("t1")).toBe("EXPIRED");
    await hall.untilGate();
    const offers = hall.sent();
    expect(offers.map((one) => one.context["transaction_id"])).toEqual(["t2"]);
    expect(at(offers[0]?.message, "catalogs", 0, "beckn:offers", 0, "beckn:offerAttributes", "setpointKW")).toBe(-2);
  });

  test("select and init answer with the order; a curve that comes with init counts", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const order = { order: { "beckn:id": "order-7", "beckn:orderAttributes": CAR.intent } };
    await hall.ask("init", order);
    await hall.ask("select", { order: { "beckn:id": "order-7" } });
    const [init, select] = hall.sent();
    expect([init?.action, select?.action]).toEqual(["on_init", "on_select"]);
    expect(at(init?.message, "order", "beckn:id")).toBe("order-7");
    expect(at(init?.message, "order", ORDER, "setpointKW")).toBeUndefined();
    await hall.untilGate();
    expect(hall.state()).toBe("OFFERED");
  });

  test("names without a prefix mean the same", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const id = await offered(hall);
    await hall.ask("confirm", { order: { acceptedOffer: { id, price: { value: 0.09 } }, orderItems: [] } });
    expect(hall.state()).toBe("CONFIRMED");
  });

  test("a participant that speaks in roles finds its power under its meter, within what the utility approved", async () => {
    const hall = new MarketHall({
      market: {
        external: {
          shape: "STEP",
          points: [
            { price: 0.05, powerKW: 0 },
            { price: 0.05, powerKW: 1000 },
          ],
        },
      },
    });
    const offerCurve = {
      currency: "INR",
      minExport: -50,
      maxExport: 0,
      curve: [
        { price: 0.06, powerKW: -50 },
        { price: 0.07, powerKW: 0 },
      ],
    };
    const roles = [{ role: "PROSUMER", filledBy: SITE, roleInputs: { sourceMeterId: "98765456", offerCurve } }];
    await hall.ask("init", {
      order: { "beckn:orderAttributes": { roles, inputParameters: { approvedMaxTradeKW: 45 } } },
    });
    await hall.untilGate();
    hall.sent();
    await hall.ask("confirm", { order: {} });
    const attributes = at(hall.sent()[0]?.message, "order", ORDER);
    expect(at(attributes, "setpointKW")).toBeUndefined();
    expect(at(attributes, "roles", 0)).toMatchObject({
      role: "MARKET_CLEARING_AGENT",
      filledBy: MARKET,
      roleInputs: { clearingPrice: 0.05, clearedPower: { "98765456": -45 } },
    });
  });

  test("update is stored, and status and track say what was said last", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await active(hall);
    const telemetry = [
      { eventTime: "2026-06-15T12:15:00Z", metrics: [{ name: "POWER", value: -7.9, unitCode: "KW" }] },
    ];
    await hall.ask("update", {
      order: {
        "beckn:orderAttributes": { era: "ev-1", verdict: { verdict: "effective" } },
        "beckn:fulfillment": { "beckn:deliveryAttributes": { chargingTelemetry: telemetry } },
      },
    });
    await hall.ask("status", { order: { "beckn:id": "order-t1" } });
    await hall.ask("track", { order: { "beckn:id": "order-t1" } });
    const [update, status, track] = hall.sent();
    expect([update?.action, status?.action, track?.action]).toEqual(["on_update", "on_status", "on_track"]);
    // A setpoint in on_update would be taken for a new command.
    expect(at(update?.message, "order", ORDER, "setpointKW")).toBeUndefined();
    for (const callback of [status, track]) {
      expect(at(callback?.message, "order", "beckn:orderStatus")).toBe("INPROGRESS");
      const delivery = at(callback?.message, "order", "beckn:fulfillment", "beckn:deliveryAttributes");
      expect(delivery).toMatchObject({ chargingTelemetry: telemetry, verdict: { verdict: "effective" } });
    }
  });

  test("what the branch writes into its fulfillments is found as well", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await active(hall);
    const reading = { era: "ev-1", receivedAtMs: hall.clock.now(), powerKW: -7.9 };
    const judgement = {
      setpointId: "s1",
      era: "ev-1",
      verdict: "effective",
      reason: "as ordered",
      orderedKW: -8,
      samples: 3,
      atMs: hall.clock.now(),
      final: true,
    } as const;
    const report = { era: "ev-1", orderId: "order-t1", readings: [reading], judgement };
    await hall.ask("update", branchDeliveryMessage(report, { sign: "export-positive", currency: "INR" }));
    expect(hall.desk.find(SITE, "t1")?.report).toMatchObject({
      telemetry: [{ metrics: [{ name: "POWER", value: -7.9 }] }],
      verdict: { verdict: "effective", final: true },
    });
  });

  test("telemetry may come as on_status, with both sides in each other's place", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await active(hall);
    const telemetry = [{ eventTime: "2026-06-15T12:15:00Z", metrics: [] }];
    const swapped = { bap_id: MARKET, bpp_id: SITE, bpp_uri: "http://site.test/beckn" };
    const body = { order: { "beckn:fulfillment": { "beckn:deliveryAttributes": { chargingTelemetry: telemetry } } } };
    await hall.ask("on_status", body, swapped);
    expect(hall.sent()).toEqual([]);
    expect(hall.desk.find(SITE, "t1")?.report?.telemetry).toEqual(telemetry);
  });

  test("a curve in an update counts at the next gate", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await active(hall);
    const bidCurve = [{ price: 0.09, powerKW: -1 }];
    await hall.ask("update", { order: { "beckn:orderAttributes": { era: "ev-1", currency: "INR", bidCurve } } });
    hall.sent();
    await hall.untilGate();
    const attributes = at(hall.sent()[0]?.message, "catalogs", 0, "beckn:offers", 0, "beckn:offerAttributes");
    expect(at(attributes, "setpointKW")).toBe(-1);
  });

  test("cancel ends the order, and the next clearing leaves it out", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await active(hall);
    await hall.ask("cancel", { order: { "beckn:id": "order-t1" } });
    const [callback] = hall.sent();
    expect(callback?.action).toBe("on_cancel");
    expect(at(callback?.message, "order", "beckn:orderStatus")).toBe("CANCELLED");
    expect(at(callback?.message, "order", ORDER, "setpointKW")).toBeUndefined();
    const [round] = await hall.store.rounds(1);
    expect(await hall.store.ordersOf(round?.roundId ?? "")).toEqual([
      expect.objectContaining({ cancelledAtMs: hall.clock.now() }),
    ]);
    await hall.untilGate();
    expect(hall.sent()).toEqual([]);
    expect(hall.store.roundList[0]?.bids).toBe(0);
  });

  test("rating is stored, under both its names; support says whom to ask", async () => {
    const hall = new MarketHall({ ...GRID_AT_009, support: { phone: "+91 80 1234", email: "desk@test.example" } });
    await active(hall);
    await hall.ask("rating", { ratings: [{ value: 5 }] });
    await hall.ask("rate", { ratings: [{ value: 4 }] });
    await hall.ask("support", {}, { transaction_id: "unknown" });
    const [rating, rate, support] = hall.sent();
    expect([rating?.action, rate?.action, support?.action]).toEqual(["on_rating", "on_rate", "on_support"]);
    expect(hall.desk.find(SITE, "t1")?.rating).toEqual([{ value: 4 }]);
    expect(support?.message).toEqual({ support: { phone: "+91 80 1234", email: "desk@test.example" } });
  });

  test("aggregate answers the clearing of what it is given, and leaves the market alone", async () => {
    const hall = new MarketHall();
    const solar = {
      era: "pv",
      bidCurve: [
        { price: 0.05, powerKW: 0 },
        { price: 0.07, powerKW: 5 },
      ],
    };
    await hall.ask("aggregate", { aggregationRequest: { participants: [solar, CAR.intent] } });
    const [callback] = hall.sent();
    expect(callback?.action).toBe("on_aggregate");
    expect(at(callback?.message, "aggregationResult", "clearingPrice")).toBeCloseTo(0.1, 9);
    expect(hall.desk.openTransactions).toBe(0);
    expect(await hall.refused("aggregate", { aggregationRequest: { participants: [{ era: "x" }] } })).toContain(
      "expected a bidCurve",
    );
  });

  test("a discover that names no market is for this one too", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const request = hall.request("discover", CAR) as { context: Record<string, unknown> };
    delete request.context["bpp_id"];
    expect((await hall.receive(request)).status).toBe(200);
  });

  test("nothing to trade with: the first answer is an empty catalogue, and the bid goes on standing", async () => {
    const hall = new MarketHall();
    await hall.ask("discover", CAR);
    await hall.untilGate();
    const [callback] = hall.sent();
    expect(at(callback?.message, "catalogs", 0, "beckn:offers")).toEqual([]);
    await hall.untilGate();
    expect(hall.sent()).toEqual([]);
    expect(hall.state()).toBe("DISCOVERED");
  });
});

test("behind a full feeder the price is that of the feeder, and the setpoint is on the curve at that price", async () => {
  const hall = new MarketHall({
    ...GRID_AT_009,
    grid: {
      nodes: [{ era: "station" }, { era: "feeder", parent: "station", maxForwardFlowKW: 5 }],
      resources: [{ era: "ev-1", node: "feeder" }],
    },
  });
  await hall.ask("discover", CAR);
  await hall.untilGate();
  const attributes = at(hall.sent()[0]?.message, "catalogs", 0, "beckn:offers", 0, "beckn:offerAttributes");
  expect(attributes).toMatchObject({
    setpointKW: expect.closeTo(-5, 9),
    clearingPrice: expect.closeTo(0.1, 9),
    locationalPrice: expect.closeTo(0.1, 9),
    marketPrice: 0.09,
  });
});

test("a participant is shown its transformer as a resource, with its load and what that costs", async () => {
  const adder = { priceAdderPerPercent: 0.0005, ratingKW: 20 };
  const hall = new MarketHall({
    ...GRID_AT_009,
    grid: {
      nodes: [{ era: "station" }, { era: "feeder", parent: "station", maxForwardFlowKW: 50, adder }],
      resources: [{ era: "ev-1", node: "feeder" }],
    },
  });
  await hall.ask("discover", CAR);
  await hall.untilGate();
  const catalog = at(hall.sent()[0]?.message, "catalogs", 0);
  const attributes = at(catalog, "beckn:offers", 0, "beckn:offerAttributes");
  const loadKW = -Number(at(attributes, "setpointKW"));
  const currentLoadPercent = (100 * loadKW) / 20;
  const price = 0.09 + 0.0005 * currentLoadPercent;
  const priceAdder = {
    basePrice: expect.closeTo(0.09, 9),
    currentLoadPercent: expect.closeTo(currentLoadPercent, 9),
    priceAdderPerPercent: 0.0005,
    ratingKW: 20,
    currentPrice: expect.closeTo(price, 9),
    currency: at(attributes, "currency") ?? expect.any(String),
  };
  expect(loadKW).toBeGreaterThan(1);
  expect(at(catalog, "beckn:items", 1)).toMatchObject({
    "beckn:id": "feeder",
    "beckn:itemAttributes": {
      "@type": "GridNode",
      era: "feeder",
      parent: "station",
      locationalPriceAdder: priceAdder,
      gridConstraints: { maxForwardFlowKW: 50, currentLoadKW: expect.closeTo(loadKW, 9) },
    },
  });
  expect(at(attributes, "locationalPriceAdder")).toEqual(priceAdder);
  expect(at(attributes, "locationalPrice")).toBeCloseTo(price, 9);
  expect(extensionsIn(catalog).flatMap(({ schema, value }) => schemaFaults(schema, value))).toEqual([]);
  // What is shown can be cleared again as it stands.
  const item = at(catalog, "beckn:items", 1, "beckn:itemAttributes") as object;
  const house = { era: "house", node: "feeder", bidCurve: [{ price: 0, powerKW: -1 }] };
  const grid = {
    era: "grid",
    bidCurve: [
      { price: 0.09, powerKW: 0 },
      { price: 0.09, powerKW: 50 },
    ],
  };
  const participants = [{ ...item, parent: undefined }, house, grid].map((one) => JSON.parse(JSON.stringify(one)));
  const again = clearRequest({ participants }, clearGrid, 0);
  expect(at(again, "aggregationResult", "locationalPrice")).toBeCloseTo(0.09 + 0.0005 * 5, 9);
});

test("where the price is found with the confirmation, it comes with on_confirm after the gate", async () => {
  const hall = new MarketHall({ market: { ...GRID_AT_009.market, priceDiscovery: "clearAtConfirm" } });
  await hall.ask("discover", CAR);
  const [offer] = hall.sent();
  const attributes = at(offer?.message, "catalogs", 0, "beckn:offers", 0, "beckn:offerAttributes");
  expect(attributes).toMatchObject({ pricingModel: "PAY_AS_CLEAR" });
  expect(at(attributes, "clearingPrice")).toBeUndefined();
  await hall.ask("confirm", { order: { "beckn:orderAttributes": { clearingPrice: "PAY_AS_CLEAR" } } });
  expect(hall.state()).toBe("CONFIRMED");
  expect(hall.sent()).toEqual([]);
  await hall.untilGate();
  const [callback] = hall.sent();
  expect(callback?.context).toMatchObject({ action: "on_confirm", message_id: "message-2" });
  expect(at(callback?.message, "order", ORDER)).toMatchObject({
    setpointKW: expect.closeTo(-8, 9),
    clearingPrice: 0.09,
  });
  await hall.wait(60_000);
  expect(hall.state()).toBe("ACTIVE");
});

test("a market that counts consumption positive is spoken to in its own sign", async () => {
  const hall = new MarketHall({ market: { ...GRID_AT_009.market, sign: "import-positive" } });
  const bidCurve = CAR.intent.bidCurve.map((point) => ({ ...point, powerKW: -point.powerKW }));
  await hall.ask("discover", { intent: { ...CAR.intent, bidCurve } });
  await hall.untilGate();
  const attributes = at(hall.sent()[0]?.message, "catalogs", 0, "beckn:offers", 0, "beckn:offerAttributes");
  expect(at(attributes, "setpointKW")).toBeCloseTo(8, 9);
});

test("an offer without a price that nobody takes up lapses like any other", async () => {
  const hall = new MarketHall({ market: { ...GRID_AT_009.market, priceDiscovery: "clearAtConfirm" } });
  await hall.ask("discover", CAR);
  expect(hall.state()).toBe("OFFERED");
  await hall.untilGate();
  await hall.wait(1000);
  expect(hall.state()).toBe("DISCOVERED");
  expect(hall.store.roundList[0]?.bids).toBe(0);
  await hall.ask("confirm", { order: {} });
  await hall.untilGate();
  expect(hall.sent().at(-1)?.action).toBe("on_confirm");
});

test("a cancellation ends the order that runs and the one that is to come", async () => {
  const hall = new MarketHall(GRID_AT_009);
  await active(hall);
  await hall.untilGate();
  await hall.ask("confirm", { order: {} });
  await hall.ask("cancel", { order: {} });
  const orders = [...hall.store.orders.values()];
  expect(orders.map((one) => one.cancelledAtMs)).toEqual([hall.clock.now(), hall.clock.now()]);
});
