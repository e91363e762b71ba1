import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAmong, sameWay, type Way, type WayChoice, waysOf } from "../../adapters/ocpp/control/way.ts";

const purposes = ["TxProfile", "TxDefaultProfile", "MaxProfile"] as const;
const units = ["A", "W"] as const;
const kinds = ["Absolute", "Relative"] as const;
const vendors = ["changeConfiguration", "dataTransfer"] as const;

const choices: fc.Arbitrary<WayChoice> = fc.record({
  purposes: fc.shuffledSubarray([...purposes]),
  units: fc.shuffledSubarray([...units], { minLength: 1 }),
  kinds: fc.shuffledSubarray([...kinds], { minLength: 1 }),
  stackLevel: fc.integer({ min: 0, max: 3 }),
  vendor: fc.shuffledSubarray([...vendors]),
  vendorWhen: fc.constantFrom("first", "last", "only"),
});

const everyWay: readonly Way[] = [
  ...vendors.map((via): Way => ({ via })),
  ...purposes.flatMap((purpose) =>
    units.flatMap((unit) =>
      kinds.flatMap((kind) =>
        [0, 1, 2, 3, 4].map((stackLevel): Way => ({ via: "profile", purpose, unit, kind, stackLevel })),
      ),
    ),
  ),
];

describe("the ways to tell a charger its limit", () => {
  it("are the same ones, asked for one by one or made as a list", () => {
    fc.assert(
      fc.property(choices, (choice) => {
        const list = waysOf(choice);
        for (const way of everyWay) {
          expect(isAmong(choice, way), JSON.stringify(way)).toBe(list.some((one) => sameWay(one, way)));
        }
      }),
    );
  });
});
