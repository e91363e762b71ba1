import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MarketEvent } from "../../simulators/market/market-event.ts";
import { MarketSimulator } from "../../simulators/market/market-simulator.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { ACK, isSignedBy, NACK, SmallParticipant } from "./market-simulator-participant.ts";

const CAR = [
  { price: 0.08, powerKW: -11 },
  { price: 0.1, powerKW: -5 },
  { price: 0.12, powerKW: 0 },
];
const SUN = [
  { price: 0.02, powerKW: 0 },
  { price: 0.03, powerKW: 6 },
];

let events: MarketEvent[];
let market: MarketSimulator;
let url: string;
let opened: AsyncDisposable[];

beforeEach(async () => {
  opened = [];
  events = [];
  // Gates are opened by hand, so the interval is long.
  market = await openMarket({ intervalMs: 60_000 });
});

afterEach(async () => {
  for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
});

describe("a market simulator", () => {
  test("leads a bid through offer and confirm to a signed setpoint", async () => {
    const car = await join("bap.car.test", "car-1");
    expect((await car.discover(CAR, { objectives: { targetChargeKWh: 20, preferredSource: "SOLAR" } })).ack).toBe(
      "ACK",
    );
    const beforeMs = Date.now();
    market.openGate();
    await waitFor("the setpoint to be acknowledged", () => market.summary().acked === 1);

    const [offerCallback, orderCallback] = car.callbacks;
    expect(offerCallback?.path).toBe("/beckn/on_discover");
    const offer = offerCallback?.message.message.catalogs[0]["beckn:offers"][0]["beckn:offerAttributes"];
    expect(offer.clearingPrice).toBe(market.currentPrice());
    const { context, message } = orderCallback?.message ?? {};
    expect(context).toMatchObject({
      action: "on_confirm",
      transaction_id: car.transactionId,
      bap_id: "bap.car.test",
      bpp_id: "market.test",
      bpp_uri: url,
    });
    const attributes = message.order["beckn:orderAttributes"];
    expect(attributes).toMatchObject({
      era: "car-1",
      clearingPrice: market.currentPrice(),
      setpointKW: offer.setpointKW,
      objectives: { targetChargeKWh: 20, preferredSource: "SOLAR" },
    });
    expect(message.order["beckn:orderValue"].currency).toBe("INR");
    // The car's own curve: a straight line from 11 kW at 0.08 to 5 kW at 0.10.
    expect(attributes.setpointKW).toBeCloseTo(-11 + (attributes.clearingPrice - 0.08) * 300, 5);
    const [fromMs, untilMs] = [Date.parse(attributes.validFrom), Date.parse(attributes.validUntil)];
    expect(fromMs).toBeGreaterThanOrEqual(beforeMs);
    expect(untilMs - fromMs).toBe(90_000);

    for (const callback of car.callbacks)
      expect(isSignedBy(market.publicKey, "market.test|market-1", callback)).toBe(true);
    const forged = {
      authorization: orderCallback?.authorization ?? "",
      raw: orderCallback?.raw.replace("-", "") ?? "",
    };
    expect(isSignedBy(market.publicKey, "market.test|market-1", forged)).toBe(false);
  });

  test("balances everybody with grid and house, and says how much was matched", async () => {
    const car = await join("bap.car.test", "car-1");
    const sun = await join("bap.sun.test", "sun-1");
    await car.discover(CAR);
    await sun.discover(SUN);
    market.openGate();
    await waitFor("both setpoints", () => market.summary().acked === 2);
    market.openGate();
    const settled = await eventOf("settled");
    const { "car-1": carKW = Number.NaN, "sun-1": sunKW = Number.NaN } = settled.setpointsKW;
    expect(sunKW).toBe(6);
    expect(carKW).toBeLessThan(-5);
    expect(Math.abs(carKW + sunKW + settled.gridKW + settled.houseKW)).toBeLessThan(1e-6);
    expect(settled.houseKW).toBe(-1.5);
    expect(market.summary().cleared[0]).toEqual({ price: settled.pricePerKWh, quantityKW: settled.quantityKW });
    expect(settled.quantityKW).toBeCloseTo(sunKW + Math.max(settled.gridKW, 0), 5);
  });

  test("leaves out who does not confirm, and the grid takes over", async () => {
    const car = await join("bap.car.test", "car-1");
    const idle = await join("bap.idle.test", "car-2");
    idle.confirms = false;
    await car.discover(CAR);
    await idle.discover(CAR);
    market.openGate();
    await waitFor("one setpoint", () => market.summary().acked === 1 && idle.of("on_discover").length === 1);
    const late = idle.confirmation();
    market.openGate();
    const settled = await eventOf("settled");
    expect(Object.keys(settled.setpointsKW)).toEqual(["car-1"]);
    expect(Math.abs((settled.setpointsKW["car-1"] ?? 0) + settled.gridKW + settled.houseKW)).toBeLessThan(1e-6);
    expect(events).toContainEqual(expect.objectContaining({ kind: "left-out", era: "car-2" }));
    expect(await idle.send("confirm", late)).toMatchObject({ status: 400, code: "OFFER_EXPIRED" });
    expect(idle.of("on_confirm")).toEqual([]);
  });

  test("closes the time to confirm by itself", async () => {
    const quick = await openMarket({ intervalMs: 60_000, confirmWithinMs: 40 });
    const idle = await join("bap.idle.test", "car-2");
    idle.confirms = false;
    await idle.discover(CAR);
    quick.openGate();
    expect((await eventOf("settled")).setpointsKW).toEqual({});
    expect(await idle.send("confirm", idle.confirmation())).toMatchObject({ code: "OFFER_EXPIRED" });
  });

  test("opens a gate in every interval and offers at another price each time", async () => {
    const quick = await openMarket({ intervalMs: 100, seededPrices: true });
    const car = await join("bap.car.test", "car-1");
    await car.discover(CAR);
    await waitFor("four setpoints", () => quick.summary().acked >= 4);
    const prices = quick.summary().cleared.map(({ price }) => price);
    for (const [index, price] of prices.entries()) {
      expect(price).toBeGreaterThanOrEqual(0.05);
      expect(price).toBeLessThanOrEqual(0.2);
      if (index > 0) expect(Math.abs(price - (prices[index - 1] ?? 0))).toBeGreaterThan(0.01);
    }
    const setpoints = car.of("on_confirm").map(({ message }) => message.order["beckn:orderAttributes"].setpointKW);
    expect(new Set(setpoints).size).toBeGreaterThan(1);
  });

  test("clears the newest curve, also one that came in an update or in a newer transaction", async () => {
    const car = await join("bap.car.test", "car-1");
    await car.discover(CAR);
    const revision = { "beckn:orderAttributes": { era: "car-1", bidCurve: [{ price: 0, powerKW: -3 }] } };
    expect((await car.send("update", { order: revision })).ack).toBe("ACK");
    market.openGate();
    await waitFor("a setpoint", () => car.of("on_confirm").length === 1);
    expect(setpointOf(car)).toBe(-3);

    const oldTransaction = car.transactionId;
    car.transactionId = randomUUID();
    await car.discover([{ price: 0, powerKW: -2 }]);
    market.openGate();
    await waitFor("another setpoint", () => car.of("on_confirm").length === 2);
    expect(setpointOf(car)).toBe(-2);
    expect(market.summary().bidCurves).toBe(3);
    const stale = await car.send("update", { order: revision }, { transaction_id: oldTransaction });
    expect(stale).toMatchObject({ status: 400, code: "TRANSACTION_CLOSED" });
  });

  test("reads a step curve as steps", async () => {
    const car = await join("bap.car.test", "car-1");
    await car.discover(CAR, { curveShape: "STEP", currency: "INR" });
    market.openGate();
    await waitFor("a setpoint", () => car.of("on_confirm").length === 1);
    expect(market.currentPrice()).toBeGreaterThan(0.08);
    expect(market.currentPrice()).toBeLessThan(0.1);
    expect(setpointOf(car)).toBe(-5);
  });

  test("counts telemetry, from either role, and verdicts", async () => {
    const car = await join("bap.car.test", "car-1");
    await car.discover(CAR);
    const sample = { eventTime: new Date().toISOString(), metrics: [{ name: "POWER", value: -8, unitCode: "KW" }] };
    const fulfillment = { "beckn:deliveryAttributes": { "@type": "ChargingSession", chargingTelemetry: [sample] } };
    expect((await car.send("update", { order: { "beckn:fulfillment": fulfillment } })).ack).toBe("ACK");
    const swapped = { bap_id: "market.test", bap_uri: url, bpp_id: car.bapId, bpp_uri: car.uri };
    const asProvider = await car.send("on_status", { order: { "beckn:fulfillment": fulfillment } }, swapped);
    expect(asProvider.ack).toBe("ACK");
    expect(market.summary().telemetry).toBe(2);

    const verdict = { setpointId: "s-1", verdict: "effective" };
    expect((await car.send("update", { order: { "beckn:orderAttributes": { verdict } } })).ack).toBe("ACK");
    expect(events).toContainEqual({ kind: "verdict", era: "car-1", verdict: "effective" });
  });

  test("answers status and cancel, and clears a cancelled bid no more", async () => {
    const car = await join("bap.car.test", "car-1");
    await car.discover(CAR);
    await car.send("status", {});
    await waitFor("on_status", () => car.of("on_status").length === 1);
    expect(car.of("on_status")[0].message.order["beckn:orderStatus"]).toBe("PENDING");
    await car.send("cancel", { order_id: "any" });
    await waitFor("on_cancel", () => car.of("on_cancel").length === 1);
    expect(car.of("on_cancel")[0].message.order["beckn:orderAttributes"].setpointKW).toBeUndefined();
    market.openGate();
    expect(market.summary().cleared).toEqual([]);
  });

  test("tries a failed callback three times, the same message each time, and counts the answer", async () => {
    const car = await join("bap.car.test", "car-1");
    car.answer = (action, attempt) => (action === "on_confirm" && attempt < 3 ? 500 : ACK);
    await car.discover(CAR);
    market.openGate();
    await waitFor("the third try to succeed", () => market.summary().acked === 1);
    expect(new Set(car.of("on_confirm").map((message) => JSON.stringify(message))).size).toBe(1);
    expect(market.summary()).toMatchObject({ onConfirm: 1, acked: 1, nacked: 0 });

    car.answer = (action) => (action === "on_confirm" ? NACK : ACK);
    market.openGate();
    await waitFor("a refusal", () => market.summary().nacked === 1);
    expect(market.summary()).toMatchObject({ onConfirm: 2, acked: 1, nacked: 1 });
  });

  test("is not held up by a participant that is gone or never answers", async () => {
    const gone = await join("bap.gone.test", "car-9");
    const mute = await join("bap.mute.test", "car-8");
    const car = await join("bap.car.test", "car-1");
    for (const one of [gone, mute, car]) await one.discover(CAR);
    mute.answer = () => "never";
    await gone[Symbol.asyncDispose]();
    market.openGate();
    await waitFor("the healthy one's setpoint", () => market.summary().acked === 1);
    await waitFor("the market to give up", () =>
      events.some((event) => event.kind === "undelivered" && event.era === "car-9" && event.action === "on_discover"),
    );
  });
});

