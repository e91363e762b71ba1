import { ClearingBook } from "../src/clearing/clearing-book.ts";
import type { Participant } from "../src/clearing/clearing-types.ts";
import { seededNumbers, threePointBid } from "./clearing-bids.ts";
import { type BenchContext, type Benchmark, type Figure, figure } from "./figure.ts";

const BIDS = 100_000;
const REPLACED = 20_000;
const ROUNDS = 10;
const SEED = 1;

/** One of 100,000 bids is replaced and the price found anew: checks, sums and search, as the book's users have it. */
export const reclear: Benchmark = { figures: ["reclear_us"], run: measure };

async function measure({ progress }: BenchContext): Promise<readonly Figure[]> {
  const random = seededNumbers(SEED);
  const bid = (index: number): Participant => ({
    era: `device-${index}`,
    curve: { shape: "LINEAR", currency: "INR", points: threePointBid(random) },
  });
  const book = new ClearingBook({ currency: "INR", targetKW: 0, rationing: "PRO_RATA" });
  for (let index = 0; index < BIDS; index++) book.set(bid(index));
  progress(`${BIDS} bids are in`);
  let bestUs = Number.POSITIVE_INFINITY;
  let searchUs = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= ROUNDS; round++) {
    const changes = Array.from({ length: REPLACED }, () => bid(Math.floor(random() * BIDS)));
    const startedAtMs = performance.now();
    for (const change of changes) {
      book.set(change);
      book.price();
    }
    bestUs = Math.min(bestUs, ((performance.now() - startedAtMs) * 1000) / REPLACED);
    const searchedAtMs = performance.now();
    for (let search = 0; search < REPLACED; search++) book.price();
    searchUs = Math.min(searchUs, ((performance.now() - searchedAtMs) * 1000) / REPLACED);
  }
  return [
    figure({
      name: "reclear_us",
      value: bestUs,
      unit: "us",
      target: 5,
      floor: searchUs,
      detail: `mean of ${REPLACED} replacements, best of ${ROUNDS} rounds; the search alone ${searchUs.toFixed(2)} us`,
    }),
  ];
}
