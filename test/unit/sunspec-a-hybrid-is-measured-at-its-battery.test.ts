import { afterEach, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { never, startGateway } from "./sunspec-gateway-bench.ts";
import { commonData, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const NONE = 0xffff;
/** First register of a DC input, from the model's ID register. */
const input = (number: number) => 10 + 20 * (number - 1);
const M160 = 2 + 68 + 52 + 26;

/** A hybrid that feeds 3 kW into the grid: 4 kW from two strings, 1 kW of which charges the battery. */
function hybrid() {
  const dcw = (number: number, watts: number) => ({ [input(number) + 11]: watts });
  const dcwh = (number: number, wh: number) => ({ [input(number) + 12]: 0, [input(number) + 13]: wh });
  return new RegisterImage(
    40_000,
    mapOf([
      [1, commonData("Fronius", "GEN24", "1")],
      [103, modelData(50, NONE, { 14: 3000, 15: 0, 16: 5000, 17: -2, 24: 10, 25: 0, 26: 0 })],
      [124, modelData(24, NONE, { 2: 5000, 5: 0, 8: 5500, 12: 100, 13: 100, 18: 0, 22: -2, 25: 0 })],
      [
        160,
        modelData(8 + 4 * 20, NONE, {
          ...{ 2: -1, 3: -1, 4: 0, 5: 1, 8: 4 },
          ...dcw(1, 2500),
          ...dcw(2, 1500),
          ...dcw(3, 1000),
          ...dcw(4, 0),
          ...dcwh(3, 700),
          ...dcwh(4, 650),
        }),
      ],
    ]),
  );
}

const inputs = { charge: 3, discharge: 4 };

test("a battery behind a hybrid inverter is measured without the panels, with its own energy registers", async () => {
  const at = await serveImage(hybrid());
  open.push(at);
  const gateway = await startGateway(at, { kind: "battery", config: { batteryInputs: inputs } });
  open.push(gateway);
  await waitFor("a reading", () => gateway.readings().length > 0);
  expect(gateway.readings()[0]).toMatchObject({ powerKW: -1, importKWh: 7, exportKWh: 6.5, socPercent: 55 });
});

test("what flows out of it is positive", async () => {
  const image = hybrid();
  image.words[M160 + input(3) + 11] = 0;
  image.words[M160 + input(4) + 11] = 2200;
  const { device } = benchDevice(image, "battery", { instruments: { batteryInputs: inputs } });
  expect((await device.sample(never)).values.powerKW).toBe(2.2);
});

test("an input that is not there, or says nothing, gives no power rather than half of one", async () => {
  const image = hybrid();
  const beyond = benchDevice(image, "battery", { instruments: { batteryInputs: { charge: 3, discharge: 5 } } });
  expect((await beyond.device.sample(never)).values).not.toHaveProperty("powerKW");
  image.words[M160 + input(3) + 11] = NONE;
  const silent = benchDevice(image, "battery", { instruments: { batteryInputs: inputs } });
  expect((await silent.device.sample(never)).values).not.toHaveProperty("powerKW");
});

test("without being told where its battery is, it is measured at its grid side", async () => {
  expect((await benchDevice(hybrid(), "battery").device.sample(never)).values.powerKW).toBe(3);
});
