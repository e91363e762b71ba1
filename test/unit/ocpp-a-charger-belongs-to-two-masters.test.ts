import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AdapterHost, AdapterMemory } from "../../adapters/kind.ts";
import type { OcppDevice } from "../../adapters/ocpp/index.ts";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { Adapter, Report } from "../../src/model/adapter.ts";
import type { Limit } from "../../src/model/limit.ts";
import { StrictCsms } from "../support/strict-csms.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

// The backend is another stack (ocpp-rpc) and holds every message against the official schemas, in both directions.

let backend: StrictCsms;
let memory: AdapterMemory;
let guests: AsyncDisposable[];
let host: AdapterHost<OcppDevice>;
let adapter: Adapter;
let reports: Report[];
let stop: AbortController;

beforeEach(async () => {
  guests = [];
  memory = volatileMemory();
  backend = new StrictCsms();
  await backend.listen();
});

afterEach(async () => {
  for (const guest of guests.reverse()) await guest[Symbol.asyncDispose]();
  await closeGateway();
  if (backend.listening) await backend[Symbol.asyncDispose]();
  expect(backend.violations).toEqual([]);
});

async function openGateway(port = 0): Promise<void> {
  const shared = ocpp.sharedSchema.parse({ port, callTimeoutMs: 2000, meterIntervalS: 1 });
  host = ocpp.createHost(shared, { clock: systemClock, log: silentLog, random: Math.random, memory });
  const device = { identity: "CP-1", phases: 3, maxA: 16, upstream: { url: backend.url, answerWithinS: 1 } };
  adapter = host.adapter({ era: "charger-1", kind: "charger" }, ocpp.deviceSchema.parse(device));
  stop = new AbortController();
  reports = [];
  await host.start(stop.signal);
  const seen = reports;
  void (async () => {
    for await (const report of adapter.reports(stop.signal)) seen.push(report);
  })();
}

async function closeGateway(): Promise<void> {
  stop.abort(new Error("test over"));
  await adapter[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
}

async function plugIn(version: "1.6" | "2.0.1"): Promise<ChargerSimulator> {
  const car = new Battery(systemClock, {
    capacityKWh: 60,
    socPercent: 30,
    maxChargeKW: 11,
    maxDischargeKW: 0,
    deadMs: 50,
    tauMs: 100,
  });
  const charger = new ChargerSimulator({
    identity: "CP-1",
    url: host.addresses()["ocpp"] ?? "",
    version,
    phases: 3,
    maxA: 16,
    car,
    clock: systemClock,
    log: silentLog,
    meterIntervalMs: 300,
  });
  guests.push(charger);
  await charger.start();
  return charger;
}

const limits = (): readonly Limit[] => {
  const report = reports.findLast((one) => one.kind === "limits");
  return report?.kind === "limits" ? report.limits : [];
};

const profile16 = (limitA: number, more: Record<string, unknown> = {}) => ({
  chargingProfileId: 1,
  stackLevel: 1,
  chargingProfilePurpose: "TxDefaultProfile",
  chargingProfileKind: "Absolute",
  chargingSchedule: {
    startSchedule: new Date(Date.now() - 60_000).toISOString(),
    chargingRateUnit: "A",
    chargingSchedulePeriod: [{ startPeriod: 0, limit: limitA }],
  },
  ...more,
});

describe("to its backend a 1.6 charger behind the gateway", () => {
  test("boots, tells its state, and charges under the backend's own transaction id", async () => {
    backend.answers.set("StartTransaction", () => ({ transactionId: 4711, idTagInfo: { status: "Accepted" } }));
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor("samples under the backend's id", () =>
      backend.payloads("MeterValues").some((payload) => payload["transactionId"] === 4711),
    );
    expect(backend.seen[0]?.action).toBe("BootNotification");
    await waitFor("the state", () =>
      backend.payloads("StatusNotification").some((payload) => payload["status"] === "Charging"),
    );
    await charger.unplug();
    await waitFor("the stop", () => backend.payloads("StopTransaction").length === 1);
    expect(backend.payloads("StopTransaction")[0]?.["transactionId"]).toBe(4711);
    // Nobody but the backend knows that number.
    expect(backend.payloads("StartTransaction")[0]).not.toHaveProperty("localId");
  });

  test("stops when the backend stops its transaction, by the id that the backend gave", async () => {
    backend.answers.set("StartTransaction", () => ({ transactionId: 4711, idTagInfo: { status: "Accepted" } }));
    await openGateway();
    await plugIn("1.6");
    await waitFor("the start", () => backend.payloads("StartTransaction").length === 1);
    await waitFor("the backend to be known", async () => {
      const { status } = await backend.call("RemoteStopTransaction", { transactionId: 4711 });
      return status === "Accepted";
    });
    await waitFor("the stop", () => backend.payloads("StopTransaction").length === 1);
    expect(await backend.call("RemoteStopTransaction", { transactionId: 99 })).toEqual({ status: "Rejected" });
  });

  test("hears from the backend that a card is not good", async () => {
    backend.answers.set("Authorize", () => ({ idTagInfo: { status: "Blocked" } }));
    backend.answers.set("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Blocked" } }));
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor(
      "the question",
      () => backend.payloads("Authorize").length + backend.payloads("StartTransaction").length > 0,
    );
    await waitFor("no charging", () => charger.powerKW() === 0);
  });

  test("is asked for its configuration, but not for the password of its connection here", async () => {
    await openGateway();
    await plugIn("1.6");
    await waitFor("the backend", () => backend.connected);
    const answer = await backend.call("GetConfiguration", {});
    const keys = answer["configurationKey"] as { key: string; value?: string }[];
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.find(({ key }) => key === "AuthorizationKey")?.value).toBeUndefined();
    expect(await backend.call("ChangeConfiguration", { key: "AuthorizationKey", value: "0123456789abcdef" })).toEqual({
      status: "Rejected",
    });
  });
});

