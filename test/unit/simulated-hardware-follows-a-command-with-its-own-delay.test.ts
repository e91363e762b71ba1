import fc from "fast-check";
import { expect, test } from "vitest";
import { Battery } from "../../simulators/world/battery.ts";
import { Lag } from "../../simulators/world/lag.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { HandClock } from "../support/hand-clock.ts";

test("nothing happens in the dead time, then the power approaches the command", () => {
  const clock = new HandClock();
  const lag = new Lag(clock, { startKW: 0, deadMs: 300, tauMs: 500 });
  lag.command(-8);
  clock.advance(300);
  expect(lag.powerKW()).toBeCloseTo(0, 9);
  clock.advance(500);
  expect(lag.powerKW()).toBeCloseTo(-8 * (1 - Math.exp(-1)), 6);
  clock.advance(10_000);
  expect(lag.powerKW()).toBe(-8);
});

test("looking often does not hold the hardware back", () => {
  const clock = new HandClock();
  const lag = new Lag(clock, { startKW: 5, deadMs: 300, tauMs: 500 });
  // A target that moves a little at each look, as the sky's does.
  for (let step = 0; step < 200; step++) {
    lag.command(2 + step * 1e-4);
    clock.advance(50);
  }
  expect(lag.powerKW()).toBeCloseTo(2.02, 1);
});

test("how often it is asked makes no difference", () => {
  fc.assert(
    fc.property(fc.double({ min: -10, max: 10, noNaN: true }), fc.integer({ min: 1, max: 40 }), (target, looks) => {
      const [seldom, often] = [new HandClock(), new HandClock()];
      const a = new Lag(seldom, { startKW: 1, deadMs: 200, tauMs: 700 });
      const b = new Lag(often, { startKW: 1, deadMs: 200, tauMs: 700 });
      a.command(target);
      b.command(target);
      seldom.advance(2000);
      for (let look = 0; look < looks; look++) {
        often.advance(2000 / looks);
        b.powerKW();
      }
      expect(b.powerKW()).toBeCloseTo(a.powerKW(), 2);
    }),
  );
});

test("panels under a limit give the limit, and the sky's share without one", () => {
  const clock = new HandClock();
  const sun = new Sun(clock, createRng(1), { startHour: 12 });
  const panel = new SolarPanel(clock, sun, { ratingKW: 8 });
  panel.limit(2);
  for (let step = 0; step < 100; step++) {
    clock.advance(100);
    panel.powerKW();
  }
  expect(panel.powerKW()).toBeCloseTo(2, 2);
  panel.limit(undefined);
  for (let step = 0; step < 100; step++) {
    clock.advance(100);
    panel.powerKW();
  }
  expect(Math.abs(panel.powerKW() - panel.availableKW())).toBeLessThan(0.1);
});

test("a battery's energy adds up, and it stops at both ends", () => {
  const clock = new HandClock();
  const battery = new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
  battery.command(-4);
  for (let minute = 0; minute < 60; minute++) {
    clock.advance(60_000);
    battery.powerKW();
  }
  // 4 kWh at the terminals, 95 % of them in the cells.
  expect(battery.socPercent).toBeCloseTo(50 + 38, 0);
  expect(battery.meter.importKWh).toBeCloseTo(4, 1);
  for (let minute = 0; minute < 600; minute++) {
    clock.advance(60_000);
    battery.powerKW();
  }
  expect(battery.socPercent).toBeLessThanOrEqual(100);
  battery.command(5);
  for (let minute = 0; minute < 600; minute++) {
    clock.advance(60_000);
    battery.powerKW();
  }
  expect(battery.socPercent).toBeGreaterThanOrEqual(0);
  expect(battery.powerKW()).toBeCloseTo(0, 2);
});
