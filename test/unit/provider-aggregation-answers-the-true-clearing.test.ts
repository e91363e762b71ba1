import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { clearRequest } from "../../src/market/provider/aggregation.ts";

const NOW_MS = Date.parse("2026-06-15T12:00:00Z");
const FIXTURE = resolve(
  import.meta.dirname,
  "../../../shared/fixtures/beckn/seed-branch/examples/aggregate_action/aggregate-request.json",
);

interface Result {
  readonly aggregationResult: {
    readonly status: string;
    readonly clearingPrice?: number;
    readonly clearingQuantityKW: number;
    readonly externalKW?: number;
    readonly setpoints: readonly { readonly era: string; readonly setpointKW: number }[];
    readonly locationalPrice?: number;
    readonly locationalPrices?: readonly {
      readonly era: string;
      readonly price?: number;
      readonly adder: number;
      readonly flowKW: number;
      readonly congestionRentPerHour: number;
      readonly boundBy?: string;
    }[];
    readonly offsets?: readonly object[];
    readonly currency?: string;
    readonly timestamp: string;
  };
}

function clear(request: object): Result["aggregationResult"] {
  return (clearRequest({ aggregationRequest: request }, clearGrid, NOW_MS) as Result).aggregationResult;
}

const panel = (era: string, more: object = {}) => ({
  era,
  bidCurve: [
    { price: 0.05, powerKW: 0 },
    { price: 0.06, powerKW: 2 },
    { price: 0.07, powerKW: 5 },
  ],
  ...more,
});
const car = (era: string, more: object = {}) => ({
  era,
  bidCurve: [
    { price: 0.08, powerKW: -11 },
    { price: 0.1, powerKW: -5 },
    { price: 0.12, powerKW: 0 },
  ],
  ...more,
});

