import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { DeviceLoop } from "../../adapters/device-loop.ts";
import { DeviceError } from "../../src/model/adapter.ts";
import { HandClock, settle } from "../support/hand-clock.ts";

/** A loop whose rounds a story fails; each round and each failure is noted with its time. */
function loopOf(pollMs = 1000) {
  const clock = new HandClock();
  const rounds: number[] = [];
  const failures: string[] = [];
  let isAway = false;
  const loop = new DeviceLoop({
    era: "dev",
    pollMs,
    clock,
    random: () => 1,
    nextMs: () => (rounds.at(-1) ?? 0) + pollMs,
    round: async () => {
      rounds.push(clock.elapsedMs());
      if (isAway) throw new Error("away");
    },
    onFailure: (error) => failures.push(String(error)),
    faultFrom: (error, era, attempted) => new DeviceError("refused", era, `${attempted}: ${String(error)}`),
  });
  return { clock, loop, rounds, failures, away: (is: boolean) => (isAway = is) };
}

const forever = new AbortController().signal;

describe("the loop of a device", () => {
  test("goes round when something is due, with growing pauses while the device is away, and at once as before when it is back", async () => {
    const { clock, loop, rounds, failures, away } = loopOf();
    loop.begin();
    await settle();
    await clock.run(2500, 500);
    expect(rounds).toEqual([0, 1000, 2000]);
    away(true);
    await clock.run(300_000, 500);
    const pauses = rounds.slice(3).map((atMs, index, all) => atMs - (all[index - 1] ?? atMs));
    expect(pauses.slice(1, 6)).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(Math.max(...pauses)).toBe(30_000);
    expect(failures.length).toBe(rounds.length - 3);
    away(false);
    await clock.run(40_000, 500);
    expect(rounds.slice(-5).map((atMs, index, all) => atMs - (all[index - 1] ?? atMs))).toEqual([
      0, 1000, 1000, 1000, 1000,
    ]);
    await loop.close();
    const before = rounds.length;
    await clock.run(10_000, 500);
    expect(rounds).toHaveLength(before);
  });

  test("ends what a caller asked for with his reason, or with the device when that is closed", async () => {
    const { loop } = loopOf();
    const hangs = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const caller = new AbortController();
    const given = loop.asked(caller.signal, "hold -3 kW", hangs);
    caller.abort(new Error("a newer one came"));
    await expect(given).rejects.toThrow("a newer one came");

    const closed = loop.asked(forever, "hold -3 kW", hangs);
    await loop.close();
    await expect(closed).rejects.toMatchObject({
      fault: "unreachable",
      message: "dev: hold -3 kW: the adapter is closed",
    });
    const late = loop.asked(forever, "release", async (signal) => signal.throwIfAborted());
    await expect(late).rejects.toMatchObject({ fault: "unreachable" });
  });

  test("makes a device error of what went wrong", async () => {
    const { loop } = loopOf();
    const asked = loop.asked(forever, "release", () => Promise.reject(new Error("no")));
    await expect(asked).rejects.toMatchObject({ fault: "refused", message: "dev: release: Error: no" });
    expect(await loop.asked(forever, "start", async () => 7)).toBe(7);
  });

  test("leaves nothing at the caller's signal, however often it is asked", async () => {
    const { loop } = loopOf();
    const { signal } = new AbortController();
    for (let times = 0; times < 50; times++) await loop.asked(signal, "release", async () => {});
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await loop.close();
  });
});
