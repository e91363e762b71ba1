import { describe, expect, test } from "vitest";
import { ChargerStory, type Profile } from "../support/charger-story.ts";

interface Refusal {
  readonly because: string;
  readonly profile: Profile;
  /** `reasonCode` in 2.x. */
  readonly code: string;
  /** Only 2.x refuses it; 1.6 takes it. */
  readonly only?: "2.x";
  /** In 2.1 the schema forbids it already. */
  readonly schema21?: true;
}

const period = (startPeriod: number, limit: number) => ({ startPeriod, limit });
const soonMs = Date.now() + 600_000;

const REFUSALS: readonly Refusal[] = [
  { because: "the limit is negative", profile: { limit: -10 }, code: "InvalidSchedule" },
  { because: "the unit is not supported", profile: { unit: "W", limit: 5000 }, code: "UnsupportedRateUnit" },
  { because: "Absolute has no startSchedule", profile: { startMs: null }, code: "InvalidSchedule" },
  {
    because: "Relative has a startSchedule",
    profile: { kind: "Relative", scheduleExtra: { startSchedule: new Date().toISOString() } },
    code: "InvalidSchedule",
    only: "2.x",
  },
  {
    because: "Recurring does not say how often",
    profile: { kind: "Recurring" },
    code: "InvalidProfile",
  },
  {
    because: "the transaction profile names another transaction",
    profile: { purpose: "TxProfile", transactionId: "99" },
    code: "TxNotFound",
  },
  {
    because: "the transaction profile names none",
    profile: { purpose: "TxProfile" },
    code: "MissingParam",
    only: "2.x",
  },
  {
    because: "the transaction profile is for the whole station",
    profile: { purpose: "TxProfile", connectorId: 0, transactionId: "1" },
    code: "InvalidProfile",
  },
  {
    because: "a default profile names a transaction",
    profile: { purpose: "TxDefaultProfile", transactionId: "1" },
    code: "InvalidProfile",
  },
  { because: "there is no such connector", profile: { connectorId: 2 }, code: "UnknownEvse" },
  { because: "the stack level is too high", profile: { stackLevel: 9 }, code: "InvalidStackLevel" },
  { because: "the stack level is negative", profile: { stackLevel: -1 }, code: "InvalidStackLevel", schema21: true },
  {
    because: "the maximum is for a connector",
    profile: { purpose: "Max", connectorId: 1 },
    code: "InvalidProfile",
  },
  {
    because: "the maximum is relative",
    profile: { purpose: "Max", connectorId: 0, kind: "Relative" },
    code: "InvalidProfile",
  },
  {
    because: "the first period does not start at 0",
    profile: { periods: [period(10, 8)] },
    code: "InvalidSchedule",
  },
  {
    because: "the periods are out of order",
    profile: { periods: [period(0, 8), period(20, 9), period(10, 7)] },
    code: "InvalidSchedule",
  },
  {
    because: "there are too many periods",
    profile: { periods: Array.from({ length: 25 }, (_, index) => period(index, 8)) },
    code: "InvalidSchedule",
  },
  {
    because: "it wants four phases",
    profile: { periods: [{ startPeriod: 0, limit: 8, numberPhases: 4 }] },
    code: "InvalidSchedule",
    schema21: true,
  },
  {
    because: "it ends before it begins",
    profile: { validFromMs: soonMs, validToMs: soonMs - 1000 },
    code: "InvalidProfile",
  },
  { because: "it lasts no time", profile: { durationS: 0 }, code: "InvalidSchedule" },
];

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("OCPP %s refuses a profile", (version) => {
  const refusals = REFUSALS.filter(({ schema21 }) => version !== "2.1" || schema21 !== true);

  test.each(refusals)("because $because", async ({ profile, code, only }) => {
    await using story = await ChargerStory.begin(version, { rateUnits: ["A"] });
    const answer = await story.csms.call("SetChargingProfile", story.request(profile));
    const refused = only === undefined || version !== "1.6";
    expect(answer["status"]).toBe(refused ? "Rejected" : "Accepted");
    if (refused && version !== "1.6") {
      expect((answer["statusInfo"] as { reasonCode: string }).reasonCode).toBe(code);
    }
    expect(story.charger.hasProfile()).toBe(!refused);
    expect(story.charger.limitA()).toBe(refused ? 16 : 10);
    expect(story.charger.profilesReceived).toHaveLength(1);
  });

  test("because no transaction runs", async () => {
    await using story = await ChargerStory.begin(version);
    const transactionId = story.transactionId();
    await story.charger.unplug();
    expect(await story.send({ purpose: "TxProfile", transactionId })).toBe("Rejected");
    expect(await story.send({ purpose: "TxDefaultProfile" })).toBe("Accepted");
  });

  test("because there are too many already", async () => {
    await using story = await ChargerStory.begin(version);
    const levels = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    for (const stackLevel of levels) expect(await story.send({ id: stackLevel, stackLevel })).toBe("Accepted");
    expect(await story.send({ id: 20, purpose: "Max", connectorId: 0 })).toBe("Accepted");
    expect(await story.send({ id: 21, connectorId: 0 })).toBe("Rejected");
    expect(await story.send({ id: 20, purpose: "Max", connectorId: 0, limit: 7 })).toBe("Accepted");
  });

  test("with an error of the protocol when the message itself is wrong, and lives on", async () => {
    await using story = await ChargerStory.begin(version);
    // The server's own schemas would stop these, so they go past them.
    const wrong = [
      `[2,"x1","SetChargingProfile",{"connectorId":"one","evseId":"one"}]`,
      `[2,"x2","SetChargingProfile",{}]`,
      `[2,"x3","SetChargingProfile"]`,
      `[2,"x4"`,
      `{"not":"a call"}`,
    ];
    const answers = await story.csms.exchangeRaw(wrong);
    expect(answers.get("x1")).toMatch(/Violation$/);
    expect(answers.get("x2")).toMatch(/Violation$/);
    expect(answers.get("x3")).toMatch(/Violation$/);
    expect(story.charger.violations.length).toBe(3);
    expect(await story.send({ limit: 8 })).toBe("Accepted");
  });

  test("only with NotImplemented when it does not know the action", async () => {
    await using story = await ChargerStory.begin(version);
    const known = { requestId: 1, logType: "SecurityLog", log: { remoteLocation: "ftp://127.0.0.1/" } };
    const failure = await story.csms.call("GetLog", known).catch((error: unknown) => error);
    expect(failure).toMatchObject({ rpcErrorCode: "NotImplemented" });
  });
});

test.concurrent("2.0.1 refuses a second profile at the same place, where 1.6 replaces the first", async () => {
  await using old = await ChargerStory.begin("1.6");
  expect(await old.send({ id: 1, limit: 10 })).toBe("Accepted");
  expect(await old.send({ id: 2, limit: 8 })).toBe("Accepted");
  expect(await old.csms.call("ClearChargingProfile", { id: 1 })).toEqual({ status: "Unknown" });
  expect(old.charger.limitA()).toBe(8);
  await using recent = await ChargerStory.begin("2.0.1");
  expect(await recent.send({ id: 1, limit: 10 })).toBe("Accepted");
  expect(await recent.send({ id: 2, limit: 8 })).toBe("Rejected");
  expect(recent.charger.limitA()).toBe(10);
});

test.concurrent("2.0.1 leaves external constraints to the site's own controller", async () => {
  await using story = await ChargerStory.begin("2.0.1");
  const extra = { chargingProfilePurpose: "ChargingStationExternalConstraints" };
  expect(await story.send({ connectorId: 0, extra })).toBe("Rejected");
});
