import { afterEach, describe, expect, test } from "vitest";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const now = () => new Date().toISOString();
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const BOOT_201 = { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } };
const target = () => ({ setpointId: "s", powerKW: -7.4, untilMs: Date.now() + 600_000 });

type Options = NonNullable<Parameters<typeof openGateway>[0]>;
type Dial = NonNullable<Parameters<typeof dialIn>[1]>;

async function connect(options: Options = {}, dial: Dial = {}) {
  const gateway = await openGateway(options);
  open.push(gateway);
  const charger = await dialIn(gateway.url, { ...dial, answers: { ...WILLING, ...dial.answers } });
  open.push(charger);
  await charger.call("BootNotification", dial.version === "ocpp2.0.1" ? BOOT_201 : BOOT_16);
  await gateway.adapter.start(gateway.signal);
  return { gateway, charger };
}

async function startOn(charger: RawCharger, more: object = {}): Promise<number> {
  const start = { connectorId: 1, idTag: "CARD", meterStart: 1000, timestamp: now(), ...more };
  const [, , answer] = (await charger.call("StartTransaction", start)) as [number, string, { transactionId: number }];
  return answer.transactionId;
}

type Shown = {
  sessions: { transactionId: number | string; isOver: boolean; energyKWh?: number; missingMessages?: number }[];
};

describe("1.6", () => {
  test("a start that is sent again after a restart of ours gets the same id, and another one another", async () => {
    const memory = volatileMemory();
    const timestamp = now();
    const first = await connect({ memory });
    const id = await startOn(first.charger, { timestamp });
    expect(await startOn(first.charger, { timestamp })).toBe(id);
    await first.charger.hangUp();

    const second = await connect({ memory });
    expect(await startOn(second.charger, { timestamp })).toBe(id);
    expect(await startOn(second.charger, { timestamp: ago(1) })).not.toBe(id);
  });

  test("ids follow no order that could be guessed", async () => {
    const { charger } = await connect();
    const ids: number[] = [];
    for (let minute = 0; minute < 8; minute++) ids.push(await startOn(charger, { timestamp: ago(minute) }));
    const steps = new Set(ids.slice(1).map((id, index) => id - (ids[index] ?? 0)));
    expect(steps.size).toBe(7);
    expect(Math.max(...ids) - Math.min(...ids)).toBeGreaterThan(1000);
  });

  test("a session goes on over our restart, with its profile", async () => {
    const memory = volatileMemory();
    const first = await connect({ memory });
    const transactionId = await startOn(first.charger);
    await first.charger.hangUp();
    const second = await connect({ memory });
    expect(second.gateway.adapter.sessions?.running).toBe(String(transactionId));
    await second.gateway.adapter.apply(target(), second.gateway.signal);
    expect(second.charger.of("SetChargingProfile").at(-1)).toMatchObject({
      csChargingProfiles: { chargingProfilePurpose: "TxProfile", transactionId },
    });
  });

  test("a transaction that we never gave is taken up where its meter values name it", async () => {
    const { gateway, charger } = await connect();
    const sampledValue = [{ value: "5000" }];
    await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging" });
    await charger.call("MeterValues", {
      connectorId: 1,
      transactionId: 4711,
      meterValue: [{ timestamp: now(), sampledValue }],
    });
    expect(gateway.adapter.sessions?.running).toBe("4711");
    await charger.call("StopTransaction", { transactionId: 4711, meterStop: 6000, timestamp: now() });
    expect(gateway.adapter.sessions?.running).toBeUndefined();
    // How much it had taken before is not known, so its energy is not either.
    const { sessions } = (await gateway.ask("sessions")) as Shown;
    expect(sessions).toMatchObject([{ transactionId: 4711, isOver: true, isAdopted: true }]);
    expect(sessions[0]).not.toHaveProperty("energyKWh");
  });

  test("old meter values of a transaction that nobody knows do not take the place of the one that runs", async () => {
    const { gateway, charger } = await connect();
    const transactionId = await startOn(charger);
    const meterValue = (timestamp: string) => [{ timestamp, sampledValue: [{ value: "5000" }] }];
    await charger.call("MeterValues", { connectorId: 1, transactionId: 4711, meterValue: meterValue(ago(30)) });
    await charger.call("MeterValues", { connectorId: 1, transactionId, meterValue: meterValue(now()) });
    expect(gateway.adapter.sessions?.running).toBe(String(transactionId));
    expect(await gateway.ask("sessions")).toMatchObject({ sessions: [{ transactionId, isOver: false }] });
  });

  test("the stop of another station's transaction ends nothing, and is answered", async () => {
    const gateway = await openGateway({ devices: [{ identity: "CP-1" }, { identity: "CP-2" }] });
    open.push(gateway);
    const victim = await dialIn(gateway.url, { identity: "CP-1" });
    const other = await dialIn(gateway.url, { identity: "CP-2" });
    open.push(victim, other);
    const transactionId = await startOn(victim);
    for (const id of [transactionId, -1, 0, 99]) {
      const stop = { transactionId: id, meterStop: 99_000, timestamp: now(), idTag: "CARD" };
      expect((await other.call("StopTransaction", stop)).slice(0, 1)).toEqual([3]);
    }
    // Nor are its meter values taken for the other's.
    const meterValue = [{ timestamp: now(), sampledValue: [{ value: "99000" }] }];
    await other.call("MeterValues", { connectorId: 1, transactionId, meterValue });
    expect(gateway.adapters[0]?.sessions?.running).toBe(String(transactionId));
    expect(gateway.reports.filter((report) => report.kind === "reading")).toEqual([]);
    const { sessions } = (await gateway.ask("sessions", { name: "CP-1" })) as Shown;
    expect(sessions).toMatchObject([{ transactionId, isOver: false }]);
  });

  test("a transaction stays on its connector", async () => {
    const { gateway, charger } = await connect({ devices: [{ connector: 1 }, { connector: 2 }] });
    const transactionId = await startOn(charger);
    const meterValue = [{ timestamp: now(), sampledValue: [{ value: "99000" }] }];
    await charger.call("StatusNotification", { connectorId: 2, errorCode: "NoError", status: "Charging" });
    await charger.call("MeterValues", { connectorId: 2, transactionId, meterValue });
    expect(gateway.adapters[1]?.sessions?.running).toBeUndefined();
    expect(gateway.adapters[0]?.sessions?.running).toBe(String(transactionId));
  });

  test("a car that is gone ends the session, and the stop that comes later completes its record", async () => {
    const { gateway, charger } = await connect();
    const transactionId = await startOn(charger);
    await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available" });
    expect(gateway.adapter.sessions?.running).toBeUndefined();
    await charger.call("StopTransaction", { transactionId, meterStop: 3000, timestamp: now(), reason: "PowerLoss" });
    expect(await gateway.ask("sessions")).toMatchObject({
      sessions: [{ transactionId, energyKWh: 2, reason: "PowerLoss" }],
    });
  });
});

