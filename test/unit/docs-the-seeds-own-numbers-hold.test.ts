import { describe, expect, test } from "vitest";
import { capabilityFrom } from "../../adapters/ieee2030-5/capability.ts";
import { controlPowerFromKW } from "../../adapters/ieee2030-5/controls/control-power.ts";
import { measuredFrom } from "../../adapters/ocpp/metering/reading-from-samples.ts";
import { sampleSetsFrom } from "../../adapters/ocpp/metering/sampled-value.ts";
import { deliveredPercent, deliveredReduction } from "../../src/flexibility/delivered.ts";
import { deliveryMessage } from "../../src/market/dialects/seed-messages.ts";
import { readGridNode } from "../../src/market/provider/grid-node-fields.ts";
import { WireFields } from "../../src/market/wire-fields.ts";
import { type BidCurve, powerAt } from "../../src/model/bid-curve.ts";
import { ampsFromKW } from "../../src/model/units.ts";
import { decimalFromScaled, scaledFromDecimal } from "../../src/settlement/decimal.ts";
import { splitByLargestRemainder } from "../../src/settlement/largest-remainder.ts";
import { amountText, minorFromNano, nanoAmount } from "../../src/settlement/money.ts";
import { clearedEnergyWh } from "../../src/settlement/traded-interval.ts";

// What the seed and the documents beside it reckon right. Numbers in brackets are their sections.

const CAR: BidCurve = {
  shape: "LINEAR",
  currency: "INR",
  points: [
    { pricePerKWh: 0.08, powerKW: -11 },
    { pricePerKWh: 0.1, powerKW: -5 },
    { pricePerKWh: 0.12, powerKW: 0 },
  ],
};

function amount(energyWh: number, price: string): string {
  return amountText(
    minorFromNano(nanoAmount(energyWh, scaledFromDecimal(price, 6, "price")), "INR", "HALF_EVEN"),
    "INR",
  );
}

/** Sum of amounts, exactly. */
function sum(...amounts: readonly string[]): string {
  return decimalFromScaled(
    amounts.reduce((total, one) => total + scaledFromDecimal(one, 3, "amount"), 0n),
    3,
  );
}

test("1. a car between -11 at 0.08 and -5 at 0.10 takes 8 kW at 0.09 (2.2, 3.1)", () => {
  expect(powerAt(CAR, 0.09)).toBeCloseTo(-8, 12);
});

test.each([
  [0.08, -11],
  [0.1, -5],
  [0.11, -2.5],
  [0.12, 0],
  [0.05, -11],
  [0.13, 0],
])("2. at %d the same car has %d kW; outside the points the ends hold", (price, powerKW) => {
  expect(powerAt(CAR, price)).toBeCloseTo(powerKW, 12);
});

describe("3. and 4. a transformer (3.4, 3.5, 03 §7)", () => {
  const adder = { basePrice: 0.1, priceAdderPerPercent: 0.001 };

  test.each([
    [75, 150, 0.175],
    [85, 170, 0.185],
  ])("%d %% are %d of 200 kW, and make a price of %d", (percent, loadKW, price) => {
    const byPercent = { era: "t", locationalPriceAdder: { ...adder, currentLoadPercent: percent } };
    const gridConstraints = { maxForwardFlowKW: 200, currentLoadKW: loadKW };
    const byLoad = { era: "t", locationalPriceAdder: adder, gridConstraints };
    for (const node of [byPercent, byLoad]) {
      expect(0.1 + (readGridNode(WireFields.of(node, "")).statedAdderPerKWh ?? Number.NaN)).toBeCloseTo(price, 12);
    }
  });
});

test("5. 50 kW at 240 V on one phase are 208.3 A (4.2)", () => {
  expect(ampsFromKW(50, { phases: 1, voltageV: 240 })).toBe(208.3);
});

test("6. 8 kW at 240 V are 33.3 A, and 20 kWh take 9000 s (04 §2.2)", () => {
  expect(ampsFromKW(8, { phases: 1, voltageV: 240 })).toBe(33.3);
  expect(clearedEnergyWh(-8000, 9_000_000, "IMPORT")).toBe(20_000);
});

test("7. 3.5 of 5 kW are opModFixedW 7000 (4.3)", () => {
  const power = controlPowerFromKW(3.5, "opModFixedW", { generationKW: 5, chargeKW: 0 });
  expect(power).toMatchObject({ hundredths: 7000, appliedKW: 3.5 });
});

