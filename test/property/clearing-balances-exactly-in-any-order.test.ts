import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clear } from "../../src/clearing/clear.ts";
import { ClearingBook } from "../../src/clearing/clearing-book.ts";
import type { BidBounds, ClearingResult, ClearingRules, Participant } from "../../src/clearing/clearing-types.ts";
import { type BidCurve, clipCurve, powerRangeAt } from "../../src/model/bid-curve.ts";

/** Prices with few decimals, at which several bids often meet; between ticks; a double apart; and far out. */
const price = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -4, max: 12 }).map((steps) => (3 * steps) / 100) },
  { weight: 2, arbitrary: fc.double({ min: -0.2, max: 0.5, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 8 }).map((steps) => 0.1 + steps * 3e-7) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((ulps) => 0.1 + ulps * 2 ** -56) },
  { weight: 1, arbitrary: fc.constantFrom(-2000, -536.870912, -1, 0.004096, 3, 536.870911, 700, 1e9) },
);
const power = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -22, max: 22 }) },
  { weight: 2, arbitrary: fc.integer({ min: -220, max: 220 }).map((tenths) => tenths / 10) },
  { weight: 2, arbitrary: fc.double({ min: -22, max: 22, noNaN: true }) },
);

const curve: fc.Arbitrary<BidCurve> = fc
  .record({
    pairs: fc.array(fc.tuple(price, power), { minLength: 1, maxLength: 6 }),
    shape: fc.constantFrom("LINEAR" as const, "STEP" as const),
  })
  .map(({ pairs, shape }) => {
    const powers = pairs.map(([, one]) => one).toSorted((a, b) => a - b);
    const points = pairs
      .map(([one]) => one)
      .toSorted((a, b) => a - b)
      .map((pricePerKWh, index) => ({ pricePerKWh, powerKW: powers[index] ?? 0 }));
    return { shape, currency: "INR", points };
  });

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });

const bounds: fc.Arbitrary<BidBounds> = fc
  .record({ low: optional(power), high: optional(power) })
  .map(({ low, high }) => ({
    ...(low !== undefined && { minPowerKW: Math.min(low, high ?? low) }),
    ...(high !== undefined && { maxPowerKW: Math.max(high, low ?? high) }),
  }));

const participant = fc.record({
  curve,
  bounds: fc.option(bounds, { nil: {}, freq: 2 }),
  priority: fc.integer({ min: 0, max: 2 }),
});

const participants = fc
  .array(participant, { maxLength: 9 })
  .map((bids) => bids.map((bid, index): Participant => ({ era: `device-${index}`, ...bid })));

const rules: fc.Arbitrary<ClearingRules> = fc
  .record({
    targetKW: fc.oneof(fc.constant(0), power),
    limits: optional(fc.tuple(price, price)),
    external: optional(curve),
    rationing: fc.constantFrom("PRO_RATA" as const, "PRIORITY" as const),
    lastPricePerKWh: optional(price),
  })
  .map(({ targetKW, limits, external, rationing, lastPricePerKWh }) => ({
    currency: "INR",
    targetKW,
    rationing,
    ...(limits !== undefined && { minPricePerKWh: Math.min(...limits), maxPricePerKWh: Math.max(...limits) }),
    ...(external !== undefined && { external }),
    ...(lastPricePerKWh !== undefined && { lastPricePerKWh }),
  }));

/** What a participant accepts at a price, seen by the model's own reading of curves. */
function acceptedAt({ curve: own, bounds: limits = {} }: Participant, pricePerKWh: number) {
  const { minPowerKW = Number.NEGATIVE_INFINITY, maxPowerKW = Number.POSITIVE_INFINITY } = limits;
  const { lowKW, highKW } = powerRangeAt(own, pricePerKWh);
  const cut = (powerKW: number) => Math.min(Math.max(powerKW, minPowerKW), maxPowerKW);
  return { lowKW: cut(lowKW), highKW: cut(highKW) };
}

function everyone(bids: readonly Participant[], all: ClearingRules): readonly Participant[] {
  return all.external === undefined ? bids : [...bids, { era: "external", curve: all.external }];
}

/** Least and most that everybody together accepts at a price. */
function sumAt(bids: readonly Participant[], pricePerKWh: number) {
  let lowKW = 0;
  let highKW = 0;
  for (const bid of bids) {
    const accepted = acceptedAt(bid, pricePerKWh);
    lowKW += accepted.lowKW;
    highKW += accepted.highKW;
  }
  return { lowKW, highKW };
}

const sumOf = (result: ClearingResult) =>
  result.setpoints.reduce((sum, { powerKW }) => sum + powerKW, result.externalKW ?? 0);

const runs = { numRuns: 1000 };

