import { describe, expect, test } from "vitest";
import { basesFrom } from "../../adapters/ieee2030-5/capability.ts";
import { controlDocument } from "../../adapters/ieee2030-5/controls/control-document.ts";
import { ControlLedger } from "../../adapters/ieee2030-5/controls/control-ledger.ts";
import { controlPowerFromKW } from "../../adapters/ieee2030-5/controls/control-power.ts";
import { newMRID } from "../../adapters/ieee2030-5/identity.ts";
import { writeXml } from "../../adapters/ieee2030-5/xml/xml-write.ts";
import { profileFields } from "../../adapters/ocpp/control/charging-profile.ts";
import { importLimitKW, ratingOf, wireLimit } from "../../adapters/ocpp/control/import-limit.ts";
import { clear } from "../../simulators/market/clearing.ts";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { callbackContext, isRequestAction } from "../../src/market/beckn-context.ts";
import { dialectOf } from "../../src/market/dialects/choose-dialect.ts";
import type { OrderMessage } from "../../src/market/dialects/order-codec.ts";
import { clearRequest } from "../../src/market/provider/aggregation.ts";
import { readGridNode } from "../../src/market/provider/grid-node-fields.ts";
import { WireFields } from "../../src/market/wire-fields.ts";
import { type BidPoint, type CurveShape, curveFault, powerAt } from "../../src/model/bid-curve.ts";
import { ampsFromKW } from "../../src/model/units.ts";
import { bidCurveFromTariff } from "../../src/ocpi/tariff-curve.ts";
import { amountText, minorFromNano, nanoAmount } from "../../src/settlement/money.ts";
import { clearedEnergyWh } from "../../src/settlement/traded-interval.ts";
import { example, type Json, schemaFaults } from "../support/docs-library.ts";
import { Desk, NOW_MS, onConfirm, POLICY } from "../support/market-desk.ts";

// The curves of the seed: a car, a solar panel and a consumer.
const CAR = points([0.08, -11], [0.1, -5], [0.12, 0]);
const PANEL = points([0.05, 0], [0.06, 2], [0.07, 5]);
const CONSUMER = points([0.06, -50], [0.07, 0]);

function points(...pairs: readonly (readonly [number, number])[]): readonly BidPoint[] {
  return pairs.map(([pricePerKWh, powerKW]) => ({ pricePerKWh, powerKW }));
}

function power(curve: readonly BidPoint[], pricePerKWh: number, shape: CurveShape = "LINEAR"): number {
  return powerAt({ shape, currency: "INR", points: curve }, pricePerKWh);
}

/** What the seed's participants clear at, without any grid. */
function clearing(...bids: readonly (readonly [count: number, curve: readonly BidPoint[]])[]) {
  const all = bids.flatMap(([count, curve], kind) =>
    Array.from({ length: count }, (_, index) => ({ id: `${kind}-${index}`, points: curve })),
  );
  return clear(all, points([0, 0]), 0);
}

function read(message: Json): OrderMessage {
  return dialectOf(message).readOrder(message, callbackContext(message), POLICY, NOW_MS);
}

function wire(curve: readonly BidPoint[]): readonly Json[] {
  return curve.map(({ pricePerKWh, powerKW }) => ({ price: pricePerKWh, powerKW }));
}

test("a. step or line: a line unless a curve says STEP", () => {
  expect(power(CAR, 0.09)).toBeCloseTo(-8, 12);
  expect(power(CAR, 0.09, "STEP")).toBe(-5);
});

describe("b. setpoints that are not on the curves", () => {
  test("at 0.075 the car takes 11 and a panel gives 5, neither 8 nor 3.5", () => {
    expect(power(CAR, 0.075)).toBe(-11);
    expect(power(PANEL, 0.075)).toBe(5);
  });

  test.each([
    ["two panels and a car", 2, 1, 1 / 12, [5, 5, -10]],
    ["a panel and a car", 1, 1, 0.1, [5, -5]],
  ])("%s clear where everybody is on the own curve", (_, panels, cars, price, powers) => {
    const result = clearing([panels, PANEL], [cars, CAR]);
    expect(result?.pricePerKWh).toBeCloseTo(price, 9);
    [...(result?.setpointsKW.values() ?? [])].forEach((powerKW, index) => {
      expect(powerKW).toBeCloseTo(powers[index] ?? Number.NaN, 9);
    });
  });

  test("twenty panels and ten cars have the price of two and one", () => {
    expect(clearing([20, PANEL], [10, CAR])?.pricePerKWh).toBeCloseTo(1 / 12, 9);
  });

  test("the aggregate action says the same", () => {
    const participants = [
      { era: "panel-1", bidCurve: wire(PANEL) },
      { era: "panel-2", bidCurve: wire(PANEL) },
      { era: "car", bidCurve: wire(CAR) },
    ];
    const { aggregationResult } = clearRequest({ participants }, clearGrid, NOW_MS) as { aggregationResult: Json };
    expect(aggregationResult["clearingPrice"]).toBeCloseTo(1 / 12, 9);
    expect(schemaFaults("AggregationResult", aggregationResult)).toEqual([]);
  });
});

