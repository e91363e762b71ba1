import { afterEach, describe, expect, test } from "vitest";
import { DeviceError } from "../../src/model/adapter.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, type Gateway, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const now = () => new Date().toISOString();

type Answers = Parameters<typeof dialIn>[1] extends infer Options | undefined
  ? Options extends { answers?: infer A }
    ? A
    : never
  : never;

async function connect(
  version: "ocpp1.6" | "ocpp2.0.1",
  answers: Answers = {},
  device: object = {},
): Promise<{ gateway: Gateway; charger: RawCharger }> {
  const gateway = await openGateway({ devices: [{ sessionStartTimeoutS: 5, ...device }] });
  open.push(gateway);
  const charger = await dialIn(gateway.url, { version, answers: { ...WILLING, ...answers } });
  open.push(charger);
  const boot = { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } };
  await charger.call("BootNotification", version === "ocpp1.6" ? BOOT_16 : boot);
  await gateway.adapter.start(gateway.signal);
  return { gateway, charger };
}

function startTransaction(idTag = "SETPOINTD") {
  return { connectorId: 1, idTag, meterStart: 1000, timestamp: now() };
}

async function faultOf(work: Promise<unknown> | undefined): Promise<DeviceError> {
  const error = await work?.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeviceError)) throw new Error(`expected a DeviceError, got ${String(error)}`);
  return error;
}

describe("a remote start over 1.6", () => {
  test("carries the limit that holds as a TxProfile without a transaction, and waits until the session has begun", async () => {
    const { gateway, charger } = await connect("ocpp1.6", { RemoteStartTransaction: () => ({ status: "Accepted" }) });
    const { adapter, signal } = gateway;
    await adapter.apply({ setpointId: "s", powerKW: -7.4, untilMs: Date.now() + 600_000 }, signal);
    let isBegun = false;
    const started = adapter.sessions?.start({}, signal).then((session) => {
      isBegun = true;
      return session;
    });
    await waitFor("the call", () => charger.of("RemoteStartTransaction").length === 1);
    expect(charger.of("RemoteStartTransaction")[0]).toMatchObject({
      connectorId: 1,
      idTag: "SETPOINTD",
      chargingProfile: { chargingProfilePurpose: "TxProfile", chargingSchedule: { chargingRateUnit: "A" } },
    });
    expect(charger.of("RemoteStartTransaction")[0]?.["chargingProfile"]).not.toHaveProperty("transactionId");
    await charger.call("Heartbeat", {});
    expect(isBegun).toBe(false);
    const [, , answer] = (await charger.call("StartTransaction", startTransaction())) as [
      number,
      string,
      { transactionId: number },
    ];
    expect(await started).toEqual({ sessionId: String(answer.transactionId) });
    expect(adapter.sessions?.running).toBe(String(answer.transactionId));
  });

  test("goes without the profile to a charger that takes none", async () => {
    const { gateway, charger } = await connect("ocpp1.6", {
      RemoteStartTransaction: (payload) => ({ status: payload["chargingProfile"] ? "Rejected" : "Accepted" }),
    });
    const { adapter, signal } = gateway;
    await adapter.apply({ setpointId: "s", powerKW: -7.4, untilMs: Date.now() + 600_000 }, signal);
    const started = adapter.sessions?.start({}, signal);
    await waitFor("both calls", () => charger.of("RemoteStartTransaction").length === 2);
    await charger.call("StartTransaction", startTransaction());
    await started;
  });

  test("says why it is not one: refused, running already, out of service, no charger", async () => {
    const { gateway, charger } = await connect("ocpp1.6", { RemoteStartTransaction: () => ({ status: "Rejected" }) });
    const { sessions } = gateway.adapter;
    expect(await faultOf(sessions?.start({}, gateway.signal))).toMatchObject({
      fault: "refused",
      message: expect.stringContaining("would not start: Rejected"),
    });
    await charger.call("StatusNotification", { connectorId: 1, errorCode: "GroundFailure", status: "Faulted" });
    expect((await faultOf(sessions?.start({}, gateway.signal))).message).toContain("charger has a fault");
    await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging" });
    await charger.call("StartTransaction", startTransaction("CARD"));
    expect((await faultOf(sessions?.start({}, gateway.signal))).message).toContain("a session runs already");
    const before = charger.of("RemoteStartTransaction").length;
    await charger.hangUp();
    await waitFor("the link to be down", () => gateway.reports.some((one) => one.kind === "link" && !one.up));
    expect((await faultOf(sessions?.stop(undefined, gateway.signal))).fault).toBe("unreachable");
    expect(before).toBe(1);
  });

  test("names the missing car when the charger said yes and none came", async () => {
    const { gateway, charger } = await connect("ocpp1.6", { RemoteStartTransaction: () => ({ status: "Accepted" }) });
    await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available" });
    const fault = await faultOf(gateway.adapter.sessions?.start({}, gateway.signal));
    expect(fault).toMatchObject({ fault: "timeout", message: expect.stringContaining("no car was plugged in") });
  }, 15_000);

  test("is one at a time", async () => {
    const { gateway, charger } = await connect("ocpp1.6", { RemoteStartTransaction: () => ({ status: "Accepted" }) });
    const { sessions } = gateway.adapter;
    const first = sessions?.start({}, gateway.signal);
    expect((await faultOf(sessions?.start({}, gateway.signal))).message).toContain("being started already");
    await waitFor("the call", () => charger.of("RemoteStartTransaction").length === 1);
    await charger.call("StartTransaction", startTransaction());
    await first;
  });

  test("a start that waited in the charger since long ago is not the one we asked for", async () => {
    const { gateway, charger } = await connect("ocpp1.6", { RemoteStartTransaction: () => ({ status: "Accepted" }) });
    const started = gateway.adapter.sessions?.start({}, gateway.signal);
    await waitFor("the call", () => charger.of("RemoteStartTransaction").length === 1);
    const old = { ...startTransaction("OTHER"), timestamp: new Date(Date.now() - 3_600_000).toISOString() };
    const [, , first] = (await charger.call("StartTransaction", old)) as [number, string, { transactionId: number }];
    const stop = { transactionId: first.transactionId, meterStop: 2000, timestamp: now() };
    await charger.call("StopTransaction", stop);
    const [, , mine] = (await charger.call("StartTransaction", startTransaction())) as [
      number,
      string,
      { transactionId: number },
    ];
    expect(await started).toEqual({ sessionId: String(mine.transactionId) });
  });
});

