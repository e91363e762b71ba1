import { describe, expect, test } from "vitest";
import { DeviceClock } from "../../adapters/ocpp/metering/device-clock.ts";
import { measuredFrom } from "../../adapters/ocpp/metering/reading-from-samples.ts";
import { sampleSetsFrom } from "../../adapters/ocpp/metering/sampled-value.ts";

function measured(sampledValue: unknown[], phases = 3) {
  const [set] = sampleSetsFrom({ meterValue: [{ timestamp: "2026-11-23T14:00:00Z", sampledValue }] });
  return measuredFrom(set?.samples ?? [], { phases, voltageV: 230 });
}

describe("meter values of 1.6", () => {
  test("a charging car is negative power, and a register is import", () => {
    expect(
      measured([
        { value: "18099", measurand: "Energy.Active.Import.Register", unit: "Wh", context: "Sample.Periodic" },
        { value: "7360.0", measurand: "Power.Active.Import", unit: "W" },
        { value: "10.7", measurand: "Current.Import", phase: "L1", unit: "A" },
        { value: "231.2", measurand: "Voltage", phase: "L1-N", unit: "V" },
        { value: "16", measurand: "Current.Offered", unit: "A" },
        { value: "55", measurand: "SoC", unit: "Percent", location: "EV" },
      ]),
    ).toEqual({
      powerKW: -7.36,
      importKWh: 18.099,
      currentA: [10.7],
      voltageV: 231.2,
      offeredKW: -11.04,
      socPercent: 55,
    });
  });

  test("without measurand and unit a value is the energy register in Wh", () => {
    expect(measured([{ value: "1234" }])).toEqual({ importKWh: 1.234 });
  });

  test("power without a total is the sum of the lines, in whatever way a line is written", () => {
    const power = (phase: string, value: string) => ({ value, measurand: "Power.Active.Import", unit: "kW", phase });
    expect(measured([power("L1", "2.0"), power("L2-N", "2.1"), power("L3", "2.2")])?.powerKW).toBeCloseTo(-6.3, 9);
    expect(measured([power("L1", "2.0"), { value: "6400", measurand: "Power.Active.Import" }])?.powerKW).toBe(-6.4);
  });

  test("export counts against import", () => {
    expect(measured([{ value: "5000", measurand: "Power.Active.Export", unit: "W" }])).toEqual({ powerKW: 5 });
  });

  test("reactive power is what the charger measured, out less in, and nothing is made of other values", () => {
    const reactive = (way: string, value: string) => ({ value, measurand: `Power.Reactive.${way}`, unit: "var" });
    expect(measured([reactive("Import", "300")])).toEqual({ reactivePowerKvar: -0.3 });
    expect(measured([reactive("Import", "100"), reactive("Export", "350")])?.reactivePowerKvar).toBeCloseTo(0.25, 9);
    const others = [
      { value: "7000", measurand: "Power.Active.Import", unit: "W" },
      { value: "0.9", measurand: "Power.Factor" },
    ];
    expect(measured(others)).toEqual({ powerKW: -7 });
  });

  test("current and voltage give a power where the charger sends none", () => {
    const lines = ["L1", "L2", "L3"].flatMap((phase) => [
      { value: "10", measurand: "Current.Import", phase },
      { value: "230", measurand: "Voltage", phase: `${phase}-N` },
    ]);
    expect(measured(lines)?.powerKW).toBeCloseTo(-6.9, 9);
    expect(
      measured(
        [
          { value: "16", measurand: "Current.Import" },
          { value: "230", measurand: "Voltage" },
        ],
        1,
      )?.powerKW,
    ).toBeCloseTo(-3.68, 9);
  });

  test("no power is invented: from a current alone, or from one that may be a sum or a mean", () => {
    expect(measured([{ value: "10", measurand: "Current.Import", phase: "L1" }])).toEqual({ currentA: [10] });
    const unclear = measured([
      { value: "10", measurand: "Current.Import" },
      { value: "230", measurand: "Voltage" },
    ]);
    expect(unclear).toEqual({ voltageV: 230 });
  });

  test("what is no number, or signed data, or in an unknown unit is left out and the rest stands", () => {
    expect(
      measured([
        { value: "", measurand: "Power.Active.Import", unit: "W" },
        { value: "NaN", measurand: "SoC" },
        { value: "A1B2", format: "SignedData" },
        { value: "12", format: "SignedData" },
        { value: "3", measurand: "Power.Active.Import", unit: "VAr" },
        { value: " 50.02 ", measurand: "Frequency" },
      ]),
    ).toEqual({ frequencyHz: 50.02 });
    expect(measured([{ value: "", measurand: "Power.Active.Import" }])).toBeUndefined();
  });

  test("the outlet goes before the inlet, since it is what the car takes", () => {
    const at = (location: string, value: string) => ({ value, measurand: "Power.Active.Import", unit: "W", location });
    expect(measured([at("Inlet", "7500"), at("Outlet", "7400")])?.powerKW).toBe(-7.4);
    expect(measured([at("Inlet", "7500")])?.powerKW).toBe(-7.5);
  });

  test("voltage between lines is brought to the neutral, and kelvins to degrees", () => {
    const read = measured([
      { value: "400", measurand: "Voltage", phase: "L1-L2" },
      { value: "300", measurand: "Temperature", unit: "K" },
    ]);
    expect(read?.voltageV).toBeCloseTo(230.94, 2);
    expect(read?.temperatureC).toBeCloseTo(26.85, 9);
  });
});

describe("meter values of 2.0.1", () => {
  test("the multiplier is a power of ten", () => {
    expect(
      measured([
        { value: 7360, measurand: "Power.Active.Import", unitOfMeasure: { unit: "W", multiplier: 0 } },
        { value: 18.099, measurand: "Energy.Active.Import.Register", unitOfMeasure: { unit: "Wh", multiplier: 3 } },
      ]),
    ).toEqual({ powerKW: -7.36, importKWh: 18.099 });
  });
});

describe("the time of a sample", () => {
  const nowMs = Date.UTC(2026, 10, 23, 14);

  test("what was measured while the link was down is marked, and keeps its own time", () => {
    const clock = new DeviceClock();
    const verdicts = [300, 290, 280, 270].map((ageS, index) => clock.judge(nowMs - ageS * 1000, nowMs + index * 50));
    expect(verdicts.every((verdict) => verdict.replayed)).toBe(true);
    expect(verdicts[0]?.deviceTimeMs).toBe(nowMs - 300_000);
    expect(clock.judge(nowMs - 500, nowMs)).toEqual({ deviceTimeMs: nowMs - 500, replayed: false });
  });

  test("a charger whose clock is an hour slow is soon seen to be live, and its time is not believed", () => {
    const clock = new DeviceClock();
    const hourMs = 3_600_000;
    const verdicts = [0, 10, 20, 30].map((s) => clock.judge(nowMs + s * 1000 - hourMs, nowMs + s * 1000));
    expect(verdicts.at(-1)).toEqual({ replayed: false });
  });

  test("a time from the future is not believed either", () => {
    expect(new DeviceClock().judge(nowMs + 600_000, nowMs)).toEqual({ replayed: false });
  });
});
