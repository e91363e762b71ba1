import { describe, expect, test } from "vitest";
import type { MeterFault } from "../../simulators/charger/behaviour.ts";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

const DAY_MS = 86_400_000;

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("a charger that speaks OCPP %s", (version) => {
  const start = version === "1.6" ? "StartTransaction" : "TransactionEvent";
  const startMs = (story: ChargerStory) => Date.parse(String(story.csms.payloads(start)[0]?.["timestamp"]));

  test("goes by a clock that is a day ahead", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { clockOffsetMs: DAY_MS } });
    expect(startMs(story) - Date.now()).toBeGreaterThan(DAY_MS - 60_000);
    // What ends within the hour is over for it.
    expect(await story.send({ limit: 8, durationS: 3600 })).toBe("Accepted");
    expect(story.charger.limitA()).toBe(16);
    story.charger.behaviour.clockOffsetMs = 0;
    expect(await story.send({ limit: 8, durationS: 3600 })).toBe("Accepted");
    await story.settlesAt(-8 * 0.69);
  });

  test("believes that it is 1970", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { clockStartsIn1970: true } });
    expect(startMs(story)).toBeLessThan(60_000);
    expect(await story.send({ limit: 8 })).toBe("Accepted");
    expect(story.charger.limitA()).toBe(16);
    expect(await story.send({ kind: "Relative", limit: 8 })).toBe("Accepted");
    await story.settlesAt(-8 * 0.69);
  });

  test("writes times without a zone", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { timestampsWithoutZone: true } });
    expect(String(story.csms.payloads(start)[0]?.["timestamp"])).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+$/);
  });

  test("dials without a subprotocol", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { offersNoSubprotocol: true } });
    expect(story.csms.protocols.at(-1)).toBe("");
    expect(story.csms.payloads("BootNotification")).toHaveLength(1);
    story.charger.behaviour.offersNoSubprotocol = false;
    await story.csms.dropLink();
    await waitFor("the next dial", () => story.csms.protocols.at(-1) === `ocpp${version}`);
  });

  test("sends no BootNotification, neither at first nor after a restart, but when it is asked to", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { neverBoots: true } });
    await waitFor("the car to charge", () => story.lastState() === "Charging");
    await story.charger.reboot();
    await waitFor("the link", () => story.charger.online() && story.csms.connected);
    expect(story.csms.payloads("BootNotification")).toEqual([]);
    await story.csms.call("TriggerMessage", { requestedMessage: "BootNotification" });
    await waitFor("the boot", () => story.csms.payloads("BootNotification").length === 1);
  });

  test("answers late", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { answerDelayMs: 300 } });
    const askedMs = performance.now();
    expect(await story.send({ limit: 8 })).toBe("Accepted");
    expect(performance.now() - askedMs).toBeGreaterThan(290);
  });

  test("reboots again and again", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { rebootsEveryMs: 500 } });
    await waitFor("three boots", () => story.csms.payloads("BootNotification").length >= 3);
    story.charger.behaviour.rebootsEveryMs = undefined;
    await waitFor("the link", () => story.charger.online() && story.csms.connected);
  });

  test("opens a second connection under the same identity, and closes it when it is told to", async () => {
    await using story = await ChargerStory.begin(version);
    story.charger.behaviour.opensSecondSocket = true;
    await waitFor("the second connection", () => story.csms.links === 2);
    await waitFor("its boot", () => story.csms.payloads("BootNotification").length === 2);
    expect(await story.send({ limit: 8 })).toBe("Accepted");
    story.charger.behaviour.opensSecondSocket = false;
    await waitFor("one connection", () => story.csms.links === 1);
  });

  test("pours out garbage and goes on charging", async () => {
    await using story = await ChargerStory.begin(version);
    const frames = story.csms.framesHeard;
    story.charger.behaviour.floodsGarbage = true;
    await waitFor("a thousand frames", () => story.csms.framesHeard > frames + 1000);
    story.charger.behaviour.floodsGarbage = false;
    expect(await story.send({ limit: 8 })).toBe("Accepted");
    await story.settlesAt(-8 * 0.69);
    story.csms.violations.length = 0;
  });

  test("tells of a charge of an hour ago, in order, with the times of then", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { backlogMs: 3_600_000 } });
    const stop = () =>
      story.csms.seen.find(({ action, payload }) => action === "StopTransaction" || payload["eventType"] === "Ended");
    await waitFor("the stop of then", () => stop() !== undefined);
    expect(Date.now() - startMs(story)).toBeGreaterThan(3_590_000);
    expect(Date.now() - Date.parse(String(stop()?.payload["timestamp"]))).toBeGreaterThan(350_000);
    if (version === "1.6") expect(stop()?.payload["transactionId"]).toBe(1);
    const before = story.csms.seen.slice(
      0,
      story.csms.seen.findIndex(({ payload }) => payload === stop()?.payload),
    );
    const times = before.flatMap(({ payload }) =>
      ((payload["meterValue"] ?? []) as { timestamp: string }[]).map(({ timestamp }) => Date.parse(timestamp)),
    );
    expect(times.length).toBeGreaterThanOrEqual(10);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Date.now() - (times.at(-1) ?? 0)).toBeGreaterThan(350_000);
    await waitFor("the car of now to charge", () => story.lastState() === "Charging");
  });

  test("reports a security event when the link is up", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { securityEvent: "SettingSystemTime" } });
    await waitFor("the event", () => story.csms.payloads("SecurityEventNotification").length === 1);
    expect(story.csms.payloads("SecurityEventNotification")[0]).toMatchObject({ type: "SettingSystemTime" });
  });

  test("sends meter values only when it is asked to", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { meterTiming: "triggered" } });
    await story.settlesAt(-11.04);
    const metered = () =>
      story.csms.seen.filter(({ payload }) => "meterValue" in payload && payload["eventType"] !== "Started");
    expect(metered()).toEqual([]);
    await story.csms.call("TriggerMessage", { requestedMessage: "MeterValues" });
    await waitFor("one meter value", () => metered().length === 1);
  });

  test("sends meter values only with the end of the transaction", async () => {
    await using story = await ChargerStory.begin(version, { behaviour: { meterTiming: "at-end" } });
    await story.settlesAt(-11.04);
    await story.csms.call("TriggerMessage", { requestedMessage: "MeterValues" });
    await story.charger.unplug();
    const metered = story.csms.seen.filter(
      ({ payload }) => ("meterValue" in payload || "transactionData" in payload) && payload["eventType"] !== "Started",
    );
    expect(metered).toHaveLength(1);
    expect(JSON.stringify(metered[0]?.payload)).toContain("Power.Active.Import");
  });

  const sampled = (payload: Record<string, unknown>): Record<string, unknown>[] =>
    (payload["meterValue"] as { sampledValue: Record<string, unknown>[] }[])[0]?.sampledValue ?? [];

  test.each([
    { fault: "no-unit", shows: (value) => value["unit"] === undefined && value["unitOfMeasure"] === undefined },
    { fault: "kilo", shows: (value) => JSON.stringify(value).includes('"unit":"kW"') && Number(value["value"]) < 12 },
    { fault: "casing", shows: (value) => value["measurand"] === "power.active.import" },
    { fault: "empty", shows: (value) => value["value"] === "" },
    { fault: "nan", shows: (value) => value["value"] === "NaN" },
    { fault: "strings", shows: (value) => /^ [\d.]+ $/.test(String(value["value"])) },
    { fault: "signed", shows: (value) => JSON.stringify(value).includes("OCMF") },
  ] as const satisfies readonly { fault: MeterFault; shows: (value: Record<string, unknown>) => boolean }[])(
    "sends meter values with the fault $fault",
    async ({ fault, shows }) => {
      await using story = await ChargerStory.begin(version);
      await story.settlesAt(-11.04);
      story.charger.behaviour.meterFaults = [fault];
      await waitFor("a spoilt value", () =>
        story.csms.raw.some((payload) => "meterValue" in payload && sampled(payload).some(shows)),
      );
      story.charger.behaviour.meterFaults = [];
      expect(await story.send({ limit: 8 })).toBe("Accepted");
      await story.settlesAt(-8 * 0.69);
      story.csms.violations.length = 0;
    },
  );
});