describe("a clearing", () => {
  test("meets the target to 1e-6 kW, or says what is missing", () => {
    fc.assert(
      fc.property(participants, rules, (bids, all) => {
        const result = clear(bids, all);
        expect(Math.abs(sumOf(result) + result.unmetKW - all.targetKW)).toBeLessThan(1e-6);
        if (!["SHORTAGE", "OVERSUPPLY", "EMPTY"].includes(result.status)) expect(result.unmetKW).toBe(0);
        const positive = [...result.setpoints.map(({ powerKW }) => powerKW), result.externalKW ?? 0];
        expect(result.clearedKW).toBeCloseTo(
          positive.reduce((sum, powerKW) => sum + Math.max(powerKW, 0), 0),
          6,
        );
      }),
      runs,
    );
  });

  test("finds the price at which all bids together accept the target, if there is one within the limits", () => {
    fc.assert(
      fc.property(participants, rules, (bids, all) => {
        const result = clear(bids, all);
        const { pricePerKWh } = result;
        const { minPricePerKWh = -1e12, maxPricePerKWh = 1e12, targetKW } = all;
        const present = everyone(bids, all);
        const most = sumAt(present, maxPricePerKWh).highKW;
        const least = sumAt(present, minPricePerKWh).lowKW;
        if (present.length === 0) return;
        if (most < targetKW - 1e-6) expect(result.status).toBe("SHORTAGE");
        if (least > targetKW + 1e-6) expect(result.status).toBe("OVERSUPPLY");
        if (pricePerKWh === undefined) return;
        expect(pricePerKWh).toBeGreaterThanOrEqual(minPricePerKWh);
        expect(pricePerKWh).toBeLessThanOrEqual(maxPricePerKWh);
        if (result.status === "SHORTAGE" || result.status === "OVERSUPPLY") return;
        // A line may be so steep that the price as a double can't say where on it.
        const ulp = Math.max(Math.abs(pricePerKWh), 1e-3) * 2 ** -51;
        expect(sumAt(present, pricePerKWh - ulp).lowKW).toBeLessThanOrEqual(targetKW + 1e-6);
        expect(sumAt(present, pricePerKWh + ulp).highKW).toBeGreaterThanOrEqual(targetKW - 1e-6);
        if (result.plateau === undefined) return;
        for (const at of [result.plateau.fromPerKWh, result.plateau.toPerKWh]) {
          if (at === undefined) continue;
          expect(sumAt(present, at).lowKW).toBeLessThanOrEqual(targetKW + 1e-6);
          expect(sumAt(present, at).highKW).toBeGreaterThanOrEqual(targetKW - 1e-6);
        }
      }),
      runs,
    );
  });

  test("asks nobody for more than its own curve says at that price", () => {
    fc.assert(
      fc.property(participants, rules, (bids, all) => {
        const { status, pricePerKWh, setpoints } = clear(bids, all);
        if (pricePerKWh === undefined || status === "SHORTAGE" || status === "OVERSUPPLY") return;
        const ulp = Math.max(Math.abs(pricePerKWh), 1e-3) * 2 ** -51;
        for (const [index, { era, powerKW }] of setpoints.entries()) {
          const own = bids[index] as Participant;
          expect(era).toBe(own.era);
          expect(powerKW).toBeGreaterThanOrEqual(acceptedAt(own, pricePerKWh - ulp).lowKW - 1e-6);
          expect(powerKW).toBeLessThanOrEqual(acceptedAt(own, pricePerKWh + ulp).highKW + 1e-6);
        }
      }),
      runs,
    );
  });

  test("keeps to all bounds, whatever happens", () => {
    fc.assert(
      fc.property(participants, rules, (bids, all) => {
        for (const [index, { powerKW }] of clear(bids, all).setpoints.entries()) {
          const { minPowerKW = -1e9, maxPowerKW = 1e9 } = bids[index]?.bounds ?? {};
          expect(powerKW).toBeGreaterThanOrEqual(minPowerKW - 1e-6);
          expect(powerKW).toBeLessThanOrEqual(maxPowerKW + 1e-6);
        }
      }),
      runs,
    );
  });

  test("gives the same price and powers in any order, to the last bit", () => {
    const shuffled = participants.chain((bids) =>
      fc.tuple(fc.constant(bids), fc.shuffledSubarray(bids, { minLength: bids.length })),
    );
    fc.assert(
      fc.property(shuffled, rules, ([bids, other], all) => {
        expect(byEra(clear(other, all))).toEqual(byEra(clear(bids, all)));
      }),
      runs,
    );
  });

  test("is never dearer with more supply", () => {
    fc.assert(
      fc.property(participants, rules, curve, (bids, { rationing, targetKW }, more) => {
        const all: ClearingRules = { currency: "INR", rationing, targetKW, minPricePerKWh: -1, maxPricePerKWh: 1 };
        const supply: Participant = { era: "more", curve: clipCurve(straight(more), 0, 100) };
        const before = clear(bids, all);
        const after = clear([...bids, supply], all);
        if (before.pricePerKWh === undefined || after.pricePerKWh === undefined) return;
        // On a plateau the price is a choice; what can't rise are the ends of the band.
        const least = (result: ClearingResult) =>
          result.plateau ? (result.plateau.fromPerKWh ?? -1) : result.pricePerKWh;
        const most = (result: ClearingResult) => (result.plateau ? (result.plateau.toPerKWh ?? 1) : result.pricePerKWh);
        expect(least(after) as number).toBeLessThanOrEqual((least(before) as number) + 1e-9);
        expect(most(after) as number).toBeLessThanOrEqual((most(before) as number) + 1e-9);
      }),
      runs,
    );
  });

  test("by priority leaves nobody waiting while a worse place on the same side is served", () => {
    fc.assert(
      fc.property(participants, power, (bids, targetKW) => {
        const result = clear(bids, { currency: "INR", targetKW, rationing: "PRIORITY" });
        const { status, pricePerKWh } = result;
        if (status !== "RATIONED" || pricePerKWh === undefined) return;
        const claims = bids.map((bid, index) => {
          const { lowKW, highKW } = acceptedAt(bid, pricePerKWh);
          const restKW = Math.min(Math.max(0, lowKW), highKW);
          const powerKW = result.setpoints[index]?.powerKW ?? Number.NaN;
          const [soldKW, boughtKW] = [Math.max(powerKW - restKW, 0), Math.max(restKW - powerKW, 0)];
          return {
            turn: [bid.priority ?? 0, bid.era],
            soldKW,
            boughtKW,
            canSellKW: highKW - restKW,
            canBuyKW: restKW - lowKW,
          };
        });
        claims.sort((a, b) => (a.turn < b.turn ? -1 : 1));
        for (const [index, better] of claims.entries()) {
          for (const worse of claims.slice(index + 1)) {
            // Who both sells and buys at one price may be cut on either side.
            if (better.canSellKW > 0 && better.canBuyKW > 0) continue;
            if (worse.canSellKW > 0 && worse.canBuyKW > 0) continue;
            if (worse.soldKW > 1e-6) expect(better.soldKW).toBeGreaterThanOrEqual(better.canSellKW - 1e-6);
            if (worse.boughtKW > 1e-6) expect(better.boughtKW).toBeGreaterThanOrEqual(better.canBuyKW - 1e-6);
          }
        }
      }),
      runs,
    );
  });
});

