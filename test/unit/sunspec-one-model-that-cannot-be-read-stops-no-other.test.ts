import { afterEach, describe, expect, test } from "vitest";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import { waitFor } from "../support/wait-for.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { never, startGateway } from "./sunspec-gateway-bench.ts";
import { dumpImage, hasFixtures, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const NONE = 0xffff;
const M103 = 40_002 + 68;
const M122 = M103 + 52;

function inverter() {
  return new RegisterImage(
    40_000,
    mapOf([
      [1, modelData(66, 0, {})],
      [103, modelData(50, NONE, { 14: 3000, 15: 0 })],
      [122, modelData(44, NONE, { 31: 4000, 32: 0 })],
      [121, modelData(30, NONE, { 2: 5000, 22: 0 })],
      [123, modelData(24, NONE, { 5: 100, 7: 0, 9: 0, 23: 0 })],
    ]),
  );
}

describe("a device that refuses a part of its map", () => {
  test("is measured by the rest, and its link is not down", async () => {
    const image = inverter();
    const at = await serveImage(image);
    open.push(at);
    const gateway = await startGateway(at);
    open.push(gateway);
    await waitFor("a whole reading", () => gateway.readings().some(({ offeredKW }) => offeredKW === 4));
    image.unreadable.add(M122 + 40);
    image.unreadable.add(M122 + 31);
    const before = gateway.readings().length;
    await waitFor("readings of the rest", () => gateway.readings().length > before + 3);
    const last = gateway.readings().at(-1);
    expect(last?.powerKW).toBe(3);
    expect(last).not.toHaveProperty("offeredKW");
    expect(gateway.reports.filter((report) => report.kind === "link")).toHaveLength(1);
  });

  test("loses its power, and no more, where that is the part", async () => {
    const image = inverter();
    const { device } = benchDevice(image, "solar");
    await device.discover(never);
    image.unreadable.add(M103 + 14);
    expect((await device.sample(never)).values).toEqual({ offeredKW: 4 });
  });

  test("is still controlled by the next best model where the best can't be read", async () => {
    const image = new RegisterImage(
      40_000,
      mapOf([
        [1, modelData(66, 0, {})],
        [704, modelData(65, 0, { 54: 0 })],
        [121, modelData(30, NONE, { 2: 5000, 22: 0 })],
        [123, modelData(24, NONE, { 5: 100, 7: 0, 9: 0, 23: 0 })],
      ]),
    );
    image.unreadable.add(40_002 + 68 + 20);
    const { device } = benchDevice(image, "solar");
    expect((await device.discover(never)).control?.control.model).toBe("123");
  });

  test("keeps what it can do when it falls asleep, also where the map is walked again", async () => {
    const image = inverter();
    const { device } = benchDevice(image, "solar");
    const awake = await device.discover(never);
    const controls = awake.control?.entry.address ?? 0;
    image.words.fill(NONE, controls + 2 - 40_000, controls + 26 - 40_000);
    image.unreadable.add(M122 + 31);
    await device.sample(never);
    await device.refreshFacts(never);
    expect(device.facts).toMatchObject({ hasTimer: true, control: { control: { model: "123" } } });
    // Where the map is another, what was there is not any more.
    image.words.splice(0, image.words.length, ...mapOf([[103, modelData(50, NONE, { 14: 2500, 15: 0 })]]));
    expect((await device.discover(never)).control).toBeUndefined();
  });

  test("is a fault where it does not answer at all, since silence says nothing about its map", async () => {
    const image = inverter();
    const { device } = benchDevice(image, "solar");
    await device.discover(never);
    image.read = () => Promise.reject(new ModbusError("timeout", "no answer"));
    await expect(device.sample(never)).rejects.toMatchObject({ fault: "timeout" });
  });

  test.skipIf(!hasFixtures)(
    "shows all but those parts by night, as a real inverter does (skipped without ../shared)",
    async () => {
      const { device } = benchDevice(dumpImage("sma-sb3.6-1av-41_night"), "solar", { ratingKW: 3.68 });
      const models = await device.models(undefined, never);
      const of = (id: number) => models.find((model) => model.id === id);
      expect(of(160)).toMatchObject({ fault: expect.stringContaining("exception 2") });
      expect(of(160)).not.toHaveProperty("values");
      expect(of(101)?.values?.map(({ name }) => name)).toContain("WH");
    },
  );
});

test("a map that moved to where the old addresses do not exist any more is walked again", async () => {
  const image = inverter();
  const { device } = benchDevice(image, "solar");
  await device.discover(never);
  // New firmware with one model in front: it ends before the place where that model was.
  image.words.splice(0, image.words.length, ...mapOf([[103, modelData(50, NONE, { 14: 2500, 15: 0 })]]));
  expect((await device.sample(never)).values).toEqual({});
  await device.refreshFacts(never);
  expect((await device.sample(never)).values.powerKW).toBe(2.5);
});
