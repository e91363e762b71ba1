import { describe, expect, test } from "vitest";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

describe.concurrent.each(["1.6", "2.0.1", "2.1"] as const)("OCPP %s", (version) => {
  const old = version === "1.6";
  const token = (idToken: string) => ({ idToken, type: "ISO14443" });

  async function reserve(story: ChargerStory, idTag: string, until = inAnHour(), id = 5): Promise<unknown> {
    const request = old
      ? { connectorId: 1, expiryDate: until, idTag, reservationId: id }
      : { id, evseId: 1, expiryDateTime: until, idToken: token(idTag) };
    return (await story.csms.call("ReserveNow", request))["status"];
  }

  const lastStatus = (story: ChargerStory) => {
    const told = story.csms.payloads("StatusNotification").findLast((payload) => payload["connectorId"] === 1);
    return told?.["status"] ?? told?.["connectorStatus"];
  };

  test("keeps a connector for one driver, and tells which reservation was used", async () => {
    await using story = await ChargerStory.begin(version, { idTag: "GUEST" });
    expect(await reserve(story, "GUEST")).toBe("Occupied");
    await story.charger.unplug();
    expect(await reserve(story, "OWNER")).toBe("Accepted");
    await waitFor("the status", () => lastStatus(story) === "Reserved");
    expect(await reserve(story, "OTHER", inAnHour(), 6)).toBe("Occupied");
    await story.charger.plugIn();
    expect(story.charger.powerKW()).toBeCloseTo(0, 1);
    const start = old
      ? await story.csms.call("RemoteStartTransaction", { connectorId: 1, idTag: "OWNER" })
      : await story.csms.call("RequestStartTransaction", { evseId: 1, remoteStartId: 9, idToken: token("OWNER") });
    expect(start["status"]).toBe("Accepted");
    await story.settlesAt(-11.04);
    const started = old
      ? story.csms.payloads("StartTransaction").at(-1)
      : story.csms.payloads("TransactionEvent").findLast((event) => event["eventType"] === "Started");
    expect(started).toMatchObject({ reservationId: 5 });
    if (!old) expect(started).toMatchObject({ triggerReason: "RemoteStart", transactionInfo: { remoteStartId: 9 } });
  });

  test("cancels a reservation, and lets it expire", async () => {
    await using story = await ChargerStory.begin(version);
    await story.charger.unplug();
    expect(await reserve(story, "OWNER", new Date(Date.now() - 1000).toISOString())).toBe("Rejected");
    expect(await reserve(story, "OWNER")).toBe("Accepted");
    const cancel = () => story.csms.call("CancelReservation", { reservationId: 5 });
    expect((await cancel())["status"]).toBe("Accepted");
    expect((await cancel())["status"]).toBe("Rejected");
    await waitFor("the status", () => lastStatus(story) === "Available");
    expect(await reserve(story, "OWNER", new Date(Date.now() + 1500).toISOString())).toBe("Accepted");
    await waitFor("the reservation to be over", () => lastStatus(story) === "Available");
    if (!old) {
      await waitFor("the word of it", () => story.csms.payloads("ReservationStatusUpdate").length === 1);
      expect(story.csms.payloads("ReservationStatusUpdate")[0]).toEqual({
        reservationId: 5,
        reservationUpdateStatus: "Expired",
      });
    }
  });

  test("goes by the local list while nobody can be asked", async () => {
    await using story = await ChargerStory.begin(version, { idTag: "LOST" });
    await story.charger.unplug();
    const entry = (idTag: string, status?: string) =>
      old
        ? { idTag, ...(status === undefined ? {} : { idTagInfo: { status } }) }
        : { idToken: token(idTag), ...(status === undefined ? {} : { idTokenInfo: { status } }) };
    const send = async (updateType: string, number: number, list: unknown[]) => {
      const versioned = old ? { listVersion: number } : { versionNumber: number };
      const answer = await story.csms.call("SendLocalList", { ...versioned, updateType, localAuthorizationList: list });
      return answer["status"];
    };
    const listVersion = async () => Object.values(await story.csms.call("GetLocalListVersion", {}))[0];
    expect(await listVersion()).toBe(0);
    expect(await send("Full", 3, [entry("LOST", "Blocked"), entry("OTHER", "Accepted")])).toBe("Accepted");
    expect(await listVersion()).toBe(3);
    expect(await send("Differential", 3, [entry("LOST")])).toBe("VersionMismatch");
    await story.charger.disconnect();
    await story.charger.plugIn();
    expect(story.charger.powerKW()).toBeCloseTo(0, 1);
    await story.charger.unplug();
    await story.charger.reconnect();
    await waitFor("the link", () => story.csms.connected);
    expect(await send("Differential", 4, [entry("LOST")])).toBe("Accepted");
    await story.charger.disconnect();
    await story.charger.plugIn();
    await story.settlesAt(-11.04);
  });
});

describe.concurrent.each(["2.0.1", "2.1"] as const)("OCPP %s", (version) => {
  test("tells whether a transaction goes on and whether messages wait", async () => {
    await using story = await ChargerStory.begin(version, { meterIntervalMs: 60_000 });
    const ask = (transactionId?: string) =>
      story.csms.call("GetTransactionStatus", transactionId === undefined ? {} : { transactionId });
    await waitFor("nothing to wait", async () => (await ask())["messagesInQueue"] === false);
    const running = story.transactionId();
    expect(await ask(running)).toMatchObject({ ongoingIndicator: true });
    expect(await ask("another")).toMatchObject({ ongoingIndicator: false });
    story.csms.answers.set("TransactionEvent", () => new Promise(() => {}));
    void story.charger.unplug();
    expect(await ask(running)).toEqual({ ongoingIndicator: false, messagesInQueue: true });
  });
});

test.concurrent("a 1.6 charger takes the trigger of the security extension", async () => {
  await using story = await ChargerStory.begin("1.6");
  const trigger = (requestedMessage: string) => story.csms.call("ExtendedTriggerMessage", { requestedMessage });
  const before = story.csms.payloads("Heartbeat").length;
  expect(await trigger("Heartbeat")).toEqual({ status: "Accepted" });
  await waitFor("the heartbeat", () => story.csms.payloads("Heartbeat").length > before);
  expect(await trigger("LogStatusNotification")).toEqual({ status: "NotImplemented" });
});
