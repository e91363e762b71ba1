import { afterEach, describe, expect, test } from "vitest";
import { type Payload, StrictCharger } from "../support/strict-charger.ts";
import { waitFor } from "../support/wait-for.ts";
import { openGateway } from "./ocpp-raw-charger.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const now = () => new Date().toISOString();
const idTags = [
  { tag: "04A1B2C3", expires: "2030-01-01T00:00:00+01:00", parent: "FLEET" },
  { tag: "STOLEN", blocked: true },
  { tag: "DE-TOO-LONG-FOR-OCPP-16-C12345678-9", type: "eMAID" as const },
];

async function connect(version: string, answers: Record<string, Payload>) {
  const gateway = await openGateway({
    shared: { idTags },
    devices: [{ authorization: "list", sessionStartTimeoutS: 5 }],
  });
  open.push(gateway);
  const charger = new StrictCharger(gateway.url, version, answers);
  await charger.connect();
  open.push(charger);
  return { gateway, charger };
}

const target = () => ({ setpointId: "s", powerKW: -7.4, untilMs: Date.now() + 600_000 });

describe("OCPP 1.6", () => {
  test("every call and every answer about who charges passes the schema", async () => {
    const { gateway, charger } = await connect("ocpp1.6", {
      GetConfiguration: { configurationKey: [{ key: "SendLocalListMaxLength", readonly: true, value: "1" }] },
      GetLocalListVersion: { listVersion: 0 },
    });
    const { adapter, signal } = gateway;
    await charger.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
    await adapter.start(signal);
    await adapter.apply(target(), signal);
    const reserved = await adapter.sessions?.reserve({ token: "04A1B2C3", untilMs: Date.now() + 60_000 }, signal);
    await adapter.sessions?.cancelReservation(reserved?.reservationId, signal);
    const started = adapter.sessions?.start({ token: "04A1B2C3" }, signal);
    await waitFor("the call", () => charger.of("RemoteStartTransaction").length === 1);
    for (const idTag of ["04A1B2C3", "STOLEN", "NOBODY"]) await charger.call("Authorize", { idTag });
    const start = { connectorId: 1, idTag: "04A1B2C3", meterStart: 0, timestamp: now(), reservationId: 7 };
    const { transactionId } = await charger.call("StartTransaction", start);
    await started;
    const stopped = adapter.sessions?.stop(undefined, signal);
    await waitFor("the call", () => charger.of("RemoteStopTransaction").length === 1);
    await charger.call("StopTransaction", { transactionId, idTag: "04A1B2C3", meterStop: 5, timestamp: now() });
    await stopped;
    await waitFor("the list", () => charger.of("SendLocalList").length === 2, 8000);
    expect(charger.violations).toEqual([]);
    // Whether it comes to a look at the composite schedule hangs on when the charger answers.
    expect([...charger.actions()].filter((action) => action !== "GetCompositeSchedule").sort()).toEqual([
      "CancelReservation",
      "ChangeConfiguration",
      "ClearChargingProfile",
      "GetConfiguration",
      "GetLocalListVersion",
      "RemoteStartTransaction",
      "RemoteStopTransaction",
      "ReserveNow",
      "SendLocalList",
      "SetChargingProfile",
      "TriggerMessage",
    ]);
  });
});

describe("OCPP 2.0.1", () => {
  const result = { attributeStatus: "Accepted", component: { name: "C" }, variable: { name: "V" } };
  const event = (eventType: string, seqNo: number, more: Payload = {}) => ({
    eventType,
    timestamp: now(),
    triggerReason: "RemoteStart",
    seqNo,
    evse: { id: 1, connectorId: 1 },
    transactionInfo: { transactionId: "ab-12", chargingState: "Charging" },
    ...more,
  });

  test("every call and every answer about who charges passes the schema", async () => {
    const { gateway, charger } = await connect("ocpp2.0.1", {
      GetVariables: { getVariableResult: [{ ...result, attributeValue: "1", variable: { name: "ItemsPerMessage" } }] },
      SetVariables: { setVariableResult: [result] },
      GetLocalListVersion: { versionNumber: 0 },
      GetTransactionStatus: { ongoingIndicator: true, messagesInQueue: false },
    });
    const { adapter, signal } = gateway;
    await charger.call("BootNotification", { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } });
    await adapter.start(signal);
    await adapter.apply(target(), signal);
    const reserved = await adapter.sessions?.reserve({ untilMs: Date.now() + 60_000 }, signal);
    await adapter.sessions?.cancelReservation(reserved?.reservationId, signal);
    const started = adapter.sessions?.start({ token: "04A1B2C3" }, signal);
    await waitFor("the call", () => charger.of("RequestStartTransaction").length === 1);
    for (const tag of ["04A1B2C3", "STOLEN", "NOBODY"]) {
      await charger.call("Authorize", { idToken: { idToken: tag, type: "ISO14443" } });
    }
    await charger.call("TransactionEvent", event("Started", 0, { offline: true, timestamp: "2026-01-01T00:00:00Z" }));
    await waitFor("the question", () => charger.of("GetTransactionStatus").length === 1);
    const idToken = { idToken: "04A1B2C3", type: "ISO14443" };
    await charger.call("TransactionEvent", event("Updated", 1, { idToken }));
    await started;
    const stopped = adapter.sessions?.stop(undefined, signal);
    await waitFor("the call", () => charger.of("RequestStopTransaction").length === 1);
    await charger.call("TransactionEvent", event("Ended", 2));
    await stopped;
    await waitFor("the list", () => charger.of("SendLocalList").length === 3, 8000);
    expect(charger.violations).toEqual([]);
    expect([...charger.actions()].sort()).toEqual([
      "CancelReservation",
      "ClearChargingProfile",
      "GetChargingProfiles",
      "GetLocalListVersion",
      "GetTransactionStatus",
      "GetVariables",
      "RequestStartTransaction",
      "RequestStopTransaction",
      "ReserveNow",
      "SendLocalList",
      "SetChargingProfile",
      "SetVariables",
      "TriggerMessage",
    ]);
  });
});
