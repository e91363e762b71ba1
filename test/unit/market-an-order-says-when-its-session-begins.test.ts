import { beforeEach, describe, expect, test } from "vitest";
import type { SessionOrder } from "../../src/market/session-order.ts";
import { PinnedKeys } from "../../src/market/signing-keys.ts";
import { Desk, MARKET, NOW_MS, onConfirm, plainContext, US } from "../support/market-desk.ts";

let orders: SessionOrder[];
let desk: Desk;

beforeEach(() => {
  orders = [];
  desk = new Desk({ onSession: (order) => orders.push(order) });
});

const wishes = () => orders.map(({ wish, eras }) => [wish, ...eras]);
let messages = 0;

/** A callback about the order of `onConfirm`, later than everything before. */
function update(order: object, context: object = {}): Record<string, unknown> {
  messages += 1;
  const timestamp = new Date(NOW_MS + messages).toISOString();
  return {
    context: { ...plainContext("on_update"), message_id: `update-${messages}`, timestamp, ...context },
    message: { order: { "beckn:id": "order-1", ...order } },
  };
}

const fulfillment = (sessionStatus: string) => ({
  "beckn:fulfillment": { "beckn:deliveryAttributes": { sessionStatus } },
});
const attributes = { "beckn:orderAttributes": { "@type": "EnergyContractEVCharging", roles: [], inputSignals: [] } };

describe("a wish", () => {
  test.each([
    ["the seed's words", fulfillment("ACTIVE"), "start"],
    ["without a prefix", { fulfillment: { deliveryAttributes: { sessionStatus: "active" } } }, "start"],
    ["in a contract with roles", { ...attributes, ...fulfillment("INPROGRESS") }, "start"],
    ["the status of the fulfilment", { "beckn:fulfillment": { "beckn:status": "ACTIVE" } }, "start"],
    ["the end", fulfillment("STOP"), "stop"],
    ["the end of the whole order", { "beckn:orderStatus": "COMPLETED", ...fulfillment("COMPLETED") }, "stop"],
    [
      "the session before the fulfilment",
      { "beckn:fulfillment": { status: "ACTIVE", deliveryAttributes: { sessionStatus: "STOP" } } },
      "stop",
    ],
  ])("is read from %s", async (_, order, wish) => {
    await desk.receive(onConfirm());
    expect(await desk.receive(update(order))).toMatchObject({ status: 200 });
    expect(wishes()).toEqual([[wish, "EV-1"]]);
  });

  test("stands in the confirmation too, where a connector is to be kept", async () => {
    const reservation = { "beckn:fulfillment": { "beckn:mode": "RESERVATION", "beckn:status": "PENDING" } };
    await desk.receive(onConfirm({ order: reservation }));
    expect(orders).toMatchObject([{ wish: "reserve", eras: ["EV-1"], orderId: "order-1", beginsAtMs: NOW_MS }]);
  });

  test.each([
    ["a report of an interruption", fulfillment("INTERRUPTED")],
    ["a status with a code", { "beckn:fulfillment": { status: { code: "ACTIVE" } } }],
    ["a status of its own", { "beckn:fulfillment": { status: "PACKED" } }],
    ["something else", { "beckn:orderStatus": "CONFIRMED" }],
  ])("is not read from %s", async (_, order) => {
    await desk.receive(onConfirm());
    expect(await desk.receive(update(order))).toMatchObject({ status: 200 });
    expect(wishes()).toEqual([]);
  });
});

describe("whose session it is", () => {
  test("is that of the contract, also after its power has ended", async () => {
    await desk.receive(onConfirm());
    desk.clock.nowMs += 3_600_000;
    const timestamp = new Date(desk.clock.nowMs).toISOString();
    await desk.receive(update(fulfillment("STOP"), { timestamp }), {});
    expect(wishes()).toEqual([["stop", "EV-1"]]);
  });

  test("is not that of another market, though that may speak to us", async () => {
    const other = "bpp.other.example";
    const keys = new PinnedKeys([MARKET, other].map((id) => [`${id}|key-1`, desk.key.publicKey]));
    const both = new Desk({ keys, onSession: (order) => orders.push(order) }, desk);
    await both.receive(onConfirm());
    const from = (message: Record<string, unknown>) => {
      const authorization = desk.key.sign(JSON.stringify(message), { subscriberId: other });
      return both.receive(message, { authorization });
    };
    expect(await from(update(fulfillment("STOP"), { bpp_id: other }))).toMatchObject({ status: 200 });
    const asked = update(fulfillment("STOP"), { action: "update", bap_id: other, bpp_id: US });
    expect(await from(asked)).toMatchObject({ status: 404, error: { code: "RESOURCE_UNKNOWN" } });
    expect(wishes()).toEqual([]);
  });

  test("is nobody's where no such order was made", async () => {
    expect(await desk.receive(update(fulfillment("ACTIVE")))).toMatchObject({ status: 200 });
    expect(wishes()).toEqual([]);
  });
});

describe("an update that the market asks of us", () => {
  const asked = { action: "update", bap_id: MARKET, bpp_id: US };

  test("is taken for an order that it made, and an older one changes nothing any more", async () => {
    await desk.receive(onConfirm());
    expect(await desk.receive(update(fulfillment("ACTIVE"), asked))).toMatchObject({ status: 200 });
    const old = new Date(NOW_MS - 1000).toISOString();
    expect(await desk.receive(update(fulfillment("STOP"), { ...asked, timestamp: old }))).toMatchObject({
      status: 200,
    });
    expect(wishes()).toEqual([["start", "EV-1"]]);
  });

  test("that comes twice is one", async () => {
    await desk.receive(onConfirm());
    const message = update(fulfillment("ACTIVE"), asked);
    await desk.receive(message);
    await desk.receive(message);
    expect(wishes()).toEqual([["start", "EV-1"]]);
  });

  test("is refused on a site without sessions, as any other request is", async () => {
    const bare = new Desk();
    await bare.receive(onConfirm());
    expect(await bare.receive(update(fulfillment("ACTIVE"), asked))).toMatchObject({ status: 404 });
  });
});
