import { describe, expect, test } from "vitest";
import { CONFIGURATION_KEYS, configurationFrom } from "../../adapters/ocpp/setup/configuration-1.6.ts";
import { traitsFrom } from "../../adapters/ocpp/setup/traits.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

type Payload = Record<string, unknown>;

const NOTHING = () => undefined;

/** A charger that keeps its configuration, with what it refuses. */
class Configured {
  readonly values: Map<string, string>;
  readonly refuses: (key: string, value: string) => boolean;
  readonly readOnly: readonly string[];

  constructor(
    values: Readonly<Record<string, string>>,
    refuses: (key: string, value: string) => boolean = () => false,
    readOnly: readonly string[] = [],
  ) {
    this.values = new Map(Object.entries(values));
    this.refuses = refuses;
    this.readOnly = readOnly;
  }

  answers() {
    return {
      ...WILLING,
      GetConfiguration: () => ({
        configurationKey: [...this.values].map(([key, value]) => ({
          key,
          value,
          readonly: this.readOnly.includes(key),
        })),
        unknownKey: ["SomethingElse"],
      }),
      ChangeConfiguration: (payload: Payload) => {
        const [key, value] = [String(payload["key"]), String(payload["value"])];
        if (this.refuses(key, value)) return { status: "Rejected" };
        this.values.set(key, value);
        return { status: "Accepted" };
      },
    };
  }
}

const changes = (charger: RawCharger) => charger.of("ChangeConfiguration").map(({ key, value }) => `${key}=${value}`);
const untilSetUp = (charger: RawCharger) =>
  waitFor("the set-up to end", () =>
    charger.of("TriggerMessage").some((one) => one["requestedMessage"] === "MeterValues"),
  );

describe("what a charger says of itself in 1.6", () => {
  test("is understood with quotes, spaces, other casing, missing values and unknown keys", () => {
    const variables = configurationFrom({
      configurationKey: [
        { key: "chargeprofilemaxstacklevel", readonly: true, value: ' "10" ' },
        { key: "CHARGINGSCHEDULEALLOWEDCHARGINGRATEUNIT", readonly: true, value: "'Current', 'Power'" },
        { key: "SupportedFeatureProfiles", readonly: true, value: "Core, Smart Charging ,RemoteTrigger" },
        { key: "ConnectorSwitch3to1PhaseSupported", readonly: "true", value: "True" },
        { key: "MaxChargingProfilesInstalled", readonly: true },
        { key: "NumberOfConnectors", value: "two" },
        { value: "without a key" },
      ],
      unknownKey: ["x"],
    });
    expect(traitsFrom(variables, CONFIGURATION_KEYS)).toEqual({
      maxStackLevel: 10,
      rateUnits: ["A", "W"],
      smartCharging: true,
      switchesPhases: true,
    });
    expect(traitsFrom(new Map(), CONFIGURATION_KEYS)).toEqual({});
  });

  test("is asked for in one question, and as a whole where the charger refuses that", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, {
      answers: {
        ...WILLING,
        GetConfiguration: (payload, id) =>
          payload["key"] === undefined
            ? { configurationKey: [{ key: "ChargeProfileMaxStackLevel", readonly: true, value: "4" }] }
            : JSON.stringify([4, id, "PropertyConstraintViolation", "too many keys", {}]),
      },
    });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await gateway.adapter.apply({ setpointId: "s", powerKW: -6.9, untilMs: Date.now() + 60_000 }, gateway.signal);
    expect(charger.of("SetChargingProfile")[0]).toMatchObject({ csChargingProfiles: { stackLevel: 4 } });
  });

  test("is told to a technician where it has no smart charging", async () => {
    await using gateway = await openGateway();
    const configured = new Configured({ SupportedFeatureProfiles: "Core,FirmwareManagement" });
    await using charger = await dialIn(gateway.url, { answers: configured.answers() });
    await charger.call("BootNotification", BOOT_16);
    await waitFor("the notice", () =>
      gateway.reports.some((one) => one.kind === "notices" && one.notices.join().includes("no smart charging")),
    );
  });
});

