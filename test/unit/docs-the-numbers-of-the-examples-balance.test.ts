import { describe, expect, test } from "vitest";
import { importLimitKW, ratingOf, wireLimit } from "../../adapters/ocpp/control/import-limit.ts";
import { clear } from "../../simulators/market/clearing.ts";
import { curveFromObjective } from "../../src/bidding/curve-from-objective.ts";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { messageContext } from "../../src/market/beckn-context.ts";
import { clearRequest } from "../../src/market/provider/aggregation.ts";
import { type BidCurve, curveFault, powerRangeAt } from "../../src/model/bid-curve.ts";
import {
  curvesIn,
  EXAMPLES,
  type Example,
  example,
  extensionsIn,
  isJson,
  type Json,
  schemaFaults,
} from "../support/docs-library.ts";

const BAY = ratingOf({ current: "AC", phases: 3, voltageV: 230, maxA: 16, minA: 6, belowMin: "pause" });

/** What the charger of bay 1 is told for a setpoint, kW, export positive. */
function appliedKW(setpointKW: number): number {
  const { value } = wireLimit(importLimitKW(setpointKW) ?? Number.NaN, BAY, "A");
  return (-value * BAY.phases * BAY.voltageV) / 1000;
}

function numberAt(value: Json, name: string): number {
  const found = value[name];
  if (typeof found !== "number") throw new Error(`${name} is no number`);
  return found;
}

function listAt(value: Json, name: string): readonly Json[] {
  return (value[name] ?? []) as readonly Json[];
}

function objectAt(value: Json, ...names: readonly string[]): Json {
  return names.reduce((at, name) => at[name] as Json, value);
}