describe("the backend's charging profiles", () => {
  test("bound the market's setpoint and never reach the charger", async () => {
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor("the backend", () => backend.connected);
    const set = await backend.call("SetChargingProfile", { connectorId: 1, csChargingProfiles: profile16(8) });
    expect(set).toEqual({ status: "Accepted" });
    await waitFor("the bound", () => limits().length === 1);
    expect(limits()).toEqual([{ source: "backend", minPowerKW: -5.52 }]);
    expect(await backend.call("ClearChargingProfile", { id: 1 })).toEqual({ status: "Accepted" });
    await waitFor("the end of the bound", () => limits().length === 0);
    expect(await backend.call("ClearChargingProfile", { id: 1 })).toEqual({ status: "Unknown" });
    // The charger has got profiles of ours alone.
    expect(JSON.stringify(charger.profilesReceived)).not.toContain('"chargingProfileId":1,');
  });

  test("hold also when the market says nothing, and let go again", async () => {
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor("the backend", () => backend.connected);
    await waitFor("full power", () => charger.limitA() === 16);
    await backend.call("SetChargingProfile", { connectorId: 1, csChargingProfiles: profile16(8) });
    await waitFor("the backend's limit", () => charger.limitA() === 8);
    await adapter.apply({ setpointId: "1", powerKW: -4.14, untilMs: Date.now() + 1500 }, stop.signal);
    await waitFor("the market's setpoint", () => charger.limitA() === 6);
    await waitFor("the backend's limit after it", () => charger.limitA() === 8);
    await backend.call("ClearChargingProfile", { id: 1 });
    await waitFor("full power again", () => charger.limitA() === 16);
  });

  test("that were taken away while the gateway was down let the charger go after its start", async () => {
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor("the backend", () => backend.connected);
    const url = new URL(host.addresses()["ocpp"] ?? "");
    await backend.call("SetChargingProfile", { connectorId: 1, csChargingProfiles: profile16(8) });
    await waitFor("the backend's limit", () => charger.limitA() === 8);
    await closeGateway();
    memory = volatileMemory();
    await openGateway(Number(url.port));
    await waitFor("full power again", () => charger.limitA() === 16, 15_000);
  });

  test("go on to their next step by themselves, and end with the transaction they were for", async () => {
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor("the start", () => backend.payloads("StartTransaction").length === 1);
    const schedule = {
      startSchedule: new Date().toISOString(),
      chargingRateUnit: "W",
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 9000 },
        { startPeriod: 2, limit: 3000 },
      ],
    };
    const profile = profile16(0, { chargingProfilePurpose: "TxProfile", transactionId: 1, chargingSchedule: schedule });
    await backend.call("SetChargingProfile", { connectorId: 1, csChargingProfiles: profile });
    await waitFor("the first step", () => limits()[0]?.minPowerKW === -9);
    await waitFor("the second step", () => limits()[0]?.minPowerKW === -3);
    await charger.unplug();
    await waitFor("the end", () => limits().length === 0);
  });

  test("that cannot be read are refused, and what was there stays", async () => {
    await openGateway();
    await plugIn("1.6");
    await waitFor("the backend", () => backend.connected);
    await backend.call("SetChargingProfile", { connectorId: 1, csChargingProfiles: profile16(8) });
    const wrong = profile16(6, { chargingProfilePurpose: "ChargePointMaxProfile" });
    expect(await backend.call("SetChargingProfile", { connectorId: 1, csChargingProfiles: wrong })).toEqual({
      status: "Rejected",
    });
    expect(limits()).toEqual([{ source: "backend", minPowerKW: -5.52 }]);
  });

  test("are still there after a restart of the gateway", async () => {
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor("the backend", () => backend.connected);
    await backend.call("SetChargingProfile", { connectorId: 1, csChargingProfiles: profile16(8) });
    await charger[Symbol.asyncDispose]();
    await closeGateway();
    await openGateway();
    await plugIn("1.6");
    await waitFor("the bound", () => limits()[0]?.minPowerKW === -5.52);
  });
});