test("c. an unbalanced result: all powers sum to zero, and the quantity is what is given", () => {
  expect(3.5 + 3.5 - 8).not.toBe(0);
  const participants = [
    { era: "panel-1", bidCurve: wire(PANEL) },
    { era: "panel-2", bidCurve: wire(PANEL) },
    { era: "car", bidCurve: wire(CAR) },
  ];
  const { aggregationResult } = clearRequest({ participants }, clearGrid, NOW_MS) as {
    aggregationResult: { clearingQuantityKW: number; setpoints: readonly { setpointKW: number }[] };
  };
  const powers = aggregationResult.setpoints.map(({ setpointKW }) => setpointKW);
  expect(Math.abs(powers.reduce((sum, one) => sum + one, 0))).toBeLessThan(1e-6);
  expect(aggregationResult.clearingQuantityKW).toBeCloseTo(10, 9);
});

describe("d. more than was approved", () => {
  test("the market of ten panels and one consumer balances at 0.06375 with 31.25 kW", () => {
    const result = clearing([10, PANEL], [1, CONSUMER]);
    expect(result?.pricePerKWh).toBeCloseTo(0.06375, 9);
    expect(result?.setpointsKW.get("1-0")).toBeCloseTo(-31.25, 9);
    expect(power(CONSUMER, 0.0625)).toBeCloseTo(-37.5, 9);
    expect(power(PANEL, 0.0625)).toBeCloseTo(2.75, 9);
  });

  test("a cleared power above approvedMaxTradeKW is cut to it, with its sign", () => {
    const message = structuredClone(example("p2p-market.branch.01-on_confirm")) as {
      message: { order: { "beckn:orderAttributes": { inputParameters: { approvedMaxTradeKW: number } } } };
    };
    const attributes = message.message.order["beckn:orderAttributes"];
    expect(read(message)).toMatchObject({ drafts: [{ powerKW: -30 }] });
    attributes.inputParameters.approvedMaxTradeKW = 25;
    expect(read(message)).toMatchObject({ drafts: [{ powerKW: -25, cutFromKW: -30 }] });
  });
});

test("e. the adder is the price on the load, and the local price is the sum", () => {
  const node = {
    era: "transformer",
    locationalPriceAdder: {
      basePrice: 0.1,
      congestionMultiplier: 1,
      currentLoadPercent: 75,
      priceAdderPerPercent: 0.001,
      currentPrice: 0.175,
      formula: "process.exit(1)",
    },
  };
  expect(readGridNode(WireFields.of(node, "")).statedAdderPerKWh).toBeCloseTo(0.075, 12);
  const { request, result } = gridServices();
  const cleared = clearRequest(request, clearGrid, NOW_MS) as { aggregationResult: Json };
  expect(cleared.aggregationResult["locationalPrice"]).toBeCloseTo(0.175, 9);
  expect(cleared.aggregationResult["clearingPrice"]).toBeCloseTo(0.1, 9);
  expect(result["locationalPrice"]).toBe(0.175);
});

function gridServices(): { readonly request: Json; readonly result: Json } {
  const part = (name: string) => example(`grid-services.clearing.${name}`)["message"] as Json;
  return {
    request: part("01-aggregate")["aggregationRequest"] as Json,
    result: part("02-on_aggregate")["aggregationResult"] as Json,
  };
}

