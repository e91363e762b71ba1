import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EnvelopeMember, envelopeLimit, envelopeShares } from "../../src/dispatch/utility-envelope.ts";
import type { PowerEnvelope } from "../../src/model/utility.ts";
import { DispatchStage } from "../support/dispatch-stage.ts";
import { HandAdapter } from "../support/hand-adapter.ts";
import { settle } from "../support/hand-clock.ts";

/** Each of four devices may be off by what is too little for a command. */
const NOTHING_KW = 1e-5;
const RESERVE_KW = 1;
/** Less than the meters of such a site can tell. */
const NEARLY_KW = 0.05;

/** A site of two chargers, panels and a battery, each of which does what it is told as soon as it is told. */
const site = () => [
  { adapter: new HandAdapter("ev-1", { minPowerKW: -11, maxPowerKW: 0 }), kind: "charger" as const },
  { adapter: new HandAdapter("ev-2", { minPowerKW: -22, maxPowerKW: 0, minRunKW: 4.1 }), kind: "charger" as const },
  { adapter: new HandAdapter("pv", { minPowerKW: 0, maxPowerKW: 15 }), kind: "solar" as const },
  {
    adapter: new HandAdapter("bat", { minPowerKW: -5, maxPowerKW: 5, control: "setpoint" }),
    kind: "battery" as const,
  },
];

const bound = fc.option(fc.double({ min: 0, max: 40, noNaN: true }), { nil: undefined });
/** A site can't be told to take in less than what nobody here can move. */
const importBound = fc.option(fc.double({ min: RESERVE_KW, max: 40, noNaN: true }), { nil: undefined });
const envelope = fc.record({ importKW: importBound, exportKW: bound, loadKW: importBound, generationKW: bound });
const order = fc.record({
  kind: fc.constant("order" as const),
  device: fc.nat(3),
  powerKW: fc.double({ min: -30, max: 30, noNaN: true }),
  seconds: fc.integer({ min: 5, max: 300 }),
});
const demand = fc.record({ kind: fc.constant("demand" as const), envelope });
const wait = fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 60 }) });

const given = (bounds: Readonly<Record<string, number | undefined>>): PowerEnvelope =>
  Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined));

/** Sums of what the devices hold, kW. */
function sums(powers: readonly number[]) {
  const load = powers.reduce((sum, one) => sum + Math.max(0, -one), RESERVE_KW);
  const generation = powers.reduce((sum, one) => sum + Math.max(0, one), 0);
  return { load, generation, import: load - generation, export: generation - load + RESERVE_KW };
}

/** In the end nothing may be taken from the grid beyond what nobody can move, and nothing given: one power is left. */
const NO_ROOM = [{ generationKW: 0 }, { exportKW: 0, loadKW: 1.2266666666666668 }, { importKW: 1, exportKW: 0 }].map(
  (bounds) => ({
    kind: "demand" as const,
    envelope: { importKW: undefined, exportKW: undefined, loadKW: undefined, generationKW: undefined, ...bounds },
  }),
);

