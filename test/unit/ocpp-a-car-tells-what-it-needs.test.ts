import { describe, expect, test } from "vitest";
import { carNeedsFrom } from "../../adapters/ocpp/sessions/car-needs.ts";
import type { Capability } from "../../src/model/resource.ts";
import { waitFor } from "../support/wait-for.ts";
import { dialIn, type Gateway, openGateway, type RawCharger, STARTED_2 } from "./ocpp-raw-charger.ts";

const HOUR_MS = 3_600_000;
const DEPARTURE_MS = Math.floor((Date.now() + 5 * HOUR_MS) / 1000) * 1000;
const departureTime = new Date(DEPARTURE_MS).toISOString();

const AC_CAR = {
  requestedEnergyTransfer: "AC_three_phase",
  departureTime,
  acChargingParameters: { energyAmount: 21_000, evMinCurrent: 6, evMaxCurrent: 16, evMaxVoltage: 400 },
};
const DC_CAR = {
  requestedEnergyTransfer: "DC",
  departureTime,
  dcChargingParameters: {
    evMaxCurrent: 200,
    evMaxVoltage: 450,
    evMaxPower: 9000,
    evEnergyCapacity: 60_000,
    stateOfCharge: 40,
    fullSoC: 90,
  },
};

function last(gateway: Gateway, kind: "objective" | "capability") {
  return gateway.reports.filter((report) => report.kind === kind).at(-1);
}

function capability(gateway: Gateway): Capability | undefined {
  const report = last(gateway, "capability");
  return report?.kind === "capability" ? report.capability : undefined;
}

function objective(gateway: Gateway) {
  const report = last(gateway, "objective");
  return report?.kind === "objective" ? report.objective : undefined;
}

async function plugIn(charger: RawCharger): Promise<void> {
  await charger.call("TransactionEvent", STARTED_2);
}

const needs = (charger: RawCharger, chargingNeeds: object) =>
  charger.call("NotifyEVChargingNeeds", { evseId: 1, chargingNeeds });
const order = () => ({ setpointId: "s", powerKW: -5, untilMs: Date.now() + 60_000 });

describe.each(["ocpp2.0.1", "ocpp2.1"])("over %s", (version) => {
  test("energy and departure become a goal, and the car's own bounds narrow the connector's", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    await gateway.adapter.start(gateway.signal);
    await plugIn(charger);
    await needs(charger, AC_CAR);
    await waitFor("the goal", () => objective(gateway) !== undefined);
    expect(objective(gateway)).toEqual({ targetChargeKWh: 21, deadlineMs: DEPARTURE_MS });
    expect(capability(gateway)).toMatchObject({ maxPowerKW: 0, control: "limit" });
    expect(capability(gateway)?.minPowerKW).toBeCloseTo(-(16 * 690) / 1000, 9);

    await charger.call("StatusNotification", { evseId: 1, connectorId: 1, connectorStatus: "Available" });
    await waitFor("the goal to be gone", () => objective(gateway) === undefined);
    expect(capability(gateway)?.minPowerKW).toBeCloseTo(-22.08, 9);
  });

  test("a car at a DC outlet tells its charge and its battery, and from them follows what it lacks", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    await gateway.adapter.start(gateway.signal);
    await plugIn(charger);
    await needs(charger, DC_CAR);
    await waitFor("the goal", () => objective(gateway) !== undefined);
    expect(objective(gateway)).toEqual({ targetChargeKWh: 30, deadlineMs: DEPARTURE_MS });
    expect(capability(gateway)).toMatchObject({ minPowerKW: -9, capacityKWh: 60 });
    // No 6 A rule for DC.
    expect(capability(gateway)?.minRunKW).toBeUndefined();
    expect(gateway.reports).toContainEqual({
      kind: "reading",
      reading: { era: "charger-1", receivedAtMs: expect.any(Number), socPercent: 40 },
    });
  });

  test("without a departure there is no goal, and the charge is known all the same", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    const { departureTime: _never, ...patient } = DC_CAR;
    await needs(charger, patient);
    await waitFor("the charge", () => gateway.reports.some((report) => report.kind === "reading"));
    expect(objective(gateway)).toBeUndefined();
  });

  test("the answer says whether a profile follows, in the words of the version", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    await gateway.adapter.start(gateway.signal);
    await plugIn(charger);
    const none = version === "ocpp2.1" ? "NoChargingProfile" : "Rejected";
    expect((await needs(charger, AC_CAR))[2]).toEqual({ status: none });
    await gateway.adapter.apply(order(), gateway.signal);
    const before = charger.of("SetChargingProfile").length;
    expect((await needs(charger, AC_CAR))[2]).toEqual({ status: "Accepted" });
    // And it does follow.
    await waitFor("the profile", () => charger.of("SetChargingProfile").length > before);
  });

  test("what cannot be read moves nothing", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    for (const payload of [
      {},
      { evseId: 1, chargingNeeds: 7 },
      { evseId: 1, chargingNeeds: { requestedEnergyTransfer: "STEAM" } },
    ]) {
      expect((await charger.call("NotifyEVChargingNeeds", payload))[0]).toBe(3);
    }
    expect(gateway.reports.some((report) => report.kind === "objective")).toBe(false);
  });

  test("what the car plans to draw is shown beside its state", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    await plugIn(charger);
    const chargingSchedule = {
      id: 1,
      chargingRateUnit: "W",
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 7000 },
        { startPeriod: 3600, limit: 3000 },
      ],
    };
    const timeBase = new Date(Date.now() - 60_000).toISOString();
    const answer = await charger.call("NotifyEVChargingSchedule", { evseId: 1, timeBase, chargingSchedule });
    expect(answer[2]).toEqual({ status: "Accepted" });
    await waitFor("the plan", () =>
      gateway.reports.some(
        (report) => report.kind === "availability" && report.availability.reason === "car connected, plans 7.0 kW",
      ),
    );
  });
});

describe("needs in V2X parameters (ISO 15118-20)", () => {
  test("go before those of ISO 15118-2, sum their lines, and name discharge as a magnitude", () => {
    const read = carNeedsFrom({
      requestedEnergyTransfer: "ac_bpt",
      availableEnergyTransfer: ["AC_three_phase", "AC_BPT", "STEAM", 7],
      controlMode: "ScheduledControl",
      departureTime: "2026-12-15T06:00:00",
      acChargingParameters: { energyAmount: 1, evMinCurrent: 6, evMaxCurrent: 16, evMaxVoltage: 400 },
      v2xChargingParameters: {
        minChargePower: 500,
        maxChargePower: 3680,
        maxChargePower_L2: 3680,
        maxChargePower_L3: "1840",
        maxDischargePower: 2000,
        maxDischargePower_L2: 2000,
        maxDischargePower_L3: 0,
        evTargetEnergyRequest: -4000,
        evMinEnergyRequest: -20_000,
        evMaxEnergyRequest: 12_000,
        evMinV2XEnergyRequest: -15_000,
      },
    });
    expect(read).toEqual({
      mode: "AC_BPT",
      modes: ["AC_BPT", "AC_three_phase"],
      supply: "AC",
      charge: { minKW: 0.5, maxKW: 9.2, maxOnLinesKW: [3.68, 3.68, 1.84] },
      discharge: { maxKW: 4, maxOnLinesKW: [2, 2, 0] },
      minA: 6,
      maxA: 16,
      targetKWh: -4,
      leastKWh: -20,
      fullKWh: 12,
      cyclingFromKWh: -15,
      departureMs: Date.UTC(2026, 11, 15, 6),
      control: "scheduled",
    });
  });
});
