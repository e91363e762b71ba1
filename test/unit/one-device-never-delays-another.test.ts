import { afterEach, describe, expect, test } from "vitest";
import type { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import type { SiteConnection } from "../../src/dispatch/site-fuse.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import type { Judgement } from "../../src/model/verdict.ts";
import { DispatchStage } from "../support/dispatch-stage.ts";
import { HandAdapter } from "../support/hand-adapter.ts";
import { HandClock, settle } from "../support/hand-clock.ts";

let stage: DispatchStage;
let clock: HandClock;
let dispatcher: Dispatcher;
let judgements: readonly Judgement[];
let order: (era: string, powerKW: number, seconds?: number, fromSeconds?: number) => Setpoint;

afterEach(() => stage.stop());

async function run(
  adapters: readonly HandAdapter[],
  options: { connection?: SiteConnection; groups?: Map<string, string[]>; clock?: HandClock } = {},
) {
  stage = new DispatchStage(
    adapters.map((adapter) => ({ adapter })),
    options,
  );
  ({ clock, dispatcher, judgements } = stage);
  order = stage.order.bind(stage);
  await settle();
}

const finalOf = (id: string) => judgements.find((judgement) => judgement.setpointId === id && judgement.final);

describe("a setpoint", () => {
  test("goes to its device at once, and is released at its end", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    const setpoint = order("car", -8, 10);
    dispatcher.submit([setpoint]);
    await settle();
    expect(car.targets).toMatchObject([{ powerKW: -8, untilMs: setpoint.validUntilMs }]);
    await clock.run(10_200);
    expect(car.releases).toBe(1);
    // It was accepted and no reading ever came.
    expect(finalOf(setpoint.id)?.verdict).toBe("unverifiable");
  });

  test("for later waits for its time, and the present one holds until then", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    dispatcher.submit([order("car", -8, 60), order("car", -3, 10, 30)]);
    await settle();
    expect(car.targets.map((target) => target.powerKW)).toEqual([-8]);
    await clock.run(30_200);
    expect(car.targets.map((target) => target.powerKW)).toEqual([-8, -3]);
  });

  test("is clamped by the nameplate, and then it is partial and says why", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    const setpoint = order("car", -22);
    dispatcher.submit([setpoint]);
    await settle();
    expect(car.targets[0]?.powerKW).toBe(-11);
    for (let second = 0; second < 5; second++) {
      await clock.run(1_000);
      car.measure(-11, clock.now());
      await settle();
    }
    expect(judgements.at(-1)).toMatchObject({ verdict: "partial", reason: expect.stringContaining("nameplate") });
  });

  test("that a device refuses is refused for good, and is not tried again", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    car.fault = "refused";
    const setpoint = order("car", -8);
    dispatcher.submit([setpoint]);
    await clock.run(30_000, 500);
    expect(car.targets).toHaveLength(1);
    expect(finalOf(setpoint.id)?.verdict).toBe("refused");
  });

  test("that could not be delivered is tried again with growing pauses, and holds once the device answers", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    car.fault = "timeout";
    dispatcher.submit([order("car", -8, 120)]);
    await clock.run(20_000);
    const tries = car.targets.length;
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(10);
    car.fault = undefined;
    await clock.run(20_000);
    expect(dispatcher.snapshot()[0]?.acceptance?.appliedKW).toBe(-8);
  });

  test("for a device that never comes ends as unreachable", async () => {
    const car = new HandAdapter("car");
    car.absent = true;
    await run([car]);
    const setpoint = order("car", -8, 5);
    dispatcher.submit([setpoint]);
    await clock.run(6_000);
    expect(finalOf(setpoint.id)?.verdict).toBe("unreachable");
  });

  test("is not delayed by a neighbour that hangs, and a newer order breaks off the older", async () => {
    const [slow, quick] = [new HandAdapter("slow"), new HandAdapter("quick")];
    await run([slow, quick]);
    slow.hangs = true;
    dispatcher.submit([order("slow", -8), order("quick", -4)]);
    await settle();
    expect(dispatcher.snapshot()[1]?.acceptance?.appliedKW).toBe(-4);
    dispatcher.submit([order("slow", -2)]);
    await settle();
    expect(slow.targets.map((target) => target.powerKW)).toEqual([-8, -2]);
  });

  test("counts down by elapsed time: a clock that jumps back does not stretch what a device was told", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    const setpoint = order("car", -8, 60);
    dispatcher.submit([setpoint]);
    await clock.run(10_000);
    clock.jumpWall(120_000);
    await clock.run(500);
    expect(car.releases).toBe(1);
    expect(finalOf(setpoint.id)).toBeDefined();
  });

  test("is not judged by values that were measured while the link was down", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    dispatcher.submit([order("car", -8)]);
    for (let second = 0; second < 8; second++) {
      await clock.run(1_000);
      car.measure(-8, clock.now(), { replayed: true, deviceTimeMs: clock.now() - 3_600_000 });
      await settle();
    }
    expect(judgements).toEqual([]);
    expect(dispatcher.snapshot()[0]?.reading).toBeUndefined();
  });

  test("waits while the wall clock was never set", async () => {
    const car = new HandAdapter("car");
    await run([car], { clock: new HandClock(1_000) });
    dispatcher.submit([order("car", -8)]);
    await clock.run(1_000);
    expect(car.targets).toEqual([]);
  });
});