test("a charger whose clock is an hour slow has begun all the same", async () => {
  const { gateway, charger } = await connect("ocpp1.6", { RemoteStartTransaction: () => ({ status: "Accepted" }) });
  const started = gateway.adapter.sessions?.start({}, gateway.signal);
  await waitFor("the call", () => charger.of("RemoteStartTransaction").length === 1);
  const timestamp = new Date(Date.now() - 3_600_000).toISOString();
  await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" });
  await charger.call("StartTransaction", { ...startTransaction(), timestamp });
  expect(await started).toEqual({ sessionId: expect.any(String) });
  expect(gateway.adapter.sessions?.running).toBeDefined();
});

describe("a remote stop", () => {
  test("waits for the end, and ends only the session that runs", async () => {
    const { gateway, charger } = await connect("ocpp1.6", { RemoteStopTransaction: () => ({ status: "Accepted" }) });
    const { sessions } = gateway.adapter;
    expect((await faultOf(sessions?.stop(undefined, gateway.signal))).message).toContain("no session runs");
    const [, , { transactionId }] = (await charger.call("StartTransaction", startTransaction())) as [
      number,
      string,
      { transactionId: number },
    ];
    expect((await faultOf(sessions?.stop("4711", gateway.signal))).message).toContain("does not run here");
    const stopped = sessions?.stop(String(transactionId), gateway.signal);
    await waitFor("the call", () => charger.of("RemoteStopTransaction").length === 1);
    expect(charger.of("RemoteStopTransaction")).toEqual([{ transactionId }]);
    await charger.call("StopTransaction", { transactionId, meterStop: 3500, timestamp: now(), reason: "Remote" });
    await stopped;
    expect(sessions?.running).toBeUndefined();
    expect(await gateway.ask("sessions")).toMatchObject({
      sessions: [{ transactionId, isOver: true, energyKWh: 2.5, reason: "Remote" }],
    });
  });
});

