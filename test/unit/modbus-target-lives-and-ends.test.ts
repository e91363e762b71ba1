import { afterEach, describe, expect, test } from "vitest";
import { modbus } from "../../adapters/modbus/index.ts";
import { ModbusLink } from "../../adapters/modbus/link/modbus-link.ts";
import { InverterSimulator, type InverterSimulatorOptions } from "../../simulators/inverter/inverter-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { type Adapter, DeviceError, type Report } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

/** Time that runs ten times as fast, for both sides. */
const SPEED = 10;
const startedMs = systemClock.now();
const clock: Clock = {
  now: () => startedMs + systemClock.elapsedMs() * SPEED,
  elapsedMs: () => systemClock.elapsedMs() * SPEED,
  sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal),
};

const never = new AbortController().signal;
const era = "IN*TEST*INV*1";
/** Registers of the legacy solar map: model 123 behind 1 (68), 103 (52), 120 (28), 121 (32), 122 (46). */
const M123 = 40_002 + 68 + 52 + 28 + 32 + 46;
const PCT = M123 + 5;
const RVRT = M123 + 7;
const ENA = M123 + 9;

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

function solarSource(): SolarPanel {
  const sun = new Sun(clock, createRng(7), { startHour: 12 });
  return new SolarPanel(clock, sun, { ratingKW: 10, deadMs: 50, tauMs: 100 });
}

function batterySource(socPercent = 50, maxDischargeKW = 5): Battery {
  return new Battery(clock, { capacityKWh: 10, socPercent, maxChargeKW: 5, maxDischargeKW, deadMs: 50, tauMs: 100 });
}

async function simulator(options: Partial<InverterSimulatorOptions> = {}, port = 0) {
  const device = new InverterSimulator({ kind: "solar", source: solarSource(), map: "legacy", clock, log, ...options });
  open.push(device);
  return { device, ...(await device.listen(port)) };
}

function gateway(
  at: { host: string; port: number },
  kind: "solar" | "battery" = "solar",
  config: Record<string, unknown> = {},
): { adapter: Adapter; reports: Report[]; another: (unit: number) => Adapter } {
  const host = modbus.createHost({}, { clock, log, random: () => 0.5, memory: volatileMemory() });
  open.push(host);
  // 2 s are 200 ms on this clock.
  const make = (unit: number) =>
    host.adapter(
      { era, kind },
      modbus.deviceSchema.parse({ host: at.host, port: at.port, unit, pollMs: 500, revertS: 6, ...config }),
    );
  const adapter = make(1);
  const reports: Report[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const report of adapter.reports(stop.signal)) reports.push(report);
  })();
  open.push({
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await reading;
    },
  });
  return { adapter, reports, another: make };
}

const order = (powerKW: number, holdMs = 600_000) => ({ setpointId: "s1", powerKW, untilMs: clock.now() + holdMs });

/** A technician with a laptop on the same device. */
async function technician(at: { host: string; port: number }) {
  const link = new ModbusLink(at, { clock, log, random: () => 0 });
  open.push(link);
  const manners = { unit: 1, timeoutMs: 5000, gapMs: 0 };
  return {
    write: (address: number, values: number[]) => link.write(manners, address, values, { mayTear: true }, never),
    read: (address: number, count: number) => link.read(manners, address, count, never),
  };
}

/** What was written to one register, in order. */
function writtenTo(device: InverterSimulator, register: number): number[] {
  return device.writes.flatMap(({ address, values }) => values.filter((_, index) => address + index === register));
}

async function refusal(work: Promise<unknown>): Promise<DeviceError> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeviceError);
  return error as DeviceError;
}

