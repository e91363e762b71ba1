import { afterEach, describe, expect, test } from "vitest";
import { immediateControls } from "../../adapters/modbus/sunspec/models/immediate-controls.ts";
import { waitFor } from "../support/wait-for.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { never, order, startGateway } from "./sunspec-gateway-bench.ts";
import { dumpImage, hasFixtures } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const DAY = "sma-sb3.6-1av-41_day";
const NIGHT = "sma-sb3.6-1av-41_night";

describe.skipIf(!hasFixtures)("registers of a real SMA Sunny Boy 3.6 (skipped without ../shared)", () => {
  test("by day the walk finds all models and the measurement makes sense", async () => {
    const { device } = benchDevice(dumpImage(DAY), "solar");
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
    const facts = await benchDevice(dumpImage(DAY), "solar").device.discover(never);
    expect(facts.control?.control.model).toBe("123");
    expect(facts.hasTimer).toBe(false);
    expect(facts.readsBack).toBe(false);
  });

  test("to write back what model 123 reads would disconnect it: we read the model and write two registers", async () => {
    const image = dumpImage(DAY);
    const { device, control } = benchDevice(image, "solar");
    const facts = await device.discover(never);
    const start = facts.control?.entry.address ?? Number.NaN;
    const { Conn } = immediateControls.points;
    // It feeds 1080 W into the grid and shows the switch to the grid open: whoever changes the limit in what he read and
    // writes it all back, throws that switch.
    const model = await image.read(start, 26);
    expect((await device.sample(never)).values.powerKW).toBeCloseTo(1.08, 9);
    expect(model[Conn.offset]).toBe(0);
    const readModifyWrite = model.with(5, 5000).with(9, 1).slice(2);
    expect(readModifyWrite[Conn.offset - 2]).toBe(0);

    const held = await control.hold(1.84, 60, "order", never);
    expect(held.arming.armed).toBe(false);
    expect(held.appliedKW).toBeCloseTo(1.84, 2);
    expect(held.appliedKW).toBeLessThanOrEqual(1.84);
    await control.restore(never);
    const touched = image.writes.flatMap(({ address, values }) => values.map((_, index) => address + index - start));
    expect([...new Set(touched)].sort((a, b) => a - b)).toEqual([5, 9]);
    // The enabling register goes last with an order, and first when it is taken off.
    expect(image.writes.map(({ address, values }) => [address - start, ...values])).toEqual([
      [5, 5000],
      [9, 1],
      [9, 0],
      [5, 10_000],
    ]);
  });

  test("over a socket it reads 1080 W, is told a limit by two writes, and only the gateway ends it", async () => {
    const image = dumpImage(DAY);
    const at = await serveImage(image);
    open.push(at);
    const gateway = await startGateway(at, { config: { unit: 126 } });
    open.push(gateway);
    await waitFor("readings", () => gateway.readings().length >= 2);
    expect(gateway.readings()[0]?.powerKW).toBeCloseTo(1.08, 9);
    expect(gateway.capability()).toMatchObject({ failsafe: "gateway-only", minPowerKW: 0, maxPowerKW: 3.68 });
    const acceptance = await gateway.adapter.apply(order(1.84), never);
    expect(acceptance).toMatchObject({ endsByItself: false });
    expect(image.writes).toHaveLength(2);
  });

  test("by night nothing is measured but the energy counted so far, and that is not 0", async () => {
    const image = dumpImage(NIGHT);
    const { device } = benchDevice(image, "solar", { ratingKW: 3.68 });
    const facts = await device.discover(never);
    expect(facts.chain.models.some((model) => model.id === 101)).toBe(true);
    const { values } = await device.sample(never);
    expect(values).toEqual({ exportKWh: values.exportKWh });
    expect(values.exportKWh).toBeGreaterThan(21_000);
    expect(image.writes).toEqual([]);
  });

  test("over a socket the night gives readings without a power, and no availability", async () => {
    const at = await serveImage(dumpImage(NIGHT));
    open.push(at);
    const gateway = await startGateway(at, { config: { ratingKW: 3.68 } });
    open.push(gateway);
    await waitFor("readings", () => gateway.readings().length >= 2);
    for (const reading of gateway.readings()) {
      expect(reading).not.toHaveProperty("powerKW");
      expect(reading).not.toHaveProperty("voltageV");
    }
    expect(gateway.reports.some((report) => report.kind === "availability")).toBe(false);
  });
});
