import { afterEach, describe, expect, test } from "vitest";
import type { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import type { SiteConnection } from "../../src/dispatch/site-fuse.ts";
import type { Capability } from "../../src/model/resource.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import type { Judgement } from "../../src/model/verdict.ts";
import { DispatchStage } from "../support/dispatch-stage.ts";
import { HandAdapter } from "../support/hand-adapter.ts";
import { type HandClock, settle } from "../support/hand-clock.ts";

const RAMP_KW_PER_MIN = 6;
const ORDER_S = 600;

let stage: DispatchStage;
let clock: HandClock;
let dispatcher: Dispatcher;
let judgements: readonly Judgement[];

afterEach(() => stage.stop());

async function run(devices: readonly HandAdapter[], connection: SiteConnection = {}) {
  stage = new DispatchStage(
    devices.map((adapter) => ({ adapter, rampRateKWPerMin: RAMP_KW_PER_MIN })),
    { connection },
  );
  ({ clock, dispatcher, judgements } = stage);
  await settle();
}

const order = (era: string, powerKW: number) => stage.order(era, powerKW, ORDER_S);

async function device(capability: Partial<Capability>, presentKW: number): Promise<HandAdapter> {
  const adapter = new HandAdapter("car", capability);
  await run([adapter]);
  adapter.measure(presentKW, clock.now());
  await settle();
  return adapter;
}

/** A device that does at once what it is told, in the time after an order; returns what it was told when, s from now. */
async function follow(adapter: HandAdapter, seconds: number, ordered?: Setpoint) {
  const told: { atS: number; powerKW: number }[] = [];
  const seen = adapter.targets.length;
  if (ordered !== undefined) dispatcher.submit([ordered]);
  await settle();
  const note = (atS: number) => {
    for (const { powerKW } of adapter.targets.slice(seen + told.length)) told.push({ atS, powerKW });
  };
  note(0);
  for (let second = 1; second <= seconds; second++) {
    await clock.run(1_000);
    const now = adapter.targets.at(-1)?.powerKW;
    if (now !== undefined) adapter.measure(now, clock.now());
    await settle();
    note(second);
  }
  return told;
}

describe("a device with a ramp", () => {
  test("takes on more in steps that stay under the line, gets there, and is effective", async () => {
    const car = await device({}, -3);
    const setpoint = order("car", -8);
    const told = await follow(car, 4, setpoint);
    expect(dispatcher.snapshot()[0]).toMatchObject({ targetKW: -3, boundBy: { source: "ramp" } });
    for (const { atS, powerKW } of await follow(car, 60)) told.push({ atS: atS + 4, powerKW });
    expect(told.length).toBeGreaterThan(5);
    for (const { atS, powerKW } of told)
      expect(powerKW).toBeGreaterThanOrEqual(-3 - (RAMP_KW_PER_MIN * atS) / 60 - 1e-9);
    expect(told.at(-1)).toMatchObject({ powerKW: -8 });
    // The line gets there after 50 s; the stairs need one step more at most.
    expect(told.at(-1)?.atS).toBeLessThanOrEqual(56);
    expect(judgements.at(-1)).toMatchObject({ setpointId: setpoint.id, verdict: "effective" });
    expect(dispatcher.snapshot()[0]?.boundBy).toBeUndefined();
  });

  test("takes less at once, and what comes back comes by the ramp", async () => {
    const car = await device({}, -8);
    dispatcher.submit([order("car", -2)]);
    await settle();
    expect(car.targets.map(({ powerKW }) => powerKW)).toEqual([-2]);
    await follow(car, 60);
    const told = await follow(car, 4, order("car", -8));
    expect(told).toHaveLength(1);
    expect(told[0]?.powerKW).toBeCloseTo(-2.5, 9);
  });

  test("that is told the same again stays where it is, though its meter lags", async () => {
    const car = await device({}, -8);
    dispatcher.submit([order("car", -8)]);
    await settle();
    car.measure(-1, clock.now());
    await settle();
    dispatcher.submit([order("car", -8)]);
    await settle();
    expect(car.targets.map(({ powerKW }) => powerKW)).toEqual([-8, -8]);
  });

  test("that was given back to itself begins at what it does by itself", async () => {
    const car = await device({}, -8);
    await follow(car, 2, stage.order("car", -8, 1));
    expect(car.releases).toBe(1);
    car.measure(-3, clock.now());
    await settle();
    const [first] = await follow(car, 1, order("car", -8));
    expect(first?.powerKW).toBe(-3);
  });

  test("turns from consuming to generating without waiting at nothing", async () => {
    const battery = await device({ maxPowerKW: 11, control: "setpoint" }, -4);
    dispatcher.submit([order("car", -4)]);
    await settle();
    const told = await follow(battery, 60, order("car", 5));
    expect(told[0]?.powerKW).toBeGreaterThanOrEqual(0);
    expect(told[0]?.powerKW).toBeLessThanOrEqual(0.5);
    expect(told.at(-1)?.powerKW).toBe(5);
  });

  test("begins at the least power that it runs at", async () => {
    const car = await device({ minRunKW: 4.14 }, 0);
    const told = await follow(car, 60, order("car", -8));
    expect(told[0]?.powerKW).toBe(-4.14);
    expect(told.at(-1)?.powerKW).toBe(-8);
  });

  test("waits for its meter before it is told to take on anything, and goes on where it is", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    dispatcher.submit([order("car", -8)]);
    await clock.run(1_000);
    expect(car.targets).toEqual([]);
    car.measure(-8, clock.now());
    await clock.run(1_000);
    expect(car.targets.map(({ powerKW }) => powerKW)).toEqual([-8]);
  });

  test("without a meter does not wait for ever, and begins at nothing", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    dispatcher.submit([order("car", -8)]);
    await clock.run(60_000, 500);
    expect(car.targets[0]?.powerKW).toBeCloseTo(0, 9);
    expect(car.targets.at(-1)?.powerKW).toBeLessThan(-4);
  });

  test("is told nothing at once, whatever its meter says or does not say", async () => {
    const car = new HandAdapter("car");
    await run([car]);
    dispatcher.submit([order("car", 0)]);
    await settle();
    expect(car.targets.map(({ powerKW }) => powerKW)).toEqual([0]);
  });

  test("bids with that ramp, or with its own where that is slower", async () => {
    await run([new HandAdapter("fast", { rampRateKWPerMin: 60 }), new HandAdapter("slow", { rampRateKWPerMin: 1 })]);
    expect(dispatcher.capability("fast")?.rampRateKWPerMin).toBe(RAMP_KW_PER_MIN);
    expect(dispatcher.capability("slow")?.rampRateKWPerMin).toBe(1);
  });
});

test("what a fuse gives back is taken by the ramp", async () => {
  const [car, other] = [new HandAdapter("car"), new HandAdapter("other")];
  await run([car, other], { maxImportKW: 11 });
  car.measure(-6, clock.now());
  other.measure(-5, clock.now());
  await settle();
  dispatcher.submit([order("car", -11)]);
  await settle();
  expect(car.targets.at(-1)?.powerKW).toBeCloseTo(-6, 9);
  await follow(car, 30);
  other.measure(-5, clock.now());
  await settle();
  dispatcher.submit([order("other", -1)]);
  await clock.run(1_000);
  other.measure(-1, clock.now());
  const told = await follow(car, 4);
  expect(told).toHaveLength(1);
  expect(told[0]?.powerKW).toBeCloseTo(-6.5, 9);
});
