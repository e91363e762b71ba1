import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { order, startGateway } from "./sunspec-gateway-bench.ts";
import { mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const never = new AbortController().signal;
const NONE = 0xffff;

/** Model 203 with 2.5 kW, 0.4 kvar, 1000 kWh out and 2000 kWh in. */
const meter = (powerW: number) =>
  modelData(105, NONE, {
    ...{ 3: 30, 4: 31, 5: 32, 6: -1, 7: 2300, 15: -1, 16: 5001, 17: -2, 18: powerW, 22: 0, 28: 400, 32: 0 },
    ...{ 38: 15, 39: 16960, 46: 30, 47: 33920, 54: 0 },
  });

/** An inverter with a meter behind it, as SolarEdge shows them: each meter with a common model of its own. */
const map = mapOf([
  [1, modelData(66, 0, {})],
  [103, modelData(50, NONE, { 14: 4000, 15: 0, 38: 4 })],
  [1, modelData(65, 0, {})],
  [203, meter(2500)],
  [1, modelData(65, 0, {})],
  [203, meter(-700)],
]);

function device(number: number, positiveIs: "import" | "export", words = map) {
  const image = new RegisterImage(40_000, words);
  return benchDevice(image, "load", { ratingKW: 20, instruments: { meter: { number, positiveIs } } }).device;
}

describe("a SunSpec meter", () => {
  test("shows consumption as negative power where it counts import as positive", async () => {
    const { values } = await device(1, "import").sample(never);
    expect(values).toMatchObject({
      powerKW: -2.5,
      reactivePowerKvar: -0.4,
      exportKWh: 1000,
      importKWh: 2000,
      frequencyHz: 50.01,
      voltageV: 230,
    });
    expect(values.currentA).toEqual([3, 3.1, 3.2]);
  });

  test("and as positive power where it counts export as positive; each meter of the map can be chosen", async () => {
    expect((await device(1, "export").sample(never)).values).toMatchObject({ powerKW: 2.5, reactivePowerKvar: 0.4 });
    expect((await device(2, "import").sample(never)).values.powerKW).toBe(0.7);
  });

  test("that is not there is said by its number", async () => {
    await expect(device(3, "import").discover(never)).rejects.toThrow("no meter number 3");
  });

  test("of floats is read as one of integers", async () => {
    const words = (value: number) => {
      const view = new DataView(new ArrayBuffer(4));
      view.setFloat32(0, value);
      return [view.getUint16(0), view.getUint16(2)];
    };
    const data = new Array<number>(124).fill(0x7fc0);
    for (const [offset, value] of [
      [28, 1234.5],
      [60, 1_000_000],
    ] as const) {
      data.splice(offset - 2, 2, ...words(value));
    }
    const { values } = await device(
      1,
      "import",
      mapOf([
        [1, modelData(66, 0, {})],
        [213, data],
      ]),
    ).sample(never);
    expect(values).toEqual({ powerKW: -1.2345, exportKWh: 1000 });
  });
});

test("a load that is only measured has the range that the config says, and is told nothing", async () => {
  await using at = await serveImage(new RegisterImage(40_000, map));
  await using gateway = await startGateway(at, { kind: "load", config: { ratingKW: 20 } });
  await waitFor("readings", () => gateway.readings().length >= 2);
  expect(gateway.readings()[0]?.powerKW).toBe(-2.5);
  expect(gateway.capability()).toMatchObject({ minPowerKW: -20, maxPowerKW: 0, failsafe: "none" });
  expect(gateway.reports.some((report) => report.kind === "availability")).toBe(false);
  await expect(gateway.adapter.apply(order(-1), never)).rejects.toMatchObject({ fault: "refused" });
});
