import { describe, expect, test } from "vitest";
import { ChargerStory, quickCar } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

const AC_BOTH_WAYS = ["AC_three_phase", "AC_BPT"];

/** A charger of 2.1 with a car that gives back 10 kW. */
async function begin(options: Parameters<typeof ChargerStory.begin>[1] = {}): Promise<ChargerStory> {
  return await ChargerStory.begin("2.1", { maxDischargeKW: 10, ...options });
}

async function allow(story: ChargerStory, allowedEnergyTransfer = AC_BOTH_WAYS): Promise<unknown> {
  const transactionId = story.transactionId();
  return (await story.csms.call("NotifyAllowedEnergyTransfer", { transactionId, allowedEnergyTransfer }))["status"];
}

interface Setpoint {
  readonly setpoint: number;
  readonly durationS?: number;
  readonly pullS?: number;
  readonly values?: Record<string, unknown>;
}

/** A dynamic profile for the running transaction, W. */
function dynamic(story: ChargerStory, { setpoint, durationS, pullS, values }: Setpoint): Record<string, unknown> {
  return {
    evseId: 1,
    chargingProfile: {
      id: 7,
      stackLevel: 1,
      chargingProfilePurpose: "TxProfile",
      chargingProfileKind: "Dynamic",
      transactionId: story.transactionId(),
      ...(pullS === undefined ? {} : { dynUpdateInterval: pullS }),
      chargingSchedule: [
        {
          id: 1,
          ...(durationS === undefined ? {} : { duration: durationS }),
          chargingRateUnit: "W",
          chargingSchedulePeriod: [{ startPeriod: 0, operationMode: "CentralSetpoint", setpoint, ...values }],
        },
      ],
    },
  };
}

async function outcome(story: ChargerStory, action: string, payload: unknown): Promise<string> {
  const answer = await story.csms.call(action, payload);
  const { reasonCode } = (answer["statusInfo"] ?? {}) as { reasonCode?: string };
  return [answer["status"], reasonCode].filter(Boolean).join(" ");
}

