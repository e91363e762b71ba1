import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "../support/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "setpointd-dump-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** A wallbox of Heidelberg that charges with 10 A, as `modbus dump` writes it. */
const WALLBOX = {
  format: "setpointd-register-dump-1",
  unit: 1,
  takenAt: "2026-11-28T12:00:00Z",
  spaces: {
    holding: [{ address: 257, registers: [15_000, null, null, null, 160, 0] }],
    input: [
      { address: 5, registers: [7, 100, 100, 100, 412, 231, 229, 230, null, 6900] },
      { address: 17, registers: [0, 45_600] },
    ],
    coil: [],
    discrete: [],
  },
};

describe("setpointd profile", () => {
  test("list has each profile in a row, and more in JSON", async () => {
    const { code, stdout } = await run("profile", "list");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^PROFILE +KIND +DEVICE +FAILSAFE +UNCERTAIN/);
    expect(stdout).toMatch(/^keba-p30 +charger +KEBA KeContact P30.* device +yes$/m);
    const json = JSON.parse((await run("profile", "list", "--json")).stdout);
    expect(json.profiles.length).toBeGreaterThanOrEqual(14);
    expect(json.profiles[0].sources[0].title).toBeTypeOf("string");
  });

  test("test shows the points of a dump and what a setpoint would write, first in 0-based numbers", async () => {
    const dump = file("wallbox.json", JSON.stringify(WALLBOX));
    const { code, stdout } = await run("profile", "test", "heidelberg-ec", dump, "--power", "-6,0");
    expect(code).toBe(0);
    expect(stdout).toContain("identify  ok");
    expect(stdout).toMatch(/currentL1 +input +6 +10 A/);
    expect(stdout).toMatch(/state +input +5 +7 \(charging\)/);
    expect(stdout).toContain("powerKW                -6.9");
    expect(stdout).toContain("setpoint -6 kW: applied -5.9598 kW, setCurrent 8.6 A");
    expect(stdout).toContain("FC16 holding 261 (1-based 262): 86  [0056]");
    const json = JSON.parse((await run("profile", "test", "heidelberg-ec", dump, "--power", "-6", "--json")).stdout);
    expect(json).toMatchObject({ profile: "heidelberg-ec", failsafe: "vendor", control: "current" });
    expect(json.powers[0].writes).toEqual([{ space: "holding", address: 261, registers: [86], functionCode: 16 }]);
    expect(json.powers[0].release).toEqual([{ space: "holding", address: 261, registers: [160], functionCode: 16 }]);
  });

  test("test of another device's dump fails and says why", async () => {
    const dump = file("wallbox.json", JSON.stringify(WALLBOX));
    const { code, stdout } = await run("profile", "test", "eastron-sdm630", dump);
    expect(code).toBe(1);
    expect(stdout).toContain(
      "identify  FAILED: is no Eastron SDM630 three-phase meter: frequency (register 70) is not there",
    );
  });

  test("test of what is no dump, no profile or no number is wrong use", async () => {
    const dump = file("dump.json", JSON.stringify({ ...WALLBOX, spaces: { holding: [{ address: 70_000 }] } }));
    const bad = await run("profile", "test", "heidelberg-ec", dump);
    expect([bad.code, bad.stdout]).toEqual([2, ""]);
    expect(bad.stderr).toContain("spaces.holding.0.address");
    const none = await run("profile", "test", "heidelberg", dump);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringContaining("`setpointd profile list` shows the profiles"),
    ]);
    const power = await run("profile", "test", "heidelberg-ec", dump, "--power", "six");
    expect([power.code, power.stderr]).toEqual([2, expect.stringContaining("--power: six is no number")]);
  });

  test("lint names file, line and field, and fails", async () => {
    const broken = file(
      "box.yaml",
      [
        "id: my-box",
        "title: My box",
        "vendor: Me",
        "kind: charger",
        "sources: [{ id: manual, title: its manual }]",
        "points: { power: { register: 1, unit: W, sign: consumption, poll: fast }, limit: { register: 2, unit: W, access: readWrite } }",
        "readings: { powerKW: power }",
        "controls:",
        "  main: { kind: limit, convert: { to: watts }, sequence: [{ point: limit, value: consumption }] }",
      ].join("\n"),
    );
    const { code, stdout } = await run("profile", "lint", broken);
    expect(code).toBe(1);
    for (const field of ["failsafe", "release", "limits", "verify"]) {
      expect(stdout).toMatch(new RegExp(`box\\.yaml:9:9 {2}controls\\.main\\.${field}: is missing: `));
    }
    const json = JSON.parse((await run("profile", "lint", broken, "--json")).stdout);
    expect(json).toMatchObject({ valid: false });
    expect(json.faults).toHaveLength(4);
  });

  const dumps = resolve(import.meta.dirname, "../../../shared/fixtures/sunspec/dumps");

  test.skipIf(!existsSync(dumps))("test of a real SunSpec dump takes the maker's quirks", async () => {
    const { code, stdout } = await run(
      "profile",
      "test",
      "sunspec-inverter",
      join(dumps, "sma-sb3.6-1av-41_day.json"),
      "--json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      identity: { vendor: "SMA", model: "SB3.6-1AV-41" },
      readings: { powerKW: 1.08 },
      quirks: { readback: false, failsafe: "vendor" },
    });
  });
});
