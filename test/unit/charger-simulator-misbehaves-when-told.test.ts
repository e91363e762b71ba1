import { describe, expect, test } from "vitest";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("a charger that speaks OCPP %s", (version) => {
  test("accepts everything and charges on at full power", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { ignoresProfiles: true } });
    await story.settlesAt(-11.04);
    expect(await story.send({ limit: 6 })).toBe("Accepted");
    expect(await story.send({ limit: -6 })).toBe("Accepted");
    const sentAtMs = Date.now();
    await waitFor("two more meter values", () => Date.now() > sentAtMs + 300);
    expect(story.charger.powerKW()).toBeCloseTo(-11.04, 2);
    expect(story.charger.limitA()).toBe(16);
    await story.meterShows("Power.Active.Import", 11_040);
    story.charger.behaviour.ignoresProfiles = false;
    await story.settlesAt(-6 * 0.69);
  });

  test("refuses everything, until it is told to behave", async () => {
    await using story = await ChargerStory.begin(version);
    story.charger.behaviour.rejectsProfiles = true;
    expect(await story.send({ limit: 8 })).toBe("Rejected");
    expect(story.charger.hasProfile()).toBe(false);
    story.charger.behaviour.rejectsProfiles = false;
    expect(await story.send({ limit: 8 })).toBe("Accepted");
  });

  test("falls silent: no answer to a call, while the socket and the meter go on", async () => {
    await using story = await ChargerStory.begin(version);
    await story.settlesAt(-11.04);
    story.charger.behaviour.silent = true;
    const before = story.csms.seen.length;
    await expect(story.send({ limit: 8 })).rejects.toThrow(/timeout/i);
    expect(story.csms.connected).toBe(true);
    expect(story.csms.seen.length).toBeGreaterThan(before);
    story.charger.behaviour.silent = false;
    expect(await story.send({ limit: 8 })).toBe("Accepted");
  });

  test("talks nonsense: wrong types and broken frames, and is sound again afterwards", async () => {
    await using story = await ChargerStory.begin(version);
    story.charger.behaviour.talksNonsense = true;
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => story.send({ limit: 8 })));
    expect(answers.map((answer) => answer.status)).toEqual(Array(4).fill("rejected"));
    expect(story.csms.violations.length).toBeGreaterThan(0);
    story.csms.violations.length = 0;
    story.charger.behaviour.talksNonsense = false;
    expect(await story.send({ limit: 8 })).toBe("Accepted");
  });
});
