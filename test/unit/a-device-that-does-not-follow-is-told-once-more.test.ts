import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { silentLog } from "../../src/log.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import type { Judgement } from "../../src/model/verdict.ts";
import { HandAdapter } from "../support/hand-adapter.ts";
import { HandClock, settle } from "../support/hand-clock.ts";

let clock: HandClock;
let stop: AbortController;
let running: Promise<void>;
let judgements: Judgement[];
let dispatcher: Dispatcher;
let car: HandAdapter;

beforeEach(async () => {
  clock = new HandClock();
  stop = new AbortController();
  judgements = [];
  car = new HandAdapter("car");
  dispatcher = new Dispatcher({
    clock,
    log: silentLog,
    random: () => 0.5,
    devices: [{ adapter: car }],
    groups: new Map(),
    connection: {},
    onJudgement: (judgement) => judgements.push(judgement),
    onReport: () => {},
  });
  running = dispatcher.run(stop.signal);
  await settle();
});

afterEach(async () => {
  stop.abort(new Error("over"));
  await running;
});

let count = 0;
async function order(powerKW: number, seconds = 120): Promise<Setpoint> {
  count += 1;
  const setpoint: Setpoint = {
    id: `s${count}`,
    era: "car",
    powerKW,
    validFromMs: clock.now(),
    validUntilMs: clock.now() + seconds * 1000,
    receivedAtMs: clock.now(),
    source: { kind: "market" },
  };
  dispatcher.submit([setpoint]);
  await settle();
  return setpoint;
}

/** One sample a second. */
async function measure(powerKW: number, seconds: number, extra: { offeredKW?: number } = {}): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await clock.run(1_000);
    car.measure(powerKW, clock.now(), extra);
    await settle();
  }
}

const corrections = () => car.targets.map((target) => target.correction ?? false);

describe("a device that accepted and does not follow", () => {
  test("is told once more after three samples, and only then is the verdict spoken, with what was tried", async () => {
    car.evidence = { text: "composite schedule says 39.0 A", saysKW: -9 };
    await measure(-9, 1);
    const setpoint = await order(-4.2);
    // The device may take 2 s; the three samples after that decide.
    await measure(-9, 4);
    expect(corrections()).toEqual([false, true]);
    expect(judgements).toEqual([]);
    await measure(-9, 5);
    expect(judgements).toHaveLength(1);
    expect(judgements[0]).toMatchObject({ setpointId: setpoint.id, verdict: "ignored", final: false });
    expect(judgements[0]?.reason).toBe(
      "accepted -4.20 kW, measured -9.00 kW; composite schedule says 39.0 A; sent again: hold -4.2",
    );
    // Once for a setpoint, however long it goes on.
    await measure(-9, 20);
    expect(corrections()).toEqual([false, true]);
  });

  test("is effective when the second telling helps, and the verdict says what it took", async () => {
    await measure(-9, 1);
    await order(-4.2);
    await measure(-9, 4);
    await measure(-4.2, 4);
    expect(judgements.map((judgement) => judgement.verdict)).toEqual(["effective"]);
    expect(judgements[0]?.reason).toContain("sent again: hold -4.2");
  });

  test("and goes back later is told once more, and stays reverted where that does not help", async () => {
    await measure(-9, 1);
    await order(-4.2);
    await measure(-4.2, 5);
    await measure(-9, 3);
    expect(corrections()).toEqual([false, true]);
    await measure(-9, 6);
    expect(judgements.map((judgement) => judgement.verdict)).toEqual(["effective", "reverted"]);
  });

  test("in part is told once more, and is partial where it stays there", async () => {
    await measure(-9, 1);
    await order(-2);
    await measure(-5, 4);
    expect(corrections()).toEqual([false, true]);
    await measure(-5, 6);
    expect(judgements.map((judgement) => judgement.verdict)).toEqual(["partial"]);
  });

  test("but says no to the second telling has the verdict of the first", async () => {
    await measure(-9, 1);
    await order(-4.2);
    car.fault = "refused";
    await measure(-9, 6);
    expect(judgements).toMatchObject([{ verdict: "ignored", final: false, appliedKW: -4.2 }]);
    expect(judgements[0]?.reason).toContain("sent again in vain: car: answered refused");
  });

  test("and whose setpoint ends meanwhile has the verdict that the meter had shown", async () => {
    await measure(-9, 1);
    const setpoint = await order(-4.2, 6);
    await measure(-9, 7);
    const last = judgements.filter((judgement) => judgement.setpointId === setpoint.id).at(-1);
    expect(last).toMatchObject({ verdict: "ignored", final: true, measuredKW: -9 });
  });

  test("offers another power than it accepted, so that a car which takes less proves nothing", async () => {
    await measure(-1, 1);
    await order(-4.2);
    await measure(-3, 4, { offeredKW: -9 });
    expect(corrections()).toEqual([false, true]);
    await measure(-3, 6, { offeredKW: -9 });
    expect(judgements).toMatchObject([{ verdict: "partial" }]);
    expect(judgements[0]?.reason).toContain("accepted -4.20 kW, offers -9.00 kW, measured -3.00 kW");
  });

  test("and gets another target meanwhile is judged by that one, and not told a third time", async () => {
    await measure(-9, 1);
    await order(-4.2);
    await measure(-9, 4);
    car.bound([{ source: "backend", minPowerKW: -3 }]);
    await settle();
    expect(car.targets.at(-1)).toMatchObject({ powerKW: -3 });
    await measure(-9, 8);
    expect(corrections()).toEqual([false, true, false]);
    expect(judgements).toMatchObject([{ verdict: "ignored", appliedKW: -3 }]);
  });
});

describe("no second telling", () => {
  test("for a full car that takes less than it may", async () => {
    await measure(-1, 1);
    await order(-8);
    await measure(-3, 8, { offeredKW: -8 });
    expect(corrections()).toEqual([false]);
    expect(judgements).toMatchObject([{ verdict: "partial" }]);
  });

  test("for a charger without a car, which cannot do anything", async () => {
    car.could({ minPowerKW: 0, maxPowerKW: 0, reason: "no car" });
    await measure(0, 1);
    await order(-8);
    await measure(0, 8, { offeredKW: 0 });
    expect(corrections()).toEqual([false]);
  });
});

test("a device that keeps its target by another amount is judged by that amount", async () => {
  await measure(-9, 1);
  const setpoint = await order(-2);
  car.appliedInstead(setpoint.id, 0);
  await settle();
  await measure(0, 4);
  expect(judgements).toMatchObject([{ verdict: "partial", appliedKW: 0 }]);
  car.appliedInstead(setpoint.id, -2);
  await measure(-2, 4);
  expect(judgements.at(-1)).toMatchObject({ verdict: "effective", appliedKW: -2 });
});

test("what a technician should know of a device is in its state until the device says otherwise", async () => {
  car.notice("clock is 3600 s fast");
  await settle();
  expect(dispatcher.snapshot()[0]?.notices).toEqual(["clock is 3600 s fast"]);
  car.notice();
  await settle();
  expect(dispatcher.snapshot()[0]?.notices).toBeUndefined();
});
