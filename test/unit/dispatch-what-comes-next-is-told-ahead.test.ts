import { afterEach, expect, test } from "vitest";
import type { PlannedTarget } from "../../src/model/adapter.ts";
import { DispatchStage } from "../support/dispatch-stage.ts";
import { HandAdapter } from "../support/hand-adapter.ts";

/** A device that can hold what comes next. */
class PlanningAdapter extends HandAdapter {
  readonly plans: (readonly PlannedTarget[])[] = [];

  plan(targets: readonly PlannedTarget[]): void {
    this.plans.push(targets);
  }

  get planned(): string {
    return (this.plans.at(-1) ?? []).map(({ setpointId, powerKW }) => `${setpointId} ${powerKW}`).join(", ");
  }
}

let stage: DispatchStage | undefined;
afterEach(async () => await stage?.stop());

function staged(connection: { maxImportKW?: number } = {}, extra: { rampRateKWPerMin?: number } = {}) {
  const [one, other] = [new PlanningAdapter("one"), new PlanningAdapter("other")];
  const made = new DispatchStage([{ adapter: one, ...extra }, { adapter: other }], { connection });
  stage = made;
  return { stage: made, one, other };
}

test("intervals ahead are told at once, and each is applied when its time comes", async () => {
  const { stage, one } = staged();
  await stage.clock.run(500);
  const orders = [stage.order("one", -5, 60), stage.order("one", -4, 60, 60), stage.order("one", -3, 60, 120)];
  stage.dispatcher.submit(orders);
  await stage.clock.run(500);
  expect(one.planned).toBe("s1 -5, s2 -4, s3 -3");
  expect(one.plans.at(-1)?.[1]).toMatchObject({ fromMs: orders[0]?.validUntilMs, untilMs: orders[2]?.validFromMs });
  await stage.clock.run(60_000);
  expect(one.planned).toBe("s2 -4, s3 -3");
  expect(one.targets.at(-1)).toMatchObject({ setpointId: "s2", powerKW: -4 });
});

test("a plan that does not change is told once, however often the dispatcher looks", async () => {
  const { stage, one } = staged();
  await stage.clock.run(500);
  stage.dispatcher.submit([stage.order("one", -5, 60, 60)]);
  await stage.clock.run(30_000);
  expect(one.plans).toHaveLength(1);
});

test("of a day of quarter hours the next half is told", async () => {
  const { stage, one } = staged();
  await stage.clock.run(500);
  stage.dispatcher.submit(Array.from({ length: 96 }, (_, index) => stage.order("one", -5, 900, 60 + 900 * index)));
  await stage.clock.run(500);
  expect(one.plans.at(-1)).toHaveLength(48);
  expect(one.planned).toMatch(/^s1 -5, .*, s48 -5$/);
});

test("a newer order cuts what it replaces, which does not come back after it", async () => {
  const { stage, one } = staged();
  await stage.clock.run(500);
  const long = stage.order("one", -5, 300, 60);
  stage.dispatcher.submit([long]);
  await stage.clock.run(1000);
  stage.dispatcher.submit([stage.order("one", -2, 60, 119)]);
  await stage.clock.run(500);
  expect(one.planned).toBe("s1 -5, s2 -2");
  const [first, second] = one.plans.at(-1) ?? [];
  expect(first?.untilMs).toBe(second?.fromMs);
});

test("what is withdrawn is no longer ahead", async () => {
  const { stage, one } = staged();
  await stage.clock.run(500);
  stage.dispatcher.submit([stage.order("one", -5, 60, 60)]);
  stage.dispatcher.withdraw(() => true, "cancelled");
  await stage.clock.run(500);
  expect(one.planned).toBe("");
});

test("more than the device can do is not planned", async () => {
  const { stage, one } = staged();
  await stage.clock.run(500);
  stage.dispatcher.submit([stage.order("one", -20, 60, 60)]);
  await stage.clock.run(500);
  expect(one.planned).toBe("s1 -11");
});

test("two devices do not plan the same place in the connection", async () => {
  const { stage, one, other } = staged({ maxImportKW: 12 });
  await stage.clock.run(500);
  for (const device of [one, other]) device.measure(0, stage.clock.now());
  await stage.clock.run(500);
  stage.dispatcher.submit([stage.order("one", -8, 60, 10), stage.order("other", -8, 60, 10)]);
  await stage.clock.run(500);
  const total = [one, other].reduce((sum, { plans }) => sum + (plans.at(-1)?.[0]?.powerKW ?? 0), 0);
  expect(one.planned).toBe("s1 -8");
  expect(total).toBeGreaterThanOrEqual(-12);
});

test("a device that goes up in steps is told nothing ahead", async () => {
  const { stage, one } = staged({}, { rampRateKWPerMin: 1 });
  await stage.clock.run(500);
  stage.dispatcher.submit([stage.order("one", -5, 60, 60)]);
  await stage.clock.run(500);
  expect(one.plans).toEqual([]);
});
