import { afterEach, expect, test } from "vitest";
import type { CommandContext } from "../../adapters/kind.ts";
import { modbus } from "../../adapters/modbus/index.ts";
import { silentLog as log } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { fastClock as clock, never } from "./sunspec-gateway-bench.ts";
import { commonData, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const era = "IN*TEST*INV*1";
const NONE = 0xffff;

/** The command against the operations of a running host, as the daemon's socket brings them together. */
async function points(args: readonly string[], options: Record<string, string> = {}) {
  const image = new RegisterImage(
    40_000,
    mapOf([
      [1, commonData("ACME", "Sun 10", "A-1")],
      [103, modelData(50, NONE, { 14: 3000, 15: -1 })],
      [160, modelData(28, NONE, { 4: 0, 8: 1, 21: 1234 })],
      [64_001, [1, 2, 3]],
    ]),
  );
  const device = await serveImage(image);
  const host = modbus.createHost({}, { clock, log, random: () => 0.5, memory: volatileMemory() });
  open.push(device, host);
  host.adapter({ era, kind: "solar" }, modbus.deviceSchema.parse({ host: device.host, port: device.port }));
  const ask = async (operation: string, input?: unknown) => {
    const work = host.operations?.[operation];
    if (work === undefined) throw new Error(`no operation ${operation}`);
    // Through JSON, as on the socket.
    return JSON.parse(JSON.stringify(await work(JSON.parse(JSON.stringify(input ?? null)), never)));
  };
  const command = modbus.commands?.find(({ name }) => name === "points");
  const context: CommandContext = {
    clock,
    log,
    signal: never,
    ask,
    askIfRunning: ask,
    devices: () => [],
    progress: () => {},
  };
  return command?.run({ args, options }, context);
}

test("every value of the known models comes with its unit, and a vendor's model with its place", async () => {
  const result = await points([era]);
  expect(result?.table?.rows).toContainEqual(["1", "Mn", "ACME", ""]);
  expect(result?.table?.rows).toContainEqual(["103", "W", "300", "W"]);
  expect(result?.table?.rows).toContainEqual(["160", "module[1].DCW", "1234", "W"]);
  expect(result?.table?.rows).toContainEqual(["64001", "3 registers at 40152, not known here", "", ""]);
});

test("one model alone, and plain words for what is not there", async () => {
  const result = await points([era], { model: "160" });
  expect(new Set(result?.table?.rows.map(([model]) => model))).toEqual(new Set(["160"]));
  await expect(points([era], { model: "802" })).rejects.toThrow("has no model 802");
  await expect(points([era], { model: "x" })).rejects.toThrow("--model must be a number");
  await expect(points(["IN*ELSE"])).rejects.toThrow("no SunSpec device IN*ELSE");
});
