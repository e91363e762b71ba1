import { describe, expect, test } from "vitest";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("OCPP %s", (version) => {
  test.each([
    { phases: 3, unit: "A", limit: 10, powerKW: -6.9 },
    { phases: 1, unit: "A", limit: 10, powerKW: -2.3 },
    { phases: 3, unit: "W", limit: 6900, powerKW: -6.9 },
    { phases: 1, unit: "W", limit: 2300, powerKW: -2.3 },
  ] as const)("$limit $unit on $phases phase(s) is $powerKW kW, on the terminals and on the meter", async (given) => {
    await using story = await ChargerStory.begin(version, { phases: given.phases });
    await story.settlesAt(-16 * 0.23 * given.phases);
    expect(await story.send({ unit: given.unit, limit: given.limit })).toBe("Accepted");
    expect(story.charger.limitA()).toBeCloseTo(10, 6);
    await story.settlesAt(given.powerKW);
    await story.meterShows("Power.Active.Import", -1000 * given.powerKW);
    await story.meterShows("Current.Import L1", 10, 0.1);
    await story.meterShows("Current.Offered", 10, 0.1);
    expect(story.charger.violations).toEqual([]);
  });

  test("a profile for one phase leaves the other two without current", async () => {
    await using story = await ChargerStory.begin(version);
    await story.send({ periods: [{ startPeriod: 0, limit: 16, numberPhases: 1 }] });
    await story.settlesAt(-3.68);
    await story.meterShows("Current.Import L1", 16, 0.1);
    await story.meterShows("Current.Import L3", 0, 0.01);
  });

  test("a limit above what the cable carries changes nothing", async () => {
    await using story = await ChargerStory.begin(version);
    expect(await story.send({ limit: 63 })).toBe("Accepted");
    expect(story.charger.limitA()).toBe(16);
    await story.settlesAt(-11.04);
  });

  test("below 6 A the charger pauses and says that it is the one who does, and goes on above", async () => {
    await using story = await ChargerStory.begin(version);
    await story.settlesAt(-11.04);
    await story.send({ limit: 5.9 });
    await story.settlesAt(0);
    await waitFor("the pause to be told", () => story.lastState() === "SuspendedEVSE");
    await story.meterShows("Current.Offered", 0, 0);
    await story.send({ limit: 6 });
    await story.settlesAt(-4.14);
    await waitFor("the charging to be told", () => story.lastState() === "Charging");
    await story.send({ limit: 0 });
    await story.settlesAt(0);
  });

  test("a profile ends by itself with its duration, and the default holds again", async () => {
    await using story = await ChargerStory.begin(version);
    await story.send({ id: 1, stackLevel: 0, limit: 8 });
    const transactionId = story.transactionId();
    await story.send({ id: 2, purpose: "TxProfile", transactionId, limit: 12, startMs: Date.now(), durationS: 1 });
    await story.settlesAt(-12 * 0.69);
    await story.settlesAt(-8 * 0.69);
    expect((await story.csms.call("ClearChargingProfile", clear(2)))["status"]).toBe("Unknown");
    expect(story.charger.hasProfile()).toBe(true);
  });

  test("a profile waits for validFrom and ends with validTo", async () => {
    await using story = await ChargerStory.begin(version);
    const nowMs = Date.now();
    await story.send({ limit: 7, validFromMs: nowMs + 400, validToMs: nowMs + 900 });
    await story.settlesAt(-11.04);
    await story.settlesAt(-7 * 0.69);
    await story.settlesAt(-11.04);
    expect(story.charger.hasProfile()).toBe(false);
  });

  test("the periods of a schedule follow each other", async () => {
    await using story = await ChargerStory.begin(version);
    const periods = [
      { startPeriod: 0, limit: 14 },
      { startPeriod: 1, limit: 9 },
    ];
    await story.send({ startMs: Date.now(), periods });
    await story.settlesAt(-14 * 0.69);
    await story.settlesAt(-9 * 0.69);
  });

  test("the transaction's own profile takes the place of the default, and the maximum caps both", async () => {
    await using story = await ChargerStory.begin(version);
    const transactionId = story.transactionId();
    await story.send({ id: 1, limit: 8 });
    expect(story.charger.limitA()).toBe(8);
    await story.send({ id: 2, purpose: "TxProfile", transactionId, limit: 14 });
    expect(story.charger.limitA()).toBe(14);
    expect(await story.send({ id: 3, purpose: "Max", connectorId: 0, limit: 10 })).toBe("Accepted");
    expect(story.charger.limitA()).toBe(10);
    await story.send({ id: 4, purpose: "TxProfile", transactionId, stackLevel: 1, limit: 7 });
    expect(story.charger.limitA()).toBe(7);
    await story.csms.call("ClearChargingProfile", clear(4));
    expect(story.charger.limitA()).toBe(10);
    expect((await story.csms.call("ClearChargingProfile", {}))["status"]).toBe("Accepted");
    expect(story.charger.limitA()).toBe(16);
    expect(story.charger.hasProfile()).toBe(false);
    expect(story.charger.profilesReceived).toHaveLength(4);
  });

  test("the same profile again replaces itself", async () => {
    await using story = await ChargerStory.begin(version);
    for (let limit = 6; limit <= 16; limit += 0.5) expect(await story.send({ id: 9, limit })).toBe("Accepted");
    expect(story.charger.limitA()).toBe(16);
    expect((await story.csms.call("ClearChargingProfile", clear(9)))["status"]).toBe("Accepted");
    expect(story.charger.hasProfile()).toBe(false);
  });

  test("a relative schedule counts from the start of the transaction", async () => {
    await using story = await ChargerStory.begin(version);
    await story.settlesAt(-11.04);
    await story.send({ kind: "Relative", limit: 9, durationS: 3600 });
    expect(story.charger.limitA()).toBe(9);
    expect(await story.send({ kind: "Relative", limit: 9, durationS: 1 })).toBe("Accepted");
    await story.settlesAt(-11.04);
  });

  test("the composite schedule tells what will bind", async () => {
    await using story = await ChargerStory.begin(version);
    await story.send({ id: 1, limit: 10 });
    await story.send({ id: 2, stackLevel: 3, limit: 6, startMs: Date.now() + 60_000, durationS: 60 });
    const place = version === "1.6" ? { connectorId: 1 } : { evseId: 1 };
    const answer = await story.csms.call("GetCompositeSchedule", { ...place, duration: 300, chargingRateUnit: "W" });
    const schedule = (answer["chargingSchedule"] ?? answer["schedule"]) as { chargingSchedulePeriod: unknown };
    expect(schedule.chargingSchedulePeriod).toEqual([
      { startPeriod: 0, limit: 6900, numberPhases: 3 },
      { startPeriod: 60, limit: 4140, numberPhases: 3 },
      { startPeriod: 120, limit: 6900, numberPhases: 3 },
    ]);
  });

  function clear(id: number): Record<string, unknown> {
    return version === "1.6" ? { id } : { chargingProfileId: id };
  }
});