describe("over 2.0.1", () => {
  const event = (eventType: string, more: object = {}) => ({
    eventType,
    timestamp: now(),
    triggerReason: "RemoteStart",
    seqNo: 0,
    evse: { id: 1, connectorId: 1 },
    transactionInfo: { transactionId: "tx-1", chargingState: "Charging" },
    ...more,
  });

  test("a session is started and stopped", async () => {
    const { gateway, charger } = await connect("ocpp2.0.1", {
      RequestStartTransaction: () => ({ status: "Accepted" }),
      RequestStopTransaction: () => ({ status: "Accepted" }),
    });
    const { adapter, signal } = gateway;
    await adapter.apply({ setpointId: "s", powerKW: -7.4, untilMs: Date.now() + 600_000 }, signal);
    const started = adapter.sessions?.start({ token: "ORDER-7" }, signal);
    await waitFor("the call", () => charger.of("RequestStartTransaction").length === 1);
    expect(charger.of("RequestStartTransaction")[0]).toMatchObject({
      evseId: 1,
      remoteStartId: expect.any(Number),
      idToken: { idToken: "ORDER-7", type: "Central" },
      chargingProfile: { chargingProfilePurpose: "TxProfile" },
    });
    await charger.call("TransactionEvent", event("Started"));
    expect(await started).toEqual({ sessionId: "tx-1" });
    const stopped = adapter.sessions?.stop(undefined, signal);
    await waitFor("the call", () => charger.of("RequestStopTransaction").length === 1);
    await charger.call("TransactionEvent", event("Ended", { seqNo: 1 }));
    await stopped;
  });

  test("a transaction that began at the plug, without a card, is the one that the start is for", async () => {
    const { gateway, charger } = await connect("ocpp2.0.1", {
      RequestStartTransaction: () => ({ status: "Accepted", transactionId: "tx-1" }),
    });
    const plugged = {
      triggerReason: "CablePluggedIn",
      transactionInfo: { transactionId: "tx-1", chargingState: "EVConnected" },
    };
    await charger.call("TransactionEvent", event("Started", plugged));
    const started = gateway.adapter.sessions?.start({}, gateway.signal);
    await waitFor("the call", () => charger.of("RequestStartTransaction").length === 1);
    await charger.call(
      "TransactionEvent",
      event("Updated", { seqNo: 1, idToken: { idToken: "SETPOINTD", type: "Central" } }),
    );
    expect(await started).toEqual({ sessionId: "tx-1" });
    // Now it is somebody's.
    expect((await faultOf(gateway.adapter.sessions?.start({}, gateway.signal))).message).toContain("runs already");
  });
});

describe("for a technician", () => {
  test("start and stop name the device, or the charger", async () => {
    const { gateway, charger } = await connect("ocpp1.6", {
      RemoteStartTransaction: () => ({ status: "Accepted" }),
      RemoteStopTransaction: () => ({ status: "Rejected" }),
    });
    await expect(gateway.ask("start", { name: "nobody" })).rejects.toThrow('there is no charger "nobody"');
    await expect(gateway.ask("stop", { name: "charger-1" })).rejects.toThrow("no session runs");
    const started = gateway.ask("start", { name: "CP-1", token: "04A1B2C3" });
    await waitFor("the call", () => charger.of("RemoteStartTransaction").length === 1);
    expect(charger.of("RemoteStartTransaction")[0]).toEqual({ connectorId: 1, idTag: "04A1B2C3" });
    await charger.call("StartTransaction", startTransaction("04A1B2C3"));
    expect(await started).toEqual({ sessionId: expect.any(String) });
    await expect(gateway.ask("stop", { name: "charger-1" })).rejects.toThrow("would not stop: Rejected");
    const shown = JSON.stringify(await gateway.ask("sessions", { name: "charger-1" }));
    expect(shown).not.toContain("04A1B2C3");
    await expect(gateway.ask("start", { name: "charger-1", token: "x".repeat(21) })).rejects.toThrow(
      /runs already|too long/,
    );
  });
});
