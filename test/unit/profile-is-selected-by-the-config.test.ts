import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { adapters } from "../../adapters/index.ts";
import { settingsOf } from "../../adapters/modbus/device-settings.ts";
import { modbus } from "../../adapters/modbus/index.ts";
import { loadProfile } from "../../adapters/modbus/profile/load-profile.ts";
import { profileFileOf, profileIds } from "../../adapters/modbus/profile/profile-files.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { silentLog as log } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

const folder = mkdtempSync(join(tmpdir(), "setpointd-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINE = `
id: my-meter
title: My meter
vendor: Me
kind: meter
sources: [{ id: manual, title: its manual }]
points:
  power: { register: 1, unit: W, sign: consumption, poll: fast }
readings: { powerKW: power }
`;

function faultOf(device: string): string {
  try {
    parseConfig(`devices:\n  - ${device}\n`, join(folder, "site.yaml"), adapters);
    return "";
  } catch (error) {
    return String((error as Error).message);
  }
}

describe("a device of the config", () => {
  test("selects a profile by its id", () => {
    expect(faultOf("{ era: box, kind: charger, modbus: { host: h, profile: keba-p30 } }")).toBe("");
    const settings = settingsOf(
      modbus.deviceSchema.parse({ host: "h", profile: "keba-p30" }),
      loadProfile(profileFileOf("keba-p30") ?? ""),
    );
    expect(settings).toMatchObject({ port: 502, unit: 255, timeoutMs: 2000, pollMs: 1000, settleS: 10 });
  });

  test("overrules what the profile says of the transport", () => {
    const device = modbus.deviceSchema.parse({ host: "h", profile: "keba-p30", unit: 1, settleS: 30 });
    expect(settingsOf(device, loadProfile(profileFileOf("keba-p30") ?? ""))).toMatchObject({ unit: 1, settleS: 30 });
    expect(settingsOf(modbus.deviceSchema.parse({ host: "h" }))).toMatchObject({ unit: 1, settleS: 6 });
  });

  test("with a profile that is not there is told where to look", () => {
    expect(faultOf("{ era: box, kind: charger, modbus: { host: h, profile: keba } }")).toMatch(
      /site\.yaml:2:\d+ {2}devices\[0\]\.modbus\.profile: there is no such profile; `setpointd profile list`/,
    );
  });

  test("of another kind than its profile is refused", () => {
    expect(faultOf("{ era: box, kind: battery, modbus: { host: h, profile: keba-p30 } }")).toContain(
      "profile keba-p30 is for a charger (kind: charger), and this device is a battery",
    );
  });

  test("may have a profile of one's own, beside the config", () => {
    writeFileSync(join(folder, "mine.yaml"), MINE);
    const file = join(folder, "site.yaml");
    writeFileSync(file, "devices:\n  - { era: m, kind: load, modbus: { host: h, profileFile: mine.yaml } }\n");
    expect(loadConfig(file, adapters).config.devices[0]?.["modbus"]).toMatchObject({ profileFile: "mine.yaml" });
  });

  test("whose own profile is broken is told each fault of it, with its line", () => {
    writeFileSync(join(folder, "broken.yaml"), MINE.replace("unit: W, sign: consumption", "unit: V"));
    const fault = faultOf("{ era: m, kind: load, modbus: { host: h, profileFile: broken.yaml } }");
    expect(fault).toContain("devices[0].modbus: its profile can't be used:");
    expect(fault).toMatch(/broken\.yaml:\d+:\d+ {2}readings\.powerKW: power is in V/);
    expect(faultOf("{ era: m, kind: load, modbus: { host: h, profileFile: none.yaml } }")).toContain(
      "there is no such file",
    );
    expect(faultOf("{ era: m, kind: load, modbus: { host: h, profile: keba-p30, profileFile: mine.yaml } }")).toContain(
      "has both `profile` and `profileFile`",
    );
  });

  test("whose profile broke after the start says why, and stops no other device", async () => {
    const host = modbus.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
    const device = modbus.deviceSchema.parse({ host: "127.0.0.1", profileFile: join(folder, "gone.yaml") });
    const adapter = host.adapter({ era: "m", kind: "load" }, device);
    const { signal } = new AbortController();
    await expect(adapter.start(signal)).rejects.toThrow(/m: .*gone\.yaml {2}there is no such file/);
    await adapter.release(signal);
    await host[Symbol.asyncDispose]();
  });
});

test("the package has the profiles and their schema in it", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = (JSON.parse(listed) as { files: { path: string }[] }[])[0]?.files.map(({ path }) => path) ?? [];
  for (const id of profileIds()) expect(files).toContain(`config/profiles/${id}.yaml`);
  expect(files).toContain("config/profile.schema.json");
  expect(files).toContain("config/coap-profile.schema.json");
});