describe("a setpoint never breaks a utility limit", () => {
  test("whatever the market orders and whenever the utility changes its mind, the sums stay within its bounds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(order, demand, wait), { minLength: 3, maxLength: 14 }), async (story) => {
        const devices = site();
        const stage = new DispatchStage(devices, { connection: { reserveKW: RESERVE_KW } });
        const powers = [-6, -6, 9, 2];
        let bounds: PowerEnvelope = {};
        const live = async (seconds: number) => {
          for (let second = 0; second < seconds; second++) {
            for (const [index, { adapter }] of devices.entries()) {
              const target = stage.dispatcher.lane(adapter.era)?.targetKW;
              powers[index] = target ?? powers[index] ?? 0;
              adapter.measure(powers[index], stage.clock.now());
            }
            await stage.clock.run(1000, 500);
          }
        };
        const check = (slackKW = NOTHING_KW) => {
          const now = sums(
            devices.map(({ adapter }, index) => stage.dispatcher.lane(adapter.era)?.targetKW ?? powers[index] ?? 0),
          );
          // A load that nobody here can move is no order's fault.
          const most = (kW: number | undefined, least: number) =>
            Math.max(kW ?? Number.POSITIVE_INFINITY, least) + slackKW;
          expect(now.load).toBeLessThanOrEqual(most(bounds.loadKW, RESERVE_KW));
          expect(now.generation).toBeLessThanOrEqual(most(bounds.generationKW, 0));
          expect(now.import).toBeLessThanOrEqual(most(bounds.importKW, RESERVE_KW));
          expect(now.export).toBeLessThanOrEqual(most(bounds.exportKW, 0));
        };
        try {
          await settle();
          await live(3);
          for (const step of story) {
            if (step.kind === "wait") await live(step.seconds);
            else if (step.kind === "demand") {
              bounds = given(step.envelope);
              stage.dispatcher.oblige([{ ...bounds, detail: "test" }]);
              // What one device gives up is another's room, once both meters have shown it.
              await live(4);
              check(NEARLY_KW);
              // Bounds that leave one single power are met by steps, since each side goes by what it last saw of the other.
              await live(30);
            } else {
              const { era } = devices[step.device]?.adapter ?? {};
              if (era !== undefined) stage.dispatcher.submit([stage.order(era, step.powerKW, step.seconds)]);
              await settle();
            }
            check();
          }
        } finally {
          await stage.stop();
        }
      }),
      { numRuns: 60, examples: [[NO_ROOM]] },
    );
  });

  test("a tighter limit makes all give way at once and together, and none falls to nothing for a moment", async () => {
    const [one, two] = [new HandAdapter("ev-1"), new HandAdapter("ev-2")];
    const stage = new DispatchStage([
      { adapter: one, kind: "charger" },
      { adapter: two, kind: "charger" },
    ]);
    await settle();
    for (const adapter of [one, two]) adapter.measure(-10, stage.clock.now());
    await settle();
    stage.dispatcher.oblige([{ importKW: 10, detail: "opModImpLimW 10000 W" }]);
    await stage.clock.run(500);
    for (const adapter of [one, two]) {
      for (const { powerKW } of adapter.targets) expect(powerKW).toBeCloseTo(-5, 6);
      expect(adapter.targets).toHaveLength(1);
    }
    expect(stage.dispatcher.snapshot()[0]?.boundBy?.source).toBe("utility-server");
    await stage.stop();
  });

  test("panels are held down also where the market orders nothing, and let go when the limit ends", async () => {
    const pv = new HandAdapter("pv", { minPowerKW: 0, maxPowerKW: 10 });
    const stage = new DispatchStage([{ adapter: pv, kind: "solar" }]);
    await settle();
    pv.measure(8, stage.clock.now());
    stage.dispatcher.oblige([{ exportKW: 1.5, detail: "opModExpLimW 1500 W" }]);
    await stage.clock.run(500);
    expect(pv.targets.at(-1)?.powerKW).toBeCloseTo(1.5, 6);
    expect(stage.judgements).toEqual([]);
    stage.dispatcher.oblige([]);
    await stage.clock.run(500);
    expect(pv.releases).toBe(1);
    await stage.stop();
  });

  test("a device that does not follow keeps what it takes, and the others make room for it", async () => {
    const [deaf, good] = [new HandAdapter("deaf"), new HandAdapter("good")];
    const stage = new DispatchStage([
      { adapter: deaf, kind: "charger" },
      { adapter: good, kind: "charger" },
    ]);
    await settle();
    for (const adapter of [deaf, good]) adapter.measure(-8, stage.clock.now());
    await settle();
    stage.dispatcher.oblige([{ importKW: 10, detail: "opModImpLimW 10000 W" }]);
    for (let second = 0; second < 90; second++) {
      deaf.measure(-8, stage.clock.now());
      good.measure(stage.dispatcher.lane("good")?.targetKW ?? -8, stage.clock.now());
      await stage.clock.run(1000, 500);
    }
    expect(stage.dispatcher.lane("good")?.targetKW).toBeCloseTo(-2, 6);
    await stage.stop();
  });

  test("a power that the utility orders holds whatever the market says, and is shared over the batteries", async () => {
    const capability = { minPowerKW: -5, maxPowerKW: 5, control: "setpoint" as const };
    const [left, right] = [new HandAdapter("left", capability), new HandAdapter("right", capability)];
    const stage = new DispatchStage([
      { adapter: left, kind: "battery" },
      { adapter: right, kind: "battery" },
    ]);
    await settle();
    for (const adapter of [left, right]) adapter.measure(0, stage.clock.now());
    await settle();
    stage.dispatcher.submit([stage.order("left", 4)]);
    stage.dispatcher.oblige([{ orders: [{ of: "storage", powerKW: -6 }], detail: "opModStorageTargetW -6000 W" }]);
    await stage.clock.run(500);
    expect(left.targets.at(-1)?.powerKW).toBeCloseTo(-3, 6);
    expect(right.targets.at(-1)?.powerKW).toBeCloseTo(-3, 6);
    stage.dispatcher.oblige([]);
    await stage.clock.run(500);
    expect(left.targets.at(-1)?.powerKW).toBe(4);
    await stage.stop();
  });
});

describe("what is shared out", () => {
  const kW = (most: number) => fc.double({ min: 0, max: most, noNaN: true });
  const member = fc.record({
    capability: fc.record({ minPowerKW: kW(22).map((most) => -most), maxPowerKW: kW(22) }),
    measuredKW: fc.option(fc.double({ min: -25, max: 25, noNaN: true }), { nil: undefined }),
    targetKW: fc.option(fc.double({ min: -22, max: 22, noNaN: true }), { nil: undefined }),
    wantedKW: fc.option(fc.double({ min: -30, max: 30, noNaN: true }), { nil: undefined }),
    isOrdered: fc.boolean(),
    regulatesItself: fc.boolean(),
    follows: fc.boolean(),
  });

  test("is never more than there is to share, and every limit is a number on its own side of nothing", () => {
    fc.assert(
      fc.property(envelope, fc.array(member, { maxLength: 5 }), (bounds, some) => {
        const members = some.map((one, index) => ({
          era: `d${index}`,
          ...(Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) as typeof one),
        })) as EnvelopeMember[];
        const shares = envelopeShares(given(bounds), RESERVE_KW, members);
        const sum = (direction: "consumption" | "generation") =>
          [...shares.values()].reduce((total, share) => total + share[direction], 0);
        if (bounds.loadKW !== undefined) expect(sum("consumption")).toBeLessThanOrEqual(bounds.loadKW + NOTHING_KW);
        if (bounds.generationKW !== undefined) {
          expect(sum("generation")).toBeLessThanOrEqual(bounds.generationKW + NOTHING_KW);
        }
        for (const { era } of members) {
          const { minPowerKW = -0, maxPowerKW = 0 } =
            envelopeLimit(given(bounds), RESERVE_KW, era, members, shares) ?? {};
          expect(Number.isFinite(minPowerKW) && minPowerKW <= 0).toBe(true);
          expect(Number.isFinite(maxPowerKW) && maxPowerKW >= 0).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
