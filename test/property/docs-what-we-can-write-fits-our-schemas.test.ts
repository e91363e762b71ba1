import fc from "fast-check";
import { expect, test } from "vitest";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { discoverMessage } from "../../src/market/dialects/seed-messages.ts";
import { clearRequest } from "../../src/market/provider/aggregation.ts";
import { type BidPoint, curveFault } from "../../src/model/bid-curve.ts";
import { extensionsIn, type Json, schemaFaults } from "../support/docs-library.ts";

const price = fc.integer({ min: -200, max: 2000 }).map((cents) => cents / 1000);
const powerKW = fc.integer({ min: -50_000, max: 50_000 }).map((watts) => watts / 1000);

/** Sound curves: prices and powers each sorted. */
const curve = fc
  .integer({ min: 1, max: 8 })
  .chain((length) =>
    fc.tuple(
      fc.array(price, { minLength: length, maxLength: length }),
      fc.array(powerKW, { minLength: length, maxLength: length }),
    ),
  )
  .map(([prices, powers]): readonly BidPoint[] => {
    const rising = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
    const sortedKW = rising(powers);
    return rising(prices).map((pricePerKWh, index) => ({ pricePerKWh, powerKW: sortedKW[index] ?? 0 }));
  });

const shape = fc.constantFrom("LINEAR" as const, "STEP" as const);
const sign = fc.constantFrom("export-positive" as const, "import-positive" as const);

function faultsIn(message: unknown): readonly string[] {
  return extensionsIn(message).flatMap(({ schema, value }) => schemaFaults(schema, value));
}

function wire(points: readonly BidPoint[]): readonly Json[] {
  return points.map((point) => ({ price: point.pricePerKWh, powerKW: point.powerKW }));
}

test("every bid that the gateway can write fits the schema of an intent", () => {
  fc.assert(
    fc.property(curve, shape, sign, (points, curveShape, marketSign) => {
      expect(curveFault(points)).toBeUndefined();
      const bid = {
        era: "EV-1",
        curve: { shape: curveShape, currency: "EUR", points },
        constraints: { minPowerKW: -50, maxPowerKW: 50 },
      };
      const message = discoverMessage(bid, { sign: marketSign, currency: "EUR" });
      expect(extensionsIn(message).map(({ schema }) => schema)).toEqual(["EnergyIntent"]);
      expect(faultsIn(message)).toEqual([]);
    }),
  );
});

test("a request that fits its schema is cleared, and the result fits its own", () => {
  fc.assert(
    fc.property(fc.array(curve, { maxLength: 6 }), shape, (curves, curveShape) => {
      const participants = curves.map((points, index) => ({ era: `r-${index}`, bidCurve: wire(points), curveShape }));
      const request = { "@type": "AggregationRequest", participants, currency: "EUR" };
      expect(faultsIn(request)).toEqual([]);
      expect(faultsIn(clearRequest(request, clearGrid, 0))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("a point with anything but two numbers never fits", () => {
  const noNumber = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.array(fc.integer()),
  );
  fc.assert(
    fc.property(noNumber, fc.constantFrom("price", "powerKW"), (value, name) => {
      const point: Record<string, unknown> = { price: 0.1, powerKW: -5, [name]: value };
      if (value === undefined) delete point[name];
      expect(schemaFaults("BidCurve", { bidCurve: [point] })).not.toEqual([]);
    }),
  );
});
