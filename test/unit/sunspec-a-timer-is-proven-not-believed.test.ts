import { afterEach, describe, expect, test } from "vitest";
import { failsafeOf } from "../../adapters/modbus/sunspec/failsafe.ts";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { silentLog as log } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { type BenchOptions, benchDevice } from "./sunspec-device-bench.ts";
import { fastClock as clock, never, order, startGateway } from "./sunspec-gateway-bench.ts";
import { mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const NONE = 0xffff;
const M704 = 2 + 68 + 52;
const LEFT = M704 + 21;

/** A 5 kW inverter with 704; what is left of its timer is what a test puts there. */
function inverter(leftS: number) {
  const image = new RegisterImage(
    40_000,
    mapOf([
      [1, modelData(66, 0, {})],
      [702, modelData(50, NONE, { 26: 5000, 45: 0 })],
      [704, modelData(65, NONE, { 14: 0, 15: 1000, 16: 1000, 17: 0, 18: 0, 19: 0, 20: 0, 21: 0, 54: 0xffff })],
    ]),
  );
  const begin = () => {
    image.words[LEFT] = leftS;
  };
  image.onWrite = () => {
    queueMicrotask(begin);
    return true;
  };
  return image;
}

const bench = (image: RegisterImage, options?: BenchOptions) => benchDevice(image, "solar", options);

describe("the timer that is to end a command without us", () => {
  test("counts as armed when the device says that seconds are left, and as proven when they went by", async () => {
    const { image, device, control, clock: hand } = bench(inverter(60));
    const held = await control.hold(2, 60, "order", never);
    expect(held.arming).toEqual({ armed: true, seconds: 60, how: "WMaxLimPctRvrtRem says 60 s" });
    const facts = await device.discover(never);
    expect(control.failsafe(facts)).toMatchObject({ failsafe: "device" });
    expect(control.failsafe(facts).failsafeReason).toContain("armed with each command");

    // A second later nothing is proven yet: whole seconds and the way of an answer may be all there is.
    hand.ms += 1000;
    image.words[LEFT] = 59;
    await control.hold(2, 60, "refresh", never);
    expect(control.failsafe(facts).failsafeReason).toContain("armed with each command");

    hand.ms += 20_000;
    image.words[LEFT] = 40;
    await control.hold(2, 60, "refresh", never);
    expect(control.failsafe(facts)).toEqual({
      failsafe: "device",
      failsafeReason: "reversion timer WMaxLimPctRvrtTms: seen counting down",
    });
  });

  test("that stands still makes the device one that only the gateway frees, and is said", async () => {
    const { device, control, clock: hand } = bench(inverter(60));
    await control.hold(2, 60, "order", never);
    hand.ms += 20_000;
    const held = await control.hold(2, 60, "refresh", never);
    expect(held.arming).toEqual({
      armed: false,
      why: "the device confirms its reversion time and does not count it down",
    });
    expect(control.failsafe(await device.discover(never)).failsafe).toBe("gateway-only");
    expect(control.notices()).toEqual([expect.stringContaining("does not count it down")]);
  });

  test("that stood still and runs after all is believed again", async () => {
    const { image, device, control, clock: hand } = bench(inverter(60));
    await control.hold(2, 60, "order", never);
    hand.ms += 20_000;
    await control.hold(2, 60, "refresh", never);
    hand.ms += 20_000;
    image.words[LEFT] = 20;
    expect((await control.hold(2, 60, "refresh", never)).arming.armed).toBe(true);
    expect(control.failsafe(await device.discover(never)).failsafe).toBe("device");
    expect(control.notices()).toEqual([]);
  });

  test("that never starts is no failsafe", async () => {
    const { control } = bench(inverter(0));
    expect((await control.hold(2, 60, "order", never)).arming).toEqual({
      armed: false,
      why: "WMaxLimPctRvrtRem reads 0 after WMaxLimPctRvrtTms was written",
    });
  });

  test("in model 123 is armed by what its register reads, also where the device took another time", async () => {
    const image = new RegisterImage(
      40_000,
      mapOf([
        [1, modelData(66, 0, {})],
        [121, modelData(30, NONE, { 2: 5000, 22: 0 })],
        [123, modelData(24, NONE, { 5: 100, 7: 0, 9: 0, 23: 0 })],
      ]),
    );
    const timer = 2 + 68 + 32 + 7;
    image.onWrite = () => {
      queueMicrotask(() => {
        image.words[timer] = 30;
      });
      return true;
    };
    const { control } = bench(image);
    expect((await control.hold(2, 60, "order", never)).arming).toMatchObject({ armed: true, seconds: 30 });
    image.onWrite = () => {
      queueMicrotask(() => {
        image.words[timer] = 0;
      });
      return true;
    };
    expect((await control.hold(2, 60, "refresh", never)).arming).toEqual({
      armed: false,
      why: "WMaxLimPct_RvrtTms was written as 60 s and reads 0",
    });
  });
});

describe("over a socket", () => {
  test("a device whose timer runs is told to be proven, and one whose timer does not is told to rely on the gateway", async () => {
    const sun = new Sun(clock, createRng(7), { startHour: 12 });
    const source = new SolarPanel(clock, sun, { ratingKW: 10, deadMs: 50, tauMs: 100 });
    const real = new InverterSimulator({ kind: "solar", source, map: "der", clock, log });
    open.push(real);
    // A timer that is looked at when 4 s of it are gone.
    const sound = await startGateway(await real.listen(), { config: { revertS: 18 } });
    open.push(sound);
    expect(sound.capability()?.failsafe).toBe("device");
    await sound.adapter.apply(order(4), never);
    await waitFor("the proof", () => sound.capability()?.failsafeReason?.includes("seen counting down") === true);

    const device = await serveImage(inverter(18));
    open.push(device);
    const broken = await startGateway(device, { config: { revertS: 18 } });
    open.push(broken);
    expect((await broken.adapter.apply(order(2), never)).endsByItself).toBe(true);
    await waitFor("the truth", () => broken.capability()?.failsafe === "gateway-only");
    expect(broken.notices().join()).toContain("does not count it down");
    expect((await broken.adapter.apply(order(1), never)).endsByItself).toBe(false);
  });
});

describe("the failsafe class", () => {
  const facts = {
    isControlled: true,
    timer: "RvrtTms",
    timerFault: undefined,
    timerProven: false,
    quirk: undefined,
    hasVendorFallback: false,
  } as const;

  test.each([
    ["a timer", {}, "device"],
    ["nothing to command", { isControlled: false }, "none"],
    ["no timer", { timer: undefined }, "gateway-only"],
    ["no timer, and a fallback that the technician set up", { timer: undefined, hasVendorFallback: true }, "vendor"],
    ["a timer that does not run, and a fallback", { timerFault: "stands still", hasVendorFallback: true }, "vendor"],
    ["a timer that is known not to work", { quirk: "gateway-only" }, "gateway-only"],
    ["a timer that was said not to work and was seen to", { quirk: "gateway-only", timerProven: true }, "device"],
    ["a model without anything", { timer: undefined, quirk: "none" }, "none"],
    ["a model with its own fallback", { timer: undefined, quirk: "vendor" }, "vendor"],
  ] as const)("with %s", (_, change, expected) => {
    const { failsafe, failsafeReason } = failsafeOf({ ...facts, ...change });
    expect(failsafe).toBe(expected);
    expect(failsafeReason.length).toBeGreaterThan(5);
  });
});