function curveOf(holder: Json): BidCurve {
  const points = listAt(holder, "bidCurve").map((point) => ({
    pricePerKWh: numberAt(point, "price"),
    powerKW: numberAt(point, "powerKW"),
  }));
  return { shape: holder["curveShape"] === "STEP" ? "STEP" : "LINEAR", currency: "EUR", points };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe("curves", () => {
  const curves = EXAMPLES.flatMap(({ name, message }) => curvesIn(message).map((curve) => ({ name, ...curve })));

  test.each(curves)("of $name at $path are sound and within their bounds", ({ points, holder }) => {
    const read = points.map((one) => ({ pricePerKWh: numberAt(one, "price"), powerKW: numberAt(one, "powerKW") }));
    expect(curveFault(read)).toBeUndefined();
    const { minPowerKW = -Infinity, maxPowerKW = Infinity } = (holder["constraints"] ?? {}) as {
      minPowerKW?: number;
      maxPowerKW?: number;
    };
    for (const { powerKW } of read) {
      expect(powerKW).toBeGreaterThanOrEqual(minPowerKW);
      expect(powerKW).toBeLessThanOrEqual(maxPowerKW);
    }
  });

  test("the car's curves follow from its objective, before and after the first interval", () => {
    const intent = objectAt(example("ev-demand-flexibility.01-discover"), "message", "intent");
    const goal = objectAt(intent, "objectives");
    const objective = {
      targetChargeKWh: numberAt(goal, "targetChargeKWh"),
      deadlineMs: Date.parse(String(goal["deadline"])),
      maxPricePerKWh: numberAt(goal, "maxPricePerKWh"),
    };
    const bid = (clock: string, deliveredKWh: number) => {
      const slotStartMs = Date.parse(`2026-06-15T${clock}:00Z`);
      const slot = { slotStartMs, slotEndMs: slotStartMs + 900_000 };
      return curveFromObjective({ objective, deliveredKWh, maxKW: 11, ...slot, currency: "EUR" }).points;
    };
    const expectSame = (wire: BidCurve, ours: readonly { pricePerKWh: number; powerKW: number }[]) => {
      expect(wire.points.map(({ powerKW }) => powerKW)).toEqual(ours.map(({ powerKW }) => powerKW));
      wire.points.forEach(({ pricePerKWh }, index) => {
        expect(pricePerKWh).toBeCloseTo(ours[index]?.pricePerKWh ?? Number.NaN, 6);
      });
    };
    expectSame(curveOf(intent), bid("14:00", 0));
    const update = objectAt(example("ev-demand-flexibility.05-update"), "message", "order", "beckn:orderAttributes");
    expectSame(curveOf(update), bid("14:15", 8.211 / 4));
  });
});

const CLEARINGS = EXAMPLES.filter(({ name }) => name.endsWith("-aggregate")).map(({ name, message }) => ({
  name,
  request: objectAt(message, "message", "aggregationRequest"),
  result: objectAt(example(name.replace("01-aggregate", "02-on_aggregate")), "message", "aggregationResult"),
}));

/** `on_confirm` in the seed's own dialect. */
const SEED_CONFIRMATIONS = EXAMPLES.filter(({ name }) => /^(?!.*\.(branch|2026)\.).*-on_confirm$/.test(name));

describe("clearings", () => {
  test("there is one for each use case that clears", () => {
    expect(CLEARINGS.map(({ name }) => name.split(".")[0])).toEqual([
      "demand-flexibility",
      "ev-demand-flexibility",
      "grid-services",
      "grid-services",
      "grid-services",
      "p2p-market",
      "vpp",
    ]);
  });

  test.each(CLEARINGS)(
    "$name: everybody is on the own curve at the price, and all powers sum to zero with the offsets",
    (clearing) => {
      const { request, result } = clearing;
      const bids = listAt(request, "participants").filter((one) => one["bidCurve"] !== undefined);
      const setpoints = new Map(listAt(result, "setpoints").map((one) => [one["era"], numberAt(one, "setpointKW")]));
      expect([...setpoints.keys()]).toEqual(bids.map((bid) => bid["era"]));
      const nodes = new Map(listAt(result, "locationalPrices").map((node) => [node["era"], numberAt(node, "price")]));
      for (const bid of bids) {
        const price = nodes.get(bid["node"]) ?? numberAt(result, "clearingPrice");
        const { lowKW, highKW } = powerRangeAt(curveOf(bid), price);
        const powerKW = setpoints.get(bid["era"]) ?? Number.NaN;
        expect(powerKW).toBeGreaterThanOrEqual(lowKW - 1e-9);
        expect(powerKW).toBeLessThanOrEqual(highKW + 1e-9);
      }
      const powers = [...setpoints.values()];
      const offsetsKW = listAt(result, "offsets").map((offset) => numberAt(offset, "offsetKW"));
      expect(Math.abs(sum([...powers, ...offsetsKW]))).toBeLessThan(1e-6);
      expect(numberAt(result, "clearingQuantityKW")).toBeCloseTo(sum(powers.filter((powerKW) => powerKW > 0)), 9);
    },
  );

  const flat = CLEARINGS.filter(({ result }) => result["locationalPrices"] === undefined);

  test.each(flat)("$name: the market simulator finds the same", ({ request, result }) => {
    const bids = listAt(request, "participants").map((one) => ({
      id: String(one["era"]),
      points: curveOf(one).points,
    }));
    const cleared = clear(bids, [{ pricePerKWh: 0, powerKW: 0 }], 0);
    expect(cleared?.pricePerKWh).toBeCloseTo(numberAt(result, "clearingPrice"), 9);
    for (const { era, setpointKW } of listAt(result, "setpoints") as readonly { era: string; setpointKW: number }[]) {
      expect(cleared?.setpointsKW.get(era)).toBeCloseTo(setpointKW, 9);
    }
  });

  test.each(CLEARINGS)("$name: our own aggregate action finds the same", ({ request, result }) => {
    const nowMs = Date.parse(String(result["timestamp"]));
    const { aggregationResult } = clearRequest(request, clearGrid, nowMs) as { aggregationResult: Json };
    expect(numbersIn(aggregationResult)).toEqual(
      new Map([...numbersIn(result)].map(([path, value]) => [path, expect.closeTo(value, 9)])),
    );
    expect(aggregationResult["status"]).toBe(result["status"]);
    expect(extensionsIn(aggregationResult).flatMap(({ schema, value }) => schemaFaults(schema, value))).toEqual([]);
  });

  test("behind the transformer the price is the market's and 0.001 for each percent of the load that follows", () => {
    const { request, result } = CLEARINGS.find(({ name }) => name.startsWith("grid-services")) ?? {};
    if (request === undefined || result === undefined) throw new Error("no clearing of grid services");
    const node = listAt(request, "participants").find((one) => one["@type"] === "GridNode") ?? {};
    const adder = objectAt(node, "locationalPriceAdder");
    const bounds = objectAt(node, "gridConstraints");
    const [cleared] = listAt(result, "locationalPrices");
    if (cleared === undefined) throw new Error("no node");
    const importKW = -numberAt(cleared, "flowKW");
    const percent = (100 * importKW) / numberAt(bounds, "maxForwardFlowKW");
    expect(percent).toBe(numberAt(adder, "currentLoadPercent"));
    expect(importKW).toBe(numberAt(bounds, "currentLoadKW"));
    expect(numberAt(cleared, "adder")).toBeCloseTo(percent * numberAt(adder, "priceAdderPerPercent"), 12);
    expect(numberAt(cleared, "price")).toBeCloseTo(numberAt(result, "clearingPrice") + numberAt(cleared, "adder"), 12);
    expect(numberAt(adder, "currentPrice")).toBe(numberAt(cleared, "price"));
    expect(numberAt(adder, "basePrice")).toBe(numberAt(result, "clearingPrice"));
    expect(numberAt(cleared, "congestionRentPerHour")).toBeCloseTo(numberAt(cleared, "adder") * importKW, 9);
    const below = listAt(request, "participants").filter((one) => one["node"] === node["era"]);
    const setpoints = new Map(listAt(result, "setpoints").map((one) => [one["era"], numberAt(one, "setpointKW")]));
    expect(sum(below.map(({ era }) => setpoints.get(era) ?? Number.NaN))).toBe(-importKW);
  });
});

/** All numbers in an object, by their path. */
function numbersIn(value: unknown, path = ""): ReadonlyMap<string, number> {
  if (typeof value === "number") return new Map([[path, value]]);
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(Object.entries(value).flatMap(([name, part]) => [...numbersIn(part, `${path}.${name}`)]));
}

describe("orders", () => {
  test.each(CLEARINGS.filter(({ name }) => name.includes(".clearing.")))(
    "after $name say what was cleared",
    ({ name, result }) => {
      const useCase = name.split(".")[0];
      const cleared = new Map(listAt(result, "setpoints").map((one) => [one["era"], one["setpointKW"]]));
      const confirmed = SEED_CONFIRMATIONS.filter((one) => one.name.startsWith(`${useCase}.`));
      const orders = confirmed.flatMap(({ message }) =>
        extensionsIn(message).flatMap(({ schema, value }) => (schema === "EnergyOrder" ? [value] : [])),
      );
      expect(orders.length).toBeGreaterThan(0);
      for (const order of orders) {
        const list = order["setpoints"] === undefined ? [order] : listAt(order, "setpoints");
        for (const { era, setpointKW } of list) expect(setpointKW, String(era)).toBe(cleared.get(era));
        expect(order["clearingPrice"]).toBe(order["locationalPrice"] ?? result["clearingPrice"]);
      }
    },
  );

  test.each(SEED_CONFIRMATIONS)("$name: the value is energy times price", (one) => {
    const order = objectAt(one.message, "message", "order");
    if (!isJson(order["beckn:orderValue"])) return;
    const attributes = objectAt(order, "beckn:orderAttributes");
    const window = isJson(attributes["timeWindow"]) ? attributes["timeWindow"] : attributes;
    const from = Date.parse(String(window["validFrom"] ?? window["start"]));
    const until = Date.parse(String(window["validUntil"] ?? window["end"]));
    const list = attributes["setpoints"] === undefined ? [attributes] : listAt(attributes, "setpoints");
    const boughtKW = Math.max(
      sum(list.map((item) => Math.max(0, numberAt(item, "setpointKW")))),
      -sum(list.map((item) => Math.min(0, numberAt(item, "setpointKW")))),
    );
    const value = boughtKW * ((until - from) / 3_600_000) * numberAt(attributes, "clearingPrice");
    // What stands beside the energy in the same order, for example wheeling, is listed there.
    const extra = sum(
      listAt(order["beckn:orderValue"], "breakup")
        .slice(1)
        .map((line) => numberAt(line, "value")),
    );
    expect(numberAt(order["beckn:orderValue"], "value")).toBeCloseTo(Math.round((value + extra) * 100) / 100, 9);
  });

  test("a verdict belongs to a setpoint of its own use case, and the charger's figures are what OCPP can say", () => {
    for (const { name, message } of EXAMPLES) {
      for (const { value } of extensionsIn(message)) {
        if (!isJson(value["verdict"])) continue;
        const [, messageId] = String(value["verdict"]["setpointId"]).split("/");
        const order = EXAMPLES.find(
          (one) => messageContext(one.message).messageId === messageId && /on_confirm/.test(one.name),
        );
        expect(order?.name.split(".")[0], name).toBe(name.split(".")[0]);
        if (!name.startsWith("ev-")) continue;
        const orderedKW = numberAt(value["verdict"], "orderedKW");
        expect(numberAt(value["verdict"], "appliedKW")).toBeCloseTo(appliedKW(orderedKW), 9);
      }
    }
  });

  test("in telemetry the register grows by the power that was measured", () => {
    const samples = telemetryOf(example("ev-charging.14-on_status"));
    expect(samples.map(({ energyKWh }) => energyKWh)).toEqual([1200, 1210.971]);
    expect(samples.at(-1)?.powerKW).toBeCloseTo(appliedKW(-11), 9);
    for (const { name, message } of EXAMPLES) {
      const [first, last] = telemetryOf(message);
      if (first === undefined || last?.powerKW === undefined) continue;
      const hours = (last.atMs - first.atMs) / 3_600_000;
      expect(last.energyKWh - first.energyKWh, name).toBeCloseTo(Math.abs(last.powerKW) * hours, 9);
    }
  });
});

interface Sample {
  readonly atMs: number;
  readonly powerKW: number | undefined;
  readonly energyKWh: number;
}

/** Samples with an energy register. */
function telemetryOf(message: Json): readonly Sample[] {
  const found = extensionsIn(message).find(({ schema }) => schema === "ChargingTelemetry");
  return listAt(found?.value ?? {}, "chargingTelemetry").flatMap((sample): Sample[] => {
    const numberOf = (name: string) => listAt(sample, "metrics").find((metric) => metric["name"] === name)?.["value"];
    const energyKWh = numberOf("ENERGY");
    if (typeof energyKWh !== "number") return [];
    const powerKW = numberOf("POWER");
    const atMs = Date.parse(String(sample["eventTime"]));
    return [{ atMs, powerKW: typeof powerKW === "number" ? powerKW : undefined, energyKWh }];
  });
}

describe("settlements", () => {
  const settled = EXAMPLES.flatMap(({ name, message }: Example) =>
    extensionsIn(message).flatMap(({ schema, value }) => (schema === "Settlement" ? [{ name, value }] : [])),
  );

  test("there are four", () => {
    expect(settled.map(({ name }) => name)).toEqual([
      "ev-charging.15-on_status",
      "p2p-market.buyer.05-on_status",
      "p2p.10-on_status",
      "settlement.02-on_status",
    ]);
  });

  test.each(settled)("$name: lines make the cycle, flows make the total, to the cent", ({ value }) => {
    const cents = (amount: number) => Math.round(amount * 100);
    const cycles = listAt(value, "settlementCycles");
    for (const cycle of cycles) {
      const lines = Object.values(objectAt(cycle, "breakdown")) as readonly number[];
      expect(sum(lines.map(cents))).toBe(cents(numberAt(cycle, "amount")));
    }
    const total = sum(cycles.map((cycle) => cents(numberAt(cycle, "amount"))));
    expect(sum(listAt(value, "revenueFlows").map((flow) => cents(numberAt(flow, "amount"))))).toBe(total);
    const report = value["settlementReport"];
    if (!isJson(report)) return;
    expect(cents(numberAt(report, "totalAmount"))).toBe(total);
    expect(report["revenueFlows"]).toEqual(value["revenueFlows"]);
  });

  test("what is billed is what the meter says", () => {
    const interval = (name: string) => {
      const { value } = settled.find((one) => one.name === name) ?? {};
      const [only] = listAt(objectAt(value ?? {}, "settlementReport"), "meterReadings");
      return only ?? {};
    };
    const car = interval("ev-charging.15-on_status");
    expect(numberAt(car, "meteredWh")).toBeCloseTo(2000 * -appliedKW(-11), 6);
    expect(numberAt(car, "clearedWh")).toBe(22_000);
    expect(Number(car["unrounded"])).toBeCloseTo((numberAt(car, "settledWh") / 1000) * Number(car["pricePerKWh"]), 9);
    expect(Math.round(Number(car["unrounded"]) * 100)).toBe(658);
    const week = interval("settlement.02-on_status");
    expect((numberAt(week, "settledWh") / 1000) * Number(week["pricePerKWh"])).toBe(60);
    expect((numberAt(week, "settledWh") / 1000) * 0.08).toBe(20);
  });
});

describe("other dialects", () => {
  test("the branch's cleared powers are those of the seed's form, sum to zero and stay under what was approved", () => {
    const attributes = objectAt(
      example("p2p-market.branch.01-on_confirm"),
      "message",
      "order",
      "beckn:orderAttributes",
    );
    const [agent, buyer] = listAt(attributes, "roles").map((role) => objectAt(role, "roleInputs"));
    const cleared = Object.values(objectAt(agent ?? {}, "clearedPower")) as readonly number[];
    expect(sum(cleared)).toBe(0);
    expect(cleared).toEqual([-30, ...Array.from({ length: 10 }, () => 3)]);
    const approvedKW = numberAt(objectAt(attributes, "inputParameters"), "approvedMaxTradeKW");
    expect(Math.max(...cleared.map(Math.abs))).toBeLessThanOrEqual(approvedKW);
    const offer = objectAt(buyer ?? {}, "offerCurve");
    const curve = curveOf({ bidCurve: offer["curve"] });
    expect(powerRangeAt(curve, numberAt(agent ?? {}, "clearingPrice")).lowKW).toBeCloseTo(-30, 9);
    expect([numberAt(offer, "minExport"), numberAt(offer, "maxExport")]).toEqual([-50, 0]);
  });

  test("the cleared capacity of 2026 stands on the offered steps, and is what the seed's form reduces by", () => {
    const [commitment] = listAt(
      objectAt(example("demand-flexibility.2026.01-on_confirm"), "message", "contract"),
      "commitments",
    );
    const rows = listAt(objectAt(commitment ?? {}, "commitmentAttributes"), "intervals").map((interval) =>
      Object.fromEntries(
        listAt(interval, "payloads").map((payload) => [payload["type"], payload["values"] as readonly number[]]),
      ),
    );
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      const at = row["OFFER_PRICE"]?.findLastIndex((price: number) => price <= (row["CLEARING_PRICE"]?.[0] ?? 0)) ?? -1;
      expect(row["CAPACITY_CLEARED"]?.[0]).toBe(row["CAPACITY_OFFERED"]?.[at]);
    }
    const { request, result } = CLEARINGS.find(({ name }) => name.startsWith("demand-flexibility")) ?? {};
    const loads = listAt(request ?? {}, "participants").slice(1);
    const baselineKW = -sum(loads.map((load) => curveOf(load).points[0]?.powerKW ?? Number.NaN));
    const clearedKW = numberAt(result ?? {}, "clearingQuantityKW");
    expect([baselineKW, clearedKW]).toEqual([32, 20]);
    expect(baselineKW - clearedKW).toBe(rows[0]?.["CAPACITY_CLEARED"]?.[0]);
  });
});