function setpointOf(participant: SmallParticipant): number {
  return participant.of("on_confirm").at(-1).message.order["beckn:orderAttributes"].setpointKW;
}

async function openMarket(options: {
  intervalMs: number;
  confirmWithinMs?: number;
  /** The market's own prices, instead of 0.09. */
  seededPrices?: true;
}): Promise<MarketSimulator> {
  const { intervalMs, confirmWithinMs, seededPrices } = options;
  const simulator = new MarketSimulator({
    subscriberId: "market.test",
    keyId: "market-1",
    clock: systemClock,
    log: silentLog,
    seed: 7,
    intervalMs,
    houseKW: () => -1.5,
    onEvent: (event) => events.push(event),
    ...(confirmWithinMs !== undefined && { confirmWithinMs }),
    ...(seededPrices === undefined && { gridPricePerKWh: () => 0.09 }),
  });
  opened.push(simulator);
  ({ url } = await simulator.start());
  return simulator;
}

async function join(bapId: string, era: string): Promise<SmallParticipant> {
  const participant = await new SmallParticipant(`${url}/beckn`, bapId, era).start();
  opened.push(participant);
  return participant;
}

async function eventOf<K extends MarketEvent["kind"]>(kind: K): Promise<Extract<MarketEvent, { kind: K }>> {
  const isOne = (event: MarketEvent): event is Extract<MarketEvent, { kind: K }> => event.kind === kind;
  await waitFor(`an event of kind ${kind}`, () => events.some(isOne));
  return events.find(isOne) as Extract<MarketEvent, { kind: K }>;
}