describe("2.0.1", () => {
  const event = (eventType: string, seqNo: number, more: object = {}) => ({
    eventType,
    timestamp: now(),
    triggerReason: "CablePluggedIn",
    seqNo,
    evse: { id: 1, connectorId: 1 },
    transactionInfo: { transactionId: "tx-1", chargingState: "Charging" },
    ...more,
  });
  const register = (energyWh: number, context = "Sample.Periodic") => ({
    meterValue: [{ timestamp: now(), sampledValue: [{ value: energyWh, context }] }],
  });

  test("messages that come twice, late or never: each counts once, and only the newest says what is now", async () => {
    const { gateway, charger } = await connect({}, { version: "ocpp2.0.1" });
    const states = () =>
      gateway.reports.flatMap((one) => (one.kind === "availability" ? [one.availability.reason] : []));
    const readings = () => gateway.reports.filter((one) => one.kind === "reading").length;
    await charger.call("TransactionEvent", event("Started", 0, register(1000, "Transaction.Begin")));
    await charger.call("TransactionEvent", event("Updated", 3, register(2000)));
    await charger.call("TransactionEvent", event("Updated", 3, register(2000)));
    const suspended = { transactionInfo: { transactionId: "tx-1", chargingState: "SuspendedEV" } };
    await charger.call("TransactionEvent", event("Updated", 1, { ...register(1500), ...suspended }));
    expect(readings()).toBe(3);
    expect(states()).toEqual(["car charges"]);
    await charger.call("TransactionEvent", event("Ended", 5, register(5000, "Transaction.End")));
    expect(gateway.adapter.sessions?.running).toBeUndefined();
    // It is over: what comes behind does not bring it back.
    await charger.call("TransactionEvent", event("Updated", 4, register(4500)));
    expect(gateway.adapter.sessions?.running).toBeUndefined();
    const { sessions } = (await gateway.ask("sessions")) as Shown;
    expect(sessions).toMatchObject([{ transactionId: "tx-1", energyKWh: 4, missingMessages: 1, reason: "Local" }]);
    await charger.call("TransactionEvent", event("Updated", 2));
    expect(((await gateway.ask("sessions")) as Shown).sessions[0]?.missingMessages).toBeUndefined();
  });

  test("after a reconnect the station is asked, and a session whose end got lost is over", async () => {
    const { gateway, charger } = await connect({}, { version: "ocpp2.0.1" });
    await charger.call("TransactionEvent", event("Started", 0));
    expect(gateway.adapter.sessions?.running).toBe("tx-1");
    await charger.hangUp();
    const answers = { ...WILLING, GetTransactionStatus: () => ({ ongoingIndicator: false, messagesInQueue: false }) };
    const again = await dialIn(gateway.url, { version: "ocpp2.0.1", answers });
    open.push(again);
    await waitFor("the question", () => again.of("GetTransactionStatus").length === 1, 5000);
    expect(again.of("GetTransactionStatus")).toEqual([{ transactionId: "tx-1" }]);
    await waitFor("the session to be over", () => gateway.adapter.sessions?.running === undefined);
    expect(await gateway.ask("sessions")).toMatchObject({ sessions: [{ transactionId: "tx-1", isOver: true }] });
  });

  test.each([
    { ongoingIndicator: true, messagesInQueue: false },
    { ongoingIndicator: false, messagesInQueue: true },
    { messagesInQueue: false },
  ])("and goes on where the station says so, has more to tell, or does not say (%o)", async (status) => {
    const { gateway, charger } = await connect({}, { version: "ocpp2.0.1" });
    await charger.call("TransactionEvent", event("Started", 0));
    await charger.hangUp();
    const again = await dialIn(gateway.url, {
      version: "ocpp2.0.1",
      answers: { ...WILLING, GetTransactionStatus: () => status },
    });
    open.push(again);
    await waitFor("the question", () => again.of("GetTransactionStatus").length === 1, 5000);
    await again.call("Heartbeat", {});
    expect(gateway.adapter.sessions?.running).toBe("tx-1");
  });

  test("what began while the station was offline is asked about before it counts", async () => {
    const ongoing: Record<string, boolean> = { gone: false, here: true };
    const { gateway, charger } = await connect(
      {},
      {
        version: "ocpp2.0.1",
        answers: {
          GetTransactionStatus: (payload) => ({
            ongoingIndicator: ongoing[String(payload["transactionId"])] ?? false,
            messagesInQueue: false,
          }),
        },
      },
    );
    const past = (transactionId: string) =>
      event("Started", 0, { offline: true, timestamp: ago(30), transactionInfo: { transactionId } });
    await charger.call("TransactionEvent", past("gone"));
    await waitFor("the first question", () => charger.of("GetTransactionStatus").length === 1);
    await charger.call("TransactionEvent", past("here"));
    await waitFor("the second session to count", () => gateway.adapter.sessions?.running === "here");
  });

  test("the transaction of another station ends nothing here", async () => {
    const gateway = await openGateway({ devices: [{ identity: "CP-1" }, { identity: "CP-2" }] });
    open.push(gateway);
    const victim = await dialIn(gateway.url, { identity: "CP-1", version: "ocpp2.0.1" });
    const other = await dialIn(gateway.url, { identity: "CP-2", version: "ocpp2.0.1" });
    open.push(victim, other);
    await victim.call("TransactionEvent", event("Started", 0));
    await other.call("TransactionEvent", event("Ended", 9));
    expect(gateway.adapters[0]?.sessions?.running).toBe("tx-1");
  });
});

