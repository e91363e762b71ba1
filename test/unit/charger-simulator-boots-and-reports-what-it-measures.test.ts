import { describe, expect, test } from "vitest";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("a charger that speaks OCPP %s", (version) => {
  test("boots, greets its driver and starts a transaction in the order of the protocol", async () => {
    await using story = await ChargerStory.begin(version);
    await waitFor("the car to charge", () => story.lastState() === "Charging");
    const actions = story.csms.seen.map((entry) => entry.action).filter((action) => action !== "StatusNotification");
    const start = version === "1.6" ? "StartTransaction" : "TransactionEvent";
    expect(actions.slice(0, 3)).toEqual(["BootNotification", "Authorize", start]);
    expect(story.charger.online()).toBe(true);
  });

  test("boots again while it is told to wait, and says nothing else until it is accepted", async () => {
    await using story = await ChargerStory.prepare(version);
    let boots = 0;
    story.csms.answers.set("BootNotification", () => {
      boots += 1;
      const status = boots === 1 ? "Pending" : "Accepted";
      return { status, currentTime: new Date().toISOString(), interval: 1 };
    });
    void story.charger.start();
    await waitFor("the car to charge", () => story.lastState() === "Charging");
    const actions = story.csms.seen.map((entry) => entry.action);
    expect(actions.slice(0, 3)).toEqual(["BootNotification", "BootNotification", "StatusNotification"]);
    await waitFor("the heartbeat at the interval of the answer", () => story.csms.payloads("Heartbeat").length > 0);
  });

  test("meters power, current and voltage of each phase, energy, what it offers and the state of charge", async () => {
    await using story = await ChargerStory.begin(version);
    await story.settlesAt(-11.04);
    await story.meterShows("Power.Active.Import", 11_040);
    const meter = story.lastMeter();
    for (const phase of ["L1", "L2", "L3"]) {
      expect(meter.get(`Current.Import ${phase}`)).toBeCloseTo(16, 0);
      expect(meter.get(`Voltage ${phase}-N`)).toBe(230);
    }
    expect(meter.get("Current.Offered")).toBe(16);
    expect(meter.get("SoC")).toBeCloseTo(40, 0);
    const beforeWh = meter.get("Energy.Active.Import.Register") ?? Number.NaN;
    await waitFor(
      "the register to rise",
      () => (story.lastMeter().get("Energy.Active.Import.Register") ?? 0) > beforeWh,
    );
  });

  test("measures only what it was told to, as often as it was told to", async () => {
    await using story = await ChargerStory.begin(version);
    const set = async (what: "interval" | "measurands", value: string): Promise<unknown> => {
      if (version === "1.6") {
        const key = what === "interval" ? "MeterValueSampleInterval" : "MeterValuesSampledData";
        return (await story.csms.call("ChangeConfiguration", { key, value }))["status"];
      }
      const variable = { name: what === "interval" ? "TxUpdatedInterval" : "TxUpdatedMeasurands" };
      const request = { component: { name: "SampledDataCtrlr" }, variable, attributeValue: value };
      const answer = await story.csms.call("SetVariables", { setVariableData: [request] });
      return (answer["setVariableResult"] as { attributeStatus: string }[])[0]?.attributeStatus;
    };
    expect(await set("measurands", "Power.Active.Import,SoC")).toBe("Accepted");
    expect(await set("measurands", "Power.Active.Import,Flux")).toBe("Rejected");
    expect(await set("interval", "-1")).toBe("Rejected");
    await waitFor("the shorter list", () => story.lastMeter().size === 2);
    expect([...story.lastMeter().keys()]).toEqual(["Power.Active.Import", "SoC"]);
    expect(await set("interval", "1")).toBe("Accepted");
    const times = () => {
      const messages = story.csms.payloads(version === "1.6" ? "MeterValues" : "TransactionEvent");
      return messages.map((entry) => Date.parse((entry["meterValue"] as { timestamp: string }[])[0]?.timestamp ?? ""));
    };
    const already = times().length;
    await waitFor("two more meter values", () => times().length >= already + 3);
    const [first = 0, second = 0] = times().slice(-2);
    expect(second - first).toBeGreaterThanOrEqual(990);
    expect(await set("interval", "0")).toBe("Accepted");
  });

  test("sends a meter value, a status and a heartbeat when it is asked to", async () => {
    await using story = await ChargerStory.begin(version, { meterIntervalMs: 60_000 });
    for (const requestedMessage of ["MeterValues", "StatusNotification", "Heartbeat", "BootNotification"]) {
      const before = story.csms.payloads(requestedMessage).length;
      expect(await story.csms.call("TriggerMessage", { requestedMessage })).toEqual({ status: "Accepted" });
      await waitFor(requestedMessage, () => story.csms.payloads(requestedMessage).length > before);
    }
    const unknown = await story.csms.call("TriggerMessage", { requestedMessage: "FirmwareStatusNotification" });
    expect(unknown["status"]).toBe("NotImplemented");
  });

  test("a full car wants no more", async () => {
    await using story = await ChargerStory.begin(version, { socPercent: 100 });
    await waitFor("the car to say so", () => story.lastState() === "SuspendedEV");
    expect(story.charger.powerKW()).toBe(0);
  });

  test("starts and stops when the CSMS asks, and only the transaction that runs", async () => {
    await using story = await ChargerStory.begin(version);
    await story.settlesAt(-11.04);
    const first = story.transactionId();
    const stop = (id: string) =>
      version === "1.6"
        ? story.csms.call("RemoteStopTransaction", { transactionId: Number(id) })
        : story.csms.call("RequestStopTransaction", { transactionId: id });
    expect((await stop("4711"))["status"]).toBe("Rejected");
    expect((await stop(first))["status"]).toBe("Accepted");
    await story.settlesAt(0);
    const { csChargingProfiles, chargingProfile } = story.request({ purpose: "TxProfile", limit: 8 });
    const startCall = () =>
      version === "1.6"
        ? story.csms.call("RemoteStartTransaction", {
            idTag: "A1",
            connectorId: 1,
            chargingProfile: csChargingProfiles,
          })
        : story.csms.call("RequestStartTransaction", {
            remoteStartId: 1,
            idToken: { idToken: "A1", type: "Central" },
            evseId: 1,
            chargingProfile,
          });
    expect((await startCall())["status"]).toBe("Accepted");
    await story.settlesAt(-8 * 0.69);
    expect((await startCall())["status"]).toBe("Rejected");
    expect(story.transactionId()).not.toBe(first);
  });

  test("a transaction whose start the CSMS answers with a refusal ends at once", async () => {
    await using story = await ChargerStory.prepare(version);
    const status = { status: "Blocked" };
    const start = version === "1.6" ? "StartTransaction" : "TransactionEvent";
    story.csms.answers.set(start, (payload) => {
      if (version === "1.6") return { transactionId: 1, idTagInfo: status };
      return "idToken" in payload ? { idTokenInfo: status } : {};
    });
    await story.charger.start();
    const ended = () =>
      version === "1.6"
        ? story.csms.payloads("StopTransaction").at(-1)?.["reason"]
        : (
            story.csms.payloads("TransactionEvent").at(-1)?.["transactionInfo"] as
              | { stoppedReason?: string }
              | undefined
          )?.stoppedReason;
    await waitFor("the stop", () => ended() === "DeAuthorized");
    expect(story.charger.powerKW()).toBe(0);
  });

  test("a driver whom the CSMS does not accept gets no current", async () => {
    await using story = await ChargerStory.prepare(version);
    const status = { status: "Invalid" };
    story.csms.answers.set("Authorize", () => (version === "1.6" ? { idTagInfo: status } : { idTokenInfo: status }));
    await story.charger.start();
    expect(story.csms.payloads("StartTransaction").length + story.csms.payloads("TransactionEvent").length).toBe(0);
    expect(story.charger.powerKW()).toBe(0);
  });
});

