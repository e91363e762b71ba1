import { describe, expect, test } from "vitest";
import { type Payload, StrictCharger } from "../support/strict-charger.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Gateway, openGateway } from "./ocpp-raw-charger.ts";

const now = () => new Date().toISOString();
const order = (powerKW: number) => ({ setpointId: `s${powerKW}`, powerKW, untilMs: Date.now() + 900_000 });

async function giveOrders(gateway: Gateway): Promise<void> {
  for (const powerKW of [-7.4, -4.2, -1, 0]) await gateway.adapter.apply(order(powerKW), gateway.signal);
}

async function open(version: string, answers: Record<string, Payload>, device = {}) {
  const gateway = await openGateway({ devices: [device] });
  const charger = new StrictCharger(gateway.url, version, answers);
  await charger.connect();
  return {
    gateway,
    charger,
    async [Symbol.asyncDispose]() {
      await charger[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

const NEEDS = { evseId: 1, chargingNeeds: { requestedEnergyTransfer: "AC_three_phase" } };
const PLAN = {
  evseId: 1,
  timeBase: now(),
  chargingSchedule: { id: 1, chargingRateUnit: "W", chargingSchedulePeriod: [{ startPeriod: 0, limit: 7000 }] },
};

const DEVICES = [
  { fallbackKW: -4.2 },
  { unit: "W" as const, phases: 1 as const, stackLevel: 0, fallbackKW: 0 },
  { profileKind: "Relative" as const, belowMin: "min" as const },
  { current: "DC" as const, maxKW: 50 },
  { phaseSwitching: "on" as const, phaseSwitchSpacingS: 60, phaseToUse: 2 as const, pause: "below-min" as const },
];

/** Ways that a charger is told in when it refuses those before. */
const VENDOR = {
  pause: "stop" as const,
  vendor: {
    when: "last" as const,
    changeConfiguration: { key: "VendorCtrlr.Limit", unit: "A.1" as const },
    dataTransfer: { vendorId: "V", messageId: "Limit", data: "{kW}" },
  },
};

describe("OCPP 1.6", () => {
  const ANSWERS = {
    GetConfiguration: {
      configurationKey: [
        { key: "ChargeProfileMaxStackLevel", readonly: true, value: "5" },
        { key: "ChargingScheduleAllowedChargingRateUnit", readonly: true, value: "Current" },
      ],
    },
  };

  test.each(DEVICES)("every call passes the schema (%o)", async (device) => {
    await using story = await open("ocpp1.6", { ...ANSWERS }, device);
    const { gateway, charger } = story;
    await charger.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
    await gateway.adapter.start(gateway.signal);
    await giveOrders(gateway);
    const { transactionId } = await charger.call("StartTransaction", {
      connectorId: 1,
      idTag: "TAG",
      meterStart: 0,
      timestamp: now(),
    });
    await giveOrders(gateway);
    await charger.call("StopTransaction", { transactionId, meterStop: 5, timestamp: now() });
    await gateway.adapter.release(gateway.signal);
    await waitFor("the set-up to end", () => charger.of("TriggerMessage").length >= 2);
    expect(charger.violations).toEqual([]);
    expect([...charger.actions()].sort()).toEqual([
      "ChangeConfiguration",
      "ClearChargingProfile",
      "GetCompositeSchedule",
      "GetConfiguration",
      "SetChargingProfile",
      "TriggerMessage",
    ]);
  });

  test("so does every way that is tried where each before it is refused", async () => {
    const rejected = { status: "Rejected" };
    const answers = { ...ANSWERS, SetChargingProfile: rejected, ChangeConfiguration: rejected, DataTransfer: rejected };
    await using story = await open("ocpp1.6", answers, VENDOR);
    const { gateway, charger } = story;
    await charger.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
    await gateway.adapter.start(gateway.signal);
    await charger.call("StartTransaction", { connectorId: 1, idTag: "TAG", meterStart: 0, timestamp: now() });
    await expect(gateway.adapter.apply(order(-7.4), gateway.signal)).rejects.toThrow();
    await gateway.adapter.apply(order(0), gateway.signal);
    await gateway.operation("profiles", { name: "CP-1" });
    await gateway.operation("clear", { name: "CP-1" });
    await gateway.operation("clear", { name: "CP-1", all: true });
    await gateway.adapter.probe?.(gateway.signal);
    expect(charger.violations).toEqual([]);
    expect(charger.actions()).toEqual(
      new Set([
        ...["GetConfiguration", "ChangeConfiguration", "TriggerMessage", "SetChargingProfile", "DataTransfer"],
        ...["RemoteStopTransaction", "GetCompositeSchedule", "ClearChargingProfile"],
      ]),
    );
    expect(JSON.stringify(charger.of("SetChargingProfile"))).toContain("ChargePointMaxProfile");
  });

  test("every answer passes the schema", async () => {
    await using story = await open("ocpp1.6", { ...ANSWERS });
    const { charger } = story;
    const meterValue = [{ timestamp: now(), sampledValue: [{ value: "1" }] }];
    const calls: [string, Payload][] = [
      ["BootNotification", { chargePointVendor: "V", chargePointModel: "M" }],
      ["Heartbeat", {}],
      ["StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" }],
      ["Authorize", { idTag: "TAG" }],
      ["StartTransaction", { connectorId: 1, idTag: "TAG", meterStart: 0, timestamp: now() }],
      ["MeterValues", { connectorId: 1, meterValue }],
      [
        "StopTransaction",
        { transactionId: -1, idTag: "TAG", meterStop: 5, timestamp: now(), transactionData: meterValue },
      ],
      ["StopTransaction", { transactionId: 4711, meterStop: 5, timestamp: now() }],
      ["DataTransfer", { vendorId: "V" }],
      ["DiagnosticsStatusNotification", { status: "Idle" }],
      ["FirmwareStatusNotification", { status: "Idle" }],
      ["SignedFirmwareStatusNotification", { status: "Idle" }],
      ["LogStatusNotification", { status: "Idle" }],
      ["SecurityEventNotification", { type: "T", timestamp: now() }],
      ["SignCertificate", { csr: "x" }],
    ];
    for (const [action, payload] of calls) await charger.call(action, payload);
    expect(charger.violations).toEqual([]);
  });
});

const variable = (name: string, attributeValue: string) => ({
  attributeStatus: "Accepted",
  attributeValue,
  component: { name: "SmartChargingCtrlr" },
  variable: { name },
});
const ANSWERS_2 = {
  GetVariables: { getVariableResult: [variable("ProfileStackLevel", "5"), variable("RateUnit", "A,W")] },
  SetVariables: {
    setVariableResult: [
      {
        attributeStatus: "Accepted",
        component: { name: "SampledDataCtrlr" },
        variable: { name: "TxUpdatedInterval" },
      },
    ],
  },
};

describe.each(["ocpp2.0.1", "ocpp2.1"])("%s", (version) => {
  const transactionEvent = (eventType: string, more: Payload = {}) => ({
    eventType,
    timestamp: now(),
    triggerReason: "CablePluggedIn",
    seqNo: 0,
    transactionInfo: { transactionId: "ab-12", chargingState: "Charging" },
    ...more,
  });
  const BOOT = { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } };

  test.each(DEVICES)("every call passes the schema (%o)", async (device) => {
    await using story = await open(version, { ...ANSWERS_2 }, device);
    const { gateway, charger } = story;
    await charger.call("BootNotification", BOOT);
    await gateway.adapter.start(gateway.signal);
    expect(gateway.adapter.protocol).toBe(version);
    await giveOrders(gateway);
    await charger.call("TransactionEvent", transactionEvent("Started", { evse: { id: 1, connectorId: 1 } }));
    await giveOrders(gateway);
    expect(charger.of("SetChargingProfile").at(-1)).toMatchObject({
      evseId: 1,
      chargingProfile: { chargingProfilePurpose: "TxProfile", transactionId: "ab-12" },
    });
    await charger.call("TransactionEvent", transactionEvent("Ended"));
    await gateway.adapter.release(gateway.signal);
    expect(charger.of("ClearChargingProfile")[0]).toEqual({ chargingProfileId: expect.any(Number) });
    await waitFor("the set-up to end", () => charger.of("TriggerMessage").length >= 2);
    expect(charger.violations).toEqual([]);
    expect([...charger.actions()].sort()).toEqual([
      "ClearChargingProfile",
      "GetChargingProfiles",
      "GetVariables",
      "SetChargingProfile",
      "SetVariables",
      "TriggerMessage",
    ]);
  });

  test("so does every way that is tried where each before it is refused", async () => {
    const rejected = { status: "Rejected" };
    const component = { name: "C" };
    const variable = { name: "V" };
    const answers = {
      GetVariables: { getVariableResult: [{ attributeStatus: "UnknownComponent", component, variable }] },
      GetBaseReport: { status: "Accepted" },
      SetVariables: { setVariableResult: [{ attributeStatus: "Rejected", component, variable }] },
      SetChargingProfile: rejected,
      DataTransfer: rejected,
      GetChargingProfiles: { status: "NoProfiles" },
    };
    await using story = await open("ocpp2.0.1", answers, VENDOR);
    const { gateway, charger } = story;
    await charger.call("BootNotification", BOOT);
    await waitFor("the question for all", () => charger.of("GetBaseReport").length > 0);
    const asked = { requestId: charger.of("GetBaseReport")[0]?.["requestId"], generatedAt: now() };
    await charger.call("NotifyReport", { ...asked, seqNo: 0, tbc: false });
    await gateway.adapter.start(gateway.signal);
    await charger.call("TransactionEvent", transactionEvent("Started", { evse: { id: 1, connectorId: 1 } }));
    await expect(gateway.adapter.apply(order(-7.4), gateway.signal)).rejects.toThrow();
    await gateway.adapter.apply(order(0), gateway.signal);
    await gateway.operation("profiles", { name: "CP-1" });
    await gateway.operation("clear", { name: "CP-1" });
    await gateway.operation("clear", { name: "CP-1", all: true });
    await gateway.adapter.probe?.(gateway.signal);
    expect(charger.violations).toEqual([]);
    expect(charger.actions()).toEqual(
      new Set([
        ...["GetVariables", "GetBaseReport", "SetVariables", "TriggerMessage", "SetChargingProfile", "DataTransfer"],
        ...["RequestStopTransaction", "GetCompositeSchedule", "GetChargingProfiles", "ClearChargingProfile"],
      ]),
    );
    expect(JSON.stringify(charger.of("SetChargingProfile"))).toContain("ChargingStationMaxProfile");
  });

  test("every answer passes the schema", async () => {
    await using story = await open(version, { ...ANSWERS_2 });
    const { charger } = story;
    const component = { name: "C" };
    const variable = { name: "V" };
    const calls: [string, Payload][] = [
      ["BootNotification", BOOT],
      ["Heartbeat", {}],
      ["StatusNotification", { timestamp: now(), connectorStatus: "Occupied", evseId: 1, connectorId: 1 }],
      ["Authorize", { idToken: { idToken: "TAG", type: "ISO14443" } }],
      ["TransactionEvent", transactionEvent("Started", { idToken: { idToken: "TAG", type: "ISO14443" } })],
      ["TransactionEvent", transactionEvent("Updated", { offline: true })],
      ["TransactionEvent", transactionEvent("Ended")],
      ["MeterValues", { evseId: 1, meterValue: [{ timestamp: now(), sampledValue: [{ value: 1 }] }] }],
      ["DataTransfer", { vendorId: "V" }],
      ["NotifyReport", { requestId: 1, generatedAt: now(), seqNo: 0 }],
      [
        "NotifyEvent",
        {
          generatedAt: now(),
          seqNo: 0,
          eventData: [
            {
              eventId: 1,
              timestamp: now(),
              trigger: "Delta",
              actualValue: "1",
              component,
              variable,
              eventNotificationType: "CustomMonitor",
            },
          ],
        },
      ],
      ["NotifyMonitoringReport", { requestId: 1, seqNo: 0, generatedAt: now() }],
      ["NotifyCustomerInformation", { data: "x", seqNo: 0, generatedAt: now(), requestId: 1 }],
      ["NotifyDisplayMessages", { requestId: 1 }],
      ["NotifyChargingLimit", { chargingLimit: { chargingLimitSource: "SO" } }],
      ["ClearedChargingLimit", { chargingLimitSource: "SO" }],
      ["ReservationStatusUpdate", { reservationId: 1, reservationUpdateStatus: "Expired" }],
      ["SecurityEventNotification", { type: "T", timestamp: now() }],
      ["LogStatusNotification", { status: "Idle" }],
      ["FirmwareStatusNotification", { status: "Idle" }],
      ["PublishFirmwareStatusNotification", { status: "Idle" }],
      ["NotifyEVChargingNeeds", NEEDS],
      ["NotifyEVChargingSchedule", PLAN],
      ["SignCertificate", { csr: "x" }],
      ["Get15118EVCertificate", { iso15118SchemaVersion: "s", action: "Install", exiRequest: "x" }],
      [
        "GetCertificateStatus",
        {
          ocspRequestData: {
            hashAlgorithm: "SHA256",
            issuerNameHash: "a",
            issuerKeyHash: "b",
            serialNumber: "1",
            responderURL: "http://x",
          },
        },
      ],
    ];
    for (const [action, payload] of calls) await charger.call(action, payload);
    expect(charger.violations).toEqual([]);
  });
});

test("OCPP 2.1: every answer to what came after 2.0.1 passes the schema", async () => {
  await using story = await open("ocpp2.1", { ...ANSWERS_2 });
  const { charger } = story;
  const certificateHashData = { hashAlgorithm: "SHA256", issuerNameHash: "a", issuerKeyHash: "b", serialNumber: "1" };
  const calls: [string, Payload, Payload][] = [
    ["NotifyEVChargingNeeds", NEEDS, { status: "NoChargingProfile" }],
    ["NotifyEVChargingSchedule", { ...PLAN, selectedChargingScheduleId: 1 }, { status: "Accepted" }],
    ["PullDynamicScheduleUpdate", { chargingProfileId: 5 }, { status: "Rejected" }],
    ["NotifyPriorityCharging", { transactionId: "ab-12", activated: true }, {}],
    ["NotifySettlement", { pspRef: "p", status: "Settled", settlementAmount: 1, settlementTime: now() }, {}],
    ["NotifyDERAlarm", { controlType: "LimitMaxDischarge", timestamp: now() }, {}],
    ["NotifyDERStartStop", { controlId: "c", started: true, timestamp: now() }, {}],
    ["ReportDERControl", { requestId: 1 }, {}],
    [
      "OpenPeriodicEventStream",
      { constantStreamData: { id: 1, params: {}, variableMonitoringId: 2 } },
      { status: "Rejected" },
    ],
    ["ClosePeriodicEventStream", { id: 1 }, {}],
    [
      "BatterySwap",
      {
        batteryData: [{ evseId: 1, serialNumber: "s", soC: 50, soH: 99 }],
        eventType: "BatteryIn",
        idToken: { idToken: "TAG", type: "ISO14443" },
        requestId: 1,
      },
      {},
    ],
    ["VatNumberValidation", { vatNumber: "NL1", evseId: 1 }, { status: "Rejected", vatNumber: "NL1", evseId: 1 }],
    [
      "GetCertificateChainStatus",
      { certificateStatusRequests: [{ certificateHashData, source: "OCSP", urls: ["http://x"] }] },
      { certificateStatus: [{ certificateHashData, source: "OCSP", status: "Failed" }] },
    ],
  ];
  for (const [action, payload, answer] of calls) expect(await charger.call(action, payload)).toMatchObject(answer);
  expect(charger.violations).toEqual([]);
});