describe("f. a charger that is told to generate", () => {
  test("is not charged instead: NACK", async () => {
    const desk = new Desk();
    const answer = await desk.receive(onConfirm({ attributes: { setpointKW: 50 } }));
    expect(answer).toMatchObject({ status: 400, error: { code: "SETPOINT_IMPOSSIBLE" } });
    expect(desk.setpoints).toEqual([]);
    expect(importLimitKW(50)).toBeUndefined();
  });

  test("a tariff has the sign of its side, and no sign of its own", () => {
    const slot = { startMs: 0, endMs: 1, pricePerKWh: 0.18, currency: "INR", tax: "none" as const };
    const options = { maxPowerKW: 60, currency: "INR", slopeFromPricePerKWh: 0.15 };
    const powers = (side: "supply" | "demand") =>
      bidCurveFromTariff(slot, { ...options, side }).curve.points.map(({ powerKW }) => powerKW);
    expect(powers("supply")).toEqual([0, 60]);
    expect(powers("demand")).toEqual([-60, 0]);
  });
});

describe("g. a reduction that looks like consumption", () => {
  test("its curve falls, and is refused with the pair", () => {
    expect(curveFault(points([0.1, 0], [0.12, -2], [0.15, -5]))).toMatchObject({ index: 1 });
    const falling = [{ era: "load", bidCurve: wire(points([0.1, 0], [0.12, -2])) }];
    expect(() => clearRequest({ participants: falling }, clearGrid, NOW_MS)).toThrow(/powerKW -2 is below 0/);
  });

  test("in the dialect of 2026 it is a positive magnitude, and a negative one is ambiguous", () => {
    const message = structuredClone(example("demand-flexibility.2026.01-on_confirm"));
    expect(read(message).drafts).toMatchObject([
      { kind: "reduction", reductionKW: 12 },
      { kind: "reduction", reductionKW: 10 },
    ]);
    const text = JSON.stringify(message).replace(
      '"CAPACITY_CLEARED","values":[12]',
      '"CAPACITY_CLEARED","values":[-12]',
    );
    expect(text).toContain("[-12]");
    expect(() => read(JSON.parse(text))).toThrow(expect.objectContaining({ code: "SIGN_AMBIGUOUS" }));
  });
});

test("h. powers beside the line: at 0.13 the curve says 3.0 and not 3.5", () => {
  // A reduction curve by its magnitudes, which rise.
  expect(power(points([0.1, 0], [0.12, 2], [0.15, 5]), 0.13)).toBeCloseTo(3, 12);
});

test("i. a slope is no plateau: at 0.17 the curve says 9.0 and not 8.5", () => {
  const curve = points([0.15, 7], [0.18, 10]);
  expect(power(curve, 0.17)).toBeCloseTo(9, 12);
  expect(power(curve, 0.17)).not.toBeCloseTo(power(curve, 0.16), 1);
});

describe("j. an offset that is in the setpoint, or is not", () => {
  const withOffset = (offsetCommand: Json) => onConfirm({ attributes: { setpointKW: -4, offsetCommand } });

  test("is refused: the power is not known", () => {
    expect(() => read(withOffset({ offsetKW: -2 }))).toThrow(/not said whether setpointKW already has this offset/);
    expect(() => read(withOffset({ enabled: true, offsetKW: -2 }))).toThrow(/offset/);
  });

  test("an offset of 0, or one that is not enabled, changes nothing", () => {
    expect(read(withOffset({ offsetKW: 0 })).drafts).toMatchObject([{ powerKW: -4 }]);
    expect(read(withOffset({ enabled: false, offsetKW: -2 })).drafts).toMatchObject([{ powerKW: -4 }]);
  });
});

describe("k. rupees and hundredths", () => {
  test("no currency and no scale is ever converted", () => {
    const slot = { startMs: 0, endMs: 1, pricePerKWh: 18, currency: "INR", tax: "none" as const };
    const kept = bidCurveFromTariff(slot, { side: "demand", maxPowerKW: 60, currency: "INR" });
    expect(kept.curve.points[0]?.pricePerKWh).toBe(18);
    expect(() => bidCurveFromTariff(slot, { side: "demand", maxPowerKW: 60, currency: "EUR" })).toThrow(
      /not converted/,
    );
    expect(() =>
      clearRequest(
        {
          participants: [
            { era: "a", currency: "INR", bidCurve: wire(CAR) },
            { era: "b", currency: "EUR", bidCurve: wire(PANEL) },
          ],
        },
        clearGrid,
        NOW_MS,
      ),
    ).toThrow(/INR/);
  });

  test("20 kWh at 0.09 are 1.80, whatever the order's value says, and a price keeps its own currency", () => {
    expect(amountText(minorFromNano(nanoAmount(20_000, 90_000n), "INR", "HALF_EVEN"), "INR")).toBe("1.80");
    const order = { "beckn:orderValue": { currency: "INR", value: 180 } };
    const attributes = { setpointKW: -8, clearingPrice: 0.09, currency: "EUR" };
    const draft = read(onConfirm({ order: { ...order, "beckn:orderAttributes": attributes } })).drafts[0];
    expect(draft?.clearingPrice).toEqual({ pricePerKWh: 0.09, currency: "EUR" });
  });

  test("a price as text is refused", () => {
    expect(() => read(onConfirm({ attributes: { clearingPrice: "0.09" } }))).toThrow(/expected a number/);
    expect(read(onConfirm({ attributes: { clearingPrice: "PAY_AS_CLEAR" } })).drafts[0]).not.toHaveProperty(
      "clearingPrice",
    );
  });
});

