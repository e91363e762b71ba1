import { beforeEach, describe, expect, test } from "vitest";
import { controlDocument } from "../../adapters/ieee2030-5/controls/control-document.ts";
import { EVENT_ACTIVE, EVENT_CANCELLED, EVENT_SUPERSEDED } from "../../adapters/ieee2030-5/controls/control-event.ts";
import { ControlLedger } from "../../adapters/ieee2030-5/controls/control-ledger.ts";
import { controlPowerFromKW } from "../../adapters/ieee2030-5/controls/control-power.ts";
import { writeXml } from "../../adapters/ieee2030-5/xml/xml-write.ts";

const NOW_MS = 1_795_473_000_400;
const NOW_S = 1_795_473_000;
const power = (powerKW: number) => controlPowerFromKW(powerKW, "opModFixedW", { generationKW: 5, chargeKW: 5 });

let ledger: ControlLedger;
let made: number;

beforeEach(() => {
  made = 0;
  ledger = new ControlLedger(() => `${++made}`.padStart(32, "A"));
});

describe("a new target", () => {
  test("is a new event that starts now, is active and carries its end", () => {
    const event = ledger.publish("s1", power(3.5), NOW_MS + 60_000, NOW_MS);
    expect(event).toMatchObject({ startS: NOW_S, endS: NOW_S + 61, status: EVENT_ACTIVE, creationTimeS: NOW_S });
    expect(ledger.current(NOW_MS)).toEqual(event);
  });

  test("supersedes the one before, which stays on the list until its own end", () => {
    const first = ledger.publish("s1", power(3.5), NOW_MS + 60_000, NOW_MS);
    const second = ledger.publish("s2", power(2), NOW_MS + 120_000, NOW_MS + 10_000);
    expect(second.mRID).not.toBe(first.mRID);
    const [listedFirst, listedSecond] = ledger.listed(NOW_MS + 10_000);
    expect(listedFirst).toEqual({
      ...first,
      status: EVENT_SUPERSEDED,
      statusSinceS: NOW_S + 10,
      potentiallySupersededS: NOW_S + 10,
    });
    expect(listedSecond).toEqual(second);
    expect(ledger.listed(NOW_MS + 61_000).map(({ mRID }) => mRID)).toEqual([second.mRID]);
  });

  test("within the same second still has the later creation time", () => {
    const events = [1, 2, 3].map((kW) => ledger.publish(`s${kW}`, power(kW), NOW_MS + 60_000, NOW_MS));
    const times = events.map(({ creationTimeS }) => creationTimeS);
    expect(times).toEqual([NOW_S, NOW_S + 1, NOW_S + 2]);
    // Of one start the newest stands first.
    expect(ledger.listed(NOW_MS).map(({ setpointId }) => setpointId)).toEqual(["s3", "s2", "s1"]);
  });

  test("that says just what is in force already needs no new event", () => {
    const event = ledger.publish("s1", power(3.5), NOW_MS + 60_000, NOW_MS);
    expect(ledger.standing(power(3.5), NOW_MS + 60_000, NOW_MS + 5000)).toEqual(event);
    expect(ledger.standing(power(3.4), NOW_MS + 60_000, NOW_MS + 5000)).toBeUndefined();
    expect(ledger.standing(power(3.5), NOW_MS + 90_000, NOW_MS + 5000)).toBeUndefined();
  });

  test("after a clock that jumped back is still the later one", () => {
    const before = ledger.publish("s1", power(3.5), NOW_MS + 60_000, NOW_MS);
    const after = ledger.publish("s2", power(2), NOW_MS + 60_000, NOW_MS - 30_000);
    expect(after.creationTimeS).toBeGreaterThan(before.creationTimeS);
  });
});

describe("a release", () => {
  test("cancels the event and leaves it listed until its end", () => {
    const event = ledger.publish("s1", power(3.5), NOW_MS + 60_000, NOW_MS);
    const cancelled = { ...event, status: EVENT_CANCELLED, statusSinceS: NOW_S + 5 };
    expect(ledger.cancel(NOW_MS + 5000)).toEqual(cancelled);
    expect(ledger.current(NOW_MS + 5000)).toBeUndefined();
    expect(ledger.listed(NOW_MS + 59_000)).toEqual([cancelled]);
    expect(ledger.listed(NOW_MS + 61_000)).toEqual([]);
  });

  test("without an event, or after its end, cancels nothing", () => {
    expect(ledger.cancel(NOW_MS)).toBeUndefined();
    ledger.publish("s1", power(3.5), NOW_MS + 60_000, NOW_MS);
    expect(ledger.cancel(NOW_MS + 90_000)).toBeUndefined();
  });
});

test("a hundred targets a minute keep the list short, and the newest on it", () => {
  for (let count = 1; count <= 100; count++) {
    ledger.publish(`s${count}`, power(count / 100), NOW_MS + 900_000, NOW_MS + count * 600);
  }
  const listed = ledger.listed(NOW_MS + 60_000);
  expect(listed).toHaveLength(33);
  expect(listed.filter(({ status }) => status === EVENT_ACTIVE).map(({ setpointId }) => setpointId)).toEqual(["s100"]);
});

test("an mRID is known after its event has left the list, without its leading zeros too", () => {
  const short = new ControlLedger(() => "0000000000000000000000010000ABCD");
  short.publish("s1", power(1), NOW_MS + 1000, NOW_MS);
  expect(short.listed(NOW_MS + 5000)).toEqual([]);
  expect(short.knows("10000abcd")).toBe(true);
  expect(short.knows("20000abcd")).toBe(false);
});

test("the document is the standard's, with a place for the device's Responses", () => {
  const event = ledger.publish("market 10:00 & more than thirty-two letters", power(3.5), NOW_MS + 3_599_600, NOW_MS);
  expect(writeXml(controlDocument(event, { href: "/edev/1/derp/1/derc/1", replyTo: "/rsps/1/rsp" }))).toBe(
    '<DERControl xmlns="urn:ieee:std:2030.5:ns" href="/edev/1/derp/1/derc/1" replyTo="/rsps/1/rsp" responseRequired="03">' +
      "<mRID>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1</mRID><description>market 10:00 &amp; more than thirty-</description>" +
      "<version>0</version><creationTime>1795473000</creationTime>" +
      "<EventStatus><currentStatus>1</currentStatus><dateTime>1795473000</dateTime>" +
      "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>" +
      "<interval><duration>3600</duration><start>1795473000</start></interval>" +
      "<randomizeDuration>0</randomizeDuration><randomizeStart>0</randomizeStart>" +
      "<DERControlBase><opModFixedW>7000</opModFixedW></DERControlBase></DERControl>",
  );
});
