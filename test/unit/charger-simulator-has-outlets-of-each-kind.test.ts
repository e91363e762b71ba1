import { describe, expect, test } from "vitest";
import { ChargerStory, quickCar } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("OCPP %s", (version) => {
  const place = (connectorId: number) => (version === "1.6" ? { connectorId } : { evseId: connectorId });

  test("two connectors charge, are limited and are unplugged apart, and are told apart", async () => {
    await using story = await ChargerStory.begin(version, { otherCars: [quickCar()] });
    await story.settlesAt(-22.08);
    expect(await story.send({ connectorId: 2, limit: 8 })).toBe("Accepted");
    await story.settlesAt(-11.04 - 8 * 0.69);
    expect(story.charger.powerKW(2)).toBeCloseTo(-8 * 0.69, 1);
    expect(story.charger.limitA(1)).toBe(16);
    expect(await story.send({ id: 3, connectorId: 3, limit: 8 })).toBe("Rejected");
    await story.charger.unplug(2);
    await story.settlesAt(-11.04);
    const places = story.csms.payloads("StatusNotification").map((told) => told["connectorId"] ?? told["evseId"]);
    if (version === "1.6") {
      expect(new Set(places)).toEqual(new Set([0, 1, 2]));
      expect(story.csms.payloads("StopTransaction")).toHaveLength(1);
    } else {
      const ended = story.csms.payloads("TransactionEvent").filter((event) => event["eventType"] === "Ended");
      expect(ended).toMatchObject([{ evse: { id: 2 } }]);
    }
    expect(() => story.charger.powerKW(3)).toThrow(RangeError);
  });

  test("two connectors share the maximum of the station, and one alone has all of it", async () => {
    await using story = await ChargerStory.begin(version, { otherCars: [quickCar()] });
    expect(await story.send({ purpose: "Max", connectorId: 0, limit: 20 })).toBe("Accepted");
    await story.settlesAt(-20 * 0.69);
    expect(story.charger.powerKW(1)).toBeCloseTo(-6.9, 1);
    const answer = await story.csms.call("GetCompositeSchedule", {
      ...place(0),
      duration: 60,
      chargingRateUnit: "A",
    });
    const schedule = (answer["chargingSchedule"] ?? answer["schedule"]) as { chargingSchedulePeriod: unknown };
    expect(schedule.chargingSchedulePeriod).toMatchObject([{ startPeriod: 0, limit: 20 }]);
    await story.charger.unplug(2);
    await story.settlesAt(-11.04);
  });

  test("a DC outlet takes watts and no phases, and knows no least current", async () => {
    await using story = await ChargerStory.begin(version, {
      current: "DC",
      phases: 1,
      maxA: 125,
      car: quickCar({ maxChargeKW: 50 }),
    });
    await story.settlesAt(-50);
    expect(await story.send({ unit: "A", limit: 20 })).toBe("Rejected");
    const phases = { unit: "W", periods: [{ startPeriod: 0, limit: 20_000, numberPhases: 3 }] } as const;
    const answer = await story.csms.call("SetChargingProfile", story.request(phases));
    expect(answer["status"]).toBe("Rejected");
    if (version === "2.1") expect(answer["statusInfo"]).toMatchObject({ reasonCode: "NoPhaseForDC" });
    expect(await story.send({ unit: "W", limit: 800 })).toBe("Accepted");
    await story.settlesAt(-0.8);
    await story.meterShows("Power.Active.Import", 800);
    expect([...story.lastMeter().keys()]).toContain("Current.Import");
    expect(story.csms.violations).toEqual([]);
  });

  test("a charger that cannot switch phases refuses to", async () => {
    await using story = await ChargerStory.begin(version, { switchesPhases: false });
    expect(await story.send({ periods: [{ startPeriod: 0, limit: 16, numberPhases: 1 }] })).toBe("Rejected");
    expect(await story.send({ periods: [{ startPeriod: 0, limit: 16, numberPhases: 3 }] })).toBe("Accepted");
  });

  test("to switch phases takes a pause", async () => {
    await using story = await ChargerStory.begin(version, { phaseSwitchMs: 1500 });
    await story.settlesAt(-11.04);
    await story.send({ periods: [{ startPeriod: 0, limit: 16, numberPhases: 1 }] });
    await story.settlesAt(0);
    await story.settlesAt(-3.68);
  });
});

describe.concurrent.each(["2.0.1", "2.1"] as const)("OCPP %s", (version) => {
  test("one phase may be named, and only one that there is", async () => {
    await using story = await ChargerStory.begin(version);
    const use = (numberPhases: number, phaseToUse: number) =>
      story.send({ periods: [{ startPeriod: 0, limit: 16, numberPhases, phaseToUse }] });
    expect(await use(3, 2)).toBe("Rejected");
    expect(await use(1, 2)).toBe("Accepted");
    await story.settlesAt(-3.68);
    await story.meterShows("Current.Import L2", 16, 0.1);
    await story.meterShows("Current.Import L1", 0, 0.01);
  });

  test("more phases than the supply has are refused", async () => {
    await using story = await ChargerStory.begin(version, { phases: 1 });
    expect(await story.send({ periods: [{ startPeriod: 0, limit: 16, numberPhases: 3 }] })).toBe("Rejected");
    expect(await story.send({ periods: [{ startPeriod: 0, limit: 16, numberPhases: 1 }] })).toBe("Accepted");
    await story.settlesAt(-3.68);
  });
});

test.concurrent("a 2.1 profile that may not hold offline gives way while the link is down", async () => {
  await using story = await ChargerStory.begin("2.1");
  await story.send({ id: 1, stackLevel: 0, limit: 10 });
  await story.send({ id: 2, stackLevel: 1, limit: 14, extra: { maxOfflineDuration: 0 } });
  await story.settlesAt(-14 * 0.69);
  await story.charger.disconnect();
  await story.settlesAt(-6.9);
  await story.charger.reconnect();
  await story.settlesAt(-14 * 0.69);
  await story.send({
    id: 2,
    stackLevel: 1,
    limit: 14,
    extra: { maxOfflineDuration: 0, invalidAfterOfflineDuration: true },
  });
  await story.charger.disconnect();
  await story.settlesAt(-6.9);
  await story.charger.reconnect();
  await waitFor("the link", () => story.csms.connected);
  expect(await story.csms.call("ClearChargingProfile", { chargingProfileId: 2 })).toEqual({ status: "Unknown" });
});
