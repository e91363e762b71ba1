import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MARKET_ID, SITE_ID, Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, type RawCharger, WILLING } from "../unit/ocpp-raw-charger.ts";

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked at by a test
type Wire = any;

const TRANSACTION = "5e7b0000-0000-4000-8000-000000000001";
const ORDER = `order-${TRANSACTION}`;
const yes = () => ({ status: "Accepted" });

let market: Server;
let received: { action: string; body: Wire }[];
let site: Site;
let charger: RawCharger;

beforeEach(async () => {
  received = [];
  market = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
    request.on("end", () => {
      received.push({ action: (request.url ?? "").split("/").at(-1) ?? "", body: JSON.parse(text) });
      response.writeHead(200, { "content-type": "application/json" }).end('{"message":{"ack":{"status":"ACK"}}}');
    });
  });
  await new Promise<void>((resolve) => market.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await charger[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  await new Promise((resolve) => {
    market.close(resolve);
    market.closeAllConnections();
  });
});

/** A site with one charger that is connected. */
async function open(
  answers: Parameters<typeof dialIn>[1] extends infer O | undefined
    ? O extends { answers?: infer A }
      ? A
      : never
    : never,
  device: object = {},
): Promise<void> {
  const bppUri = `http://127.0.0.1:${(market.address() as AddressInfo).port}`;
  site = new Site({
    market: { bppUri },
    devices: [{ era: "bay-1", kind: "charger", ocpp: { identity: "CP-1", sessionStartTimeoutS: 5, ...device } }],
  });
  await site.start();
  charger = await dialIn(site.address("ocpp"), { answers: { ...WILLING, ...answers } });
  await charger.call("BootNotification", BOOT_16);
  await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" });
  await waitFor("the charger", () => site.device("bay-1").linkUp);
}

function confirm(fulfillment: object = {}) {
  const message = site.onConfirm({ era: "bay-1", setpointKW: -7.4, ...windowFor(600) }, { transactionId: TRANSACTION });
  return { ...message, message: { order: { ...message.message.order, "beckn:fulfillment": fulfillment } } };
}

/** An order that says something of its session and nothing else, as a callback or as a request of the market's. */
function order(action: "on_update" | "update", fulfillment: object, messageId: string = randomUUID()) {
  const { context } = site.onConfirm({}, { transactionId: TRANSACTION });
  const [bap, bpp] = action === "update" ? [MARKET_ID, SITE_ID] : [SITE_ID, MARKET_ID];
  return {
    context: { ...context, action, message_id: messageId, bap_id: bap, bpp_id: bpp },
    message: { order: { "beckn:id": ORDER, "beckn:fulfillment": fulfillment } },
  };
}

async function send(message: { context: { action: string } }): Promise<{ status: number; body: string }> {
  return site.send(message, { action: message.context.action });
}

const session = (sessionStatus: string) => ({
  "beckn:deliveryAttributes": { "@type": "ChargingSession", sessionStatus },
});
const started = async () => {
  await waitFor("the remote start", () => charger.of("RemoteStartTransaction").length === 1);
  const start = { connectorId: 1, idTag: "SETPOINTD", meterStart: 100, timestamp: new Date().toISOString() };
  return ((await charger.call("StartTransaction", start))[2] as { transactionId: number }).transactionId;
};
const told = () =>
  received
    .map(({ action, body }) => ({ action, messageId: body.context.message_id, order: body.message.order }))
    .filter(({ order: told }) => told?.["beckn:fulfillment"]?.["beckn:deliveryAttributes"]?.sessionStatus !== undefined)
    .map(({ action, messageId, order: told }) => ({
      action,
      messageId,
      status: told["beckn:fulfillment"]["beckn:deliveryAttributes"].sessionStatus as string,
      fault: told["beckn:orderAttributes"].sessionFault as string | undefined,
    }));

describe("as the participant", () => {
  test.each([
    ["the status of the session", session("ACTIVE"), session("STOP")],
    ["the status of the fulfilment", { "beckn:status": "ACTIVE" }, { "beckn:status": "COMPLETED" }],
    ["the seed's later words", session("INPROGRESS"), session("COMPLETED")],
  ])("an on_update starts and stops the session of its order: %s", async (_, start, stop) => {
    await open({ RemoteStartTransaction: yes, RemoteStopTransaction: yes });
    expect((await send(confirm())).status).toBe(200);
    await waitFor("the limit", () => charger.of("SetChargingProfile").length > 0);
    expect((await send(order("on_update", start))).status).toBe(200);
    const transactionId = await started();
    expect(charger.of("RemoteStartTransaction")[0]).toMatchObject({
      chargingProfile: { chargingProfilePurpose: "TxProfile" },
    });
    await waitFor("the outcome", () => told().length === 1);
    // Said again, also with another id: it runs, and nothing more is asked of the charger or told.
    await send(order("on_update", start));
    await send(order("on_update", stop));
    await waitFor("the remote stop", () => charger.of("RemoteStopTransaction").length === 1);
    const end = { transactionId, meterStop: 4100, timestamp: new Date().toISOString(), reason: "Remote" };
    await charger.call("StopTransaction", end);
    await waitFor("the outcome", () => told().length === 2);
    expect(told()).toMatchObject([
      { action: "update", status: "ACTIVE" },
      { action: "update", status: "STOP" },
    ]);
    expect(charger.of("RemoteStartTransaction").length).toBe(1);
  });

  test("a callback that repeats itself does not begin again what the driver has ended", async () => {
    await open({ RemoteStartTransaction: yes });
    await send(confirm());
    await send(order("on_update", session("ACTIVE")));
    const transactionId = await started();
    await waitFor("the outcome", () => told().length === 1);
    await charger.call("StopTransaction", { transactionId, meterStop: 4100, timestamp: new Date().toISOString() });
    await send(order("on_update", session("ACTIVE")));
    // What is asked of us afterwards is carried out after it.
    await send(order("update", session("STOP"), "m-stop"));
    await waitFor("the outcome", () => told().length === 2);
    expect(charger.of("RemoteStartTransaction").length).toBe(1);
    expect(told().at(-1)).toMatchObject({ messageId: "m-stop", status: "STOP" });
  });

  test("the market's answer to a report of ours starts nothing", async () => {
    await open({ RemoteStartTransaction: yes });
    await send(confirm());
    await charger.call("MeterValues", {
      connectorId: 1,
      meterValue: [{ timestamp: new Date().toISOString(), sampledValue: [{ value: "100" }] }],
    });
    await waitFor("a report", () => received.some(({ action }) => action === "update"));
    const { message_id: ours } = received.find(({ action }) => action === "update")?.body.context ?? {};
    expect((await send(order("on_update", session("ACTIVE"), ours))).status).toBe(200);
    await charger.call("Heartbeat", {});
    expect(charger.of("RemoteStartTransaction")).toEqual([]);
  });

  test("an order that another transaction made starts nothing either", async () => {
    await open({ RemoteStartTransaction: yes });
    expect((await send(order("on_update", session("ACTIVE")))).status).toBe(200);
    await charger.call("Heartbeat", {});
    expect(charger.of("RemoteStartTransaction")).toEqual([]);
  });
});

