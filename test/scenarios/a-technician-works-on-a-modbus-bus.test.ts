import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import type { DeviceRampResult, DeviceTestResult } from "../../src/api/device-test.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { run, start } from "../support/command-line.ts";
import { waitFor } from "../support/wait-for.ts";

const RATING_KW = 5;
/** Register of `WMaxLimPct` in the simulator's map: model 123 behind 1, 103, 120, 121 and 122. */
const LIMIT = 40_002 + 68 + 52 + 28 + 32 + 46 + 5;

let folder: string;
let config: string;
let inverter: InverterSimulator;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-bus-"));
  config = join(folder, "site.yaml");
  const sun = new Sun(clock, createRng(7), { startHour: 12 });
  const source = new SolarPanel(clock, sun, { ratingKW: RATING_KW, deadMs: 50, tauMs: 100 });
  inverter = new InverterSimulator({ kind: "solar", source, map: "legacy", clock, log });
  const { port } = await inverter.listen();
  writeFileSync(
    config,
    `
api: { port: 0 }
devices:
  - { era: roof, name: Roof, kind: solar, modbus: { host: 127.0.0.1, port: ${port}, pollMs: 100, settleS: 1 } }
`,
  );
});

afterEach(async () => {
  await inverter[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function json<T>(...args: string[]): Promise<T & { exitCode: number | null }> {
  const { code, stdout, stderr } = await run(...args, "--config", config, "--json");
  expect(stderr).toBe("");
  return { ...(JSON.parse(stdout) as T), exitCode: code };
}

test("looks, tests and leads a device through its range beside the daemon, and goes on when the daemon has stopped", async () => {
  const daemon = start("run", "--config", config);
  try {
    await waitFor("the device to be measured", async () => {
      const { code, stdout } = await run("device", "test", "roof", "--config", config, "--json");
      return code === 0 && (JSON.parse(stdout) as DeviceTestResult).passed;
    });

    type Scan = { through: string; units: { unit: number; sunspec?: { models: number[] } }[] };
    const scan = await json<Scan>("modbus", "scan", "roof", "--units", "1-3");
    expect(scan).toMatchObject({ exitCode: 0, through: "daemon", units: [{ unit: 1 }] });
    expect(scan.units[0]?.sunspec?.models).toContain(123);

    const ramp = await json<DeviceRampResult>("device", "ramp", "Roof", "--steps", "3", "--hold", "20");
    expect(ramp).toMatchObject({ exitCode: 0, passed: true, restore: { ok: true } });
    // The sun gives less than the rating, so that the first level is what it gives.
    const [first, second, third] = ramp.steps.map(({ orderedKW }) => orderedKW);
    expect(first).toBeGreaterThan(3);
    expect(first).toBeLessThan(RATING_KW);
    expect(second).toBeCloseTo((first ?? 0) / 2, 2);
    expect(third).toBe(0);
    for (const { appliedKW, afterKW } of ramp.steps) expect(afterKW).toBeLessThanOrEqual((appliedKW ?? 0) + 0.1);
    expect(inverter.underControl()).toBe(false);
    // Each level took over from the one before; the device was given back once, at the end.
    const limits = inverter.writes.flatMap(({ address, values }) => values[LIMIT - address] ?? []);
    expect(new Set(limits).size).toBeGreaterThanOrEqual(3);

    const backwards = await run("device", "ramp", "roof", "--from", "-2", "--config", config);
    expect(backwards.code).toBe(2);
    expect(backwards.stderr).toContain("can only generate");

    // Whoever asked has gone: the device is given back all the same.
    const left = start("device", "ramp", "roof", "--steps", "20", "--hold", "60", "--config", config);
    await waitFor("the ramp to have begun", () => inverter.underControl());
    left.child.kill("SIGKILL");
    await waitFor("the device to be given back", () => !inverter.underControl());

    const tested = await json<DeviceTestResult>("device", "test", "roof", "--power", "2", "--for", "20");
    expect(tested.steps.map(({ name, ok }) => [name, ok])).toEqual(
      ["link", "device", "read", "command", "meter", "restore"].map((name) => [name, true]),
    );
    expect(tested.steps[1]?.detail).toContain("failsafe device");
    expect(inverter.underControl()).toBe(false);
  } finally {
    daemon.child.kill("SIGTERM");
    await daemon.ended;
  }
  type Read = { through: string; values: { value: number }[] };
  expect(await json<Read>("modbus", "read", "roof", "40000", "2")).toMatchObject({
    exitCode: 0,
    through: "direct",
    values: [{ value: 0x5375 }, { value: 0x6e53 }],
  });
}, 120_000);
