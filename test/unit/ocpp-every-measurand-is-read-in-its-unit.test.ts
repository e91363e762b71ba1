import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { inOwnUnit, measurandFrom } from "../../adapters/ocpp/metering/measurands.ts";
import { measuredFrom } from "../../adapters/ocpp/metering/reading-from-samples.ts";
import { sampleSetsFrom } from "../../adapters/ocpp/metering/sampled-value.ts";

const schemas = join(dirname(createRequire(import.meta.url).resolve("ocpp-rpc")), "lib/schemas");

/** All values that an official schema allows for a field, wherever it is used. */
function enumOf(version: string, isField: (name: string) => boolean): readonly string[] {
  const found = new Set<string>();
  const walk = (node: unknown, name: string): void => {
    if (typeof node !== "object" || node === null) return;
    const values = (node as { enum?: unknown }).enum;
    if (isField(name) && Array.isArray(values)) for (const value of values) found.add(String(value));
    for (const [key, inner] of Object.entries(node)) walk(inner, key);
  };
  walk(JSON.parse(readFileSync(join(schemas, `${version}.json`), "utf8")), "");
  return [...found];
}

function setOf(sampledValue: unknown[]) {
  return sampleSetsFrom({ meterValue: [{ timestamp: "2026-11-23T14:00:00Z", sampledValue }] })[0];
}

function measured(sampledValue: unknown[], phases = 3) {
  return measuredFrom(setOf(sampledValue)?.samples ?? [], { phases, voltageV: 230 });
}

describe("the table", () => {
  test.each(["ocpp1_6", "ocpp2_0_1", "ocpp2_1"])("knows every measurand of %s", (version) => {
    const names = enumOf(version, (name) => name === "measurand" || name === "MeasurandEnumType");
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => measurandFrom(name) === undefined)).toEqual([]);
  });

  test("reads each unit of 1.6 for some measurand, save those of apparent power", () => {
    const units = enumOf("ocpp1_6", (name) => name === "unit");
    const names = enumOf("ocpp1_6", (name) => name === "measurand");
    const unread = units.filter((unit) =>
      names.every((name) => {
        const measurand = measurandFrom(name);
        return measurand === undefined || /Factor|RPM/.test(name) || inOwnUnit(measurand, 1, unit) === undefined;
      }),
    );
    expect(unread.sort()).toEqual(["VA", "kVA"]);
  });

  test.each([
    ["Power.Active.Import", "kW", 7.36, -7.36],
    ["Power.Active.Import", "W", 7360, -7.36],
    ["Power.Active.Import", "mW", 7_360_000, -7.36],
    ["Power.Active.Import", "MW", 0.00736, -7.36],
    ["Power.Active.Import", undefined, 7360, -7.36],
    ["power.active.import", "KW", 7.36, -7.36],
    ["Power.Active.Import", "VA", 7360, undefined],
    ["Power.Active.Import", "Wh", 7360, undefined],
    // May be a million times apart, so it is not guessed.
    ["Power.Active.Import", "mw", 7360, undefined],
  ])("%s in %s", (measurand, unit, value, powerKW) => {
    const read = measured([{ value: String(value), measurand, ...(unit === undefined ? {} : { unit }) }])?.powerKW;
    if (powerKW === undefined) expect(read).toBeUndefined();
    else expect(read).toBeCloseTo(powerKW, 9);
  });

  test("the multiplier of 2.x comes before the unit, and Wh is the unit of an energy that has none", () => {
    const energy = (unitOfMeasure: object) => measured([{ value: 18.099, unitOfMeasure }])?.importKWh;
    expect(energy({ unit: "Wh", multiplier: 3 })).toBeCloseTo(18.099, 9);
    expect(energy({ unit: "kWh" })).toBeCloseTo(18.099, 9);
    expect(energy({ multiplier: 3 })).toBeCloseTo(18.099, 9);
    expect(energy({ unit: "kWh", multiplier: -3 })).toBeCloseTo(0.018099, 9);
  });
});

describe("what is no register", () => {
  test("energy of an interval, a net or an apparent one fills none", () => {
    const names = ["Energy.Active.Import.Interval", "Energy.Active.Net", "Energy.Apparent.Import"];
    expect(measured(names.map((measurand) => ({ value: "500", measurand })))).toBeUndefined();
  });

  test("a register below zero is none either", () => {
    expect(measured([{ value: "-3" }])).toBeUndefined();
  });
});