describe("a DERControl", () => {
  const rating = { isStorage: false, modes: new Set<never>(), maxKW: 5 };
  const bases = basesFrom("solar", { control: "auto" }, rating);
  const power5 = controlPowerFromKW(3.5, "opModFixedW", bases);
  const startMs = Date.parse("2024-12-15T14:00:00Z");
  const event = new ControlLedger(newMRID).publish("setpoint-1", power5, startMs + 3_600_000, startMs);
  const xml = writeXml(controlDocument(event, {}));

  test("l. has all that is mandatory, in XML, with its times in interval", () => {
    expect(event.mRID).toMatch(/^[0-9A-F]{32}$/);
    for (const name of ["mRID", "creationTime", "EventStatus", "DERControlBase"]) expect(xml).toContain(`<${name}>`);
    expect(xml).toMatch(/<interval>\s*<duration>3600<\/duration>\s*<start>1734271200<\/start>\s*<\/interval>/);
    expect(xml).toMatch(/<opModFixedW>7000<\/opModFixedW>/);
  });

  test("m. is for no category of device unless told: 00000040 is a hot tub", () => {
    expect(0x00000040).toBe(1 << 6);
    expect(0x00200000).toBe(1 << 21);
    expect(xml).not.toContain("deviceCategory");
    expect(writeXml(controlDocument(event, { deviceCategory: "00200000" }))).toContain("00200000");
  });
});

describe("n. a start in the past", () => {
  test("1702656000 is a year too early for the seed's day", () => {
    expect(new Date(1702656000 * 1000).toISOString()).toBe("2023-12-15T16:00:00.000Z");
    expect(Date.parse("2024-12-15T14:00:00Z") / 1000).toBe(1734271200);
  });

  test("a setpoint that is over is refused, and so is a time that is a bare number", async () => {
    const desk = new Desk();
    const past = { setpointKW: -4, startTime: "2023-12-15T16:00:00Z", duration: "PT1H" };
    expect(await desk.receive(onConfirm({ attributes: past }))).toMatchObject({ error: { code: "SETPOINT_ENDED" } });
    const bare = { setpointKW: -4, startTime: 1702656000, duration: "PT1H" };
    expect(await desk.receive(onConfirm({ attributes: bare, context: { message_id: "message-2" } }))).toMatchObject({
      error: { code: "MESSAGE_INVALID", message: "expected string, received number" },
    });
    expect(desk.setpoints).toEqual([]);
  });
});

describe("o. amps", () => {
  const wired = { current: "AC" as const, phases: 3, voltageV: 230, maxA: 32, minA: 6, belowMin: "pause" as const };
  const three = ratingOf(wired);

  test("are per phase: 50 kW are 72.4 A on three, and 208.3 A on one is what no AC connector has", () => {
    expect(ampsFromKW(50, { phases: 1, voltageV: 240 })).toBe(208.3);
    expect(ampsFromKW(50, three)).toBe(72.4);
    expect(wireLimit(50, three, "A")).toEqual({ unit: "A", value: 32 });
    expect(wireLimit(50, ratingOf({ ...wired, maxA: 100 }), "W")).toEqual({ unit: "W", value: 50_000 });
  });

  test("between 0 and 6 become 0", () => {
    expect(wireLimit(4.1, three, "A").value).toBe(0);
    expect(wireLimit(4.14, three, "A").value).toBe(6);
  });

  test("a profile has purpose, kind, stack level and an end", () => {
    const { head, schedule } = profileFields({
      id: 7011,
      connector: 1,
      purpose: "TxDefaultProfile",
      kind: "Absolute",
      stackLevel: 1,
      limit: { unit: "A", value: 16 },
      phases: 3,
      nowMs: NOW_MS,
      untilMs: NOW_MS + 900_000,
    });
    expect(head).toMatchObject({
      stackLevel: 1,
      chargingProfilePurpose: "TxDefaultProfile",
      chargingProfileKind: "Absolute",
      validTo: expect.any(String),
    });
    expect(schedule).toMatchObject({ chargingRateUnit: "A", duration: 960 });
  });
});