describe("a request becomes prices and setpoints that balance", () => {
  test("two panels and a car clear where the curves meet, not where the seed's example says", () => {
    const result = clear({ participants: [panel("pv-1"), panel("pv-2"), car("ev")] });
    expect(result.clearingPrice).toBeCloseTo(0.08 + 0.02 / 6, 9);
    expect(result.setpoints).toEqual([
      { era: "pv-1", setpointKW: 5 },
      { era: "pv-2", setpointKW: 5 },
      { era: "ev", setpointKW: expect.closeTo(-10, 9) },
    ]);
    expect(result.clearingQuantityKW).toBeCloseTo(10, 9);
    expect(result.currency).toBeUndefined();
    expect(result.timestamp).toBe("2026-06-15T12:00:00.000Z");
  });

  test("one panel and a car clear at 0.10 with 5 kW", () => {
    const { clearingPrice, setpoints } = clear({ participants: [panel("pv"), car("ev")] });
    expect(clearingPrice).toBeCloseTo(0.1, 9);
    expect(setpoints.map((one) => one.setpointKW)).toEqual([5, expect.closeTo(-5, 9)]);
  });

  test("a curve in the later form means the same", () => {
    const { bidCurve } = panel("");
    const offerCurve = { currency: "INR", minExport: 0, maxExport: 5, curve: bidCurve };
    const { currency, ...later } = clear({ participants: [{ era: "pv", offerCurve }, car("ev")] });
    expect(currency).toBe("INR");
    expect(later).toEqual(clear({ participants: [panel("pv"), car("ev")] }));
  });

  test("constraints cut a curve, in the list of the seed or beside it", () => {
    for (const bound of [{ constraints: { minPowerKW: -3, maxPowerKW: 0 } }, { minPowerKW: -3 }]) {
      const { setpoints } = clear({ participants: [panel("pv"), car("ev", bound)] });
      expect(setpoints[1]?.setpointKW).toBeCloseTo(-3, 9);
      expect(setpoints[0]?.setpointKW).toBeCloseTo(3, 9);
    }
  });

  test("a step curve says 5 kW at 0.09, a linear one 8", () => {
    const supply = {
      era: "grid",
      bidCurve: [
        { price: 0.09, powerKW: 0 },
        { price: 0.09, powerKW: 100 },
      ],
    };
    const at = (curveShape: string) =>
      clear({ participants: [supply, car("ev", { curveShape })] }).setpoints[1]?.setpointKW;
    expect(at("LINEAR")).toBeCloseTo(-8, 9);
    expect(at("STEP")).toBeCloseTo(-5, 9);
  });

  test("a feeder at its limit has its own price, and its rent is the difference times the flow", () => {
    const source = {
      era: "plant",
      bidCurve: [
        { price: 0.05, powerKW: 0 },
        { price: 0.05, powerKW: 100 },
      ],
    };
    const { locationalPrices, locationalPrice, setpoints } = clear({
      participants: [
        source,
        car("ev", { node: "feeder" }),
        { era: "feeder", gridConstraints: { maxForwardFlowKW: 5, maxReverseFlowKW: 50 } },
      ],
    });
    expect(setpoints.map((one) => one.setpointKW)).toEqual([expect.closeTo(5, 9), expect.closeTo(-5, 9)]);
    expect(locationalPrice).toBeCloseTo(0.1, 9);
    expect(locationalPrices).toEqual([
      expect.objectContaining({ era: "feeder", boundBy: "FORWARD", flowKW: expect.closeTo(-5, 9) }),
    ]);
    expect(locationalPrices?.[0]?.congestionRentPerHour).toBeCloseTo(0.05 * 5, 9);
  });

  test("a node whose load nobody here causes adds what it states for that load, and nodes are layered", () => {
    const adder = { priceAdderPerPercent: 0.001, currentLoadPercent: 75, formula: "process.exit(1)" };
    const { clearingPrice = 0, locationalPrices } = clear({
      participants: [
        panel("pv"),
        car("ev"),
        { era: "zone", parent: "city", locationalPriceAdder: adder },
        { era: "city", locationalPriceAdder: { ...adder, currentLoadPercent: 20 } },
      ],
    });
    expect(locationalPrices?.map((one) => one.price)).toEqual([
      expect.closeTo(clearingPrice + 0.095, 9),
      expect.closeTo(clearingPrice + 0.02, 9),
    ]);
  });

  test("a node whose load the bids cause gets its adder from the flow", () => {
    const source = {
      era: "plant",
      bidCurve: [
        { price: 0.05, powerKW: 0 },
        { price: 0.05, powerKW: 100 },
      ],
    };
    const { locationalPrice = 0, setpoints } = clear({
      participants: [
        source,
        car("ev", { node: "zone" }),
        {
          era: "zone",
          locationalPriceAdder: { priceAdderPerPercent: 0.001, currentLoadPercent: 1 },
          gridConstraints: { maxForwardFlowKW: 20 },
        },
      ],
    });
    const loadKW = -(setpoints[1]?.setpointKW ?? 0);
    expect(locationalPrice).toBeCloseTo(0.05 + 0.001 * (loadKW / 20) * 100, 9);
    // On its own curve at that price.
    expect(loadKW).toBeCloseTo(locationalPrice <= 0.1 ? 11 - (locationalPrice - 0.08) * 300 : 0, 6);
  });

  test("an offset is reported with what could not be moved", () => {
    const { offsets } = clear({
      participants: [
        panel("pv", { node: "zone" }),
        car("ev", { node: "zone" }),
        { era: "zone", offsetCommand: { enabled: true, offsetKW: 2 } },
      ],
    });
    expect(offsets).toEqual([{ era: "zone", offsetKW: 2 }]);
    const off = clear({
      participants: [panel("pv"), car("ev"), { era: "zone", offsetCommand: { enabled: false, offsetKW: 2 } }],
    });
    expect(off.offsets).toBeUndefined();
  });

  test("what is traded with the outside is one more curve, and its power stands beside the setpoints", () => {
    const external = {
      bidCurve: [
        { price: 0.085, powerKW: -100 },
        { price: 0.085, powerKW: 100 },
      ],
    };
    const { clearingPrice, setpoints, externalKW } = clear({ participants: [panel("pv"), car("ev")], external });
    expect(clearingPrice).toBe(0.085);
    expect(setpoints.map(({ setpointKW }) => setpointKW)).toEqual([5, expect.closeTo(-9.5, 9)]);
    expect(externalKW).toBeCloseTo(4.5, 9);
  });

  test("where every price would do it is the one before, else the base price", () => {
    const flat = (era: string, powerKW: number) => ({ era, bidCurve: [{ price: 0.1, powerKW }] });
    const participants = [flat("sun", 4), flat("fridge", -4)];
    expect(clear({ participants, basePricePerKWh: 0.07 }).clearingPrice).toBe(0.07);
    expect(clear({ participants, basePricePerKWh: 0.07, lastPricePerKWh: 0.09 }).clearingPrice).toBe(0.09);
  });

  test("by priority, and by time where that is the same, one after the other is served", () => {
    const at = (era: string, more: object) => ({
      era,
      bidCurve: [
        { price: 0.1, powerKW: 0 },
        { price: 0.1, powerKW: 4 },
      ],
      ...more,
    });
    const participants = [
      at("late", { submittedAt: "2026-06-15T11:30:00Z" }),
      at("early", { submittedAt: "2026-06-15T12:15:00+01:00" }),
      at("first", { priority: -1 }),
    ];
    const served = (rationing: string) =>
      clear({ participants, targetKW: 6, rationing }).setpoints.map(({ setpointKW }) => setpointKW);
    expect(served("PRIORITY")).toEqual([0, 2, 4]);
    expect(served("PRO_RATA")).toEqual([2, 2, 2]);
  });

  test("a node whose price nothing clears states its own: its base price with its adder", () => {
    const adder = { basePrice: 0.1, currentLoadPercent: 75, priceAdderPerPercent: 0.001 };
    const result = clear({ participants: [{ era: "zone", locationalPriceAdder: adder }] });
    expect(result.clearingPrice).toBeUndefined();
    expect(result.locationalPrice).toBeCloseTo(0.175, 12);
    const priced = clear({ participants: [panel("pv"), car("ev"), { era: "zone", locationalPriceAdder: adder }] });
    expect(priced.locationalPrice).toBeCloseTo(0.1 + 0.075, 9);
    const other = { ...adder, basePrice: 5 };
    const same = clear({ participants: [panel("pv"), car("ev"), { era: "zone", locationalPriceAdder: other }] });
    expect(same.locationalPrice).toBe(priced.locationalPrice);
  });

  test("nobody to trade with: no price, and nothing to do", () => {
    const result = clear({ participants: [panel("pv")] });
    expect(result.setpoints).toEqual([{ era: "pv", setpointKW: 0 }]);
    expect(result.clearingQuantityKW).toBe(0);
  });

  test("the request may stand alone, in its message or in the whole message", () => {
    const request = { participants: [panel("pv"), car("ev")] };
    const bare = clearRequest(request, clearGrid, NOW_MS);
    expect(clearRequest({ aggregationRequest: request }, clearGrid, NOW_MS)).toEqual(bare);
    expect(clearRequest({ context: {}, message: { aggregationRequest: request } }, clearGrid, NOW_MS)).toEqual(bare);
  });
});

