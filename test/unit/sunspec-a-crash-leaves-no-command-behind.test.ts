import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { AdapterMemory } from "../../adapters/kind.ts";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import { systemClock } from "../../src/clock.ts";
import { AdapterMemories } from "../../src/store/adapter-memories.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { never, order, startGateway } from "./sunspec-gateway-bench.ts";
import { commonData, illegalAddress, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const NONE = 0xffff;
/** An inverter of 10 kW without a reversion timer, whose installer has set 70 % and enabled it. */
function inverter(serial = "A-1") {
  return new RegisterImage(
    40_000,
    mapOf([
      [1, commonData("ACME", "Sun 10", serial)],
      [103, modelData(50, NONE, { 14: 3000, 15: 0, 38: 4 })],
      [121, modelData(30, NONE, { 2: 10_000, 22: 0 })],
      [123, modelData(24, NONE, { 4: 1, 5: 7000, 9: 1, 23: -2 })],
    ]),
  );
}
const M123 = 2 + 68 + 52 + 32;
const limitOf = (image: RegisterImage) => [image.words[M123 + 5], image.words[M123 + 9]];

async function served(image: RegisterImage) {
  const device = await serveImage(image);
  open.push(device);
  return device;
}

describe("a gateway that crashes while its limit is in force", () => {
  /** The real store, opened anew each time, as after a power cut. */
  async function disk() {
    const folder = mkdtempSync(join(tmpdir(), "setpointd-crash-"));
    let store = await SqliteStore.open(folder);
    open.push({
      [Symbol.asyncDispose]: async () => {
        await store[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true });
      },
    });
    return async (): Promise<AdapterMemory> => {
      await store[Symbol.asyncDispose]();
      store = await SqliteStore.open(folder);
      return (await AdapterMemories.open(store, systemClock)).of("modbus");
    };
  }

  test("brings the installer's limit back after its restart, not its own", async () => {
    const restart = await disk();
    const image = inverter();
    const at = await served(image);
    const first = await startGateway(at, { memory: await restart() });
    await first.adapter.apply(order(4), never);
    expect(limitOf(image)).toEqual([4000, 1]);
    await first[Symbol.asyncDispose]();
    expect(limitOf(image)).toEqual([4000, 1]);

    const second = await startGateway(at, { memory: await restart() });
    open.push(second);
    expect(limitOf(image)).toEqual([4000, 1]);
    await waitFor("the installer's limit", () => limitOf(image)[0] === 7000);
    expect(limitOf(image)).toEqual([7000, 1]);
  });

  test("takes up a setpoint that goes on without a moment of another limit, and then gives back what was before both", async () => {
    const restart = await disk();
    const image = inverter();
    const at = await served(image);
    const first = await startGateway(at, { memory: await restart() });
    await first.adapter.apply(order(4), never);
    await first[Symbol.asyncDispose]();

    const seen: unknown[] = [];
    image.onWrite = (address, values) => {
      seen.push([address - 40_000 - M123, ...values]);
      return true;
    };
    const second = await startGateway(at, { memory: await restart() });
    open.push(second);
    await waitFor("the device to be looked at", () => second.readings().length >= 1);
    await second.adapter.apply(order(3), never);
    expect(seen).toEqual([
      [5, 3000],
      [9, 1],
    ]);
    await second.adapter.release(never);
    expect(limitOf(image)).toEqual([7000, 1]);

    // And nothing is left to restore after one more restart.
    await second[Symbol.asyncDispose]();
    const memory = await restart();
    expect(memory.keys("baseline/")).toEqual([]);
  });

  test("does not give one device's limit to another that took its place", async () => {
    const memory = volatileMemory();
    const image = inverter("A-1");
    const at = await served(image);
    const first = await startGateway(at, { memory });
    await first.adapter.apply(order(4), never);
    await first[Symbol.asyncDispose]();

    const other = inverter("B-2");
    const second = await startGateway(await served(other), { memory });
    open.push(second);
    await waitFor("the old baseline to be forgotten", () => memory.keys("baseline/").length === 0);
    expect(other.writes).toEqual([]);
  });
});

