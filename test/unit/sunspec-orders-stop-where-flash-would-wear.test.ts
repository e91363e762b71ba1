import { afterEach, expect, test } from "vitest";
import { settingsOf } from "../../adapters/modbus/device-settings.ts";
import { modbus } from "../../adapters/modbus/index.ts";
import { ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { SunSpecAdapter } from "../../adapters/modbus/sunspec-adapter.ts";
import { WriteBudget } from "../../adapters/wear/write-budget.ts";
import { silentLog as log } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { fastClock, never, order, startGateway } from "./sunspec-gateway-bench.ts";
import { mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const NONE = 0xffff;
const M123 = 2 + 68 + 52 + 32;

/** A 10 kW inverter; with a timer unless told. */
function inverter(timerS = 0) {
  return new RegisterImage(
    40_000,
    mapOf([
      [1, modelData(66, 0, {})],
      [103, modelData(50, NONE, { 14: 3000, 15: 0 })],
      [121, modelData(30, NONE, { 2: 10_000, 22: 0 })],
      [123, modelData(24, NONE, { 5: 100, 7: timerS, 9: 0, 23: 0 })],
    ]),
  );
}

const writesOf = (image: RegisterImage, offset: number) =>
  image.writes.filter(({ address, values }) => {
    const place = address - 40_000 - M123;
    return place <= offset && offset < place + values.length;
  }).length;

test("the order that would be one too many is refused before it is sent; release still works, and a restart changes nothing", async () => {
  const memory = volatileMemory();
  const image = inverter(NONE);
  const at = await serveImage(image);
  open.push(at);
  const options = { memory, config: { maxWritesPerDay: 10 } };
  const first = await startGateway(at, options);
  open.push(first);
  for (let kW = 1; kW <= 8; kW++) await first.adapter.apply(order(kW), never);
  const refusal = await first.adapter.apply(order(9), never).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ fault: "refused" });
  expect(String(refusal)).toContain("was written 8 times today; not again before");
  expect(writesOf(image, 5)).toBe(8);
  await waitFor("the notice", () => first.notices().some((notice) => notice.includes("8 times today, of 10")));
  expect(first.figures()).toMatchObject({
    setpointd_modbus_writes_refused_total: 1,
    setpointd_modbus_write_budget_used_ratio: 0.8,
  });
  await first[Symbol.asyncDispose]();

  const second = await startGateway(at, options);
  open.push(second);
  await expect(second.adapter.apply(order(5), never)).rejects.toMatchObject({ fault: "refused" });
  await second.adapter.release(never);
  expect([image.words[M123 + 5], image.words[M123 + 9]]).toEqual([100, 0]);
  expect(writesOf(image, 5)).toBe(9);
});

test("an order that the device already follows costs nothing where no timer has to be armed", async () => {
  const { image, control } = benchDevice(inverter(NONE), "solar");
  await control.hold(4, 60, "order", never);
  const before = image.writes.length;
  await control.hold(4, 60, "order", never);
  await control.hold(4, 60, "refresh", never);
  expect(image.writes.length).toBe(before);
  // What the meter contradicts is said again all the same.
  await control.hold(4, 60, "correction", never);
  expect(image.writes.length).toBeGreaterThan(before);
});

test("a device that wears out has its timer armed once for the whole setpoint, and is not refreshed", async () => {
  const image = inverter();
  const at = await serveImage(image);
  open.push(at);
  const context = { clock: fastClock, log, random: () => 0.5, memory: volatileMemory() };
  const link = new ModbusLink(at, context);
  const adapter = new SunSpecAdapter(
    { era: "IN*TEST*INV*1", kind: "solar" },
    settingsOf(modbus.deviceSchema.parse({ host: at.host, port: at.port, revertS: 6, pollMs: 100, timeoutMs: 10_000 })),
    { link, budget: new WriteBudget("unit", "register", context), quirksOf: () => ({ cyclic: "no" }) },
    context,
  );
  open.push(link, adapter);
  await adapter.start(never);
  expect(await adapter.apply(order(4, 600_000), never)).toMatchObject({ endsByItself: true });
  expect(image.words[M123 + 7]).toBe(600);
  const reads = image.reads.length;
  await waitFor("the time of a refresh to pass", () => image.reads.length > reads + 60);
  expect(writesOf(image, 5)).toBe(1);
});

test("a timer of a minute is armed anew all day by default", async () => {
  const { control, budget, clock } = benchDevice(inverter(), "solar");
  for (let second = 0; second < 86_400 / 2; second += 19) {
    clock.ms += 1;
    await control.hold(4, 60, "refresh", never);
  }
  expect(budget.usage()).toMatchObject({ refused: 0, warnings: [] });
});