describe("lines and totals", () => {
  const line = (phase: string, value: string, measurand: string) => ({ value, measurand, phase });

  test("a total counts, also where the lines do not add up to it", () => {
    const power = ["L1", "L2", "L3"].map((phase) => line(phase, "1000", "Power.Active.Import"));
    expect(measured([...power, { value: "9000", measurand: "Power.Active.Import" }])?.powerKW).toBe(-9);
    expect(measured(power)?.powerKW).toBe(-3);
  });

  test("each line has its current, and the voltage is their mean", () => {
    const read = measured([
      line("L2", "11", "Current.Import"),
      line("L1", "10", "Current.Import"),
      line("L3", "12", "Current.Import"),
      line("L1-N", "229", "Voltage"),
      line("L2-N", "231", "Voltage"),
      line("L3-N", "230", "Voltage"),
      line("N", "1", "Current.Import"),
    ]);
    expect(read?.currentA).toEqual([10, 11, 12]);
    expect(read?.voltageV).toBe(230);
    expect(read?.powerKW).toBeCloseTo(-(10 * 229 + 11 * 231 + 12 * 230) / 1000, 9);
  });

  test("current out of the car is generation", () => {
    const read = measured([line("L1", "10", "Current.Export"), line("L1-N", "230", "Voltage")]);
    expect(read?.powerKW).toBeCloseTo(2.3, 9);
  });
});

describe("context and place", () => {
  test("of a beginning and an end in one set the end is what the meter shows", () => {
    const at = (context: string, value: string) => ({ value, context });
    expect(measured([at("Transaction.Begin", "1000"), at("Transaction.End", "5000")])?.importKWh).toBe(5);
    expect(measured([at("Interruption.Begin", "1000"), at("Sample.Clock", "5000")])?.importKWh).toBe(5);
    expect(measured([at("Transaction.Begin", "1000")])?.importKWh).toBe(1);
  });

  test("nearest to the car counts; what is upstream or in the body is no power of the car", () => {
    const at = (location: string, value: string) => ({ value, measurand: "Power.Active.Import", location });
    expect(measured([at("Inlet", "9000"), at("Cable", "7300"), at("EV", "7000")])?.powerKW).toBe(-7.3);
    expect(measured([at("EV", "7000"), at("Inlet", "9000")])?.powerKW).toBe(-7);
    expect(measured([at("Upstream", "20000")])).toBeUndefined();
    expect(measured([{ value: "41", measurand: "Temperature", location: "Body" }])?.temperatureC).toBe(41);
  });
});

describe("2.1", () => {
  test("a setpoint is not measured power, and an offer is told for each direction", () => {
    const offers = [
      { value: 11_000, measurand: "Power.Import.Offered" },
      { value: 7400, measurand: "Power.Export.Offered" },
      { value: 3000, measurand: "Power.Active.Setpoint" },
    ];
    expect(measured(offers)).toEqual({ offeredKW: -11 });
    expect(measured([...offers, { value: 5000, measurand: "Power.Active.Export" }])).toEqual({
      powerKW: 5,
      offeredKW: 7.4,
    });
    expect(measured([{ value: 16, measurand: "Current.Import.Offered" }])?.offeredKW).toBeCloseTo(-11.04, 9);
  });

  test("the car's own display stands in for its state of charge", () => {
    expect(measured([{ value: 61, measurand: "Display.PresentSOC" }])).toEqual({ socPercent: 61 });
    expect(
      measured([
        { value: 61, measurand: "Display.PresentSOC" },
        { value: 60, measurand: "SoC", location: "EV" },
      ]),
    ).toEqual({ socPercent: 60 });
    expect(measured([{ value: 255, measurand: "SoC" }])).toBeUndefined();
  });

  test("what the car asks for is read in kWh and seconds", () => {
    const set = setOf([
      { value: 22.5, measurand: "EnergyRequest.Target", unitOfMeasure: { unit: "kWh" } },
      { value: -4000, measurand: "EnergyRequest.Minimum.V2X" },
      { value: 90, measurand: "Display.RemainingTimeToTargetSOC", unitOfMeasure: { unit: "min" } },
    ]);
    expect(set?.samples.map(({ measurand, value }) => [measurand, value])).toEqual([
      ["EnergyRequest.Target", 22.5],
      ["EnergyRequest.Minimum.V2X", -4],
      ["Display.RemainingTimeToTargetSOC", 5400],
    ]);
  });
});

describe("signed data", () => {
  test("is evidence and no number in 1.6, and stands beside its number in 2.x", () => {
    const old = setOf([{ value: "12", format: "SignedData", context: "Transaction.End" }]);
    expect(old).toMatchObject({ samples: [], signed: [{ data: "12", context: "Transaction.End" }] });
    const signedMeterValue = {
      signedMeterData: "T0NNRg==",
      signingMethod: "ECDSA",
      encodingMethod: "OCMF",
      publicKey: "MF",
    };
    const now = setOf([{ value: 5000, context: "Transaction.Begin", signedMeterValue }]);
    expect(now?.samples).toMatchObject([{ value: 5 }]);
    expect(now?.signed).toEqual([
      { data: "T0NNRg==", context: "Transaction.Begin", encoding: "OCMF", method: "ECDSA", publicKey: "MF" },
    ]);
  });

  test("an endless one is left out as a whole", () => {
    expect(setOf([{ value: "x".repeat(5000), format: "SignedData" }])).toEqual({
      takenAtMs: Date.UTC(2026, 10, 23, 14),
      samples: [],
    });
  });
});