test.concurrent("a 2.0.1 charger reports its device model and knows what it does not have", async () => {
  await using story = await ChargerStory.begin("2.0.1", { rateUnits: ["A"] });
  expect(await story.csms.call("GetBaseReport", { requestId: 7, reportBase: "FullInventory" })).toEqual({
    status: "Accepted",
  });
  await waitFor("the report", () => story.csms.payloads("NotifyReport").length === 1);
  const ask = async (component: string, variable: string, more: Record<string, unknown> = {}) => {
    const request = { component: { name: component }, variable: { name: variable }, ...more };
    const answer = await story.csms.call("GetVariables", { getVariableData: [request] });
    const [result] = answer["getVariableResult"] as { attributeStatus: string; attributeValue?: string }[];
    return result?.attributeValue ?? result?.attributeStatus;
  };
  expect(await ask("SmartChargingCtrlr", "RateUnit")).toBe("A");
  expect(await ask("SmartChargingCtrlr", "Colour")).toBe("UnknownVariable");
  expect(await ask("CoffeeMachine", "Available")).toBe("UnknownComponent");
  expect(await ask("SmartChargingCtrlr", "RateUnit", { attributeType: "MaxSet" })).toBe("NotSupportedAttributeType");
});

test.concurrent("a 1.6 charger lists its configuration and names the keys it does not have", async () => {
  await using story = await ChargerStory.begin("1.6", { rateUnits: ["W"] });
  const answer = await story.csms.call("GetConfiguration", {
    key: ["ChargingScheduleAllowedChargingRateUnit", "Nonsense"],
  });
  expect(answer).toEqual({
    configurationKey: [{ key: "ChargingScheduleAllowedChargingRateUnit", readonly: true, value: "Power" }],
    unknownKey: ["Nonsense"],
  });
  const change = (key: string, value: string) => story.csms.call("ChangeConfiguration", { key, value });
  expect(await change("Nonsense", "1")).toEqual({ status: "NotSupported" });
  expect(await change("NumberOfConnectors", "2")).toEqual({ status: "Rejected" });
});