describe("a target on a SunSpec inverter", () => {
  test("start writes nothing", async () => {
    const { device, ...at } = await simulator();
    const { adapter, reports } = gateway(at);
    const capability = await adapter.start(never);
    expect(capability).toMatchObject({ minPowerKW: 0, maxPowerKW: 10, control: "limit", failsafe: "device" });
    await waitFor("three readings", () => reports.filter((report) => report.kind === "reading").length >= 3);
    expect(device.writes).toEqual([]);
    expect(reports[0]).toMatchObject({ kind: "link", up: true });
  });

  test("the timer is refreshed while the target holds, and the last time it is what is left", async () => {
    const { device, ...at } = await simulator();
    const { adapter } = gateway(at, "solar", { revertS: 12 });
    await adapter.start(never);
    const acceptance = await adapter.apply(order(4, 16_000), never);
    expect(acceptance).toMatchObject({ appliedKW: 4, endsByItself: true });
    await waitFor("the baseline to be back", () => writtenTo(device, RVRT).at(-1) === 0, 4000);
    const [first, ...refreshed] = writtenTo(device, RVRT).slice(0, -1);
    expect(first).toBe(12);
    expect(refreshed.length).toBeGreaterThanOrEqual(2);
    expect(refreshed.at(-1)).toBeLessThan(12);
    expect(refreshed.at(-1)).toBeGreaterThan(4);
    // Only the limit's own registers are ever written: `Conn` stands right before them.
    const touched = device.writes.flatMap(({ address, values }) => values.map((_, index) => address + index));
    expect(touched.every((address) => address >= PCT && address <= ENA)).toBe(true);
  });

  test("a target shorter than the reversion time arms only what is left, and is not refreshed", async () => {
    const { device, ...at } = await simulator();
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(4, 2500), never);
    await waitFor("the end", () => !device.underControl());
    expect(writtenTo(device, RVRT)[0]).toBe(3);
    expect(writtenTo(device, ENA).filter((enable) => enable === 1)).toHaveLength(1);
  });

  test("with the gateway gone the device frees itself", async () => {
    const { device, ...at } = await simulator();
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(4), never);
    await adapter[Symbol.asyncDispose]();
    expect(device.underControl()).toBe(true);
    await waitFor("the timer to run out", () => !device.underControl());
  });

  test("without a reversion timer the adapter ends the target, and says that only a running gateway does", async () => {
    const { device, ...at } = await simulator({ reversion: false });
    const { adapter } = gateway(at);
    expect((await adapter.start(never)).failsafe).toBe("gateway-only");
    const acceptance = await adapter.apply(order(4, 3000), never);
    expect(acceptance.endsByItself).toBe(false);
    await waitFor("the limit", () => device.powerKW() < 4.2);
    await waitFor("the end", () => !device.underControl());
    // Timers that are not implemented are not written.
    const touched = device.writes.flatMap(({ address, values }) => values.map((_, i) => address + i));
    expect(touched).not.toContain(RVRT);
    expect(touched).not.toContain(M123 + 4);
  });

  test("a device without a timer is written once, and again only when it forgot", async () => {
    const { device, ...at } = await simulator({ reversion: false });
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(4), never);
    const written = device.writes.length;
    await systemClock.sleep(700);
    expect(device.writes.length).toBe(written);
    const laptop = await technician(at);
    await laptop.write(ENA, [0]);
    expect(device.underControl()).toBe(false);
    await waitFor("the target to be in force again", () => device.underControl());
  });

  test("release brings back the installer's own limit, not 100 %", async () => {
    const { device, ...at } = await simulator({ reversion: false });
    const laptop = await technician(at);
    const [scale] = await laptop.read(M123 + 23, 1);
    const raw = 70 * 10 ** -(((scale ?? 0) << 16) >> 16);
    await laptop.write(PCT, [raw]);
    await laptop.write(ENA, [1]);
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(2), never);
    await waitFor("the order", () => device.powerKW() < 2.2);
    const before = device.writes.length;
    await adapter.release(never);
    expect((await laptop.read(PCT, 5)).filter((_, i) => i === 0 || i === 4)).toEqual([raw, 1]);
    // Never a moment without any limit.
    expect(device.writes.slice(before).some((write) => write.address === ENA && write.values[0] === 0)).toBe(false);
    await waitFor("the static limit", () => device.powerKW() > 6 && device.powerKW() <= 7.001);
  });

  test("model 704 falls back to the installer's limit even if nobody is there to restore it", async () => {
    const { device, ...at } = await simulator({ map: "der" });
    const m704 = 40_002 + 68 + 155 + 52;
    const laptop = await technician(at);
    expect(await laptop.read(m704, 1)).toEqual([704]);
    await laptop.write(m704 + 14, [1, 700]);
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(2), never);
    await waitFor("the order", () => device.powerKW() < 2.2);
    await adapter[Symbol.asyncDispose]();
    await waitFor("the static limit", () => device.powerKW() > 6.5 && device.powerKW() <= 7.001);
  });

  test("0 kW on model 123 is written as the least percentage, and said so", async () => {
    const { device, ...at } = await simulator();
    const { adapter } = gateway(at);
    await adapter.start(never);
    const acceptance = await adapter.apply(order(0), never);
    expect(acceptance.appliedKW).toBeCloseTo(0.1, 9);
    expect(acceptance.command).toContain("1.00 %");
    await waitFor("the device to follow", () => device.powerKW() < 0.15);
  });

  test("an order of the wrong sign is refused before anything is written", async () => {
    const sun = await simulator();
    const solar = gateway(sun);
    await solar.adapter.start(never);
    expect(await refusal(solar.adapter.apply(order(-1), never))).toMatchObject({ fault: "refused" });
    expect(await refusal(solar.adapter.apply(order(1, -5000), never))).toMatchObject({ fault: "refused" });
    expect(sun.device.writes).toEqual([]);

    const store = await simulator({ kind: "battery", source: batterySource(50, 0), map: "der" });
    const battery = gateway(store, "battery");
    expect((await battery.adapter.start(never)).maxPowerKW).toBe(0);
    expect(await refusal(battery.adapter.apply(order(1), never))).toMatchObject({ fault: "refused" });
    expect(store.device.writes).toEqual([]);
  });

  test("an order with control switched off in the config is refused", async () => {
    const { device, ...at } = await simulator();
    const { adapter } = gateway(at, "solar", { control: "none" });
    expect((await adapter.start(never)).failsafe).toBe("none");
    expect(await refusal(adapter.apply(order(1), never))).toMatchObject({ fault: "refused" });
    expect(device.writes).toEqual([]);
  });

  test("a refused order leaves the one before it in force", async () => {
    const { device, ...at } = await simulator();
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(4), never);
    await waitFor("the order", () => device.powerKW() < 4.2);
    device.behaviour.refuses = true;
    expect(await refusal(adapter.apply(order(6), never))).toMatchObject({ fault: "refused" });
    device.behaviour.refuses = false;
    await systemClock.sleep(900);
    expect(device.underControl()).toBe(true);
    expect(device.powerKW()).toBeCloseTo(4, 1);
  });

  test("a device that only takes single registers is enabled last; one with 32-bit setpoints refuses", async () => {
    const behaviour = { rejectsWriteMultiple: true };
    const { device, ...at } = await simulator({ behaviour });
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(4), never);
    expect(device.underControl()).toBe(true);
    const single = device.writes.filter((write) => write.functionCode === 6).map((write) => write.address);
    expect(single.slice(0, 5).at(-1)).toBe(ENA);

    const store = await simulator({ kind: "battery", source: batterySource(), map: "der", behaviour });
    const battery = gateway(store, "battery");
    await battery.adapter.start(never);
    expect(await refusal(battery.adapter.apply(order(-2), never))).toMatchObject({ fault: "refused" });
    expect(store.device.underControl()).toBe(false);
  });
});

