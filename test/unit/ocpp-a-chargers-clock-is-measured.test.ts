import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChargerClock, timeSaidIn } from "../../adapters/ocpp/setup/charger-clock.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway } from "./ocpp-raw-charger.ts";

const NOW_MS = Date.UTC(2026, 10, 23, 14);
const HOUR_MS = 3_600_000;

/** A message every ten seconds, each on its way for so long. */
function hear(clock: ChargerClock, skewMs: number, delaysMs: readonly number[], fromMs = 0): void {
  for (const [index, delayMs] of delaysMs.entries()) {
    const atMs = fromMs + index * 10_000;
    clock.note({ timeMs: NOW_MS + atMs - delayMs + skewMs, mayBeOld: false }, NOW_MS + atMs, atMs);
  }
}

describe("a charger's clock", () => {
  test("is right where it only lags by the way of the messages", () => {
    const clock = new ChargerClock();
    hear(clock, 0, [400, 1_900, 300]);
    expect(clock.skewMs).toBe(0);
    expect(clock.fault).toBeUndefined();
  });

  test("is as wrong as the message says that came fastest", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          // Also with the longest way it is still 2 s fast; with less it counts as right.
          fc.integer({ min: 4_000, max: 30 * 24 * HOUR_MS }),
          fc.integer({ min: -30 * 24 * HOUR_MS, max: -6_000 }),
        ),
        fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 4, maxLength: 12 }),
        (skewMs, delaysMs) => {
          const clock = new ChargerClock();
          hear(clock, skewMs, delaysMs);
          expect(clock.isSteady).toBe(true);
          expect(Math.abs(clock.skewMs - (skewMs - Math.min(...delaysMs)))).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test("that was never set is known from the first message, and one from the future as well", () => {
    const clock = new ChargerClock();
    clock.note({ timeMs: 60_000, mayBeOld: true }, NOW_MS, 0);
    expect(clock.skewMs).toBe(60_000 - NOW_MS);
    expect(clock.fault).toContain("slow");
    const fast = new ChargerClock();
    fast.note({ timeMs: NOW_MS + HOUR_MS, mayBeOld: true }, NOW_MS, 0);
    expect(fast.skewMs).toBe(HOUR_MS);
    expect(fast.fault).toContain("3600 s fast");
  });

  test("is not taken to be slow because of what was kept while the link was down", () => {
    const clock = new ChargerClock();
    for (let index = 0; index < 30; index++) {
      const atMs = index * 50;
      clock.note({ timeMs: NOW_MS - HOUR_MS + index * 10_000, mayBeOld: false }, NOW_MS + atMs, atMs);
    }
    clock.note({ timeMs: NOW_MS - 2 * HOUR_MS, mayBeOld: true }, NOW_MS + 1_500, 1_500);
    expect(clock.skewMs).toBe(0);
    hear(clock, 0, [100, 100], 2_000);
    expect(clock.skewMs).toBe(0);
    expect(clock.isSteady).toBe(true);
  });

  test("that is set right meanwhile is right again after a few messages", () => {
    const clock = new ChargerClock();
    hear(clock, HOUR_MS, [0, 0, 0]);
    hear(clock, 0, [0, 0, 0], 30_000);
    expect(clock.skewMs).toBe(0);
    expect(clock.isSteady).toBe(true);
  });

  test("that stands still or jumps about is none", () => {
    const frozen = new ChargerClock();
    for (const atMs of [0, 10_000, 20_000]) frozen.note({ timeMs: 5_000, mayBeOld: false }, NOW_MS + atMs, atMs);
    expect(frozen.isSteady).toBe(false);
    const jumping = new ChargerClock();
    for (let index = 0; index < 8; index++) hear(jumping, index * HOUR_MS, [0, 0], index * 20_000);
    expect(jumping.isSteady).toBe(false);
    jumping.restart();
    expect(jumping.isSteady).toBe(true);
  });

  test("is read from what a charger sends as it happens, and not from what may be old", () => {
    const timestamp = "2026-11-23T14:00:00";
    expect(timeSaidIn("MeterValues", { meterValue: [{ timestamp: "1999" }, { timestamp }] })).toEqual({
      timeMs: NOW_MS,
      mayBeOld: false,
    });
    expect(timeSaidIn("TransactionEvent", { timestamp: `${timestamp}Z` })?.timeMs).toBe(NOW_MS);
    expect(timeSaidIn("TransactionEvent", { timestamp: `${timestamp}Z`, offline: true })).toBeUndefined();
    expect(timeSaidIn("StatusNotification", { timestamp: `${timestamp}Z` })?.mayBeOld).toBe(true);
    expect(timeSaidIn("MeterValues", { meterValue: [{ timestamp: "noon" }] })).toBeUndefined();
    expect(timeSaidIn("Heartbeat", {})).toBeUndefined();
  });
});

test("a technician reads in the status how wrong it is, and times are told by it", async () => {
  await using gateway = await openGateway();
  await using charger = await dialIn(gateway.url);
  await charger.call("BootNotification", BOOT_16);
  await gateway.adapter.start(gateway.signal);
  const fastMs = 2 * HOUR_MS;
  const timestamp = new Date(Date.now() + fastMs).toISOString();
  await charger.call("MeterValues", { connectorId: 1, meterValue: [{ timestamp, sampledValue: [{ value: "1" }] }] });
  const notices = () => gateway.reports.flatMap((one) => (one.kind === "notices" ? one.notices : []));
  await waitFor("the notice", () => notices().some((text) => /7[12]\d\d s fast/.test(text)));

  const untilMs = Date.now() + 600_000;
  await gateway.adapter.apply({ setpointId: "s", powerKW: -6.9, untilMs }, gateway.signal);
  const { csChargingProfiles: profile } = charger.of("SetChargingProfile")[0] as {
    csChargingProfiles: { validTo: string; chargingSchedule: { startSchedule: string; duration: number } };
  };
  expect(Math.abs(Date.parse(profile.validTo) - untilMs - fastMs)).toBeLessThan(5_000);
  const startMs = Date.parse(profile.chargingSchedule.startSchedule);
  expect(Math.abs(startMs - (Date.now() + fastMs - 60_000))).toBeLessThan(10_000);
  expect(Math.abs(startMs + profile.chargingSchedule.duration * 1000 - untilMs - fastMs)).toBeLessThan(5_000);
});

test("a target that was told by a clock that turns out to be wrong is told anew", async () => {
  await using gateway = await openGateway();
  await using charger = await dialIn(gateway.url);
  await charger.call("BootNotification", BOOT_16);
  await gateway.adapter.start(gateway.signal);
  await gateway.adapter.apply({ setpointId: "s", powerKW: -6.9, untilMs: Date.now() + 600_000 }, gateway.signal);
  await charger.call("StatusNotification", { connectorId: 1, status: "Charging", timestamp: "1970-01-01T00:05:00Z" });
  await waitFor("the target by the charger's clock", () =>
    charger.of("SetChargingProfile").some((one) => JSON.stringify(one).includes('"startSchedule":"1970-01-01T00:0')),
  );
});