describe("what a station says of itself in 2.x", () => {
  const BOOT = { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } };
  const row = (component: string, variable: string, value: string, evse?: object) => ({
    component: { name: component, ...(evse && { evse }) },
    variable: { name: variable },
    variableAttribute: [{ type: "Actual", value, mutability: "ReadOnly" }],
  });

  test("is taken from its base report, in as many parts as come, where it answers no questions", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version: "ocpp2.0.1", answers: WILLING });
    charger.when("GetVariables", (payload) => ({
      getVariableResult: (payload["getVariableData"] as object[]).map((one) => ({
        ...one,
        attributeStatus: "UnknownComponent",
      })),
    }));
    let asked: number | undefined;
    charger.when("GetBaseReport", (payload) => {
      asked = payload["requestId"] as number;
      return { status: "Accepted" };
    });
    await charger.call("BootNotification", BOOT);
    await waitFor("the question for all", () => asked !== undefined);
    const part = (seqNo: number, tbc: boolean, ...reportData: object[]) =>
      charger.call("NotifyReport", { requestId: asked, generatedAt: new Date().toISOString(), seqNo, tbc, reportData });
    await charger.call("NotifyReport", {
      requestId: 4711,
      generatedAt: new Date().toISOString(),
      seqNo: 0,
      reportData: [row("SmartChargingCtrlr", "ProfileStackLevel", "9")],
    });
    await part(0, true, row("SmartChargingCtrlr", "ProfileStackLevel", "3"));
    await part(
      1,
      false,
      row("SmartChargingCtrlr", "RateUnit", "W"),
      row("SmartChargingCtrlr", "RateUnit", "A", { id: 1 }),
    );
    await gateway.adapter.start(gateway.signal);
    const accept = await gateway.adapter.apply(
      { setpointId: "s", powerKW: -6.9, untilMs: Date.now() + 60_000 },
      gateway.signal,
    );
    expect(accept.command).toContain("6900 W");
    expect(charger.of("SetChargingProfile")[0]).toMatchObject({ chargingProfile: { stackLevel: 3 } });
  });

  test("and a report that never ends holds up nothing", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, {
      version: "ocpp2.0.1",
      answers: {
        ...WILLING,
        GetVariables: () => ({ getVariableResult: [] }),
        GetBaseReport: () => ({ status: "Accepted" }),
      },
    });
    await charger.call("BootNotification", BOOT);
    await gateway.adapter.start(gateway.signal);
    await gateway.adapter.apply({ setpointId: "s", powerKW: -6.9, untilMs: Date.now() + 60_000 }, gateway.signal);
    expect(charger.of("SetChargingProfile")).toHaveLength(1);
  });
});

