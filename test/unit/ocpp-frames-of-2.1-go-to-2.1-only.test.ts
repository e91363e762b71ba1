import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { dialIn, openGateway, type RawCharger } from "./ocpp-raw-charger.ts";

const order = () => ({ setpointId: "s", powerKW: -5, untilMs: Date.now() + 60_000 });
const STREAM = { id: 1, pending: 0, basetime: new Date().toISOString(), data: [{ t: 0, v: "230" }] };
/** Frames of the types that only 2.1 has. */
const later = (charger: RawCharger) => charger.frames.filter((frame) => Number(frame[0]) > 4);
const answers = (charger: RawCharger) => charger.frames.filter((frame) => frame[0] !== 2);

describe("SEND", () => {
  test("over 2.1 is taken and never answered, whatever is in it", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version: "ocpp2.1" });
    charger.send([6, "s1", "NotifyPeriodicEventStream", STREAM]);
    charger.send([6, "s2", "MakeCoffee", {}]);
    charger.send([6, "s3", "NotifyPeriodicEventStream", "text"]);
    charger.send([6, 17]);
    charger.send([6]);
    await charger.call("Heartbeat", {});
    expect(answers(charger)).toHaveLength(1);
  });

  test("does not count as nonsense over 2.1, and does over older versions", async () => {
    await using gateway = await openGateway({ devices: [{ identity: "NEW" }, { identity: "OLD" }] });
    await using modern = await dialIn(gateway.url, { identity: "NEW", version: "ocpp2.1" });
    await using old = await dialIn(gateway.url, { identity: "OLD", version: "ocpp2.0.1" });
    for (let n = 0; n < 150; n++) {
      for (const charger of [modern, old]) charger.send([6, `s${n}`, "NotifyPeriodicEventStream", STREAM]);
    }
    await waitFor("the old one's link to close", () => old.socket.readyState === old.socket.CLOSED);
    expect((await modern.call("Heartbeat", {}))[0]).toBe(3);
  });
});

describe("CALLRESULTERROR", () => {
  const useless: readonly (object | number[])[] = [{}, [1], { status: 42 }];

  test("tells a charger of 2.1 which of its answers could not be used", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version: "ocpp2.1" });
    await gateway.adapter.start(gateway.signal);
    for (const answer of useless) {
      const ids: string[] = [];
      charger.when("SetChargingProfile", (_payload, id) => {
        ids.push(id);
        return JSON.stringify([3, id, answer]);
      });
      await expect(gateway.adapter.apply(order(), gateway.signal)).rejects.toMatchObject({ fault: "protocol" });
      await waitFor("the error", () => later(charger).some((frame) => frame[1] === ids[0]));
      expect(later(charger).find((frame) => frame[1] === ids[0])).toEqual([
        5,
        ids[0],
        "FormatViolation",
        expect.any(String),
        {},
      ]);
    }
  });

  test.each(["ocpp1.6", "ocpp2.0.1"])("is not sent over %s", async (version) => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    await gateway.adapter.start(gateway.signal);
    for (const answer of useless) {
      charger.when("SetChargingProfile", (_payload, id) => JSON.stringify([3, id, answer]));
      await expect(gateway.adapter.apply(order(), gateway.signal)).rejects.toMatchObject({ fault: "protocol" });
    }
    await charger.call("Heartbeat", {});
    expect(later(charger)).toEqual([]);
  });

  test("from a charger is never answered and ends nothing", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version: "ocpp2.1" });
    for (let n = 0; n < 150; n++) charger.send([5, `c${n}`, "FormatViolation", "no currentTime", {}]);
    await charger.call("Heartbeat", {});
    expect(answers(charger)).toHaveLength(1);
  });
});
