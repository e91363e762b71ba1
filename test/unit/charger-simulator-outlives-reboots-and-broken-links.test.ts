import { describe, expect, test } from "vitest";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("a charger that speaks OCPP %s", (version) => {
  const meterTimes = (story: ChargerStory): number[] =>
    story.csms.payloads(version === "1.6" ? "MeterValues" : "TransactionEvent").flatMap((payload) => {
      const values = payload["meterValue"] as { timestamp: string }[] | undefined;
      return values === undefined ? [] : [Date.parse(values[0]?.timestamp ?? "")];
    });

  test("reboots: it boots again, forgets the transaction's profile, keeps the default one and charges on", async () => {
    await using story = await ChargerStory.begin(version);
    const first = story.transactionId();
    await story.send({ id: 1, limit: 12 });
    await story.send({ id: 2, purpose: "TxProfile", transactionId: first, limit: 8 });
    await story.settlesAt(-8 * 0.69);
    await story.charger.reboot();
    expect(story.csms.payloads("BootNotification")).toHaveLength(2);
    await story.settlesAt(-12 * 0.69);
    if (version === "1.6") {
      expect(story.csms.payloads("StopTransaction")).toMatchObject([{ transactionId: 1, reason: "PowerLoss" }]);
      expect(story.transactionId()).toBe("2");
    } else {
      expect(story.transactionId()).toBe(first);
      expect(story.csms.payloads("TransactionEvent").some((event) => event["eventType"] === "Ended")).toBe(false);
    }
    const transactionId = story.transactionId();
    expect(await story.send({ id: 3, purpose: "TxProfile", transactionId, limit: 7 })).toBe("Accepted");
  });

  test("reboots without any profile if it keeps none", async () => {
    await using story = await ChargerStory.begin(version);
    await story.send({ limit: 12 });
    await story.charger.reboot({ forgetsProfiles: true });
    expect(story.charger.hasProfile()).toBe(false);
    await story.settlesAt(-11.04);
  });

  test("reboots when the CSMS resets it", async () => {
    await using story = await ChargerStory.begin(version);
    const type = version === "1.6" ? "Soft" : "Immediate";
    expect(await story.csms.call("Reset", { type })).toEqual({ status: "Accepted" });
    await waitFor("the second boot", () => story.csms.payloads("BootNotification").length === 2);
    await waitFor("the car to charge again", () => story.lastState() === "Charging");
    await story.settlesAt(-11.04);
  });

  test("charges on while the link is down, and tells the rest of it later with the times of then", async () => {
    await using story = await ChargerStory.begin(version);
    await story.send({ limit: 10 });
    await story.settlesAt(-6.9);
    await story.charger.disconnect();
    const cutAtMs = Date.now();
    const before = meterTimes(story).length;
    expect(story.charger.online()).toBe(false);
    await waitFor("some time without a link", () => Date.now() > cutAtMs + 600);
    expect(story.charger.powerKW()).toBeCloseTo(-6.9, 1);
    await story.charger.reconnect();
    const backAtMs = Date.now();
    await waitFor("the backlog", () => meterTimes(story).some((timeMs) => timeMs > backAtMs));
    const times = meterTimes(story).slice(before);
    expect(times.filter((timeMs) => timeMs > cutAtMs && timeMs < backAtMs).length).toBeGreaterThanOrEqual(3);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // No new boot and no new transaction: it was only the link.
    expect(story.csms.payloads("BootNotification")).toHaveLength(1);
    expect(story.transactionId()).toBe(version === "1.6" ? "1" : story.transactionId());
    expect(story.charger.limitA()).toBe(10);
  });

  test("comes back by itself when the CSMS drops the link", async () => {
    await using story = await ChargerStory.begin(version);
    await story.csms.dropLink();
    await waitFor("the link to be gone", () => !story.charger.online());
    await waitFor("the link to be back", () => story.charger.online() && story.csms.connected);
    expect(await story.send({ limit: 8 })).toBe("Accepted");
  });

  test("stops the transaction when the car leaves, forgets its profile, and takes the next car", async () => {
    await using story = await ChargerStory.begin(version);
    const first = story.transactionId();
    await story.send({ purpose: "TxProfile", transactionId: first, limit: 8 });
    await story.charger.unplug();
    const told = story.csms.payloads(version === "1.6" ? "StopTransaction" : "TransactionEvent").at(-1);
    expect(told).toMatchObject(
      version === "1.6"
        ? { transactionId: 1, reason: "EVDisconnected" }
        : { eventType: "Ended", transactionInfo: { transactionId: first, stoppedReason: "EVDisconnected" } },
    );
    await story.settlesAt(0);
    expect(story.charger.hasProfile()).toBe(false);
    await story.charger.plugIn();
    expect(story.transactionId()).not.toBe(first);
    await story.settlesAt(-11.04);
  });

  test("a whole charge without a link reaches the CSMS afterwards, in order", async () => {
    await using story = await ChargerStory.begin(version);
    await story.charger.unplug();
    await story.charger.disconnect();
    const seenBefore = story.csms.seen.length;
    await story.charger.plugIn();
    await story.settlesAt(-11.04);
    await story.charger.unplug();
    await story.charger.reconnect();
    const told = () => story.csms.seen.slice(seenBefore).filter((entry) => entry.action !== "StatusNotification");
    const last = () => told().at(-1);
    await waitFor("the stop", () => last()?.action === "StopTransaction" || last()?.payload["eventType"] === "Ended");
    if (version === "1.6") {
      const actions = told().map((entry) => entry.action);
      expect(actions[0]).toBe("StartTransaction");
      expect(
        told()
          .slice(1)
          .every((entry) => entry.payload["transactionId"] === 2),
      ).toBe(true);
    } else {
      expect(told().map((entry) => entry.payload["seqNo"])).toEqual(told().map((_, index) => index));
      expect(told().every((entry) => entry.payload["offline"] === true)).toBe(true);
    }
  });
});

test.concurrent("a charger waits for a CSMS that is not there yet", async () => {
  await using story = await ChargerStory.prepare("1.6", { url: "ws://127.0.0.1:1/ocpp" });
  await story.charger.start();
  expect(story.charger.online()).toBe(false);
  expect(story.charger.powerKW()).toBe(0);
});

test.concurrent("a charger that is switched off in the middle of its boot is gone", async () => {
  await using story = await ChargerStory.prepare("1.6");
  story.csms.answers.set("BootNotification", () => new Promise(() => {}));
  const starting = story.charger.start();
  await waitFor("the boot", () => story.csms.seen.length === 1);
  await story.charger[Symbol.asyncDispose]();
  await starting;
  await waitFor("the link to be gone", () => !story.csms.connected);
});