describe("metering", () => {
  test("is asked for within the number of measurands that the charger takes, the dearest first", async () => {
    await using gateway = await openGateway();
    const configured = new Configured({ MeterValuesSampledDataMaxLength: "3", MeterValuesSampledData: "SoC" });
    await using charger = await dialIn(gateway.url, { answers: configured.answers() });
    await charger.call("BootNotification", BOOT_16);
    await untilSetUp(charger);
    expect(configured.values.get("MeterValuesSampledData")).toBe(
      "Power.Active.Import,Energy.Active.Import.Register,Current.Import",
    );
  });

  test("is found out one by one where the list is refused, once for a model", async () => {
    const memory = volatileMemory();
    const cannot = /Current\.Offered|Power\.Offered|SoC/;
    const refuses = (key: string, value: string) => key === "MeterValuesSampledData" && cannot.test(value);
    const wanted = "Power.Active.Import,Energy.Active.Import.Register,Current.Import,Voltage";
    await using gateway = await openGateway({ memory, devices: [{ identity: "CP-1" }, { identity: "CP-2" }] });
    const first = new Configured({}, refuses);
    await using charger = await dialIn(gateway.url, { answers: first.answers() });
    await charger.call("BootNotification", BOOT_16);
    await untilSetUp(charger);
    expect(first.values.get("MeterValuesSampledData")).toBe(wanted);

    const second = new Configured({}, refuses);
    await using other = await dialIn(gateway.url, { identity: "CP-2", answers: second.answers() });
    await other.call("BootNotification", BOOT_16);
    await untilSetUp(other);
    expect(changes(other).filter((change) => change.startsWith("MeterValuesSampledData"))).toEqual([
      `MeterValuesSampledData=${wanted}`,
    ]);
  });

  test("is written only where it differs: settings live in flash", async () => {
    await using gateway = await openGateway();
    const configured = new Configured({
      MeterValuesSampledData:
        "Voltage, SoC,Power.Active.Import,Energy.Active.Import.Register,Current.Import,Current.Offered,Power.Offered",
      MeterValueSampleInterval: "10",
      MeterValuesAlignedData: "Power.Active.Import,Energy.Active.Import.Register",
      ClockAlignedDataInterval: "60",
      HeartbeatInterval: "60",
      WebSocketPingInterval: "30",
    });
    await using charger = await dialIn(gateway.url, { answers: configured.answers() });
    await charger.call("BootNotification", BOOT_16);
    await untilSetUp(charger);
    expect(changes(charger)).toEqual([]);
  });

  test("also has an interval while no car charges, and keepalive is set where the charger has it", async () => {
    await using gateway = await openGateway({ shared: { heartbeatIntervalS: 120, pingIntervalS: 45 } });
    const configured = new Configured(
      {
        MeterValuesAlignedData: "",
        ClockAlignedDataInterval: "0",
        HeartbeatInterval: "3600",
        WebSocketPingInterval: "0",
      },
      (key, value) => key === "ClockAlignedDataInterval" && Number(value) < 300,
    );
    await using charger = await dialIn(gateway.url, { answers: configured.answers() });
    await charger.call("BootNotification", BOOT_16);
    await untilSetUp(charger);
    expect(Object.fromEntries(configured.values)).toMatchObject({
      MeterValuesAlignedData: "Power.Active.Import,Energy.Active.Import.Register",
      ClockAlignedDataInterval: "300",
      HeartbeatInterval: "120",
      WebSocketPingInterval: "45",
    });
  });

  test("leaves alone what the charger does not have or may not be written", async () => {
    await using gateway = await openGateway();
    const configured = new Configured({ HeartbeatInterval: "3600", MeterValueSampleInterval: "900" }, undefined, [
      "HeartbeatInterval",
      "MeterValueSampleInterval",
    ]);
    await using charger = await dialIn(gateway.url, { answers: configured.answers() });
    await charger.call("BootNotification", BOOT_16);
    await untilSetUp(charger);
    expect(changes(charger).every((change) => change.startsWith("MeterValuesSampledData"))).toBe(true);
  });

  test("has the interval that the charger takes, and the core is told which", async () => {
    await using gateway = await openGateway({ shared: { meterIntervalS: 5 } });
    const configured = new Configured({}, (key, value) => key === "MeterValueSampleInterval" && Number(value) < 30);
    await using charger = await dialIn(gateway.url, { answers: configured.answers() });
    await charger.call("BootNotification", BOOT_16);
    const sampleMs = async () => (await gateway.adapter.start(gateway.signal)).sampleMs;
    await waitFor("the interval to be told", async () => (await sampleMs()) === 30_000);
  });
});

describe("set-up is a wish", () => {
  test("a command goes out while the charger answers no question at all", async () => {
    await using gateway = await openGateway({ shared: { callTimeoutMs: 60_000 } });
    await using charger = await dialIn(gateway.url, {
      answers: { SetChargingProfile: () => ({ status: "Accepted" }), GetConfiguration: NOTHING },
    });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    const accepted = await gateway.adapter.apply(
      { setpointId: "s", powerKW: -6.9, untilMs: Date.now() + 60_000 },
      gateway.signal,
    );
    expect(accepted.appliedKW).toBe(-6.9);
  });

  test("a silent charger is asked for its values sparingly: once at first, and no more if it would not", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, {
      answers: { ...WILLING, TriggerMessage: () => ({ status: "NotImplemented" }) },
    });
    await charger.call("BootNotification", BOOT_16);
    await untilSetUp(charger);
    expect(charger.of("TriggerMessage").map((one) => one["requestedMessage"])).toEqual([
      "StatusNotification",
      "MeterValues",
    ]);
  });
});
