import { describe, expect, test } from "vitest";
import { benchDevice } from "./sunspec-device-bench.ts";
import { dumpImage, hasFixtures } from "./sunspec-register-image.ts";

const never = new AbortController().signal;

describe.skipIf(!hasFixtures)("registers of a real SMA Sunny Boy 3.6 (skipped without ../shared)", () => {
  test("by day the walk finds all models and the measurement makes sense", async () => {
    const device = benchDevice(dumpImage("sma-sb3.6-1av-41_day"), "solar").device;
    const facts = await device.discover(never);
    expect(facts.chain.complete).toBe(true);
    expect(facts.chain.models.map((model) => model.id)).toEqual([
      1, 11, 12, 101, 120, 121, 122, 123, 124, 126, 127, 128, 131, 132, 160, 129, 130,
    ]);
    expect(facts.identity.vendor).toBe("SMA");
    expect(facts.ratings.legacyMaxKW).toBe(3.68);

    const { values } = await device.sample(never);
    expect(values.powerKW).toBeCloseTo(1.08, 9);
    expect(values.frequencyHz).toBeCloseTo(49.98, 9);
    expect(values.exportKWh).toBeCloseTo(21_707.97, 6);
    expect(values.voltageV).toBeGreaterThan(210);
    expect(values.socPercent).toBeUndefined();
  });

  test("its limit is controllable, its timer does not exist, and its registers prove nothing", async () => {
    const facts = await benchDevice(dumpImage("sma-sb3.6-1av-41_day"), "solar").device.discover(never);
    expect(facts.control?.control.model).toBe("123");
    expect(facts.hasTimer).toBe(false);
    expect(facts.readsBack).toBe(false);
  });

  test("an order writes the limit, and neither the switch that reads 0 nor a timer that is not there", async () => {
    const image = dumpImage("sma-sb3.6-1av-41_day");
    const { device, control } = benchDevice(image, "solar");
    const facts = await device.discover(never);
    const start = facts.control?.entry.address ?? Number.NaN;
    const order = await control.hold(1.84, 60, "order", never);
    expect(order.arming.armed).toBe(false);
    expect(order.appliedKW).toBeCloseTo(1.84, 2);
    expect(order.appliedKW).toBeLessThanOrEqual(1.84);
    const touched = image.writes.flatMap(({ address, values }) => values.map((_, index) => address + index - start));
    expect(touched).toContain(5);
    expect(touched).toContain(9);
    expect(touched).not.toContain(4);
    expect(touched).not.toContain(7);
    // The enabling register goes last.
    expect(touched.at(-1)).toBe(9);
  });

  test("by night nothing is measured, which is not 0, and an order is refused", async () => {
    const device = benchDevice(dumpImage("sma-sb3.6-1av-41_night"), "solar", { ratingKW: 3.68 }).device;
    const facts = await device.discover(never);
    expect(facts.chain.models.some((model) => model.id === 101)).toBe(true);
    const { values } = await device.sample(never);
    expect(values).not.toHaveProperty("powerKW");
    expect(values).not.toHaveProperty("frequencyHz");
    expect(values.exportKWh).toBeGreaterThan(21_000);
  });
});
