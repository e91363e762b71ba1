import { describe, expect, test } from "vitest";
import { adapters } from "../../adapters/index.ts";
import { BidKeeper, type KeptDevice } from "../../src/bid-keeper.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { DeviceStateSnapshot } from "../../src/dispatch/device-state.ts";
import { silentLog } from "../../src/log.ts";
import { type BidCurve, curveFault, powerAt } from "../../src/model/bid-curve.ts";
import type { Objective } from "../../src/model/objective.ts";
import type { Capability } from "../../src/model/resource.ts";
import { HandClock } from "../support/hand-clock.ts";

const ERA = "v2g-car";
const HOUR_MS = 3_600_000;

const TWO_WAYS: Capability = {
  minPowerKW: -11,
  maxPowerKW: 10,
  control: "setpoint",
  failsafe: "device",
  settleMs: 1000,
  sampleMs: 1000,
  capacityKWh: 60,
};

/** A bid keeper of one car, whose bids are caught. */
class Keeper {
  readonly clock = new HandClock();
  readonly bids: { curve: BidCurve; objective: Objective | undefined }[] = [];
  readonly keeper: BidKeeper;
  state: DeviceStateSnapshot = { linkUp: true, linkDetail: "", capability: TWO_WAYS, socPercent: 60 };
  readonly #stop = new AbortController();

  constructor(device: Record<string, unknown> = {}) {
    const config = parseConfig(
      JSON.stringify({
        market: {
          subscriberId: "site.example",
          bppId: "market.example",
          bppUri: "http://127.0.0.1:9/",
          webhook: { port: 0 },
          currency: "EUR",
          interval: "15m",
        },
        devices: [{ era: ERA, kind: "charger", ocpp: { identity: "CP-1" }, ...device }],
      }),
      "site.yaml",
      adapters,
    );
    const [first] = config.devices;
    if (config.market === undefined || first === undefined) throw new Error("the config has no market or device");
    const keeper = this;
    const lane: KeptDevice["lane"] = {
      get capability() {
        return keeper.state.capability;
      },
      measuredKW: undefined,
      snapshot: () => ({ era: ERA, protocol: "ocpp2.1", ...keeper.state }),
    };
    this.keeper = new BidKeeper({
      market: config.market,
      participant: {
        bid: async (_era, curve, objective) => void this.bids.push({ curve, objective }),
        needsBid: () => true,
        telemetry: async () => true,
      },
      clock: this.clock,
      log: silentLog,
      goals: [],
      saveGoal: () => {},
      devices: [{ config: first, lane }],
    });
    this.keeper.run(this.#stop.signal).catch(() => {});
  }

  /** The curve after the next look. */
  async look(): Promise<{ curve: BidCurve; objective: Objective | undefined }> {
    this.bids.length = 0;
    await this.clock.run(1000, 1000);
    const bid = this.bids.at(-1);
    if (bid === undefined) throw new Error("there was no bid");
    expect(curveFault(bid.curve.points)).toBeUndefined();
    return bid;
  }

  in(hours: number): number {
    return this.clock.now() + hours * HOUR_MS;
  }

  [Symbol.dispose](): void {
    this.#stop.abort(new Error("test over"));
  }
}

describe("a car that can give energy back", () => {
  test("without a goal only charges: nobody knows when it leaves", async () => {
    using car = new Keeper({ prices: { from: 0.1, to: 0.2 } });
    const { curve } = await car.look();
    expect(powerAt(curve, 0.05)).toBe(-11);
    expect(powerAt(curve, 5)).toBe(0);
  });

  test("with a goal of its own charges in a cheap hour, gives in a dear one, and names a price it pays at most", async () => {
    using car = new Keeper({ prices: { from: 0.1, to: 0.2 } });
    car.keeper.setOwnObjective(ERA, { targetChargeKWh: 12, deadlineMs: car.in(8) });
    const { curve, objective } = await car.look();
    expect(powerAt(curve, 0.02)).toBe(-11);
    expect(powerAt(curve, 0.21)).toBe(0);
    expect(powerAt(curve, 1)).toBeCloseTo(10, 9);
    expect(objective).toMatchObject({ targetChargeKWh: 12, maxPricePerKWh: 0.2 });
  });

  test("gives nothing and takes at any price once its departure leaves no time", async () => {
    using car = new Keeper({ prices: { from: 0.1, to: 0.2 } });
    car.keeper.setOwnObjective(ERA, { targetChargeKWh: 12, deadlineMs: car.in(1.1) });
    const { curve } = await car.look();
    expect(powerAt(curve, 9)).toBeLessThan(-5);
  });

  test("that holds what it needs sells some of it if there is time to buy it back, and tells the market of no goal", async () => {
    using car = new Keeper({ prices: { from: 0.1, to: 0.2 } });
    car.keeper.setOwnObjective(ERA, { targetChargeKWh: -4, deadlineMs: car.in(6) });
    const { curve, objective } = await car.look();
    expect(powerAt(curve, 0.02)).toBe(0);
    expect(powerAt(curve, 1)).toBeCloseTo(10, 9);
    expect(objective).toBeUndefined();
  });

  test("stops giving when it says no more what it wants", async () => {
    using car = new Keeper();
    car.keeper.setOwnObjective(ERA, { targetChargeKWh: 12, deadlineMs: car.in(8) });
    expect(powerAt((await car.look()).curve, 1)).toBeCloseTo(10, 9);
    car.keeper.setOwnObjective(ERA, undefined);
    expect(powerAt((await car.look()).curve, 1)).toBe(0);
  });
});

describe("whose goal counts", () => {
  test("an order's before the config's before the car's own", async () => {
    const deadline = new Date(new HandClock().now() + 5 * HOUR_MS).toISOString();
    using car = new Keeper({ objective: { targetChargeKWh: 20, deadline } });
    car.keeper.setOwnObjective(ERA, { targetChargeKWh: 10, deadlineMs: car.in(8) });
    expect((await car.look()).objective?.targetChargeKWh).toBe(20);
    car.keeper.setObjective(ERA, { targetChargeKWh: 30, deadlineMs: car.in(2) });
    expect((await car.look()).objective?.targetChargeKWh).toBe(30);
    await car.clock.run(2.5 * HOUR_MS, 2.5 * HOUR_MS);
    expect((await car.look()).objective?.targetChargeKWh).toBeCloseTo(10, 9);
  });

  test("each counts only what came since it was set", async () => {
    using car = new Keeper({ prices: { from: 0.1, to: 0.2 } });
    const reading = (importKWh: number) => {
      car.state = { ...car.state, importKWh };
      car.keeper.addReading({ era: ERA, receivedAtMs: car.clock.now(), importKWh });
    };
    reading(100);
    car.keeper.setOwnObjective(ERA, { targetChargeKWh: 5, deadlineMs: car.in(8) });
    reading(105);
    // Five of five kWh are there: there is nothing left to take.
    expect(powerAt((await car.look()).curve, 0.01)).toBe(0);
    car.keeper.setOwnObjective(ERA, { targetChargeKWh: 5, deadlineMs: car.in(9) });
    expect(powerAt((await car.look()).curve, 0.01)).toBeLessThan(0);
  });
});
