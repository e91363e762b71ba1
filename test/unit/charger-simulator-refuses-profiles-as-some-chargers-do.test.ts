import { describe, expect, test } from "vitest";
import type { ChargerBehaviour } from "../../simulators/charger/charger-simulator.ts";
import { ChargerStory, type Profile } from "../support/charger-story.ts";

type Fault = Partial<ChargerBehaviour>;

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("a charger that speaks OCPP %s and", (version) => {
  const refusals: readonly { told: string; fault: Fault; refused: Profile; taken: Profile }[] = [
    {
      told: "takes no stack level above 2",
      fault: { rejectsAboveStackLevel: 2 },
      refused: { stackLevel: 3 },
      taken: { stackLevel: 2 },
    },
    {
      told: "takes no default profile",
      fault: { rejectsPurposes: ["tx-default"] },
      refused: {},
      taken: { purpose: "Max", connectorId: 0 },
    },
    {
      told: "takes no maximum",
      fault: { rejectsPurposes: ["max"] },
      refused: { purpose: "Max", connectorId: 0 },
      taken: {},
    },
    { told: "takes nothing Absolute", fault: { rejectsKinds: ["Absolute"] }, refused: {}, taken: { kind: "Relative" } },
    {
      told: "takes nothing Relative",
      fault: { rejectsKinds: ["Relative"] },
      refused: { kind: "Relative" },
      taken: { kind: "Absolute" },
    },
    {
      told: "cannot be paused with 0",
      fault: { refusesZeroLimit: true },
      refused: { limit: 0 },
      taken: { limit: 5 },
    },
  ];

  test.each(refusals)("$told", async ({ fault, refused, taken }) => {
    await using story = await ChargerStory.begin(version, { behaviour: fault });
    expect(await story.send(refused)).toBe("Rejected");
    expect(story.charger.hasProfile()).toBe(false);
    expect(await story.send(taken)).toBe("Accepted");
    expect(story.charger.hasProfile()).toBe(true);
  });

  test.each(["NotImplemented", "NotSupported"] as const)("answers with the error %s", async (code) => {
    await using story = await ChargerStory.begin(version, { behaviour: { answersProfilesWithError: code } });
    await expect(story.send({ limit: 8 })).rejects.toMatchObject({ rpcErrorCode: code });
    expect(story.charger.limitA()).toBe(16);
    story.charger.behaviour.answersProfilesWithError = undefined;
    expect(await story.send({ limit: 8 })).toBe("Accepted");
  });

  test("never answers a profile, but all else", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { neverAnswersProfiles: true } });
    await expect(story.send({ limit: 8 })).rejects.toThrow(/timeout/i);
    expect(story.charger.hasProfile()).toBe(false);
    const heartbeat = { requestedMessage: "Heartbeat" };
    expect(await story.csms.call("TriggerMessage", heartbeat)).toEqual({ status: "Accepted" });
    story.charger.behaviour.neverAnswersProfiles = false;
    expect(await story.send({ limit: 8 })).toBe("Accepted");
  });
});
