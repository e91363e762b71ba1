import { expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { startGateway } from "./sunspec-gateway-bench.ts";
import { mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const NONE = 0xffff;

test("an inverter in its fault state that shows a grid of 0 V and 0 Hz measures nothing, and says that it is ill", async () => {
  const faulty = (state: number) =>
    mapOf([
      [1, modelData(66, 0, {})],
      [121, modelData(30, NONE, { 2: 5000, 22: 0 })],
      [103, modelData(50, 0, { 24: 1, 25: 2, 38: state })],
    ]);
  await using ill = await serveImage(new RegisterImage(40_000, faulty(7)));
  await using gateway = await startGateway(ill);
  await waitFor("the notice", () => gateway.notices().some((notice) => notice.includes("fault state")));
  expect(gateway.readings()[0]).not.toHaveProperty("powerKW");
  expect(gateway.readings()[0]?.exportKWh).toBeCloseTo(65.538, 9);
  // The same zeros of a device that is well are zeros.
  await using well = await serveImage(new RegisterImage(40_000, faulty(4)));
  await using other = await startGateway(well);
  await waitFor("readings", () => other.readings().length >= 1);
  expect(other.readings()[0]?.powerKW).toBe(0);
});
