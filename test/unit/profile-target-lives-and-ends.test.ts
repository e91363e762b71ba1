import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { DeviceError } from "../../src/model/adapter.ts";
import { ModbusDevice } from "../support/modbus-device.ts";
import { benchAt, fastClock, profileBench } from "../support/profile-bench.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), "setpointd-profiles-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const POWER = 10;
const SOC = 11;
const FIRMWARE = 12;
const LIMIT = 100;
const TIMER = 101;
const ENABLE = 102;
const BEAT = 103;

/** A battery that somebody wrote a profile for; `control` goes under its one control. */
function profileFile(control: string, rest = ""): string {
  const file = join(folder, `box-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(
    file,
    `
id: own-box
title: Own box
vendor: Own
kind: battery
sources: [{ id: manual, title: the box's manual }]
limits: { slowPollMs: 1000 }
identity: { vendor: Own, firmware: { point: firmware } }
identify: [{ point: soc, min: 0, max: 100 }]
points:
  power: { register: ${POWER}, type: i16, scale: 10, unit: W, sign: generation, poll: fast }
  soc: { register: ${SOC}, unit: "%", poll: fast }
  firmware: { register: ${FIRMWARE}, poll: once }
  target: { register: ${LIMIT}, type: i16, scale: 10, unit: W, sign: generation, poll: never, access: readWrite }
  timer: { register: ${TIMER}, unit: s, poll: never, access: readWrite }
  enable: { register: ${ENABLE}, poll: never, access: readWrite }
  beat: { register: ${BEAT}, poll: never, access: readWrite }
readings: { powerKW: power, socPercent: soc }
controls:
  main:
    kind: setpoint
    convert: { to: watts }
    limits: { generation: 5000, consumption: 5000 }
    release: baseline
    enable: { point: enable, value: 1 }
${control.replace(/^/gm, "    ")}
${rest}`,
  );
  return file;
}

/** Without a timer: only a running gateway ends the order. */
const PLAIN = `
failsafe: gateway-only
sequence: [{ point: target, value: power }]
verify: { readback: true, readbackS: 0, effect: { settleS: 1 } }
writePolicy: { cyclic: ok }`;

const TIMED = `
failsafe: device
reversion: { seconds: 12 }
sequence: [{ point: timer, value: reversion }, { point: target, value: power }]
verify: { readback: true, effect: { settleS: 1 } }
writePolicy: { cyclic: ok }`;

function box(): ModbusDevice {
  return new ModbusDevice(1).put("holding", POWER, 0, 50, 3).put("holding", LIMIT, 77, 0, 0, 0);
}

async function started(device: ModbusDevice, control: string, options: { rest?: string; speed?: number } = {}) {
  const profile = profileFile(control, options.rest);
  const bench = await profileBench(
    device,
    "battery",
    { profileFile: profile, timeoutMs: 3000 },
    { clock: fastClock(options.speed ?? 10) },
  );
  open.push(device, bench);
  const capability = await bench.adapter.start(never);
  return { ...bench, capability, [Symbol.asyncDispose]: bench[Symbol.asyncDispose] };
}

async function refusal(work: Promise<unknown>): Promise<DeviceError> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeviceError);
  return error as DeviceError;
}

describe("a target on a device with a profile of one's own", () => {
  test("start writes nothing, and says what the profile says", async () => {
    const device = box();
    const { capability } = await started(device, PLAIN);
    expect(capability).toMatchObject({
      minPowerKW: -5,
      maxPowerKW: 5,
      control: "setpoint",
      failsafe: "gateway-only",
      settleMs: 1000,
      identity: { vendor: "Own", firmware: "3" },
    });
    expect(device.writes).toEqual([]);
  });

  test("ends with the registers as they were, the enabling one taken back first", async () => {
    const device = box();
    const { adapter, target } = await started(device, PLAIN);
    const acceptance = await adapter.apply(target(-1.239, 4000), never);
    expect(acceptance).toMatchObject({ appliedKW: -1.23, endsByItself: false });
    expect(device.holding(LIMIT)).toBe(65_536 - 123);
    await waitFor("the end", () => device.holding(ENABLE) === 0);
    await waitFor("the baseline", () => device.holding(LIMIT) === 77);
    expect(device.writes.slice(-2).map(({ address }) => address)).toEqual([ENABLE, LIMIT]);
  });

  test("a gateway that dies and starts again gives back what was there before it, and not its own command", async () => {
    const device = box();
    const at = await device.listen();
    const memory = volatileMemory();
    const profile = profileFile(PLAIN);
    open.push(device);
    const clock = fastClock(10);
    const first = benchAt(at, "battery", { profileFile: profile }, { clock, memory });
    await first.adapter.start(never);
    await first.adapter.apply(first.target(2), never);
    // Closed without a release, as a process that is killed.
    await first[Symbol.asyncDispose]();
    expect([device.holding(LIMIT), device.holding(ENABLE)]).toEqual([200, 1]);
    const second = benchAt(at, "battery", { profileFile: profile }, { clock, memory });
    open.push(second);
    await second.adapter.start(never);
    await waitFor("the baseline", () => device.holding(LIMIT) === 77 && device.holding(ENABLE) === 0);
  });

  test("a timer is armed anew within a third of its time, and the last time with what is left", async () => {
    const device = box();
    const { adapter, target } = await started(device, TIMED);
    expect(await adapter.apply(target(2, 20_000), never)).toMatchObject({ endsByItself: true });
    await waitFor("the baseline", () => device.holding(LIMIT) === 77 && device.holding(ENABLE) === 0);
    const armed = device.writtenTo(TIMER).slice(0, -1);
    expect(armed[0]).toBe(12);
    expect(armed.length).toBeGreaterThanOrEqual(4);
    expect(armed.at(-1)).toBeLessThan(9);
  });

  test("a device without a timer is written again only when it forgot", async () => {
    const device = box();
    const { adapter, target } = await started(device, PLAIN);
    await adapter.apply(target(2), never);
    const written = device.writes.length;
    const looked = () => device.requests.filter(({ fc, address }) => fc === 3 && address === LIMIT).length;
    const before = looked();
    await waitFor("some looks", () => looked() > before + 3);
    expect(device.writes.length).toBe(written);
    device.put("holding", LIMIT, 0);
    await waitFor("the order again", () => device.holding(LIMIT) === 200);
    // What it still held was not written again.
    expect(device.writtenTo(ENABLE)).toEqual([1]);
  });

  test("a heartbeat counts up, and the order is not written with it", async () => {
    const device = box();
    const beating = `
failsafe: device
heartbeat: { everyS: 1, mode: increment, point: beat }
sequence: [{ point: target, value: power }]
verify: { readback: true, effect: { settleS: 1 } }
writePolicy: { cyclic: ok }`;
    const { adapter, target } = await started(device, beating);
    await adapter.apply(target(2), never);
    await waitFor("three beats", () => device.writtenTo(BEAT).length >= 3);
    expect(device.writtenTo(BEAT).slice(0, 3)).toEqual([1, 2, 3]);
    expect(device.writtenTo(LIMIT)).toEqual([200]);
    await adapter.release(never);
    const beats = device.writtenTo(BEAT).length;
    await waitFor("readings", () => device.requests.length > 0);
    expect(device.writtenTo(BEAT).length).toBeLessThanOrEqual(beats + 1);
  });

  test("after a reconnection to a device that restarted the order is given again", async () => {
    const device = box();
    const { adapter, target, reports } = await started(device, PLAIN);
    await adapter.apply(target(2), never);
    device.put("holding", LIMIT, 77, 0, 0);
    device.dropConnections();
    await waitFor("the order again", () => device.holding(LIMIT) === 200 && device.holding(ENABLE) === 1);
    await adapter.release(never);
    expect(device.holding(LIMIT)).toBe(77);
    expect(reports.filter(({ kind }) => kind === "link").length).toBeGreaterThanOrEqual(1);
  });
});

test("after a reconnection also what can't be read is told again, and only the watchdog is fed in between", async () => {
  const device = new ModbusDevice(255);
  device.maxRead = 2;
  for (const register of [1000, 1004, 1008, 1010, 1012, 1014, 1016, 1018, 1020, 1036, 1040, 1602]) {
    device.put32("holding", register, 0);
  }
  device.put32("holding", 1016, 306_201).put32("holding", 1040, 230);
  for (const register of [5004, 5014, 5018]) device.writeOnly.add(register);
  const bench = await profileBench(device, "charger", { profile: "keba-p30" }, { clock: fastClock(20) });
  open.push(device, bench);
  await bench.adapter.start(never);
  await bench.adapter.apply(bench.target(-6.9), never);
  await waitFor("the watchdog to be fed", () => device.writtenTo(5018).length >= 3);
  expect(device.writtenTo(5004)).toEqual([10_000]);
  device.dropConnections();
  await waitFor("the order again", () => device.writtenTo(5004).length === 2 && device.writtenTo(5014).length === 2);
});

test("another device at the same address gets no order, and no baseline of the one before it", async () => {
  const device = box();
  const { adapter, target } = await started(device, PLAIN);
  await adapter.apply(target(2), never);
  const written = device.writes.length;
  // A charge of 999 % is none: whatever answers now is no battery of this profile.
  device.put("holding", SOC, 999);
  device.dropConnections();
  // The order that meets the broken connection fails with it; the one after it meets the other device.
  const faultText = async () => (await refusal(adapter.apply(target(3), never))).message;
  await waitFor("the other device to be seen", async () => (await faultText()).includes("is no Own box"));
  expect(await faultText()).toMatch(/is no Own box: soc \(register 11\) reads 999, expected at most 100/);
  await expect(adapter.release(never)).rejects.toThrow("is no Own box");
  expect(device.writes.length).toBe(written);
  // The right one is back, and is given back to itself.
  device.put("holding", SOC, 50);
  await waitFor("the baseline", () => device.holding(LIMIT) === 77);
});

describe("a device that does not do as it is told", () => {
  test("shows another value afterwards: refused, with what it shows", async () => {
    const device = box();
    const { adapter, target } = await started(device, PLAIN);
    device.onWrite = ({ address }) => address !== LIMIT;
    const fault = await refusal(adapter.apply(target(2), never));
    expect(fault.fault).toBe("refused");
    expect(fault.message).toMatch(/target \(register 100\) was told 200 and shows 77/);
  });

  test("answers an exception: refused, and the order before it stays in force", async () => {
    const device = box();
    const { adapter, target } = await started(device, PLAIN);
    await adapter.apply(target(2), never);
    device.onWrite = ({ values }) => (values[0] === 300 ? 3 : true);
    expect((await refusal(adapter.apply(target(3), never))).message).toContain("exception 3");
    expect(device.holding(LIMIT)).toBe(200);
  });

  test("does not show that its timer runs: told to the technician, and the command has no end of its own", async () => {
    const device = box().put("holding", BEAT, 0);
    const proven = TIMED.replace("seconds: 12", "seconds: 12, proof: { point: beat, atLeast: 1 }");
    const { adapter, target, reports } = await started(device, proven);
    expect(await adapter.apply(target(2), never)).toMatchObject({ endsByItself: false });
    await waitFor("the notice", () => reports.some((report) => report.kind === "notices"));
    device.put("holding", BEAT, 9);
    expect(await adapter.apply(target(1), never)).toMatchObject({ endsByItself: true });
    await waitFor("the notice to go", () => reports.some((one) => one.kind === "notices" && one.notices.length === 0));
  });

  test("falls silent: a fault and no hang", async () => {
    const device = box();
    const { adapter, target } = await started(device, PLAIN);
    device.silent = true;
    expect(["timeout", "unreachable"]).toContain((await refusal(adapter.apply(target(2), never))).fault);
  });
});

describe("a memory that wears out", () => {
  const RATIONED = PLAIN.replace("cyclic: ok", 'cyclic: "no", maxPerDay: 4');

  test("is written so often a day and no more, also after a restart; giving back always works", async () => {
    const device = box();
    const at = await device.listen();
    const memory = volatileMemory();
    const profileFileName = profileFile(RATIONED);
    open.push(device);
    const first = benchAt(at, "battery", { profileFile: profileFileName }, { memory });
    await first.adapter.start(never);
    await first.adapter.apply(first.target(1), never);
    await first.adapter.apply(first.target(2), never);
    await first[Symbol.asyncDispose]();
    const second = benchAt(at, "battery", { profileFile: profileFileName }, { memory });
    open.push(second);
    await second.adapter.start(never);
    // Two of the four are left for giving the device back.
    const fault = await refusal(second.adapter.apply(second.target(3), never));
    expect(fault.message).toMatch(/register 100 was written 2 times today.+again from \d{4}-/);
    expect(device.writtenTo(LIMIT)).toEqual([100, 200]);
    await second.adapter.release(never);
    expect(device.holding(LIMIT)).toBe(77);
  });

  test("is spared small changes upwards; a reduction is always told", async () => {
    const device = box();
    const { adapter, target } = await started(device, PLAIN.replace("cyclic: ok", "cyclic: ok, deadbandKW: 0.5"));
    await adapter.apply(target(2), never);
    expect(await adapter.apply(target(2.3), never)).toMatchObject({ appliedKW: 2 });
    expect(device.writtenTo(LIMIT)).toEqual([200]);
    await adapter.apply(target(1.9), never);
    await adapter.apply(target(2.6), never);
    expect(device.writtenTo(LIMIT)).toEqual([200, 190, 260]);
  });
});

describe("quirks", () => {
  const QUIRK = `
quirks:
  - match: { firmware: "<2" }
    because: It counts in steps of 100 W, and takes function 16 alone.
    patch:
      points: { target: { scale: 100, writeFunction: 16 } }`;

  test.each([
    [1, 20, 16],
    [2, 200, 6],
  ])("firmware %i is told %i with function %i", async (firmware, raw, fc) => {
    const device = box().put("holding", FIRMWARE, firmware);
    const { adapter, target } = await started(device, PLAIN, { rest: QUIRK });
    await adapter.apply(target(2), never);
    expect(device.writes[0]).toMatchObject({ fc, address: LIMIT, values: [raw] });
  });

  test("a GX device without the register of the override gets the older one, seldom", async () => {
    const device = new ModbusDevice(100).put("input", 820, 0, 0, 0).put("input", 842, 0, 50).put("holding", 2700, 30);
    const bench = await profileBench(device, "battery", { profile: "victron-gx", ratingKW: 10 });
    open.push(device, bench);
    await bench.adapter.start(never);
    await bench.adapter.apply(bench.target(2), never);
    expect(device.writes).toMatchObject([{ fc: 6, address: 2700, values: [65_536 - 2000] }]);
    const tooSoon = await refusal(bench.adapter.apply(bench.target(1), never));
    expect(tooSoon.message).toContain("register 2700 was written 1 times today");
    await bench.adapter.release(never);
    expect(device.holding(2700)).toBe(30);
  });
});

describe("readings", () => {
  test("a value that is not there is absent, and a charger says whether there is a car", async () => {
    const device = new ModbusDevice(1);
    device.put("input", 5, 2, 0, 0, 0, 412, 231, 229, 230).put("input", 14, 0).put32("input", 17, 45_600);
    device.put("holding", 257, 15_000).put("holding", 261, 160, 0);
    const bench = await profileBench(device, "charger", { profile: "heidelberg-ec" });
    open.push(device, bench);
    await bench.adapter.start(never);
    const reasons = () => bench.reports.flatMap((one) => (one.kind === "availability" ? [one.availability] : []));
    await waitFor("no car", () => reasons().some(({ reason, minPowerKW }) => reason === "no car" && minPowerKW === 0));
    device.put("input", 5, 7);
    await waitFor("a car", () => reasons().at(-1)?.reason === "car connected");
    expect(reasons().at(-1)?.minPowerKW).toBeLessThan(-10);
  });

  test("all codes of a sleeping battery make a reading without a power, and not 0 kW", async () => {
    const device = new ModbusDevice(3);
    device.put32("input", 30775, 0x8000_0000).put32("holding", 30845, 50);
    device.put("holding", 30513, 0xffff, 0xffff, 0xffff, 0xffff);
    const bench = await profileBench(device, "battery", { profile: "sma-sbs", ratingKW: 4 });
    open.push(device, bench);
    await bench.adapter.start(never);
    await waitFor("readings", () => bench.readings("socPercent").length > 1);
    for (const report of bench.reports) {
      if (report.kind !== "reading") continue;
      expect(report.reading).not.toHaveProperty("powerKW");
      expect(report.reading).not.toHaveProperty("exportKWh");
    }
  });

  test("a sum with a part that is not there is not there either, unless the profile says that it may lack", async () => {
    const device = new ModbusDevice(100)
      .put("input", 820, 300, 200)
      .put("input", 842, 0, 50)
      .put("holding", 2716, 0, 0);
    const bench = await profileBench(device, "battery", { profile: "victron-gx", ratingKW: 5 });
    open.push(device, bench);
    await bench.adapter.start(never);
    await waitFor("readings", () => bench.readings("socPercent").length > 1);
    expect(bench.readings("powerKW")).toEqual([]);
    const meter = new ModbusDevice(1);
    for (let register = 0; register < 0x60; register++) meter.put("input", register, 0);
    meter.putFloat("input", 0x00, 231).putFloat("input", 0x46, 50);
    for (const register of [2, 3, 4, 5]) meter.tables.input.delete(register);
    const oneP = await profileBench(meter, "load", { profile: "eastron-sdm630" });
    open.push(meter, oneP);
    await oneP.adapter.start(never);
    await waitFor("readings", () => oneP.readings("voltageV").length > 0);
    expect(oneP.readings("voltageV").at(-1)).toBe(231);
  });
});
