import { beforeEach, describe, expect, test } from "vitest";
import { controlDocument } from "../../adapters/ieee2030-5/controls/control-document.ts";
import {
  type ControlEvent,
  EVENT_ACTIVE,
  EVENT_CANCELLED,
  EVENT_CANCELLED_RANDOMLY,
  EVENT_SCHEDULED,
  EVENT_SUPERSEDED,
} from "../../adapters/ieee2030-5/controls/control-event.ts";
import { ControlLedger, type PlannedPower } from "../../adapters/ieee2030-5/controls/control-ledger.ts";
import { type ControlMode, controlPowerFromKW } from "../../adapters/ieee2030-5/controls/control-power.ts";
import { writeXml } from "../../adapters/ieee2030-5/xml/xml-write.ts";

const NOW_S = 1_795_473_000;
const NOW_MS = NOW_S * 1000 + 400;
const at = (seconds: number) => NOW_MS + seconds * 1000;

const power = (powerKW: number, mode: ControlMode = "opModFixedW") =>
  controlPowerFromKW(powerKW, mode, { generationKW: 5, chargeKW: 5 });
const next = (setpointId: string, powerKW: number, from: number, until: number): PlannedPower => ({
  setpointId,
  power: power(powerKW),
  fromMs: at(from),
  untilMs: at(until),
});
const brief = (events: readonly ControlEvent[]) => events.map(({ setpointId, status }) => [setpointId, status]);

let ledger: ControlLedger;
beforeEach(() => {
  let made = 0;
  ledger = new ControlLedger(() => `${++made}`.padStart(32, "A"));
});

describe("a market interval after another", () => {
  test("is listed as scheduled at once, and becomes active under the same mRID without being given again", () => {
    ledger.publish("s1", power(3), at(60), NOW_MS);
    ledger.plan([next("s2", 2, 60, 120)], NOW_MS);
    expect(brief(ledger.listed(NOW_MS))).toEqual([
      ["s1", EVENT_ACTIVE],
      ["s2", EVENT_SCHEDULED],
    ]);
    const [, ahead] = ledger.listed(NOW_MS);
    const standing = ledger.standing(power(2), at(120), at(60));
    expect(standing?.mRID).toBe(ahead?.mRID);
    expect(ledger.current(at(61))).toMatchObject({ mRID: ahead?.mRID, status: EVENT_ACTIVE, statusSinceS: NOW_S + 61 });
  });

  test("begins in the second in which the one before ends", () => {
    const first = ledger.publish("s1", power(3), at(60), NOW_MS);
    ledger.plan([next("s2", 2, 60, 120), next("s3", 1, 120, 180)], NOW_MS);
    const [, second, third] = ledger.listed(NOW_MS);
    expect(second?.startS).toBe(first.endS);
    expect(third?.startS).toBe(second?.endS);
  });

  test("stays the same event when the plan is said again", () => {
    ledger.plan([next("s2", 2, 60, 120)], NOW_MS);
    const before = ledger.listed(at(1));
    ledger.plan([next("s2", 2, 60, 120)], at(1));
    expect(ledger.listed(at(1))).toEqual(before);
  });
});

