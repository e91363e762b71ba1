import { describe, expect, test } from "vitest";
import { Spacing } from "../../adapters/ocpp/control/spacing.ts";
import { HandClock, settle } from "../support/hand-clock.ts";
import { BOOT_16, dialIn, openGateway } from "./ocpp-raw-charger.ts";

const { signal } = new AbortController();

describe("commands to one connector", () => {
  test("wait for their time when they raise the limit", async () => {
    const clock = new HandClock();
    const spacing = new Spacing(clock, 5_000);
    expect(spacing.waitMs(true)).toBe(0);
    spacing.sent();
    await clock.run(3_000);
    expect(spacing.waitMs(true)).toBe(2_000);
    await clock.run(2_000);
    expect(spacing.waitMs(true)).toBe(0);
  });

  test("never wait when they lower it", async () => {
    const spacing = new Spacing(new HandClock(), 5_000);
    spacing.sent();
    expect(spacing.waitMs(false)).toBe(0);
  });

  test("wait longer each time the charger says that it is told too much, and no longer than a minute", async () => {
    const clock = new HandClock();
    const spacing = new Spacing(clock, 0);
    const waitedMs: number[] = [];
    for (let time = 0; time < 8; time++) {
      const startedMs = clock.elapsedMs();
      let isOver = false;
      void spacing.slowDown(signal).then(() => {
        isOver = true;
      });
      while (!isOver) await clock.run(500);
      waitedMs.push(clock.elapsedMs() - startedMs);
    }
    expect(waitedMs).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    await settle();
  });

  test("are broken off by a newer one while they wait, and what lowers the limit overtakes them", async () => {
    await using gateway = await openGateway({ devices: [{ commandSpacingS: 60 }] });
    await using charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    const order = (powerKW: number, until = gateway.signal) =>
      gateway.adapter.apply({ setpointId: `s${powerKW}`, powerKW, untilMs: Date.now() + 600_000 }, until);
    await order(-5);
    const overtaken = new AbortController();
    const raised = order(-6, overtaken.signal);
    raised.catch(() => {});
    await charger.call("Heartbeat", {});
    overtaken.abort(new Error("a newer one came"));
    await expect(raised).rejects.toThrow("a newer one came");
    await order(-4.14);
    const limits = charger
      .of("SetChargingProfile")
      .map((payload) => JSON.stringify(payload).match(/"limit":([\d.]+)/)?.[1]);
    expect(limits).toEqual(["7.2", "6"]);
  });
});
