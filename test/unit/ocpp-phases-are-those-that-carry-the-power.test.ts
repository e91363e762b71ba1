import { describe, expect, test } from "vitest";
import { CarLines } from "../../adapters/ocpp/control/car-lines.ts";
import { PhaseChoice } from "../../adapters/ocpp/control/phase-choice.ts";
import type { OcppDevice } from "../../adapters/ocpp/index.ts";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { systemClock } from "../../src/clock.ts";
import { fastClock } from "../../src/fast-clock.ts";
import { HandClock } from "../support/hand-clock.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, type Gateway, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

const periods = (charger: RawCharger) =>
  charger.of("SetChargingProfile").map((payload) => {
    const { csChargingProfiles } = payload as {
      csChargingProfiles: { chargingSchedule: { chargingSchedulePeriod: Record<string, number>[] } };
    };
    return csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0];
  });

const order = (gateway: Gateway, powerKW: number) =>
  gateway.adapter.apply({ setpointId: "s", powerKW, untilMs: Date.now() + 600_000 }, gateway.signal);

async function open(device: Partial<OcppDevice>, says: Readonly<Record<string, string>> = {}) {
  const gateway = await openGateway({ devices: [device] });
  const charger = await dialIn(gateway.url, {
    answers: {
      ...WILLING,
      GetConfiguration: () => ({
        configurationKey: Object.entries(says).map(([key, value]) => ({ key, readonly: true, value })),
      }),
    },
  });
  await charger.call("BootNotification", BOOT_16);
  await gateway.adapter.start(gateway.signal);
  return {
    gateway,
    charger,
    async [Symbol.asyncDispose]() {
      await charger[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

const sample = (lines: readonly number[], takenAtMs = Date.now()) => ({
  connectorId: 1,
  transactionId: 815,
  meterValue: [
    {
      timestamp: new Date(takenAtMs).toISOString(),
      sampledValue: [
        {
          value: String(lines.reduce((sum, lineA) => sum + lineA * 230, 0)),
          measurand: "Power.Active.Import",
          unit: "W",
        },
        ...lines.map((lineA, index) => ({
          value: String(lineA),
          measurand: "Current.Import",
          unit: "A",
          phase: `L${index + 1}`,
        })),
      ],
    },
  ],
});

describe("a charger that can switch between three lines and one", () => {
  const SAYS = { connectorswitch3to1phasesupported: " TRUE " };

  test("uses one for what three cannot carry, and says that it can run so low", async () => {
    await using story = await open({ phaseSwitching: "auto", maxA: 16 }, SAYS);
    const { gateway, charger } = story;
    expect((await order(gateway, -2.3)).appliedKW).toBeCloseTo(-2.3, 6);
    expect(periods(charger)).toEqual([{ startPeriod: 0, limit: 10, numberPhases: 1 }]);
    expect((await gateway.adapter.start(gateway.signal)).minRunKW).toBeCloseTo(1.38, 6);
  });

  test("is not switched where the config or the charger does not say so", async () => {
    await using off = await open({ maxA: 16 }, SAYS);
    expect((await order(off.gateway, -2.3)).appliedKW).toBe(0);
    await using unable = await open({ phaseSwitching: "auto", maxA: 16 });
    expect((await order(unable.gateway, -2.3)).appliedKW).toBe(0);
    expect(periods(unable.charger)).toEqual([{ startPeriod: 0, limit: 0, numberPhases: 3 }]);
  });

  test("names the line in 2.x", async () => {
    await using gateway = await openGateway({
      devices: [{ phaseSwitching: "on", phaseToUse: 2, unit: "W", maxA: 16 }],
    });
    await using charger = await dialIn(gateway.url, { version: "ocpp2.0.1" });
    await charger.call("BootNotification", { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } });
    await gateway.adapter.start(gateway.signal);
    await order(gateway, -2.3);
    await order(gateway, -11.04);
    const sent = charger.of("SetChargingProfile").map((payload) => {
      const { chargingProfile } = payload as { chargingProfile: { chargingSchedule: Record<string, unknown>[] } };
      return chargingProfile.chargingSchedule[0]?.["chargingSchedulePeriod"];
    });
    expect(sent[0]).toEqual([{ startPeriod: 0, limit: 2300, numberPhases: 1, phaseToUse: 2 }]);
  });

  test("is told for three lines again when it comes back, whatever the meter showed on the one", async () => {
    const clock = fastClock(systemClock, 200, Date.now());
    await using gateway = await openGateway({
      clock,
      shared: { callTimeoutMs: 120_000, pingIntervalS: 0 },
      devices: [{ phaseSwitching: "on", phaseSwitchSpacingS: 300, maxA: 32 }],
    });
    await using charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    const tell = (powerKW: number) =>
      gateway.adapter.apply({ setpointId: "s", powerKW, untilMs: clock.now() + 3_600_000 }, gateway.signal);
    await tell(-2.3);
    // Longer than a switch takes, so that what the meter shows is not what was before.
    await clock.sleep(120_000);
    for (let time = 0; time < 4; time++) await charger.call("MeterValues", sample([10, 0, 0], clock.now()));
    expect((await tell(-11.04)).appliedKW).toBeCloseTo(-7.36, 6);
    expect(periods(charger).at(-1)).toMatchObject({ limit: 32, numberPhases: 1 });
    // When the switch is allowed, the target is told anew by itself.
    await waitFor("three lines", () => periods(charger).at(-1)?.["numberPhases"] === 3);
    expect(periods(charger).at(-1)).toMatchObject({ limit: 16 });
    const applied = () =>
      gateway.reports.flatMap((one) => (one.kind === "applied" ? one.acceptance.appliedKW : [])).at(-1);
    await waitFor("the judge to be told", () => Math.abs((applied() ?? 0) + 11.04) < 1e-6);
    // What the meter still shows of the one line does not turn it back.
    for (let time = 0; time < 4; time++) await charger.call("MeterValues", sample([10, 0, 0], clock.now()));
    expect(periods(charger).at(-1)).toMatchObject({ limit: 16 });
  });

  const device = ocpp.deviceSchema.parse({ identity: "CP", maxA: 16, phaseSwitching: "on", phaseSwitchSpacingS: 600 });

  test("is switched only where that makes a power reachable", () => {
    const choice = new PhaseChoice(device, new HandClock());
    expect(choice.choose(11, true).phases).toBe(3);
    expect(choice.choose(4.14, true).phases).toBe(3);
    expect(choice.choose(4.13, true).phases).toBe(1);
    expect(choice.choose(1.38, true).phases).toBe(1);
    // Neither carries so little, and a pause needs no switch.
    expect(choice.choose(1.37, true).phases).toBe(3);
    expect(choice.choose(0, true).phases).toBe(3);
    expect(choice.choose(2, false).phases).toBe(3);
  });

  test("is left alone for minutes after each switch, and says when it is time", async () => {
    const clock = new HandClock();
    const choice = new PhaseChoice(device, clock);
    choice.accepted(choice.choose(2, true).phases);
    await clock.run(60_000, 10_000);
    expect(choice.choose(11, true)).toEqual({ phases: 1, betterInMs: 540_000 });
    // What one line carries is no reason to wait for anything.
    expect(choice.choose(3, true)).toEqual({ phases: 1 });
    await clock.run(541_000, 100_000);
    expect(choice.choose(11, true)).toEqual({ phases: 3 });
  });
});

describe("a car that draws on fewer lines than are wired", () => {
  test("gets the whole power on those, once three samples show it", async () => {
    await using story = await open({});
    const { gateway, charger } = story;
    await charger.call("MeterValues", sample([6, 0, 0]));
    await order(gateway, -4.6);
    expect(periods(charger).at(-1)).toMatchObject({ limit: 6.6, numberPhases: 3 });
    await charger.call("MeterValues", sample([6, 0, 0]));
    await charger.call("MeterValues", sample([6, 0, 0]));
    await waitFor("the limit for one line", () => periods(charger).at(-1)?.["limit"] === 20);
    // No switch is asked for: it is the car that uses only one.
    expect(periods(charger).at(-1)).toMatchObject({ numberPhases: 3 });
    const applied = gateway.reports.filter((one) => one.kind === "applied");
    expect(applied.at(-1)).toMatchObject({ setpointId: "s", acceptance: { appliedKW: -4.6 } });
    const room = gateway.reports.flatMap((one) => (one.kind === "availability" ? one.availability.minPowerKW : []));
    expect(room.every((minPowerKW) => minPowerKW === 0 || minPowerKW < -7)).toBe(true);
  });

  test("is followed by one that may use all of them", async () => {
    await using story = await open({});
    const { gateway, charger } = story;
    for (let time = 0; time < 3; time++) await charger.call("MeterValues", sample([6, 0, 0]));
    await order(gateway, -4.6);
    expect(periods(charger).at(-1)).toMatchObject({ limit: 20 });
    for (const status of ["Available", "Preparing"]) {
      await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status });
    }
    await order(gateway, -4.6);
    expect(periods(charger).at(-1)).toMatchObject({ limit: 6.6 });
  });

  test("counts as wired again at once when it draws on more lines, or when another car comes", () => {
    const lines = new CarLines(3);
    const one = [16, 0.1, 0];
    expect([lines.note(one), lines.note(one), lines.note(one)]).toEqual([false, false, true]);
    expect(lines.lines).toBe(1);
    expect(lines.note([16, 15.8, 16])).toBe(true);
    expect(lines.lines).toBe(3);
    for (let time = 0; time < 3; time++) lines.note(one);
    lines.forget();
    expect(lines.lines).toBe(3);
  });

  test("cannot be told from a meter that shows only one line, or hardly any current", () => {
    const lines = new CarLines(3);
    for (let time = 0; time < 9; time++) {
      expect(lines.note([16])).toBe(false);
      expect(lines.note([2, 0, 0])).toBe(false);
      expect(lines.note(undefined)).toBe(false);
    }
  });

  test("is limited as wired where the config says so", async () => {
    await using story = await open({ carPhases: "wired" });
    for (let time = 0; time < 4; time++) await story.charger.call("MeterValues", sample([6, 0, 0]));
    await order(story.gateway, -4.6);
    expect(periods(story.charger).at(-1)).toMatchObject({ limit: 6.6 });
  });
});

describe("direct current", () => {
  test("is told in watts, without lines and without a least current", async () => {
    await using story = await open(
      { current: "DC", maxKW: 50 },
      { ChargingScheduleAllowedChargingRateUnit: "Current" },
    );
    const { gateway, charger } = story;
    expect((await order(gateway, -1)).appliedKW).toBe(-1);
    expect((await order(gateway, -80)).appliedKW).toBe(-50);
    expect(periods(charger)).toEqual([
      { startPeriod: 0, limit: 1000 },
      { startPeriod: 0, limit: 50_000 },
    ]);
    const capability = await gateway.adapter.start(gateway.signal);
    expect(capability.minPowerKW).toBe(-50);
    expect(capability).not.toHaveProperty("minRunKW");
  });

  test("needs its most power in the config", () => {
    const mistakes = (device: object) =>
      ocpp.deviceSchema.safeParse({ identity: "CP", ...device }).error?.issues.map(({ path }) => path.join("."));
    expect(mistakes({ current: "DC" })).toEqual(["maxKW"]);
    expect(mistakes({ current: "DC", maxKW: 50, unit: "A" })).toEqual(["unit"]);
    expect(mistakes({ current: "DC", maxKW: 50 })).toBeUndefined();
  });
});
