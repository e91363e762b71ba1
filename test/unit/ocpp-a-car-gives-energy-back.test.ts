import { describe, expect, test } from "vitest";
import type { OcppDevice } from "../../adapters/ocpp/index.ts";
import { ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { quickCar } from "../support/charger-story.ts";
import { StrictCharger } from "../support/strict-charger.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { dialIn, type Gateway, openGateway, STARTED_2 } from "./ocpp-raw-charger.ts";

type Payload = Record<string, unknown>;

const LEASE_S = 3;
const V2G = { maxDischargeKW: 10, leaseS: LEASE_S };

const order = (powerKW: number, holdMs = 60_000) => ({
  setpointId: `s${powerKW}`,
  powerKW,
  untilMs: Date.now() + holdMs,
});

/** Waits until the car is known to give energy back. */
async function bothWays(gateway: Gateway): Promise<void> {
  let maxPowerKW = 0;
  while (maxPowerKW === 0) {
    await systemClock.sleep(20, gateway.signal);
    ({ maxPowerKW } = await gateway.adapter.start(gateway.signal));
  }
}

/** A charger on another stack that checks every frame against the official schemas, with a car that says what it can do. */
async function strictStory(
  options: {
    device?: Partial<OcppDevice>;
    needs?: Payload;
    v2x?: Payload;
    variables?: Readonly<Record<string, string>>;
    answers?: Record<string, Payload>;
  } = {},
) {
  const { device = {}, needs = {}, v2x = {}, variables = {}, answers = {} } = options;
  const gateway = await openGateway({ devices: [{ phases: 3, fallbackKW: -4.2, v2g: V2G, ...device } as OcppDevice] });
  const component = { name: "SmartChargingCtrlr" };
  const result = (name: string, attributeValue: string) => ({
    attributeStatus: "Accepted",
    attributeValue,
    component:
      name === "Enabled" || name === "SupportedOperationModes"
        ? { name: "V2XChargingCtrlr", evse: { id: 1 } }
        : component,
    variable: { name },
  });
  const said = { ProfileStackLevel: "5", RateUnit: "A,W", ...variables };
  const charger = new StrictCharger(gateway.url, "ocpp2.1", {
    GetVariables: { getVariableResult: Object.entries(said).map(([name, value]) => result(name, value)) },
    SetVariables: { setVariableResult: [{ attributeStatus: "Accepted", component, variable: { name: "x" } }] },
    ...answers,
  });
  await charger.connect();
  await charger.call("BootNotification", { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } });
  await gateway.adapter.start(gateway.signal);
  await charger.call("TransactionEvent", STARTED_2);
  await charger.call("NotifyEVChargingNeeds", {
    evseId: 1,
    chargingNeeds: {
      requestedEnergyTransfer: "AC_BPT",
      availableEnergyTransfer: ["AC_three_phase", "AC_BPT"],
      controlMode: "DynamicControl",
      ...needs,
      v2xChargingParameters: { minChargePower: 0, maxChargePower: 11_000, maxDischargePower: 8000, ...v2x },
    },
  });
  return {
    gateway,
    charger,
    async [Symbol.asyncDispose]() {
      await charger[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
      expect(charger.violations).toEqual([]);
    },
  };
}

const profileOf = (payload: Payload | undefined) => payload?.["chargingProfile"] as Payload;
const periodOf = (payload: Payload | undefined) =>
  (profileOf(payload)["chargingSchedule"] as { chargingSchedulePeriod: Payload[] }[])[0]?.chargingSchedulePeriod[0];

describe("what a strict charger of 2.1 is told", () => {
  test("the car is allowed to discharge, then a dynamic profile holds the setpoint and updates move it", async () => {
    await using story = await strictStory();
    const { gateway, charger } = story;
    await bothWays(gateway);
    expect(charger.of("NotifyAllowedEnergyTransfer")).toEqual([
      { transactionId: "tx-1", allowedEnergyTransfer: ["AC_BPT", "AC_three_phase"] },
    ]);
    const accepted = await gateway.adapter.apply(order(5), gateway.signal);
    expect(accepted).toMatchObject({ appliedKW: 5, endsByItself: true });
    // The fallback goes out when the charger is set up, before the setpoint or after it.
    const dynamic = () =>
      charger.of("SetChargingProfile").filter((payload) => profileOf(payload)["chargingProfileKind"] === "Dynamic");
    const [first] = dynamic();
    expect(profileOf(first)).toMatchObject({
      chargingProfilePurpose: "TxProfile",
      transactionId: "tx-1",
      stackLevel: 5,
      dynUpdateInterval: 1,
      chargingSchedule: [{ duration: LEASE_S, chargingRateUnit: "W" }],
    });
    // No clock has a part in a dynamic profile.
    expect(Object.keys(profileOf(first))).not.toContain("validTo");
    expect(periodOf(first)).toEqual({
      startPeriod: 0,
      operationMode: "CentralSetpoint",
      setpoint: -5000,
      limit: 11_000,
      dischargeLimit: -8000,
      numberPhases: 3,
    });
    expect((await gateway.adapter.apply(order(-7.4), gateway.signal)).command).toContain("UpdateDynamicSchedule");
    expect((await gateway.adapter.apply(order(99), gateway.signal)).appliedKW).toBe(8);
    expect(charger.of("UpdateDynamicSchedule").slice(0, 2)).toEqual([
      { chargingProfileId: profileOf(first)["id"], scheduleUpdate: { setpoint: 7400 } },
      { chargingProfileId: profileOf(first)["id"], scheduleUpdate: { setpoint: -8000 } },
    ]);
    expect(dynamic()).toHaveLength(1);
  });

  test("a pull is answered with the setpoint in force, and refused once it is over", async () => {
    await using story = await strictStory();
    const { gateway, charger } = story;
    await bothWays(gateway);
    await gateway.adapter.apply(order(5), gateway.signal);
    const id = profileOf(charger.of("SetChargingProfile").at(-1))["id"];
    const pull = (chargingProfileId: unknown) => charger.call("PullDynamicScheduleUpdate", { chargingProfileId });
    expect(await pull(id)).toEqual({ status: "Accepted", scheduleUpdate: { setpoint: -5000 } });
    expect(await pull(1)).toMatchObject({ status: "Rejected" });
    await gateway.adapter.release(gateway.signal);
    expect(await pull(id)).toMatchObject({ status: "Rejected", statusInfo: { reasonCode: "InvalidProfile" } });
  });

  test("a setpoint is renewed within its lease for as long as it is in force, and no longer", async () => {
    await using story = await strictStory();
    const { gateway, charger } = story;
    await bothWays(gateway);
    const brief = order(5, 2500);
    await gateway.adapter.apply(brief, gateway.signal);
    await waitFor("a renewal", () => charger.of("UpdateDynamicSchedule").length > 0);
    // A renewal each second: by then the third would have come.
    await waitFor("its end to be well past", () => Date.now() > brief.untilMs + 1200);
    expect(charger.of("UpdateDynamicSchedule").length).toBeLessThanOrEqual(2);
    expect(charger.of("UpdateDynamicSchedule")[0]).toMatchObject({ scheduleUpdate: { setpoint: -5000 } });
  });

  test("a profile that the charger has lost is put in place again, unasked", async () => {
    await using story = await strictStory();
    const { gateway, charger } = story;
    await bothWays(gateway);
    await gateway.adapter.apply(order(5), gateway.signal);
    const before = charger.of("SetChargingProfile").length;
    charger.answers["UpdateDynamicSchedule"] = { status: "Rejected", statusInfo: { reasonCode: "InvalidProfile" } };
    await waitFor("the profile again", () => charger.of("SetChargingProfile").length > before);
    expect(periodOf(charger.of("SetChargingProfile").at(-1))).toMatchObject({ setpoint: -5000 });
  });

  test("lines of different strength get setpoints of their own, in a transaction", async () => {
    await using story = await strictStory({
      v2x: { maxDischargePower: 2000, maxDischargePower_L2: 2000, maxDischargePower_L3: 0 },
    });
    const { gateway, charger } = story;
    await bothWays(gateway);
    await gateway.adapter.apply(order(3), gateway.signal);
    expect(periodOf(charger.of("SetChargingProfile").at(-1))).toMatchObject({
      setpoint: -1500,
      setpoint_L2: -1500,
      setpoint_L3: 0,
      dischargeLimit: -2000,
      dischargeLimit_L2: -2000,
      dischargeLimit_L3: 0,
    });
  });

  test("a DC outlet gets no phases", async () => {
    await using story = await strictStory({
      needs: { requestedEnergyTransfer: "DC_BPT", availableEnergyTransfer: ["DC", "DC_BPT"] },
    });
    const { gateway, charger } = story;
    await bothWays(gateway);
    await gateway.adapter.apply(order(3), gateway.signal);
    expect(Object.keys(periodOf(charger.of("SetChargingProfile").at(-1)) ?? {})).not.toContain("numberPhases");
  });

  test.each([
    ["a charger without dynamic profiles", { variables: { SupportsDynamicProfiles: "false" } }],
    ["a car that agreed on a schedule", { needs: { controlMode: "ScheduledControl" } }],
  ])("%s gets a schedule that ends with the setpoint", async (_who, options) => {
    await using story = await strictStory(options);
    const { gateway, charger } = story;
    await bothWays(gateway);
    await gateway.adapter.apply(order(3), gateway.signal);
    const profile = profileOf(charger.of("SetChargingProfile").at(-1));
    const [schedule] = profile["chargingSchedule"] as { startSchedule: string; duration: number }[];
    expect(profile["chargingProfileKind"]).toBe("Absolute");
    expect(Object.keys(profile)).not.toContain("dynUpdateInterval");
    const endMs = Date.parse(schedule?.startSchedule ?? "") + (schedule?.duration ?? 0) * 1000;
    expect(Math.abs(endMs - Date.now() - 60_000)).toBeLessThan(3000);
  });
});

describe("what stands in the way of discharging is said", () => {
  test.each([
    ["ocpp2.1 without V2G in the config", { device: { v2g: undefined } }, "V2G is not set up"],
    ["a charger with V2X off", { variables: { Enabled: "False" } }, "V2X turned off"],
    ["a charger that only charges", { variables: { SupportedOperationModes: "ChargingOnly" } }, "takes no setpoints"],
    ["a charger that takes amps alone", { variables: { RateUnit: "A" } }, "takes no watts"],
    [
      "a car that only charges",
      { needs: { requestedEnergyTransfer: "AC_three_phase", availableEnergyTransfer: ["AC_three_phase"] } },
      "no car that can give energy back",
    ],
    ["a car that asks to charge only", { needs: { requestedEnergyTransfer: "AC_three_phase" } }, "asks to charge only"],
    [
      "a charger that does not let it",
      { answers: { NotifyAllowedEnergyTransfer: { status: "Rejected" } } },
      "does not let the car discharge",
    ],
  ] as const)("%s", async (_who, options, words) => {
    await using story = await strictStory(options as Parameters<typeof strictStory>[0]);
    const { gateway, charger } = story;
    await waitFor("the reason", () => {
      const report = gateway.reports.findLast((one) => one.kind === "capability");
      return report?.kind === "capability" && (report.capability.consumesOnlyBecause ?? "").includes(words);
    });
    await expect(gateway.adapter.apply(order(5), gateway.signal)).rejects.toMatchObject({
      fault: "refused",
      message: expect.stringContaining(words),
    });
    // It charges as any other does, and not below 6 A.
    expect((await gateway.adapter.start(gateway.signal)).minRunKW).toBeCloseTo(4.14, 9);
    await gateway.adapter.apply(order(-5), gateway.signal);
    const period = periodOf(charger.of("SetChargingProfile").at(-1)) ?? {};
    expect(period).toMatchObject({ limit: expect.any(Number) });
    expect(Object.keys(period)).not.toContain("setpoint");
  });

  test("a charger that does not say whether it may charges all the same", async () => {
    await using gateway = await openGateway({ devices: [{ v2g: V2G } as OcppDevice] });
    await using charger = await dialIn(gateway.url, { version: "ocpp2.1" });
    await gateway.adapter.start(gateway.signal);
    await charger.call("TransactionEvent", STARTED_2);
    await gateway.adapter.apply(order(-5), gateway.signal);
    charger.when("NotifyAllowedEnergyTransfer", () => undefined);
    const before = charger.of("SetChargingProfile").length;
    await charger.call("NotifyEVChargingNeeds", { evseId: 1, chargingNeeds: { requestedEnergyTransfer: "AC_BPT" } });
    await waitFor("its limit again", () => charger.of("SetChargingProfile").length > before);
    expect(charger.of("NotifyAllowedEnergyTransfer")).toHaveLength(1);
    expect(periodOf(charger.of("SetChargingProfile").at(-1))).toMatchObject({ limit: expect.any(Number) });
  });

  test.each([
    ["1.6", "OCPP 1.6 cannot discharge"],
    ["2.0.1", "OCPP 2.0.1 cannot discharge"],
  ] as const)("OCPP %s has no words for it", async (version, words) => {
    await using gateway = await openGateway({ devices: [{ v2g: V2G } as OcppDevice] });
    await using _charger = await simulated(gateway, { version });
    const capability = await gateway.adapter.start(gateway.signal);
    expect(capability).toMatchObject({ maxPowerKW: 0, consumesOnlyBecause: words });
    await expect(gateway.adapter.apply(order(5), gateway.signal)).rejects.toMatchObject({
      fault: "refused",
      message: expect.stringContaining(words),
    });
  });
});

async function simulated(
  gateway: Gateway,
  options: Partial<ConstructorParameters<typeof ChargerSimulator>[0]> = {},
): Promise<ChargerSimulator> {
  const charger = new ChargerSimulator({
    identity: "CP-1",
    url: gateway.url,
    version: "2.1",
    phases: 3,
    maxA: 16,
    car: quickCar({ maxChargeKW: 11, maxDischargeKW: 10 }),
    clock: systemClock,
    log: silentLog,
    meterIntervalMs: 200,
    rebootMs: 100,
    ...options,
  });
  await charger.start();
  return charger;
}

describe("a car on a strict charger", () => {
  const near = (charger: ChargerSimulator, powerKW: number) =>
    waitFor(`${powerKW} kW and not ${charger.powerKW()}`, () => Math.abs(charger.powerKW() - powerKW) < 0.1, 8000);

  test("gives, takes, and goes back to the fallback when the gateway dies", async () => {
    const gateway = await openGateway({ devices: [{ fallbackKW: -4.2, v2g: V2G } as OcppDevice] });
    await using charger = await simulated(gateway);
    await bothWays(gateway);
    await gateway.adapter.apply(order(5), gateway.signal);
    await near(charger, 5);
    await gateway.adapter.apply(order(-9), gateway.signal);
    await near(charger, -9);
    await gateway.adapter.apply(order(6), gateway.signal);
    await near(charger, 6);
    // The order has a minute to go; the lease has three seconds.
    await gateway[Symbol.asyncDispose]();
    await near(charger, -4.14);
    expect(charger.violations).toEqual([]);
  });

  test("gives again after its charger lost all it knew", async () => {
    await using gateway = await openGateway({ devices: [{ v2g: V2G } as OcppDevice] });
    await using charger = await simulated(gateway);
    await bothWays(gateway);
    await gateway.adapter.apply(order(5), gateway.signal);
    await near(charger, 5);
    await charger.reboot({ forgetsProfiles: true });
    await near(charger, 5);
    expect(charger.violations).toEqual([]);
  });

  test("that cannot be reached now is not refused for good", async () => {
    await using gateway = await openGateway({ devices: [{ v2g: V2G } as OcppDevice] });
    await using charger = await simulated(gateway);
    await bothWays(gateway);
    await gateway.adapter.apply(order(5), gateway.signal);
    await near(charger, 5);
    await charger.disconnect();
    await waitFor("the link to be down", () => gateway.adapter.protocol === "ocpp");
    await expect(gateway.adapter.apply(order(6), gateway.signal)).rejects.toMatchObject({ fault: "unreachable" });
    await charger.reconnect();
    // The lease may have run out meanwhile; what was accepted last holds again.
    await near(charger, 5);
  });

  test("is known again after the gateway restarted, and what it gave meanwhile is missing on top", async () => {
    const memory = volatileMemory();
    const devices = [{ fallbackKW: 0, v2g: { ...V2G, maxDischargeKW: 1000 } } as OcppDevice];
    const before = await openGateway({ devices, memory });
    const port = Number(new URL(before.url).port);
    const departureMs = Date.now() + 3_600_000;
    // What a meter shows in a second is too little to see; a car of a megawatt shows it.
    const car = quickCar({ maxChargeKW: 1000, maxDischargeKW: 1000, departureMs, targetPercent: 70 });
    await using charger = await simulated(before, { maxA: 2000, car });
    await bothWays(before);
    await before.adapter.apply(order(900), before.signal);
    await waitFor("it to have given", () => car.meter.exportKWh - car.meter.importKWh > 0.3, 10_000);
    const told = before.reports.findLast((report) => report.kind === "objective");
    await before[Symbol.asyncDispose]();

    await using after = await openGateway({ devices, memory, shared: { port } });
    await bothWays(after);
    await after.adapter.apply(order(50), after.signal);
    await near(charger, 50);
    const goal = after.reports.find((report) => report.kind === "objective");
    if (goal?.kind !== "objective" || told?.kind !== "objective") throw new Error("the goal is not known again");
    expect(goal.objective?.deadlineMs).toBe(told.objective?.deadlineMs);
    expect(goal.objective?.targetChargeKWh).toBeGreaterThan((told.objective?.targetChargeKWh ?? Number.NaN) + 0.2);
    await charger.unplug();
    await waitFor("it to be forgotten", () => memory.keys("needs/").length === 0);
  });

  test("that leaves takes its goal and its discharge with it", async () => {
    await using gateway = await openGateway({ devices: [{ v2g: V2G } as OcppDevice] });
    const departureMs = Date.now() + 3_600_000;
    await using charger = await simulated(gateway, {
      car: quickCar({ maxChargeKW: 11, maxDischargeKW: 10, departureMs, targetPercent: 70 }),
    });
    await bothWays(gateway);
    await gateway.adapter.apply(order(5), gateway.signal);
    const goals = () => gateway.reports.flatMap((report) => (report.kind === "objective" ? [report.objective] : []));
    expect(goals().at(-1)?.deadlineMs).toBeCloseTo(departureMs, -4);
    expect(goals().at(-1)?.targetChargeKWh).toBeCloseTo(18 / 0.95, 1);
    await charger.unplug();
    await waitFor("the goal to be gone", () => goals().at(-1) === undefined);
    expect(await gateway.adapter.start(gateway.signal)).toMatchObject({ maxPowerKW: 0, control: "limit" });
  });
});