describe("a record", () => {
  test("has start, stop, energy, reason and what the meter signed, and no number of a card", async () => {
    const memory = volatileMemory();
    const { gateway, charger } = await connect({ memory });
    const signed = (context: string) => ({ value: `OCMF|${context}`, format: "SignedData", context });
    const transactionId = await startOn(charger, { timestamp: ago(60) });
    await charger.call("StopTransaction", {
      transactionId,
      meterStop: 8380,
      timestamp: ago(30),
      reason: "EVDisconnected",
      idTag: "CARD",
      transactionData: [
        { timestamp: ago(30), sampledValue: [signed("Transaction.Begin"), signed("x"), signed("Transaction.End")] },
      ],
    });
    const { sessions } = (await gateway.ask("sessions")) as Shown;
    expect(sessions).toMatchObject([
      {
        era: "charger-1",
        charger: "CP-1",
        connector: 1,
        startKWh: 1,
        endKWh: 8.38,
        energyKWh: 7.38,
        reason: "EVDisconnected",
        token: expect.stringMatching(/^[0-9a-f]{12}$/),
        signed: [{ context: "Transaction.Begin" }, { context: "Transaction.End" }],
      },
    ]);
    const kept = memory.keys("").map((key) => JSON.stringify(memory.get(key)));
    expect(kept.join()).not.toContain("CARD");
    // There after a restart, and the same card has the same name.
    const second = await connect({ memory });
    expect(await second.gateway.ask("sessions")).toEqual({ sessions });
    await startOn(second.charger);
    const both = (await second.gateway.ask("sessions")) as { sessions: { token: string }[] };
    expect(both.sessions[1]?.token).toBe(both.sessions[0]?.token);
  });

  test("of long ago makes room for new ones", async () => {
    const memory = volatileMemory();
    const { gateway, charger } = await connect({ memory });
    const ids: number[] = [];
    for (let minute = 0; minute < 45; minute++)
      ids.push(await startOn(charger, { timestamp: ago(minute), idTag: `C${minute}` }));
    const { sessions } = (await gateway.ask("sessions")) as Shown;
    expect(sessions.map((one) => one.transactionId)).toEqual(ids.slice(-40));
  });
});