describe("while the backend cannot be reached", () => {
  test("a car charges all the same, and the bill is complete when the backend is back, also after a restart", async () => {
    const { port } = new URL(backend.url);
    await backend[Symbol.asyncDispose]();
    await openGateway();
    const charger = await plugIn("1.6");
    await waitFor("the car charges", () => charger.powerKW() < -1);
    await charger.unplug();
    await waitFor("the stop is kept", () => memory.keys("upstream/CP-1/").length === 2);
    await charger[Symbol.asyncDispose]();
    await closeGateway();

    backend = new StrictCsms();
    backend.answers.set("StartTransaction", () => ({ transactionId: 4711, idTagInfo: { status: "Accepted" } }));
    await backend.listen(Number(port));
    await openGateway();
    const again = await plugIn("1.6");
    await again.unplug();
    await waitFor("both stops", () => backend.payloads("StopTransaction").length === 2, 15_000);
    const bill = backend.seen.filter(({ action }) => /^(Start|Stop)Transaction$/.test(action));
    expect(bill.slice(0, 2).map(({ action }) => action)).toEqual(["StartTransaction", "StopTransaction"]);
    expect(bill[1]?.payload["transactionId"]).toBe(4711);
    await waitFor("nothing is kept any more", () => memory.keys("upstream/CP-1/").length === 0);
  });
});

describe("a backend that is slow", () => {
  test("holds up a card for as long as the config says, and no other message", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    backend.answers.set("StartTransaction", async () => {
      await held;
      return { transactionId: 5, idTagInfo: { status: "Accepted" } };
    });
    await openGateway();
    const charger = await plugIn("1.6");
    // The charger has our word after a second, and charges.
    await waitFor("the car charges", () => charger.powerKW() < -1);
    await waitFor("a reading", () => reports.some((report) => report.kind === "reading"));
    release();
  });

  test("or gone harms no command of ours", async () => {
    await openGateway();
    await backend[Symbol.asyncDispose]();
    backend = new StrictCsms();
    const charger = await plugIn("1.6");
    const acceptance = await adapter.apply(
      { setpointId: "s1", powerKW: -5, untilMs: Date.now() + 60_000 },
      stop.signal,
    );
    expect(acceptance.appliedKW).toBeCloseTo(-4.968, 3);
    await waitFor("the meter", () => Math.abs(charger.powerKW() + 4.968) < 0.05);
  });
});

describe("to its backend a 2.0.1 station behind the gateway", () => {
  test("tells its transactions, and a profile that comes with a remote start stays here", async () => {
    await openGateway();
    const charger = await plugIn("2.0.1");
    await waitFor("the transaction", () => backend.payloads("TransactionEvent").length > 0);
    await charger.unplug();
    await waitFor("its end", () =>
      backend.payloads("TransactionEvent").some((event) => event["eventType"] === "Ended"),
    );
    const set = await backend.call("SetChargingProfile", {
      evseId: 0,
      chargingProfile: {
        id: 5,
        stackLevel: 0,
        chargingProfilePurpose: "ChargingStationMaxProfile",
        chargingProfileKind: "Absolute",
        chargingSchedule: [
          {
            id: 1,
            startSchedule: new Date().toISOString(),
            chargingRateUnit: "W",
            chargingSchedulePeriod: [{ startPeriod: 0, limit: 4000 }],
          },
        ],
      },
    });
    expect(set).toEqual({ status: "Accepted" });
    await waitFor("the bound", () => limits()[0]?.minPowerKW === -4);
    expect(await backend.call("GetBaseReport", { requestId: 7, reportBase: "FullInventory" })).toMatchObject({
      status: expect.stringMatching(/Accepted|NotSupported/),
    });
  });
});
