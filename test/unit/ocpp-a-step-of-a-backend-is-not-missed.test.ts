import { describe, expect, test } from "vitest";
import { LinkWatch } from "../../adapters/ocpp/link/link-watch.ts";
import { BackendProxy } from "../../adapters/ocpp/proxy/backend-proxy.ts";
import { upstreamSchema } from "../../adapters/ocpp/proxy/upstream-config.ts";
import type { Clock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

const STEP_MS = 2000;
const CONNECTION = { phases: 3, voltageV: 230 } as const;

/** A backend's schedule that goes from 9 kW to 3 kW at `STEP_MS`, as it was kept when the gateway ran before. */
async function keptSchedule() {
  const memory = volatileMemory();
  const profile = {
    id: 1,
    connector: 1,
    purpose: "default",
    stackLevel: 1,
    kind: "Absolute",
    startMs: 0,
    unit: "W",
    periods: [
      { startMs: 0, limit: 9000 },
      { startMs: STEP_MS, limit: 3000 },
    ],
  };
  await memory.set("backend/CP-1", { profiles: [{ profile, raw: {}, arrivedAtMs: 0 }], ids: [] });
  return memory;
}

/** Time goes on while somebody sleeps, and when the test says so. */
class SteppedClock implements Clock {
  ms: number;
  #asleep: { readonly untilMs: number; readonly wake: () => void }[] = [];

  constructor(ms: number) {
    this.ms = ms;
  }

  now = () => this.ms;
  elapsedMs = () => this.ms;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.ms + ms, wake: resolve };
      this.#asleep.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#asleep = this.#asleep.filter((one) => one !== sleeper);
        reject(signal.reason);
      });
    });
  }

  async goTo(ms: number): Promise<void> {
    this.ms = Math.max(this.ms, ms);
    for (const { untilMs, wake } of [...this.#asleep]) if (untilMs <= this.ms) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function opened(clock: SteppedClock, onTold: () => void) {
  const told: number[] = [];
  const proxy: BackendProxy = new BackendProxy({
    identity: "CP-1",
    // Nobody listens there.
    config: upstreamSchema.parse({ url: "ws://127.0.0.1:9" }),
    clock,
    log: silentLog,
    random: () => 0.5,
    memory: await keptSchedule(),
    watch: new LinkWatch(),
    callTimeoutMs: 100,
    callCharger: () => Promise.reject(new Error("no charger")),
    onLimits: () => {
      told.push(proxy.limit(1, CONNECTION, 1)?.minPowerKW ?? 0);
      onTold();
    },
  });
  return { proxy, told };
}

describe("a step in a backend's schedule", () => {
  test("that comes at the very moment at which the limits are told is told too", async () => {
    const clock = new SteppedClock(STEP_MS - 1);
    const { proxy, told } = await opened(clock, () => {
      clock.ms = Math.max(clock.ms, STEP_MS);
    });
    proxy.noteEvents([{ kind: "transaction", connector: 1, transactionId: 1 }]);
    expect(told).toEqual([-9]);
    await clock.goTo(STEP_MS + 100);
    expect(told).toEqual([-9, -3]);
    await proxy.close();
  });

  test("that passed while the charger was away is told when it is back", async () => {
    const clock = new SteppedClock(0);
    const { proxy, told } = await opened(clock, () => {});
    proxy.chargerUp("ocpp1.6");
    proxy.chargerDown();
    await clock.goTo(STEP_MS + 1);
    proxy.chargerUp("ocpp1.6");
    expect(told.at(-1)).toBe(-3);
    await proxy.close();
  });
});