describe("a plan that changes", () => {
  test("never changes an event: another power is a new event that supersedes the old", () => {
    ledger.plan([next("s2", 2, 60, 120)], NOW_MS);
    ledger.plan([next("s2", 1, 60, 120)], at(5));
    const listed = ledger.listed(at(5));
    expect(listed.map(({ status, statusSinceS }) => [status, statusSinceS])).toEqual([
      [EVENT_SCHEDULED, NOW_S + 5],
      [EVENT_SUPERSEDED, NOW_S + 5],
    ]);
    expect(new Set(listed.map(({ mRID }) => mRID)).size).toBe(2);
  });

  test("that is empty cancels what was ahead, and leaves what is in force alone", () => {
    ledger.publish("s1", power(3), at(60), NOW_MS);
    ledger.plan([next("s2", 2, 60, 120)], NOW_MS);
    ledger.plan([], at(5));
    expect(brief(ledger.listed(at(5)))).toEqual([
      ["s1", EVENT_ACTIVE],
      ["s2", EVENT_CANCELLED],
    ]);
  });

  test("in the moment of a start does not take the event away that is just beginning", () => {
    const planned = next("s2", 2, 60, 120);
    ledger.plan([planned], NOW_MS);
    const [ahead] = ledger.listed(NOW_MS);
    // Its order may come before or after; half a second of rounding lies between.
    ledger.plan([planned], at(60.1));
    expect(ledger.standing(power(2), at(120), at(60.1))?.mRID).toBe(ahead?.mRID);
    ledger.plan([planned], at(60.7));
    expect(ledger.standing(power(2), at(120), at(60.7))).toMatchObject({ mRID: ahead?.mRID, status: EVENT_ACTIVE });
  });

  test("takes back also what has just begun by itself and that nobody has ordered", () => {
    ledger.plan([next("s2", 2, 60, 120)], NOW_MS);
    ledger.plan([], at(61));
    expect(ledger.current(at(61))).toBeUndefined();
    expect(brief(ledger.listed(at(61)))).toEqual([["s2", EVENT_CANCELLED]]);
  });

  test("leaves what was ordered to its own end or release", () => {
    ledger.plan([next("s2", 2, 60, 120)], NOW_MS);
    ledger.claim(ledger.standing(power(2), at(120), at(61))?.id ?? 0);
    ledger.plan([], at(62));
    expect(ledger.current(at(62))).toMatchObject({ setpointId: "s2" });
  });

  test("with a hundred intervals lists the next 48, and loses none of them when all have another power", () => {
    const many = (powerKW: number) =>
      Array.from({ length: 100 }, (_, index) => next(`s${index}`, powerKW, 60 * index + 60, 60 * index + 120));
    ledger.publish("s", power(3), at(60), NOW_MS);
    ledger.plan(many(1), NOW_MS);
    expect(ledger.listed(NOW_MS)).toHaveLength(49);
    for (let powerKW = 2; powerKW < 6; powerKW++) ledger.plan(many(powerKW), at(powerKW));
    const listed = ledger.listed(at(6));
    expect(listed.length).toBeLessThanOrEqual(49 + 32);
    const open = listed.filter(({ status }) => status === EVENT_SCHEDULED || status === EVENT_ACTIVE);
    expect(open.map(({ setpointId }) => setpointId)).toEqual([
      "s",
      ...many(5)
        .slice(0, 48)
        .map((one) => one.setpointId),
    ]);
    // Another plan in its place, of other times: a device that missed it must still read that the first is cancelled.
    ledger.plan([], at(7));
    ledger.plan(
      Array.from({ length: 48 }, (_, index) => next(`t${index}`, 1, 60 * index + 90, 60 * index + 100)),
      at(8),
    );
    const cancelled = ledger.listed(at(8)).filter(({ status }) => status === EVENT_CANCELLED);
    expect(cancelled).toHaveLength(48);
    expect(open.slice(1).every(({ power: planned }) => "appliedKW" in planned && planned.appliedKW === 5)).toBe(true);
  });
});

describe("an event that begins while another runs", () => {
  test("supersedes it in the second in which it begins, and not before, so that there is no gap", () => {
    ledger.publish("s1", power(3), at(600), NOW_MS);
    ledger.plan([next("s2", 2, 60, 120)], NOW_MS);
    expect(brief(ledger.listed(at(60)))).toEqual([
      ["s1", EVENT_ACTIVE],
      ["s2", EVENT_SCHEDULED],
    ]);
    expect(brief(ledger.listed(at(61)))).toEqual([
      ["s1", EVENT_SUPERSEDED],
      ["s2", EVENT_ACTIVE],
    ]);
    expect(ledger.listed(at(61))[0]).toMatchObject({ statusSinceS: NOW_S + 61 });
  });

  test("and has only some of its controls marks it at once, and cancels it when it begins", () => {
    const both = power(3, "opModGenLimW+opModLoadLimW");
    const alone = controlPowerFromKW(2, "opModGenLimW+opModLoadLimW", { generationKW: 5, chargeKW: 0 });
    ledger.publish("s1", both, at(600), NOW_MS);
    ledger.plan([{ setpointId: "s2", power: alone, fromMs: at(60), untilMs: at(120) }], at(5));
    expect(ledger.current(at(5))).toMatchObject({ setpointId: "s1", potentiallySupersededS: NOW_S + 5 });
    expect(writeXml(controlDocument(ledger.listed(at(5))[0] as ControlEvent, {}))).toContain(
      "<currentStatus>1</currentStatus><dateTime>1795473000</dateTime>" +
        "<potentiallySuperseded>true</potentiallySuperseded>" +
        "<potentiallySupersededTime>1795473005</potentiallySupersededTime>",
    );
    expect(brief(ledger.listed(at(61)))).toEqual([
      ["s1", EVENT_CANCELLED],
      ["s2", EVENT_ACTIVE],
    ]);
  });

  test("with other controls alone leaves none of the old behind, since both would hold at once", () => {
    ledger.publish("s1", power(3, "opModFixedW"), at(600), NOW_MS);
    ledger.publish("s2", power(2, "opModTargetW"), at(600), at(10));
    const [first, second] = ledger.listed(at(10));
    expect(first).toMatchObject({ status: EVENT_CANCELLED, statusSinceS: NOW_S + 10 });
    expect(first?.potentiallySupersededS).toBeUndefined();
    expect(second).toMatchObject({ status: EVENT_ACTIVE });
  });
});

test("what is randomized says so in each event, and its cancellation is random too", () => {
  const random = new ControlLedger(() => "A".repeat(32), { startS: 30, durationS: -60 });
  const event = random.publish("s1", power(3), at(600), NOW_MS);
  expect(writeXml(controlDocument(event, {}))).toContain(
    "<randomizeDuration>-60</randomizeDuration><randomizeStart>30</randomizeStart>",
  );
  expect(random.cancel(at(5))).toMatchObject({ status: EVENT_CANCELLED_RANDOMLY });
});