describe("p. no device and no end", () => {
  test("the device comes from the order or the transaction, and the end from the default hold", async () => {
    const desk = new Desk();
    expect(await desk.receive(onConfirm())).toMatchObject({ ack: { status: "ACK" } });
    expect(desk.setpoints).toMatchObject([{ era: "EV-1", validFromMs: NOW_MS, validUntilMs: NOW_MS + 900_000 }]);
  });

  test("without any name that is known here it is refused, never guessed", async () => {
    const desk = new Desk();
    const answer = await desk.receive(onConfirm({ order: { "beckn:id": "order-of-somebody-else" } }));
    expect(answer).toMatchObject({ status: 404, error: { code: "RESOURCE_UNKNOWN" } });
  });
});

test("q. schemas that refuse the seed's own samples: ours take each form that the seed has", () => {
  const adder = { basePrice: 0.1, priceAdderPerPercent: 0.001, formula: "basePrice + load" };
  const node = { locationalPriceAdder: adder, gridConstraints: { maxForwardFlowKW: 200 } };
  const curve = { bidCurve: wire(CAR), constraints: { minPowerKW: -11, maxPowerKW: 0, rampRateKWPerMin: 1 } };
  const era = "transformer-zone-5";
  expect(schemaFaults("GridNode", { ...node, offsetCommand: { enabled: false, offsetKW: 0 } })).toEqual([]);
  expect(schemaFaults("Objectives", { targetChargeKWh: 20, constraints: { minChargeKWh: 10 } })).toEqual([]);
  expect(schemaFaults("EnergyIntent", curve)).toEqual([]);
  const request = {
    aggregationType: "MARKET_CLEARING",
    participants: [
      { era: "car", ...curve },
      { era, ...node },
    ],
  };
  expect(schemaFaults("AggregationRequest", request)).toEqual([]);
  expect(schemaFaults("EnergyOrder", { setpointKW: -8, clearingPrice: 0.09 })).toEqual([]);
});

test("r. two names for one action: both are known", () => {
  for (const action of ["track", "status", "rating", "rate"]) expect(isRequestAction(action)).toBe(true);
});

test("s. a negative percentage has a base of its own, and nothing is cut off", () => {
  const bases = { generationKW: 5, chargeKW: 2.5 };
  expect(controlPowerFromKW(-2.5, "opModFixedW", bases)).toMatchObject({ hundredths: -10_000, ofKW: 2.5 });
  expect(controlPowerFromKW(2.5, "opModFixedW", bases)).toMatchObject({ hundredths: 5000, ofKW: 5 });
  expect(Math.trunc((3.3 / 5) * 100 * 100)).toBe(6599);
  expect(controlPowerFromKW(3.3, "opModFixedW", bases)).toMatchObject({ hundredths: 6600 });
});

describe("t. kW that are called kWh", () => {
  test("a quantity of an order is a power in kW; with a unit beside it, it is refused", () => {
    const list = (item: Json) =>
      onConfirm({ order: { "beckn:orderAttributes": { setpoints: [{ era: "EV-1", ...item }] } } });
    expect(read(list({ quantity: -5 })).drafts).toMatchObject([{ powerKW: -5 }]);
    expect(() => read(list({ quantity: { count: 50, unit: "kWh" } }))).toThrow(/expected number, received object/);
    expect(() => read(list({ quantity: -50, setpointKW: -5 }))).toThrow(/contradicts setpointKW/);
  });

  test("a price meets an energy, never a power", () => {
    const energyWh = clearedEnergyWh(5000, 2 * 3_600_000, "EXPORT");
    expect(energyWh).toBe(10_000);
    expect(amountText(minorFromNano(nanoAmount(energyWh, 25_000n), "INR", "HALF_EVEN"), "INR")).toBe("0.25");
  });
});
