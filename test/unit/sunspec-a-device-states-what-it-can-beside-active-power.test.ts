import { expect, test } from "vitest";
import { benchDevice } from "./sunspec-device-bench.ts";
import { mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";

const never = new AbortController().signal;
const NONE = 0xffff;
const NOT_A_NUMBER = 0x8000;

async function ratings(...models: readonly (readonly [number, number[]])[]) {
  const image = new RegisterImage(40_000, mapOf([[1, modelData(66, 0, {})], ...models]));
  return (await benchDevice(image, "solar").device.discover(never)).ratings;
}

test("an older inverter states it by quadrants, of which the fourth may count downwards", async () => {
  const found = await ratings(
    [103, modelData(50, NONE, { 38: 4 })],
    // 5.2 kVA, 2 kvar out and 1.5 kvar in, down to 0.8 and 0.9.
    [
      120,
      modelData(26, NONE, { 3: 5000, 4: 0, 5: 5200, 6: 0, 7: 2000, 10: 0xfa24, 11: 0, 14: 80, 17: 0xffa6, 18: 0xfffe }),
    ],
    [121, modelData(30, NONE, { 2: 5000, 22: 0, 8: 1800, 27: 0 })],
  );
  expect(found.reactiveRating).toEqual({
    apparentKVA: 5.2,
    injectKvar: 2,
    absorbKvar: 1.5,
    leastOverExcitedPF: 0.8,
    leastUnderExcitedPF: 0.9,
  });
  expect(found.reactiveSetting?.injectKvar).toBe(1.8);
});

test("a newer one states ratings and settings in model 702, which goes first", async () => {
  const found = await ratings(
    [701, modelData(153, NONE, {})],
    [702, modelData(50, NONE, { 2: 500, 26: 500, 45: 1, 8: 250, 9: 240, 48: 1, 32: 200, 18: 850, 46: 0xfffd })],
  );
  expect(found.reactiveRating).toEqual({ injectKvar: 2.5, absorbKvar: 2.4, leastOverExcitedPF: 0.85 });
  expect(found.reactiveSetting).toEqual({ injectKvar: 2 });
});

test("what nobody filled in is no bound of 0", async () => {
  const found = await ratings(
    [103, modelData(50, NONE, { 38: 4 })],
    [120, modelData(26, NOT_A_NUMBER, { 3: 5000, 4: 0, 5: 0, 6: 0, 7: 0, 11: 0 })],
  );
  expect(found).not.toHaveProperty("reactiveRating");
  expect(found).not.toHaveProperty("reactiveSetting");
});
