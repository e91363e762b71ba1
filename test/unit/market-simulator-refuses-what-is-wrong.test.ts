import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MarketEvent } from "../../simulators/market/market-event.ts";
import { MarketSimulator } from "../../simulators/market/market-simulator.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { SmallParticipant } from "./market-simulator-participant.ts";

const CAR = [
  { price: 0.08, powerKW: -11 },
  { price: 0.12, powerKW: 0 },
];

let events: MarketEvent[];
let market: MarketSimulator;
let car: SmallParticipant;
let url: string;

beforeEach(async () => {
  events = [];
  const participantKeys = new Map<string, string>();
  market = new MarketSimulator({
    subscriberId: "market.test",
    keyId: "market-1",
    clock: systemClock,
    log: silentLog,
    seed: 1,
    intervalMs: 60_000,
    participantKeys,
    onEvent: (event) => events.push(event),
  });
  ({ url } = await market.start());
  car = await new SmallParticipant(url, "bap.car.test", "car-1").start();
  participantKeys.set("bap.car.test|app-key", car.publicKey);
});

afterEach(async () => {
  await car[Symbol.asyncDispose]();
  await market[Symbol.asyncDispose]();
});

describe("a market that knows its participants", () => {
  test("refuses what is not signed, or not signed right, and says how to sign", async () => {
    const body = JSON.stringify(car.request("discover", { intent: { era: "car-1", bidCurve: CAR } }));
    const unsigned = await car.post("discover", body, null);
    expect(unsigned).toMatchObject({ status: 401, ack: "NACK", code: "SIGNATURE_MISSING" });
    expect(unsigned.headers.get("www-authenticate")).toBe(
      'Signature realm="market.test",headers="(created) (expires) digest"',
    );
    const nowS = Math.floor(Date.now() / 1000);
    const wrong = {
      "another body": car.sign(`${body} `),
      expired: car.sign(body, nowS - 120, nowS - 60),
      "from the future": car.sign(body, nowS + 60),
      "a stranger's key": car.sign(body).replace("app-key", "other-key"),
      "another algorithm": car.sign(body).replaceAll("ed25519", "hmac"),
      garbage: "Signature garbage",
      "not a signature": "Bearer abc",
      "a key named twice": `${car.sign(body)},keyId="x|y|ed25519"`,
    };
    for (const [what, header] of Object.entries(wrong)) {
      expect(await car.post("discover", body, header), what).toMatchObject({ status: 401, code: "SIGNATURE_INVALID" });
    }
    expect(market.summary().bidCurves).toBe(0);
    expect((await car.post("discover", body)).ack).toBe("ACK");
  });

  test("refuses a message in another's name", async () => {
    const answer = await car.send(
      "discover",
      { intent: { era: "car-1", bidCurve: CAR } },
      { bap_id: "bap.other.test" },
    );
    expect(answer).toMatchObject({ status: 401, code: "SIGNER_MISMATCH", paths: "context.bap_id" });
  });

  test("refuses what is not JSON, and goes on", async () => {
    for (const body of ["", "{", "[]", "null", "7", `${"[".repeat(5000)}${"]".repeat(5000)}`]) {
      expect(await car.post("discover", body), body.slice(0, 10)).toMatchObject({ status: 400, ack: "NACK" });
    }
    const huge = JSON.stringify({ filling: "x".repeat(300_000) });
    expect(await car.post("discover", huge)).toMatchObject({ status: 413, code: "BODY_TOO_LARGE" });
    expect((await car.discover(CAR)).ack).toBe("ACK");
  });

  test("survives bytes that are not HTTP", async () => {
    const { hostname, port } = new URL(url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end("\u0000\u0001 nonsense\r\n\r\n"));
      socket.on("error", () => {});
      socket.on("close", () => resolve());
      socket.resume();
    });
    expect((await car.discover(CAR)).ack).toBe("ACK");
  });

  test("refuses an unknown action, another method, and a message at the address of another action", async () => {
    expect(await car.send("select", {})).toMatchObject({ status: 404, code: "ACTION_UNKNOWN" });
    expect((await fetch(`${url}/discover`)).status).toBe(405);
    const body = JSON.stringify(car.request("confirm", {}));
    expect(await car.post("discover", body)).toMatchObject({ code: "ACTION_MISMATCH", paths: "context.action" });
  });

  test.each([
    [
      "a falling power",
      [
        { price: 0.1, powerKW: 0 },
        { price: 0.2, powerKW: -1 },
      ],
      "bidCurve.1.powerKW",
    ],
    [
      "a falling price",
      [
        { price: 0.2, powerKW: -1 },
        { price: 0.1, powerKW: 0 },
      ],
      "bidCurve.1.price",
    ],
    ["no point", [], "bidCurve"],
    ["a power that is text", [{ price: 0.1, powerKW: "-1" }], "bidCurve.0.powerKW"],
    ["a power that is absent", [{ price: 0.1 }], "bidCurve.0.powerKW"],
    ["a power beyond all reason", [{ price: 0.1, powerKW: -1e12 }], "bidCurve.0.powerKW"],
    ["a power beyond its own bound", [{ price: 0.1, powerKW: -12 }], "bidCurve.0.powerKW"],
  ])("refuses a curve with %s and names the place", async (_what, curve, place) => {
    const answer = await car.discover(curve, { constraints: { minPowerKW: -11, maxPowerKW: 0 } });
    expect(answer).toMatchObject({ status: 400, ack: "NACK", paths: `message.intent.${place}` });
    expect(market.summary().bidCurves).toBe(0);
  });

  test("refuses a number that is too large for a number", async () => {
    const body = JSON.stringify(car.request("discover", { intent: { era: "car-1", bidCurve: CAR } }));
    const answer = await car.post("discover", body.replace(":-11", ":-1e400"));
    expect(answer).toMatchObject({ status: 400, paths: "message.intent.bidCurve.0.powerKW" });
  });

  test.each([
    ["no resource", { bidCurve: CAR }, "message.intent.era"],
    [
      "crossed bounds",
      { era: "car-1", bidCurve: CAR, constraints: { minPowerKW: 1, maxPowerKW: 0 } },
      "message.intent.constraints",
    ],
    ["another currency", { era: "car-1", bidCurve: CAR, currency: "EUR" }, "message.intent.currency"],
    [
      "a deadline that is none",
      { era: "car-1", bidCurve: CAR, objectives: { deadline: "soon" } },
      "message.intent.objectives.deadline",
    ],
  ])("refuses a bid with %s and names the place", async (_what, intent, paths) => {
    expect(await car.send("discover", { intent })).toMatchObject({ status: 400, paths });
  });

  test.each([
    ["an address that nobody can post to", { bap_uri: "ftp://x" }, "context.bap_uri"],
    ["an address behind a broker that it has not", { bap_uri: "mqtt:bap.car.test" }, "context.bap_uri"],
    ["no transaction", { transaction_id: "" }, "context.transaction_id"],
    ["a time that is none", { timestamp: "yesterday" }, "context.timestamp"],
    ["too great an age", { timestamp: "2024-12-15T10:15:05Z" }, "context.ttl"],
    ["another addressee", { bpp_id: "other.market" }, "context.bpp_id"],
  ])("refuses a message with %s", async (_what, context, paths) => {
    const answer = await car.send("discover", { intent: { era: "car-1", bidCurve: CAR } }, context);
    expect(answer).toMatchObject({ status: 400, ack: "NACK", paths });
  });

  test("gives the same message the same answer, once only, and the same id with another body a NACK", async () => {
    const good = JSON.stringify(car.request("discover", { intent: { era: "car-1", bidCurve: CAR } }));
    const bad = JSON.stringify(car.request("discover", { intent: { era: "car-1", bidCurve: [] } }));
    for (const body of [good, bad]) {
      const [first, second] = [await car.post("discover", body), await car.post("discover", body)];
      expect(second.answer).toEqual(first.answer);
      expect(second.status).toBe(first.status);
    }
    expect(market.summary().bidCurves).toBe(1);
    expect(await car.post("discover", good.replace(":-11", ":-10"))).toMatchObject({ code: "MESSAGE_CONFLICT" });
  });

  test("refuses a confirm of something that was not offered", async () => {
    car.confirms = false;
    const nothing = await car.send("confirm", { order: {} });
    expect(nothing).toMatchObject({ status: 404, code: "TRANSACTION_UNKNOWN" });
    await car.discover(CAR);
    expect(await car.send("confirm", { order: {} })).toMatchObject({ code: "NO_OFFER" });
    market.openGate();
    await waitFor("an offer", () => car.of("on_discover").length === 1);

    const dearer = car.confirmation();
    dearer.order["beckn:acceptedOffer"]["beckn:price"].value += 0.01;
    expect(await car.send("confirm", dearer)).toMatchObject({ code: "OFFER_MISMATCH" });
    const otherItem = car.confirmation();
    otherItem.order["beckn:orderItems"][0]["beckn:orderedItem"] = "car-2";
    expect(await car.send("confirm", otherItem)).toMatchObject({ code: "OFFER_MISMATCH" });
    const otherOffer = car.confirmation();
    otherOffer.order["beckn:acceptedOffer"]["beckn:id"] = "offer-of-yesterday";
    expect(await car.send("confirm", otherOffer)).toMatchObject({ code: "OFFER_EXPIRED" });
    expect(market.summary().onConfirm).toBe(0);

    expect((await car.send("confirm", car.confirmation())).ack).toBe("ACK");
    expect(await car.send("confirm", car.confirmation())).toMatchObject({ code: "ALREADY_CONFIRMED" });
    await waitFor("the one setpoint", () => market.summary().acked === 1);
    expect(market.summary().onConfirm).toBe(1);
  });

  test("refuses an update with nothing in it, and telemetry that is no measurement", async () => {
    await car.discover(CAR);
    expect(await car.send("update", { order: {} })).toMatchObject({ code: "MESSAGE_INVALID", paths: "message" });
    const sample = { eventTime: new Date().toISOString(), metrics: [{ name: "POWER", value: null, unitCode: "KW" }] };
    const order = { "beckn:fulfillment": { "beckn:deliveryAttributes": { chargingTelemetry: [sample] } } };
    expect((await car.send("update", { order })).paths).toMatch(/chargingTelemetry\.0\.metrics\.0\.value$/);
    expect(market.summary().telemetry).toBe(0);
  });

  test("tells its listener what it refused", async () => {
    await car.send("select", {});
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "refused", action: "select", code: "ACTION_UNKNOWN" }),
    );
  });
});