describe("a site's fuse", () => {
  test("bounds the devices in sum, and what one gives up the other may take", async () => {
    const [a, b] = [new HandAdapter("a"), new HandAdapter("b")];
    await run([a, b], { connection: { maxImportKW: 15 } });
    a.measure(0, clock.now());
    b.measure(0, clock.now());
    await settle();
    const first = order("a", -11);
    dispatcher.submit([first]);
    await settle();
    dispatcher.submit([order("b", -11)]);
    await settle();
    expect(b.targets.at(-1)?.powerKW).toBeCloseTo(-4, 9);
    a.measure(-11, clock.now());
    dispatcher.submit([order("a", -2)]);
    await clock.run(1_000);
    // The meter still shows the old power, so nothing is freed yet.
    expect(b.targets.at(-1)?.powerKW).toBeCloseTo(-4, 9);
    a.measure(-2, clock.now());
    await clock.run(1_000);
    expect(b.targets.at(-1)?.powerKW).toBeCloseTo(-11, 9);
  });
});

describe("a bound that another master of the device sets", () => {
  test("cuts the setpoint at once and gives it back when it goes", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    dispatcher.submit([order("car", -8)]);
    await settle();
    car.bound([{ source: "backend", minPowerKW: -3.5 }]);
    await settle();
    expect(car.targets.at(-1)?.powerKW).toBe(-3.5);
    expect(dispatcher.snapshot()[0]).toMatchObject({ boundBy: { source: "backend" }, limits: [{ minPowerKW: -3.5 }] });
    car.bound([]);
    await settle();
    expect(car.targets.at(-1)?.powerKW).toBe(-8);
    expect(dispatcher.snapshot()[0]?.limits).toBeUndefined();
  });
});

describe("a limit that tightens while a setpoint holds", () => {
  const share = async (adapters: readonly [HandAdapter, HandAdapter]) => {
    await run(adapters, { connection: { maxImportKW: 15 } });
    const [car, house] = adapters;
    house.measure(-7, clock.now());
    await settle();
    dispatcher.submit([order("car", -11)]);
    await settle();
    expect(car.targets.map((target) => target.powerKW)).toEqual([-8]);
    return { car, house };
  };

  test("is told at once, by however little", async () => {
    const { car, house } = await share([new HandAdapter("car"), new HandAdapter("house")]);
    house.measure(-7.005, clock.now());
    await clock.run(200);
    expect(car.targets.map((target) => target.powerKW)).toEqual([-8, -7.995]);
    house.measure(-7, clock.now());
    await clock.run(200);
    expect(car.targets).toHaveLength(2);
  });

  test("is not told to a device that had rounded down below it", async () => {
    const { car, house } = await share([new HandAdapter("car", {}, 0.069), new HandAdapter("house")]);
    expect(dispatcher.snapshot()[0]?.acceptance?.appliedKW).toBeCloseTo(-7.935, 9);
    house.measure(-7.05, clock.now());
    await clock.run(200);
    expect(car.targets).toHaveLength(1);
    house.measure(-7.07, clock.now());
    await clock.run(200);
    expect(car.targets).toHaveLength(2);
  });
});

describe("a group", () => {
  test("shares its setpoint over its members, and its verdict follows from theirs", async () => {
    const [big, small] = [new HandAdapter("big", { minPowerKW: -22 }), new HandAdapter("small", { minPowerKW: -11 })];
    await run([big, small], { groups: new Map([["both", ["big", "small"]]]) });
    const setpoint = order("both", -15, 20);
    dispatcher.submit([setpoint]);
    await settle();
    expect(big.targets[0]?.powerKW).toBeCloseTo(-10, 9);
    expect(small.targets[0]?.powerKW).toBeCloseTo(-5, 9);
    for (let second = 0; second < 6; second++) {
      await clock.run(1_000);
      big.measure(-10, clock.now());
      small.measure(-5, clock.now());
      await settle();
    }
    await clock.run(20_000, 500);
    expect(finalOf(setpoint.id)).toMatchObject({ era: "both", verdict: "effective", measuredKW: -15 });
    expect(dispatcher.capability("both")?.minPowerKW).toBe(-33);
  });
});
