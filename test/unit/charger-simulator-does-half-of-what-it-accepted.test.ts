import { describe, expect, test } from "vitest";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("a charger that speaks OCPP %s", (version) => {
  test("carries out half of an order", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { appliesShare: 0.5 } });
    expect(await story.send({ limit: 10 })).toBe("Accepted");
    await story.settlesAt(-13 * 0.69);
    story.charger.behaviour.appliesShare = 1;
    await story.settlesAt(-10 * 0.69);
  });

  test("forgets an order after a while, and says that it still holds", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { revertsAfterMs: 1500 } });
    expect(await story.send({ limit: 8 })).toBe("Accepted");
    await story.settlesAt(-8 * 0.69);
    await story.settlesAt(-11.04);
    expect(story.charger.hasProfile()).toBe(true);
    expect(await story.send({ limit: 8 })).toBe("Accepted");
    await story.settlesAt(-8 * 0.69);
  });

  test("loses two phases in mid session", async () => {
    await using story = await ChargerStory.begin(version);
    await story.settlesAt(-11.04);
    story.charger.behaviour.dropsToOnePhaseAfterMs = 0;
    await story.settlesAt(-3.68);
    await story.meterShows("Current.Import L1", 16, 0.1);
    await story.meterShows("Current.Import L2", 0, 0.01);
  });

  test("has a profile of somebody else, until it is cleared", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { foreignLimitA: 9 } });
    await story.settlesAt(-9 * 0.69);
    expect(await story.send({ limit: 14 })).toBe("Accepted");
    expect(story.charger.limitA()).toBe(9);
    if (version !== "1.6") {
      await story.csms.call("GetChargingProfiles", { requestId: 1, chargingProfile: { stackLevel: 8 } });
      await waitFor("the report", () => story.csms.payloads("ReportChargingProfiles").length === 1);
      expect(story.csms.payloads("ReportChargingProfiles")[0]).toMatchObject({
        chargingLimitSource: "Other",
        chargingProfile: [{ stackLevel: 8, chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 9 }] }] }],
      });
    }
    const all = version === "1.6" ? { stackLevel: 8 } : { chargingProfileCriteria: { stackLevel: 8 } };
    expect(await story.csms.call("ClearChargingProfile", all)).toEqual({ status: "Accepted" });
    await story.settlesAt(-14 * 0.69);
  });

  test.each(["empty", "none", "echo"] as const)("lies about what binds: %s", async (compositeLie) => {
    await using story = await ChargerStory.begin(version, { behaviour: { compositeLie, rejectsProfiles: true } });
    expect(await story.send({ limit: 7 })).toBe("Rejected");
    const place = version === "1.6" ? { connectorId: 1 } : { evseId: 1 };
    const heard = story.csms.nextFrame();
    await story.csms.call("GetCompositeSchedule", { ...place, duration: 60 }).catch(() => {});
    const [, , answer] = JSON.parse(await heard) as [number, string, Record<string, unknown>];
    const schedule = (answer["chargingSchedule"] ?? answer["schedule"]) as { chargingSchedulePeriod: unknown[] };
    expect(answer["status"]).toBe("Accepted");
    if (compositeLie === "none") expect(schedule).toBeUndefined();
    else if (compositeLie === "empty") expect(schedule.chargingSchedulePeriod).toEqual([]);
    else expect(schedule.chargingSchedulePeriod).toMatchObject([{ startPeriod: 0, limit: 7 }]);
    // The empty list breaks the schema of 2.x, and so it should.
    story.csms.violations.length = 0;
  });
});