describe("what a device held", () => {
  test("is on the disk before the first write goes out", async () => {
    const memory = volatileMemory();
    const { image, control } = benchDevice(inverter(), "solar", { memory });
    const kept: number[] = [];
    image.onWrite = () => {
      kept.push(memory.keys("baseline/").length);
      return true;
    };
    await control.hold(4, 60, "order", never);
    expect(kept).toEqual([1, 1]);
  });

  test("that the disk does not take keeps the order from going out", async () => {
    const memory = volatileMemory();
    memory.set = () => Promise.reject(new Error("disk full"));
    const { image, control } = benchDevice(inverter(), "solar", { memory });
    await expect(control.hold(4, 60, "order", never)).rejects.toMatchObject({ fault: "refused" });
    expect(image.writes).toEqual([]);
    expect(control.touched).toBe(false);
  });

  test("is forgotten where the first write was refused, and kept where nobody knows what became of it", async () => {
    const refused = benchDevice(inverter(), "solar");
    refused.image.onWrite = () => {
      throw illegalAddress();
    };
    await expect(refused.control.hold(4, 60, "order", never)).rejects.toMatchObject({ code: 2 });
    expect(refused.memory.keys("baseline/")).toEqual([]);

    const silent = benchDevice(inverter(), "solar");
    silent.image.onWrite = () => {
      throw new ModbusError("timeout", "no answer");
    };
    await expect(silent.control.hold(4, 60, "order", never)).rejects.toMatchObject({ fault: "timeout" });
    expect(silent.memory.keys("baseline/")).toHaveLength(1);
  });

  test("comes back in the scale that the device has by then, where its firmware changed that", async () => {
    const memory = volatileMemory();
    const first = benchDevice(inverter(), "solar", { memory });
    await first.control.hold(4, 60, "order", never);
    const { image } = first;
    // Tenths of a percent from now on.
    image.words[M123 + 23] = 0xffff;
    image.words[M123 + 5] = 400;
    const second = benchDevice(image, "solar", { memory });
    await second.control.restore(never);
    expect(limitOf(image)).toEqual([700, 1]);
  });

  test("is nothing to bring back where somebody set another limit while the gateway was away", async () => {
    const memory = volatileMemory();
    const first = benchDevice(inverter(), "solar", { memory });
    await first.control.hold(4, 60, "order", never);
    const { image } = first;
    image.words[M123 + 5] = 5500;
    image.writes.length = 0;
    const second = benchDevice(image, "solar", { memory });
    await second.control.restore(never);
    expect(image.writes).toEqual([]);
    expect(memory.keys("baseline/")).toEqual([]);

    // And it is what an order after that gives back.
    const third = benchDevice(image, "solar", { memory });
    await third.control.hold(3, 60, "order", never);
    await third.control.restore(never);
    expect(limitOf(image)).toEqual([5500, 1]);
  });

  test("comes back also where the last order did not reach the device, so that the one before stands there", async () => {
    const memory = volatileMemory();
    const first = benchDevice(inverter(), "solar", { memory });
    await first.control.hold(4, 60, "order", never);
    const { image } = first;
    image.onWrite = () => {
      throw new ModbusError("closed", "the connection broke");
    };
    await expect(first.control.hold(2, 60, "order", never)).rejects.toMatchObject({ fault: "closed" });
    image.onWrite = () => true;
    await benchDevice(image, "solar", { memory }).control.restore(never);
    expect(limitOf(image)).toEqual([7000, 1]);
  });

  test("comes back where the device has taken our limit off by itself", async () => {
    const memory = volatileMemory();
    const first = benchDevice(inverter(), "solar", { memory });
    await first.control.hold(4, 60, "order", never);
    first.image.words[M123 + 9] = 0;
    await benchDevice(first.image, "solar", { memory }).control.restore(never);
    expect(limitOf(first.image)).toEqual([7000, 1]);
  });

  test("stays where the config has switched control off since, and the technician is told", async () => {
    const memory = volatileMemory();
    const first = benchDevice(inverter(), "solar", { memory });
    await first.control.hold(4, 60, "order", never);
    first.image.writes.length = 0;
    const second = benchDevice(first.image, "solar", { memory, control: "none" });
    await second.device.discover(never);
    await expect(second.control.restore(never)).rejects.toMatchObject({ fault: "refused" });
    expect(first.image.writes).toEqual([]);
    expect(second.control.notices()).toEqual([expect.stringContaining("may still hold a command of ours")]);
  });

  test("is found again where the map has moved since", async () => {
    const memory = volatileMemory();
    const first = benchDevice(inverter(), "solar", { memory });
    await first.control.hold(4, 60, "order", never);
    const moved = new RegisterImage(
      50_000,
      mapOf([
        [1, commonData("ACME", "Sun 10", "A-1")],
        [64_001, new Array<number>(8).fill(1)],
        [103, modelData(50, NONE, { 14: 3000, 15: 0, 38: 4 })],
        [121, modelData(30, NONE, { 2: 10_000, 22: 0 })],
        [123, modelData(24, NONE, { 4: 1, 5: 4000, 9: 1, 23: -2 })],
      ]),
    );
    const second = benchDevice(moved, "solar", { memory });
    await second.control.restore(never);
    expect([moved.words[M123 + 10 + 5], moved.words[M123 + 10 + 9]]).toEqual([7000, 1]);
  });
});
