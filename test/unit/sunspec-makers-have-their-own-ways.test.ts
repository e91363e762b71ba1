import { afterEach, describe, expect, test } from "vitest";
import { knownQuirks } from "../../adapters/modbus/sunspec/quirks.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { never, order, startGateway } from "./sunspec-gateway-bench.ts";
import { commonData, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const NONE = 0xffff;
const M123 = 2 + 68 + 32;
const PCT = 5;
const ENA = 9;

/** A 10 kW inverter of some maker with all points of the limit. */
function inverter(maker: string, set: Readonly<Record<number, number>> = {}) {
  return new RegisterImage(
    40_000,
    mapOf([
      [1, commonData(maker, "Model", "1")],
      [121, modelData(30, NONE, { 2: 10_000, 12: 200, 22: 0, 28: -2 })],
      [123, modelData(24, NONE, { 4: 0, 5: 100, 6: 0, 7: 0, 8: 12, 9: 0, 23: 0, ...set })],
    ]),
  );
}

const written = (image: RegisterImage) =>
  image.writes.map(({ address, values }) => [address - 40_000 - M123, ...values]);

describe("Fronius", () => {
  test("takes a new limit when the enabling register is written after it, in a request of its own", async () => {
    const { image, control } = benchDevice(inverter("Fronius"), "solar");
    await control.hold(4, 60, "order", never);
    expect(written(image)).toEqual([
      [PCT, 40, 0, 60, 12],
      [ENA, 1],
    ]);
  });

  test("is never told less than 1 %, and the answer says what it was told", async () => {
    const at = await serveImage(inverter("Fronius"));
    open.push(at);
    const gateway = await startGateway(at);
    open.push(gateway);
    const acceptance = await gateway.adapter.apply(order(0), never);
    expect(acceptance.appliedKW).toBeCloseTo(0.1, 9);
  });
});

describe("a device that has to be switched off and on for a new limit", () => {
  test("gets the values first, so that it is without a limit for one request only, and only for a new value", async () => {
    const { image, control } = benchDevice(inverter("X"), "solar", { quirks: { rearm: "toggle" } });
    await control.hold(4, 60, "order", never);
    // It was off: there is nothing to toggle.
    expect(written(image)).toEqual([
      [PCT, 40, 0, 60, 12],
      [ENA, 1],
    ]);
    image.writes.length = 0;
    await control.hold(3, 60, "order", never);
    expect(written(image)).toEqual([
      [PCT, 30, 0, 60, 12],
      [ENA, 0],
      [ENA, 1],
    ]);
    image.writes.length = 0;
    await control.hold(3, 60, "refresh", never);
    expect(written(image)).toEqual([
      [PCT, 30, 0, 60, 12],
      [ENA, 1],
    ]);
  });
});

describe("Kostal", () => {
  test("gets single registers with function 6 and is not asked for 16, the enabling one last", async () => {
    const image = inverter("KOSTAL Solar Electric");
    const at = await serveImage(image);
    open.push(at);
    at.refusedFunctions.add(16);
    const gateway = await startGateway(at);
    open.push(gateway);
    await gateway.adapter.apply(order(4), never);
    expect(new Set(at.writeFunctions)).toEqual(new Set([6]));
    expect(written(image).at(-1)).toEqual([ENA, 1]);
    expect(image.words[M123 + PCT]).toBe(40);
  });

  test("with a model of 32-bit values is refused before anything goes out", async () => {
    const image = new RegisterImage(
      40_000,
      mapOf([
        [1, commonData("KOSTAL", "Model", "1")],
        [702, modelData(50, NONE, { 26: 5000, 45: 0 })],
        [704, modelData(65, 0, {})],
      ]),
    );
    const { control, memory } = benchDevice(image, "solar");
    await expect(control.hold(2, 60, "order", never)).rejects.toMatchObject({ fault: "refused" });
    expect(image.writes).toEqual([]);
    expect(memory.keys("")).toEqual([]);
  });

  test("a device that takes function 16 only is never told with 6", async () => {
    const at = await serveImage(inverter("X"));
    open.push(at);
    at.refusedFunctions.add(16);
    const { control } = benchDevice(inverter("X"), "solar", { quirks: { writeFunction: 16 } });
    expect((await control.hold(4, 60, "order", never)).appliedKW).toBe(4);
    // Without the quirk, single registers are tried where 16 is refused.
    const gateway = await startGateway(at);
    open.push(gateway);
    await gateway.adapter.apply(order(4), never);
    expect(at.writeFunctions).toContain(6);
  });
});

describe("SMA", () => {
  test("is not believed what its registers show, so only the meter tells, and the technician may state its fallback", async () => {
    const image = inverter("SMA", { 5: 0, 7: NONE, 9: 1 });
    // It confirms everything and goes on showing 0 %, enabled.
    image.onWrite = () => false;
    const { control, device } = benchDevice(image, "solar", { hasVendorFallback: true });
    const held = await control.hold(4, 60, "order", never);
    expect(held).toMatchObject({ appliedKW: 4, isVisible: false });
    expect(control.failsafe(await device.discover(never))).toEqual({
      failsafe: "vendor",
      failsafeReason: expect.stringContaining("as the config says"),
    });
    const evidence = await control.probe(never);
    expect(evidence.text).toContain("do not tell what is in force");
    expect(evidence).not.toHaveProperty("saysKW");
    // And its pretended "0 %, enabled" is not what it gets back.
    image.writes.length = 0;
    await control.restore(never);
    expect(written(image).at(0)).toEqual([ENA, 0]);
    expect(written(image).at(1)).toEqual([PCT, 100, 0]);
  });

  test("nobody else is taken for it", () => {
    expect(knownQuirks({ manufacturer: "SMALL Inverters" })).toEqual({});
    expect(knownQuirks({})).toEqual({});
    expect(knownQuirks({ manufacturer: "sma" })).toEqual({ readback: false });
  });
});

describe("a device that moves by a ramp of its own", () => {
  test("keeps its ramp time where nobody says another, and gets the one that the config says", async () => {
    const kept = benchDevice(inverter("X"), "solar");
    await kept.control.hold(4, 60, "order", never);
    expect(kept.image.words[M123 + 8]).toBe(12);
    const told = benchDevice(inverter("X"), "solar", { rampS: 30 });
    await told.control.hold(4, 60, "order", never);
    expect(told.image.words[M123 + 8]).toBe(30);
    await told.control.restore(never);
    expect(told.image.words[M123 + 8]).toBe(12);
  });

  test("is expected to show a command that much later, and bids count on its gradient", async () => {
    const at = await serveImage(inverter("X"));
    open.push(at);
    const gateway = await startGateway(at, { config: { settleS: 5 } });
    open.push(gateway);
    // 2 % of 10 kW a second.
    expect(gateway.capability()).toMatchObject({ settleMs: 17_000, rampRateKWPerMin: 12 });
  });
});

describe("an order that the meter does not show", () => {
  test("is said once more in a stronger way", async () => {
    const { image, control } = benchDevice(inverter("X"), "solar");
    await control.hold(4, 60, "order", never);
    image.writes.length = 0;
    await control.hold(4, 60, "correction", never);
    expect(written(image)).toEqual([
      [PCT, 40, 0, 60, 12],
      [ENA, 1],
    ]);
  });

  test("is explained by what the device says that it does", async () => {
    const { image, control } = benchDevice(inverter("X"), "solar");
    await control.hold(4, 60, "order", never);
    expect(await control.probe(never)).toEqual({ text: "123 says 40 %, enabled", saysKW: 4 });
    image.words[M123 + ENA] = 0;
    expect(await control.probe(never)).toEqual({ text: "123 says that no limit is enabled" });
  });
});
