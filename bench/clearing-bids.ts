import type { BidPoint } from "../src/model/bid-curve.ts";

/** A generator of numbers in [0, 1), the same on every machine (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A three-point curve with prices on the ticks of a currency's sixth decimal: two cars to one panel. */
export function threePointBid(random: () => number): readonly BidPoint[] {
  const isCar = random() < 2 / 3;
  const first = Math.floor(50_000 + random() * 100_000);
  const second = first + 1 + Math.floor(random() * 30_000);
  const third = second + 1 + Math.floor(random() * 30_000);
  const mostKW = Math.round(1000 * (1 + random() * 21)) / 1000;
  const middleKW = Math.round(1000 * mostKW * random()) / 1000;
  const powers = isCar ? [-mostKW, -middleKW, 0] : [0, middleKW, mostKW];
  return [first, second, third].map((tick, index) => ({
    pricePerKWh: tick / 1_000_000,
    powerKW: powers[index] ?? 0,
  }));
}