describe("a link that comes and goes", () => {
  test("after a restart that forgot the order it is given again, and the link is reported", async () => {
    const first = await simulator({ reversion: false });
    // So long a time that nothing but the reconnection makes the adapter look.
    const { adapter, reports } = gateway(first, "solar", { revertS: 3600 });
    await adapter.start(never);
    await adapter.apply(order(4), never);
    await first.device[Symbol.asyncDispose]();
    await waitFor("the link to be down", () => reports.some((report) => report.kind === "link" && !report.up));
    const second = await simulator({ reversion: false }, first.port);
    await waitFor("the order to be back", () => second.device.underControl() && second.device.powerKW() < 4.2);
    await waitFor("the link to be up", () => reports.filter((r) => r.kind === "link").at(-1)?.up === true);
  });

  test("a release that does not reach the device is made good when it answers again", async () => {
    const { device, ...at } = await simulator({ reversion: false });
    const { adapter } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(4), never);
    device.behaviour.silent = true;
    expect(["timeout", "unreachable"]).toContain((await refusal(adapter.release(never))).fault);
    expect(device.underControl()).toBe(true);
    device.behaviour.silent = false;
    await waitFor("the device to be free", () => !device.underControl());
  });

  test("a map that moved with new firmware is walked again", async () => {
    const first = await simulator();
    const { adapter, reports } = gateway(first);
    await adapter.start(never);
    await adapter.apply(order(4), never);
    await first.device[Symbol.asyncDispose]();
    // Floats instead of integers: every model behind it moves.
    const second = await simulator({ map: "float" }, first.port);
    await waitFor("the order to be back", () => second.device.underControl() && second.device.powerKW() < 4.2);
    const seen = reports.length;
    await waitFor("readings", () =>
      reports.slice(seen).some((r) => r.kind === "reading" && Math.abs((r.reading.powerKW ?? 0) - 4) < 0.3),
    );
  });

  test("another device at the same address gets its own capability", async () => {
    const first = await simulator();
    const { adapter, reports } = gateway(first);
    await adapter.start(never);
    await first.device[Symbol.asyncDispose]();
    const sun = new Sun(clock, createRng(7), { startHour: 12 });
    const source = new SolarPanel(clock, sun, { ratingKW: 4, deadMs: 50, tauMs: 100 });
    await simulator({ source, serial: "SIM-0002" }, first.port);
    const isNew = (r: Report) => r.kind === "capability" && r.capability.maxPowerKW === 4;
    await waitFor("the new capability", () => reports.some(isNew), 3000);
  });

  test("a unit that does not answer behind a gateway does not disturb its neighbour", async () => {
    const { device, ...at } = await simulator({ behaviour: { maxConnections: 1 } });
    const { adapter, another, reports } = gateway(at);
    await adapter.start(never);
    expect(await refusal(another(2).start(never))).toMatchObject({ fault: "unreachable" });
    await adapter.apply(order(4), never);
    await waitFor("the neighbour to follow", () => device.powerKW() < 4.2);
    expect(reports.filter((report) => report.kind === "link")).toHaveLength(1);
  });

  test("start fails with a reason, and may be called again", async () => {
    const { device, ...at } = await simulator({ behaviour: { silent: true } });
    const { adapter } = gateway(at);
    expect(await refusal(adapter.start(never))).toMatchObject({ fault: "timeout" });
    device.behaviour.silent = false;
    await waitFor("the device", () =>
      adapter.start(never).then(
        () => true,
        () => false,
      ),
    );
  });
});