test("8. 100 W a second are 6 kW a minute (04 §3.3)", () => {
  const rating = { isStorage: false, modes: new Set<never>(), maxKW: 5, rampPerSecond: 0.1 / 5 };
  const capability = capabilityFrom("solar", { control: "auto" }, rating, { settleMs: 1000, sampleMs: 1000 });
  expect(capability?.rampRateKWPerMin).toBeCloseTo(6, 12);
});

test("9. 1.5 + 2.5 are 4.0, and 100 is 60 + 20 + 10 + 10 (2.8, 3.7)", () => {
  expect(sum("1.5", "2.5")).toBe("4.000");
  expect(splitByLargestRemainder(10_000n, [60n, 20n, 10n, 10n])).toEqual([6000n, 2000n, 1000n, 1000n]);
});

test("10. MeterValues of 5500 Wh, 8000 W and 240 V are 5.5 KWH, 8 KW of consumption and 240 VLT (04 §2.3)", () => {
  const sampledValue = [
    { value: "5500", measurand: "Energy.Active.Import.Register", unit: "Wh" },
    { value: "8000", measurand: "Power.Active.Import", unit: "W" },
    { value: "240", measurand: "Voltage", unit: "V" },
  ];
  const [set] = sampleSetsFrom({ meterValue: [{ timestamp: "2024-12-15T14:30:00Z", sampledValue }] });
  const measured = measuredFrom(set?.samples ?? [], { phases: 1, voltageV: 240 });
  expect(measured).toEqual({ importKWh: 5.5, powerKW: -8, voltageV: 240 });
  const reading = { era: "EV-1", receivedAtMs: 0, ...measured };
  const message = deliveryMessage({ era: "EV-1", readings: [reading] }, { sign: "export-positive", currency: "INR" });
  expect(message).toMatchObject({
    order: {
      "beckn:fulfillment": {
        "beckn:deliveryAttributes": {
          chargingTelemetry: [
            {
              metrics: [
                { name: "POWER", value: -8, unitCode: "KW" },
                { name: "ENERGY", value: 5.5, unitCode: "KWH", flowDirection: "FORWARD" },
                { name: "VOLTAGE", value: 240, unitCode: "VLT" },
              ],
            },
          ],
        },
      },
    },
  });
});

test("11. 5.5 kWh at 18 are 99.00 (04 §1.5)", () => {
  expect(amount(5500, "18.0")).toBe("99.00");
});

test("12. an order's lines sum to its value: 143.95", () => {
  expect(sum("112.5", "20", "-15", "10", "13.64", "2.81")).toBe("143.950");
});

describe("13. the kit of 2026", () => {
  test("50 and 45 kW for an hour each at 3.5 are 332.50", () => {
    const energyWh = clearedEnergyWh(50_000, 3_600_000, "EXPORT") + clearedEnergyWh(45_000, 3_600_000, "EXPORT");
    expect(amount(energyWh, "3.5")).toBe("332.50");
  });

  test("two meters' baselines less their usage are 25 + 25 and 22.5 + 22.5 kW", () => {
    const meter = (meterId: string) => ({ meterId, baselineKW: [-60, -55], usageKW: [-35, -32.5] });
    const { deliveredKW } = deliveredReduction([meter("001"), meter("002")], 2, { clampAtZero: true });
    expect(deliveredKW).toEqual([50, 45]);
  });
});

describe("14. measured reductions", () => {
  test.each([
    [1200, 420, 780, 750, 104],
    [2000, 650, 1350, 1400, 96.4],
  ])("%d less %d are %d, of %d promised %d %%", (baselineKW, usageKW, expectedKW, committedKW, percent) => {
    const meter = { meterId: "m", baselineKW: [-baselineKW], usageKW: [-usageKW] };
    const [deliveredKW = 0] = deliveredReduction([meter], 1, { clampAtZero: true }).deliveredKW;
    expect(deliveredKW).toBe(expectedKW);
    expect(deliveredPercent(deliveredKW, committedKW)).toBeCloseTo(percent, 1);
  });
});

test("15. 6.5 of 10 kW are 65 %, 6 of 8 are 75 %, and the flows of 03 §7 sum to 3.23", () => {
  expect(8.5 - 2).toBe(6.5);
  const hundredths = (powerKW: number, ratedKW: number) =>
    controlPowerFromKW(powerKW, "opModFixedW", { generationKW: ratedKW, chargeKW: 0 });
  expect(hundredths(6.5, 10)).toMatchObject({ hundredths: 6500 });
  expect(hundredths(6, 8)).toMatchObject({ hundredths: 7500 });
  expect(sum("1.105", "1.105", "1.02")).toBe("3.230");
});