describe("a fault names its field", () => {
  const P = "aggregationRequest.participants";
  test.each([
    [
      "a curve that falls",
      {
        participants: [
          panel("pv"),
          {
            era: "x",
            bidCurve: [
              { price: 1, powerKW: 2 },
              { price: 2, powerKW: 1 },
            ],
          },
        ],
      },
      `${P}[1].bidCurve[1].powerKW`,
    ],
    ["an empty curve", { participants: [{ era: "x", bidCurve: [] }] }, `${P}[0].bidCurve`],
    ["no curve at all", { participants: [{ era: "x" }] }, `${P}[0].bidCurve`],
    [
      "two curves",
      { participants: [panel("x", { offerCurve: { curve: [{ price: 1, powerKW: 1 }] } })] },
      `${P}[0].offerCurve`,
    ],
    ["no name", { participants: [{ bidCurve: [{ price: 1, powerKW: 1 }] }] }, `${P}[0].era`],
    ["a name twice", { participants: [panel("x"), panel("x")] }, `${P}[1].era`],
    ["an unknown node", { participants: [panel("x", { node: "nowhere" })] }, `${P}[0].node`],
    ["an unknown parent", { participants: [{ era: "n", parent: "nowhere", gridConstraints: {} }] }, `${P}[0].parent`],
    [
      "nodes in a circle",
      {
        participants: [
          { era: "a", parent: "b", gridConstraints: {} },
          { era: "b", parent: "a", gridConstraints: {} },
        ],
      },
      `${P}[0].parent`,
    ],
    [
      "two currencies",
      { participants: [panel("x", { currency: "INR" }), panel("y", { currency: "EUR" })] },
      `${P}[1].currency`,
    ],
    ["a strange shape", { participants: [panel("x", { curveShape: "SPLINE" })] }, `${P}[0].curveShape`],
    [
      "bounds the wrong way round",
      { participants: [panel("x", { constraints: { minPowerKW: 5, maxPowerKW: 1 } })] },
      `${P}[0].constraints.minPowerKW`,
    ],
    [
      "another kind of aggregation",
      { aggregationType: "FORECAST", participants: [] },
      "aggregationRequest.aggregationType",
    ],
    [
      "a window that ends before it begins",
      { participants: [], timeWindow: { start: "2026-06-15T14:00:00Z", end: "2026-06-15T13:00:00Z" } },
      "aggregationRequest.timeWindow",
    ],
    ["no participants", {}, "aggregationRequest.participants"],
    ["an exchange without a curve", { participants: [], external: {} }, "aggregationRequest.external.bidCurve"],
    [
      "an exchange that falls",
      {
        participants: [],
        external: {
          bidCurve: [
            { price: 1, powerKW: 2 },
            { price: 2, powerKW: 1 },
          ],
        },
      },
      "aggregationRequest.external.bidCurve[1].powerKW",
    ],
    [
      "an exchange in another currency",
      { participants: [panel("x", { currency: "INR" })], external: { ...panel("y"), currency: "EUR" } },
      "aggregationRequest.external.currency",
    ],
    [
      "a limit below zero",
      { participants: [{ era: "n", gridConstraints: { maxForwardFlowKW: -1 } }] },
      `${P}[0].gridConstraints.maxForwardFlowKW`,
    ],
  ])("%s", (_name, request, path) => {
    expect(() => clear(request)).toThrow(expect.objectContaining({ name: "Refusal", path }));
  });

  test("a text where a number belongs is no number", () => {
    const request = { participants: [{ era: "x", bidCurve: [{ price: "0.05", powerKW: 1 }] }] };
    expect(() => clear(request)).toThrow(expect.objectContaining({ path: `${P}[0].bidCurve[0].price` }));
  });
});

const isThere = existsSync(FIXTURE);
test.skipIf(!isThere)(
  `the published request${isThere ? "" : " (skipped: the fixtures are not on this machine)"}`,
  () => {
    const { aggregationResult } = clearRequest(JSON.parse(readFileSync(FIXTURE, "utf8")), clearGrid, NOW_MS) as Result;
    // Its published answer is 0.075 with 3.5, 3.5 and -8 kW, which is neither on the curves nor balanced.
    expect(aggregationResult.clearingPrice).toBeCloseTo(0.083333333, 8);
    expect(aggregationResult.setpoints).toEqual([
      { era: "solar-panel-001", setpointKW: 5 },
      { era: "solar-panel-002", setpointKW: 5 },
      { era: "ev-battery-001", setpointKW: expect.closeTo(-10, 9) },
    ]);
    expect(aggregationResult.clearingQuantityKW).toBeCloseTo(10, 9);
    expect(aggregationResult.locationalPrice).toBeCloseTo(0.083333333 + 0.075, 8);
    const sum = aggregationResult.setpoints.reduce((total, one) => total + one.setpointKW, 0);
    expect(Math.abs(sum)).toBeLessThan(1e-6);
  },
);