describe("what a device could do now", () => {
  const availability = (reports: readonly Report[]) =>
    reports.filter((report) => report.kind === "availability").at(-1)?.availability;

  test("an inverter offers the sun, also while it is held back", async () => {
    const at = await simulator();
    const { adapter, reports } = gateway(at);
    await adapter.start(never);
    await adapter.apply(order(2), never);
    await waitFor("a reading of the held power", () =>
      reports.some((r) => r.kind === "reading" && Math.abs((r.reading.powerKW ?? 0) - 2) < 0.1),
    );
    expect(availability(reports)?.maxPowerKW).toBeGreaterThan(6);
    expect(availability(reports)?.reason).toMatch(/^sun \d/);
  });

  test.each([
    ["full", 100, { minPowerKW: 0, maxPowerKW: 5 }],
    ["half full", 50, { minPowerKW: -5, maxPowerKW: 5 }],
    ["empty", 4, { minPowerKW: -5, maxPowerKW: 0 }],
  ])("a battery that is %s", async (_, soc, range) => {
    for (const map of ["legacy", "der"] as const) {
      const at = await simulator({ kind: "battery", source: batterySource(soc), map, idleKW: 0 });
      const { adapter, reports } = gateway(at, "battery");
      const capability = await adapter.start(never);
      expect(capability).toMatchObject({ minPowerKW: -5, maxPowerKW: 5, control: "setpoint", capacityKWh: 10 });
      await waitFor("the availability", () => availability(reports) !== undefined);
      expect(availability(reports)).toMatchObject(range);
      expect(reports.find((r) => r.kind === "reading")?.reading.socPercent).toBeCloseTo(soc, 0);
    }
  });
});