describe.concurrent("a 2.1 charger with a car that can give back", () => {
  test("tells what the car needs and what it can do, in magnitudes", async () => {
    const departureMs = Date.now() + 3_600_000;
    await using story = await begin({
      car: quickCar({ maxChargeKW: 11, maxDischargeKW: 10, departureMs, targetPercent: 70, reservePercent: 20 }),
    });
    await waitFor("the needs", () => story.csms.payloads("NotifyEVChargingNeeds").length === 1);
    expect(story.csms.payloads("NotifyEVChargingNeeds")[0]).toMatchObject({
      evseId: 1,
      chargingNeeds: {
        requestedEnergyTransfer: "AC_BPT",
        availableEnergyTransfer: AC_BOTH_WAYS,
        departureTime: new Date(departureMs).toISOString(),
        // 11 kW is what the car takes, and the cable carries a little more.
        v2xChargingParameters: { maxChargePower: 11_000, maxDischargePower: 10_000, targetSoC: 70 },
      },
    });
    const needs = story.csms.payloads("NotifyEVChargingNeeds")[0]?.["chargingNeeds"] as {
      v2xChargingParameters: { evTargetEnergyRequest: number; evMinEnergyRequest: number };
    };
    // From 40 % to 70 % of 60 kWh, and the losses on the way in; down to 20 %, less those on the way out.
    expect(needs.v2xChargingParameters.evTargetEnergyRequest / 1000).toBeCloseTo(18 / 0.95, 1);
    expect(needs.v2xChargingParameters.evMinEnergyRequest / 1000).toBeCloseTo(-12 * 0.95, 1);
  });

  test("discharges at a negative setpoint, charges at a positive one, and counts both ways", async () => {
    await using story = await begin();
    expect(await allow(story)).toBe("Accepted");
    expect(await outcome(story, "SetChargingProfile", dynamic(story, { setpoint: -5000 }))).toBe("Accepted");
    await story.settlesAt(5);
    await story.meterShows("Power.Active.Export", 5000);
    const meter = story.lastMeter();
    expect(meter.get("Power.Active.Import")).toBe(0);
    expect(meter.get("Power.Active.Setpoint")).toBe(-5000);
    expect(meter.get("Current.Export L2")).toBeCloseTo(5000 / 690, 0);
    const update = { chargingProfileId: 7, scheduleUpdate: { setpoint: 3000 } };
    expect(await outcome(story, "UpdateDynamicSchedule", update)).toBe("Accepted");
    await story.settlesAt(-3);
    await story.meterShows("Power.Active.Import", 3000);
    expect(story.lastMeter().get("Energy.Active.Export.Register")).toBeGreaterThan(0);
    const modes = story.csms
      .payloads("TransactionEvent")
      .map((event) => (event["transactionInfo"] as { operationMode?: string }).operationMode);
    expect(modes).toContain("CentralSetpoint");
    expect(story.charger.violations).toEqual([]);
  });

  test("a setpoint of less than 6 A is followed too, and zero is a pause", async () => {
    await using story = await begin();
    await allow(story);
    await story.csms.call("SetChargingProfile", dynamic(story, { setpoint: 1000 }));
    await story.settlesAt(-1);
    await story.csms.call("UpdateDynamicSchedule", { chargingProfileId: 7, scheduleUpdate: { setpoint: 0 } });
    await story.settlesAt(0);
    await waitFor("the pause to be told", () => story.lastState() === "SuspendedEVSE");
  });

  test("a dynamic profile ends when it is not updated within its duration, and each update is a new lease", async () => {
    await using story = await begin();
    await allow(story);
    await story.send({ id: 1, limit: 8 });
    await story.csms.call("SetChargingProfile", dynamic(story, { setpoint: -5000, durationS: 1 }));
    const update = { chargingProfileId: 7, scheduleUpdate: { setpoint: -4000 } };
    const startMs = performance.now();
    while (performance.now() - startMs < 1600) {
      expect(await outcome(story, "UpdateDynamicSchedule", update)).toBe("Accepted");
      expect(story.charger.powerKW()).toBeGreaterThan(-12);
      const updatedMs = performance.now();
      await waitFor("the next update", () => performance.now() > updatedMs + 200);
    }
    expect(story.charger.powerKW()).toBeCloseTo(4, 1);
    await story.settlesAt(-8 * 0.69);
    expect(await outcome(story, "UpdateDynamicSchedule", update)).toBe("Rejected InvalidProfileId");
  });

  test("a profile that wants to be asked for pulls its values at its interval", async () => {
    await using story = await begin();
    await allow(story);
    let asked = 0;
    story.csms.answers.set("PullDynamicScheduleUpdate", ({ chargingProfileId }) => {
      expect(chargingProfileId).toBe(7);
      asked += 1;
      return { status: "Accepted", scheduleUpdate: { setpoint: -1000 * asked } };
    });
    await story.csms.call("SetChargingProfile", dynamic(story, { setpoint: 2000, pullS: 1 }));
    await waitFor("two pulls", () => asked >= 2);
    await waitFor("the pulled value", () => story.charger.powerKW() > 0.9);
  });

  test("gives nothing back below its reserve", async () => {
    const car = quickCar({ socPercent: 30, reservePercent: 30, maxDischargeKW: 10 });
    await using story = await begin({ car });
    await allow(story);
    expect(await outcome(story, "SetChargingProfile", dynamic(story, { setpoint: -5000 }))).toBe("Accepted");
    await story.settlesAt(0);
    await waitFor("the car to say so", () => story.lastState() === "SuspendedEV");
  });

  test("gives nothing back until it is allowed to, also under a default profile for all cars", async () => {
    await using story = await begin();
    const refused = dynamic(story, { setpoint: -5000 });
    expect(await outcome(story, "SetChargingProfile", refused)).toBe("Rejected InvalidOperationMode");
    expect(await allow(story, ["AC_three_phase"])).toBe("Accepted");
    expect(await outcome(story, "SetChargingProfile", refused)).toBe("Rejected InvalidOperationMode");
    const forAll = {
      id: 3,
      unit: "W",
      periods: [{ startPeriod: 0, operationMode: "CentralSetpoint", setpoint: -5000 }],
    } as const;
    expect(await story.send(forAll)).toBe("Accepted");
    await story.settlesAt(0);
    await allow(story);
    await story.settlesAt(5);
    const unknown = { transactionId: "another", allowedEnergyTransfer: ["AC_BPT"] };
    expect(await outcome(story, "NotifyAllowedEnergyTransfer", unknown)).toBe("Rejected TxNotFound");
  });

  test("may give back at once when the driver's authorization says so", async () => {
    await using story = await ChargerStory.prepare("2.1", { maxDischargeKW: 10 });
    story.csms.answers.set("Authorize", () => ({
      idTokenInfo: { status: "Accepted" },
      allowedEnergyTransfer: AC_BOTH_WAYS,
    }));
    await story.charger.start();
    expect(await outcome(story, "SetChargingProfile", dynamic(story, { setpoint: -5000 }))).toBe("Accepted");
    await story.settlesAt(5);
  });

  test("the maximum of the station caps a setpoint, and the cable too", async () => {
    await using story = await begin();
    await story.csms.call("SetChargingProfile", dynamic(story, { setpoint: 9000 }));
    await story.settlesAt(-9);
    expect(await story.send({ id: 1, purpose: "Max", connectorId: 0, limit: 4000, unit: "W" })).toBe("Accepted");
    await story.settlesAt(-4);
    await story.csms.call("ClearChargingProfile", { chargingProfileId: 1 });
    await story.csms.call("UpdateDynamicSchedule", { chargingProfileId: 7, scheduleUpdate: { setpoint: 50_000 } });
    await story.settlesAt(-11.04);
  });

  test("Idle lets nothing flow", async () => {
    await using story = await begin();
    await story.settlesAt(-11.04);
    const idle = { periods: [{ startPeriod: 0, operationMode: "Idle" }] };
    expect(await story.send(idle)).toBe("Accepted");
    await story.settlesAt(0);
  });

  test.each([
    { because: "ChargingOnly has no limit", values: { operationMode: "ChargingOnly" }, code: "InvalidSchedule" },
    {
      because: "ChargingOnly has a setpoint",
      values: { operationMode: "ChargingOnly", limit: 5000, setpoint: 4000 },
      code: "InvalidSchedule",
    },
    { because: "CentralSetpoint has none", values: { operationMode: "CentralSetpoint" }, code: "InvalidSchedule" },
    { because: "Idle has a limit", values: { operationMode: "Idle", limit: 0 }, code: "InvalidSchedule" },
    {
      because: "the setpoint is above the limit",
      values: { operationMode: "CentralSetpoint", setpoint: 6000, limit: 5000 },
      code: "InvalidSchedule",
    },
    {
      because: "the setpoint is below the discharge limit",
      values: { operationMode: "CentralSetpoint", setpoint: -6000, dischargeLimit: -5000 },
      code: "InvalidSchedule",
    },
    {
      because: "each phase has its own setpoint",
      values: { operationMode: "CentralSetpoint", setpoint: 1000, setpoint_L2: 1000 },
      code: "UnsupportedParam",
    },
    {
      because: "nobody on site gives a setpoint",
      values: { operationMode: "ExternalSetpoint" },
      code: "InvalidOperationMode",
    },
    {
      because: "nobody measures the frequency",
      values: { operationMode: "LocalFrequency", v2xBaseline: 0 },
      code: "InvalidOperationMode",
    },
    { because: "the EVSE should sleep", values: { limit: 5000, evseSleep: true }, code: "InvalidSchedule" },
  ])("refuses a period, because $because", async ({ values, code }) => {
    await using story = await begin();
    await allow(story);
    const refused = { unit: "W", periods: [{ startPeriod: 0, ...values }] } as const;
    expect(await outcome(story, "SetChargingProfile", story.request(refused))).toBe(`Rejected ${code}`);
  });

  test.each([
    {
      because: "it is for a purpose it does not hold",
      extra: { chargingProfilePurpose: "PriorityCharging" },
      code: "UnsupportedPurpose",
    },
    { because: "it pulls and is not dynamic", extra: { dynUpdateInterval: 60 }, code: "InvalidProfile" },
    {
      because: "it is dynamic and has two periods",
      extra: { chargingProfileKind: "Dynamic" },
      periods: [
        { startPeriod: 0, limit: 8 },
        { startPeriod: 60, limit: 9 },
      ],
      code: "InvalidSchedule",
    },
  ])("refuses a profile, because $because", async ({ extra, periods, code }) => {
    await using story = await begin();
    const request = story.request({ extra, ...(periods === undefined ? {} : { periods }) });
    expect(await outcome(story, "SetChargingProfile", request)).toBe(`Rejected ${code}`);
  });

  test("a maximum for the station takes no setpoint", async () => {
    await using story = await begin();
    const refused = {
      purpose: "Max",
      connectorId: 0,
      periods: [{ startPeriod: 0, operationMode: "CentralSetpoint", setpoint: 6 }],
    } as const;
    expect(await outcome(story, "SetChargingProfile", story.request(refused))).toBe("Rejected InvalidOperationMode");
  });

  test("an update that the mode does not allow changes nothing", async () => {
    await using story = await begin();
    await allow(story);
    const profile = dynamic(story, { setpoint: 3000, values: { limit: 6000 } });
    await story.csms.call("SetChargingProfile", profile);
    await story.settlesAt(-3);
    const tooMuch = { chargingProfileId: 7, scheduleUpdate: { setpoint: 7000 } };
    expect(await outcome(story, "UpdateDynamicSchedule", tooMuch)).toBe("Rejected InvalidSchedule");
    const unknown = { chargingProfileId: 8, scheduleUpdate: { setpoint: 1000 } };
    expect(await outcome(story, "UpdateDynamicSchedule", unknown)).toBe("Rejected InvalidProfileId");
    await story.send({ id: 9, limit: 8 });
    const fixed = { chargingProfileId: 9, scheduleUpdate: { limit: 7 } };
    expect(await outcome(story, "UpdateDynamicSchedule", fixed)).toBe("Rejected InvalidProfile");
    expect(story.charger.powerKW()).toBeCloseTo(-3, 1);
  });

  test("answers a schedule with what the car will draw", async () => {
    await using story = await begin();
    const transactionId = story.transactionId();
    await story.send({ id: 2, purpose: "TxProfile", transactionId, unit: "W", limit: 6900 });
    await waitFor("the car's schedule", () => story.csms.payloads("NotifyEVChargingSchedule").length === 1);
    expect(story.csms.payloads("NotifyEVChargingSchedule")[0]).toMatchObject({
      evseId: 1,
      chargingSchedule: { chargingRateUnit: "W", chargingSchedulePeriod: [{ startPeriod: 0, limit: 6900 }] },
    });
  });

  test("reports its profiles as they are now", async () => {
    await using story = await begin();
    await allow(story);
    await story.send({ id: 1, limit: 10 });
    await story.csms.call("SetChargingProfile", dynamic(story, { setpoint: -5000, durationS: 60 }));
    await story.csms.call("UpdateDynamicSchedule", { chargingProfileId: 7, scheduleUpdate: { setpoint: -4000 } });
    const ask = (chargingProfile: Record<string, unknown>) =>
      outcome(story, "GetChargingProfiles", { requestId: 5, chargingProfile });
    expect(await ask({ chargingProfilePurpose: "TxProfile" })).toBe("Accepted");
    await waitFor("the report", () => story.csms.payloads("ReportChargingProfiles").length === 1);
    expect(story.csms.payloads("ReportChargingProfiles")[0]).toMatchObject({
      requestId: 5,
      evseId: 1,
      chargingLimitSource: "CSO",
      chargingProfile: [{ id: 7, chargingSchedule: [{ duration: 60, chargingSchedulePeriod: [{ setpoint: -4000 }] }] }],
    });
    expect(await ask({ stackLevel: 6 })).toBe("NoProfiles");
  });
});

