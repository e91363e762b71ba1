import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { coap } from "../../adapters/coap/index.ts";
import { parseProfile } from "../../adapters/coap/profile/load-profile.ts";
import { profileFileOf, profileIds } from "../../adapters/coap/profile/profile-files.ts";
import type { Trial } from "../../adapters/coap/profile/try-profile.ts";
import type { CommandContext } from "../../adapters/kind.ts";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { DimmableLoad } from "../../simulators/coap/dimmable-load.ts";
import { PlainBattery } from "../../simulators/coap/plain-battery.ts";
import type { SimDevice } from "../../simulators/coap/resource.ts";
import { ShellyMeter } from "../../simulators/coap/shelly-meter.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";

const stack: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const context: CommandContext = {
  clock,
  log,
  signal: new AbortController().signal,
  ask: () => Promise.reject(new Error("there is no daemon")),
  askIfRunning: async () => undefined,
  devices: () => [],
  progress: () => {},
};

/** Runs `setpointd coap NAME` or `setpointd coap profile NAME`. */
async function run(name: string, args: readonly string[], options: Record<string, string> = {}) {
  const command = coap.commands?.find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return await command.run({ args, options }, context);
}

/** The file with what `coap dump` read of a device. */
async function dumpOf(device: SimDevice, profile?: string): Promise<string> {
  const simulator = new CoapSimulator(device, { clock, log });
  const { port } = await simulator.listen();
  stack.push(simulator);
  const { text } = await run("dump", [`coap://127.0.0.1:${port}`], profile === undefined ? {} : { profile });
  return written("dump.json", text ?? "");
}

function written(name: string, text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "setpointd-coap-")), name);
  writeFileSync(file, text);
  return file;
}

const load = () => new DimmableLoad(clock, { ratingKW: 3 });
const battery = () =>
  new PlainBattery(clock, new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 4 }));

async function tried(profile: string, dump: string, options: Record<string, string> = {}) {
  const { json, text, exitCode } = await run("test", [profile, dump], options);
  return { trial: json as Trial, text, exitCode };
}

describe("a profile on the dump of a device", () => {
  test("says what each point reads, how far it goes, and what an order and the release would send", async () => {
    const dump = await dumpOf(load());
    const { trial, text, exitCode } = await tried("lwm2m-power-control", dump, { ratingKw: "3", power: "-0.91,1" });
    expect(exitCode).toBe(0);
    expect(trial).toMatchObject({ control: "dimmer", failsafe: "gateway-only", minPowerKW: -3, maxPowerKW: 0 });
    expect(trial.readings.powerKW).toBeCloseTo(-2.4, 6);
    expect(trial.points.find(({ name }) => name === "dimmer")).toMatchObject({ path: "/3312/0/5851", value: 80 });
    const [down, up] = trial.powers;
    expect(down).toMatchObject({
      appliedKW: -0.9,
      writes: [
        { method: "PUT", path: "/3312/0/5851", contentFormat: 0, payload: "30" },
        { method: "PUT", path: "/3312/0/5850", contentFormat: 0, payload: "1" },
      ],
      release: [{ payload: "80" }, { payload: "1" }],
    });
    expect(up?.fault).toContain("can only consume");
    expect(text).toContain("PUT /3312/0/5851 (content-format 0): 30");
  });

  test("reads CBOR from it as from the device, and writes CBOR in hexadecimal digits", async () => {
    const own = readFileSync(profileFileOf("plain-der") ?? "", "utf8");
    const inCbor = own.replace(
      "setpoint: { path: /der/setpoint, format: json, poll: slow",
      "setpoint: { path: /x, format: cbor, poll: never",
    );
    expect(inCbor).not.toBe(own);
    const { trial } = await tried(written("own.yaml", inCbor), await dumpOf(battery()), { power: "2" });
    expect(trial.identity).toEqual({ vendor: "setpointd", model: "simulated battery", serial: "SIM-1" });
    expect(trial).toMatchObject({ minPowerKW: -5, maxPowerKW: 4 });
    // {"power": 2000, "seconds": 60}
    expect(trial.powers[0]?.writes[0]?.payload).toBe("hex:a265706f7765721907d0677365636f6e6473183c");
  });

  test("names resources that the device does not list", async () => {
    const meter = new ShellyMeter(clock, { channels: 1, powerKW: () => -1.5 });
    const { trial } = await tried("shelly-em", await dumpOf(meter, "shelly-em"));
    expect(trial.readings).toMatchObject({ powerKW: -1.5, voltageV: 231 });
    expect(trial.powers).toEqual([]);
  });

  test("that is another device fails, and says why", async () => {
    const { trial, text, exitCode } = await tried("plain-der", await dumpOf(load()));
    expect(exitCode).toBe(1);
    expect(trial.fault).toContain("it does not list /der/status, /der/setpoint");
    expect(text).toContain("identify  FAILED");
  });

  test.each([
    ["{", "is no JSON"],
    [
      '{"format":"setpointd-coap-dump-1","resources":[{"path":"/a"}]}',
      "resources.0: needs one of text, base64 and code",
    ],
    ['{"format":"other","resources":[]}', "format: "],
  ])("%s is no dump, and that is told with its place", async (text, fault) => {
    await expect(tried("plain-der", written("bad.json", text))).rejects.toThrow(fault);
  });
});

describe("a CoAP profile file", () => {
  test("is looked through for all its faults", async () => {
    const own = readFileSync(profileFileOf("plain-der") ?? "", "utf8");
    const broken = written(
      "broken.yaml",
      own.replace("unit: V", "unit: volts").replace("powerKW: power", "powerKW: p"),
    );
    const { json, exitCode, text } = await run("lint", [profileFileOf("shelly-em") ?? "", broken]);
    expect(exitCode).toBe(1);
    expect(json).toMatchObject({ valid: false, faults: [{ path: "points.voltage.unit" }] });
    expect(text).toContain("shelly-em.yaml: ok");
  });

  test("is completed and checked by an editor with the published JSON Schema", async () => {
    const file = new URL("../../config/coap-profile.schema.json", import.meta.url);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
      JSON.parse(readFileSync(file, "utf8")),
    );
    for (const id of profileIds()) {
      const profile = parse(readFileSync(profileFileOf(id) ?? "", "utf8")) as Record<string, unknown>;
      expect(validate(profile)).toBe(true);
      expect(profile["$schema"]).toBe("../../coap-profile.schema.json");
      expect(validate({ ...profile, discvery: [] })).toBe(false);
    }
  });

  test("as the how-to has it is sound", () => {
    const page = readFileSync(new URL("../../docs/how-to/coap-device.md", import.meta.url), "utf8");
    const [, text = ""] = /^```yaml\n(# my-heater\.yaml\n[\s\S]*?)^```$/m.exec(page) ?? [];
    expect(parseProfile(text, "my-heater.yaml").id).toBe("my-heater");
  });

  test("is listed with what ends an order", async () => {
    const { table } = await run("list", []);
    expect(table?.rows).toContainEqual(["plain-der", "battery", expect.any(String), "device"]);
    expect(table?.rows.map(([id]) => id)).toEqual(profileIds());
  });
});