describe("when the order comes to our side", () => {
  test("an update is answered with on_update once the session has begun or ended", async () => {
    await open({ RemoteStartTransaction: yes, RemoteStopTransaction: yes });
    await send(confirm());
    expect((await send(order("update", session("ACTIVE"), "m-start"))).status).toBe(200);
    const transactionId = await started();
    await waitFor("the outcome", () => told().length === 1);
    // A question is answered each time.
    await send(order("update", session("ACTIVE"), "m-again"));
    await waitFor("the outcome", () => told().length === 2);
    await send(order("update", session("STOP"), "m-stop"));
    await waitFor("the remote stop", () => charger.of("RemoteStopTransaction").length === 1);
    await charger.call("StopTransaction", { transactionId, meterStop: 4100, timestamp: new Date().toISOString() });
    await waitFor("the outcome", () => told().length === 3);
    expect(told()).toEqual([
      { action: "on_update", messageId: "m-start", status: "ACTIVE", fault: undefined },
      { action: "on_update", messageId: "m-again", status: "ACTIVE", fault: undefined },
      { action: "on_update", messageId: "m-stop", status: "STOP", fault: undefined },
    ]);
    const answer = received.find(({ body }) => body.context.message_id === "m-start")?.body.context;
    expect(answer).toMatchObject({ bap_id: MARKET_ID, bpp_id: SITE_ID, transaction_id: TRANSACTION });
  });

  test("a charger that will not is told to the market, with its reason", async () => {
    await open({ RemoteStartTransaction: () => ({ status: "Rejected" }) });
    await send(confirm());
    await send(order("update", session("ACTIVE"), "m-start"));
    await waitFor("the outcome", () => told().length === 1);
    expect(told()).toEqual([
      {
        action: "on_update",
        messageId: "m-start",
        status: "PENDING",
        fault: expect.stringContaining("bay-1: the charger would not start: Rejected"),
      },
    ]);
  });

  test("an update for an order that nobody made is refused, and so is one about something else", async () => {
    await open({ RemoteStartTransaction: yes });
    const unknown = await send(order("update", session("ACTIVE")));
    expect([unknown.status, unknown.body]).toEqual([404, expect.stringContaining("RESOURCE_UNKNOWN")]);
    const other = await send(order("update", {}));
    expect([other.status, other.body]).toEqual([404, expect.stringContaining("NOT_PROVIDER")]);
    const wrong = await send(order("update", { "beckn:deliveryAttributes": { sessionStatus: 7 } }));
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringContaining("sessionStatus")]);
  });
});

describe("a reservation", () => {
  const later = () => {
    const from = Math.floor(Date.now() / 1000) * 1000 + 600_000;
    const message = site.onConfirm(
      {
        era: "bay-1",
        setpointKW: -7.4,
        validFrom: new Date(from).toISOString(),
        validUntil: new Date(from + 600_000).toISOString(),
      },
      { transactionId: TRANSACTION },
    );
    const fulfillment = { "beckn:mode": "RESERVATION", "beckn:status": "PENDING" };
    return {
      from,
      message: { ...message, message: { order: { ...message.message.order, "beckn:fulfillment": fulfillment } } },
    };
  };

  test("keeps the connector for an order that begins later, and is given up with it", async () => {
    await open({ ReserveNow: yes, CancelReservation: yes }, { reserveForOrders: true });
    const { from, message } = later();
    await send(message);
    await waitFor("the reservation", () => charger.of("ReserveNow").length === 1);
    expect(charger.of("ReserveNow")[0]).toMatchObject({
      connectorId: 1,
      expiryDate: `${new Date(from + 900_000).toISOString().slice(0, 19)}Z`,
    });
    await waitFor("the outcome", () => told().length === 1);
    expect(told()[0]).toMatchObject({ status: "PENDING", fault: undefined });
    const cancel = site.onConfirm({}, { transactionId: TRANSACTION, timestampMs: Date.now() + 1000 });
    await send({ ...cancel, context: { ...cancel.context, action: "on_cancel" } });
    await waitFor("the end of the reservation", () => charger.of("CancelReservation").length === 1);
  });

  test("is made only where the site allows it", async () => {
    await open({ ReserveNow: yes });
    await send(later().message);
    await charger.call("Heartbeat", {});
    expect(charger.of("ReserveNow")).toEqual([]);
  });
});