describe("a book", () => {
  const change = fc.record({
    device: fc.integer({ min: 0, max: 6 }),
    bid: fc.option(participant, { nil: undefined, freq: 3 }),
  });

  test("gives what clearing the same bids at once gives, to the last bit, whatever came and went before", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), rules, (changes, all) => {
        const book = new ClearingBook(all);
        const held = new Map<string, Participant>();
        for (const { device, bid } of changes) {
          const era = `device-${device}`;
          if (bid === undefined) expect(book.remove(era)).toBe(held.delete(era));
          else {
            book.set({ era, ...bid });
            held.set(era, { era, ...bid });
          }
        }
        expect(book.size).toBe(held.size);
        const atOnce = clear([...held.values()], all);
        expect(book.clear()).toEqual(atOnce);
        const { status, pricePerKWh } = atOnce;
        expect(book.price()).toMatchObject({ status, ...(pricePerKWh !== undefined && { pricePerKWh }) });
      }),
      runs,
    );
  });
});

describe("thousands of bids", () => {
  const bids = fc
    .sample(participant, { seed: 7, numRuns: 4000 })
    .map((bid, index): Participant => ({ era: `device-${index}`, ...bid }));
  const sameCars = Array.from(
    { length: 5000 },
    (_, index): Participant => ({
      era: `car-${index}`,
      curve: {
        shape: "LINEAR",
        currency: "INR",
        points: [
          { pricePerKWh: 0.08, powerKW: -11 },
          { pricePerKWh: 0.1000000001, powerKW: -5.1 },
          { pricePerKWh: 0.12, powerKW: 0 },
        ],
      },
    }),
  );
  const all: ClearingRules = { currency: "INR", targetKW: 0, rationing: "PRIORITY" };

  test.for([
    ["of all kinds", bids, 0],
    ["that are all the same", sameCars, -40_000],
    ["that are all the same, at a bend between two ticks", sameCars, -25_500],
  ] as const)("%s balance, in any order and bid by bid", ([, many, targetKW]) => {
    const own = { ...all, targetKW };
    const atOnce = clear(many, own);
    expect(atOnce.unmetKW).toBe(0);
    expect(Math.abs(sumOf(atOnce) - targetKW)).toBeLessThan(1e-6);
    const book = new ClearingBook(own);
    for (const bid of many.toReversed()) book.set({ ...bid, curve: sameCars[0]?.curve ?? bid.curve });
    for (const bid of many) book.set(bid);
    expect(byEra(book.clear())).toEqual(byEra(atOnce));
  });
});

/** `clipCurve` keeps steps as steps; what a clipped step means is another curve. */
function straight(one: BidCurve): BidCurve {
  return { ...one, shape: "LINEAR" };
}

function byEra(result: ClearingResult) {
  return { ...result, setpoints: Object.fromEntries(result.setpoints.map(({ era, powerKW }) => [era, powerKW])) };
}