test.concurrent("a car that cannot give back says nothing of needs, and its charger takes no setpoint", async () => {
  await using story = await ChargerStory.begin("2.1");
  const refused = {
    unit: "W",
    periods: [{ startPeriod: 0, operationMode: "CentralSetpoint", setpoint: 1000 }],
  } as const;
  expect(await outcome(story, "SetChargingProfile", story.request(refused))).toBe("Rejected InvalidOperationMode");
  expect(story.csms.payloads("NotifyEVChargingNeeds")).toEqual([]);
});

test.concurrent("what 2.1 sends without wanting an answer is not answered", async () => {
  await using story = await ChargerStory.begin("2.1");
  story.csms.send("NotifyPeriodicEventStream", {
    id: 1,
    pending: 0,
    basetime: new Date().toISOString(),
    data: [{ t: 0, v: "1" }],
  });
  await waitFor("it to arrive", () => story.charger.sendsReceived.length === 1);
  expect(await story.send({ limit: 8 })).toBe("Accepted");
  story.charger.send("NotifyPeriodicEventStream", {
    id: 4,
    pending: 0,
    basetime: new Date().toISOString(),
    data: [{ t: 0, v: "230" }],
  });
  await waitFor("ours to arrive", () => story.csms.sends.length === 1);
  expect(() => story.charger.send("NotifyPeriodicEventStream", { id: "four" })).toThrow();
  expect(story.csms.sends[0]).toMatchObject({ action: "NotifyPeriodicEventStream", payload: { id: 4 } });
});

test.concurrent("an answer of the CSMS that breaks the schema is given back to it", async () => {
  await using story = await ChargerStory.begin("2.1");
  story.csms.wrongAnswers.set("Heartbeat", { currentTime: 42 });
  expect(await story.csms.call("TriggerMessage", { requestedMessage: "Heartbeat" })).toEqual({ status: "Accepted" });
  await waitFor("the complaint", () => story.csms.resultErrors.length === 1);
  expect(story.csms.resultErrors[0]?.code).toBe("TypeConstraintViolation");
  story.csms.sendFrame('[5,"x1","FormatViolation","your answer makes no sense",{}]');
  await waitFor("the complaint of the CSMS", () => story.charger.resultErrors.length === 1);
  expect(story.charger.resultErrors[0]).toContain("FormatViolation");
  expect(await story.send({ limit: 8 })).toBe("Accepted");
});
