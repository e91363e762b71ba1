/** What the charger's meter can tell. The names are those of OCPP. */
export const MEASURANDS = [
  "Energy.Active.Import.Register",
  "Power.Active.Import",
  "Current.Import",
  "Voltage",
  "Current.Offered",
  "Power.Offered",
  "SoC",
  "Energy.Active.Export.Register",
  "Power.Active.Export",
  "Current.Export",
  "Power.Active.Setpoint",
] as const;

export type Measurand = (typeof MEASURANDS)[number];

/** Where a car can give back, its meter counts that too. */
export const EXPORT_MEASURANDS: readonly Measurand[] = [
  "Energy.Active.Export.Register",
  "Power.Active.Export",
  "Current.Export",
];

/** Not in the lists of 1.6 and 2.0.1. */
export const MEASURANDS_OF_21: readonly Measurand[] = ["Power.Active.Setpoint"];

export type SampleContext = "Sample.Periodic" | "Transaction.Begin" | "Transaction.End" | "Trigger";

/** One reading of the meter and the car. Magnitudes: a charger counts import and export apart. */
export interface MeterSample {
  readonly timeMs: number;
  readonly importWh: number;
  readonly exportWh: number;
  readonly importW: number;
  readonly exportW: number;
  /** Per conductor of the cable, L1 first; 0 on one that is not used. */
  readonly importA: readonly number[];
  readonly exportA: readonly number[];
  readonly voltageV: number;
  readonly offeredA: number;
  readonly offeredW: number;
  /** What the car is to hold, charging positive; absent without a setpoint. */
  readonly setpointW?: number;
  readonly socPercent: number;
  readonly phasesUsed: number;
  readonly current: "AC" | "DC";
}

/** One value of a sample as it goes on the wire. */
export interface SampledValue {
  readonly measurand: Measurand;
  readonly value: number;
  readonly unit: "Wh" | "W" | "A" | "V" | "Percent";
  readonly phase?: string;
  readonly location?: "EV";
}

/** The values that were asked for, in that order. */
export function sampledValues(sample: MeterSample, measurands: readonly Measurand[]): SampledValue[] {
  return measurands.flatMap((measurand) => valuesOf(sample, measurand));
}

function valuesOf(sample: MeterSample, measurand: Measurand): SampledValue[] {
  switch (measurand) {
    case "Energy.Active.Import.Register":
      return [{ measurand, value: rounded(sample.importWh), unit: "Wh" }];
    case "Energy.Active.Export.Register":
      return [{ measurand, value: rounded(sample.exportWh), unit: "Wh" }];
    case "Power.Active.Import":
      return [{ measurand, value: rounded(sample.importW), unit: "W" }];
    case "Power.Active.Export":
      return [{ measurand, value: rounded(sample.exportW), unit: "W" }];
    case "Power.Active.Setpoint":
      return sample.setpointW === undefined ? [] : [{ measurand, value: rounded(sample.setpointW), unit: "W" }];
    case "Current.Import":
      return perConductor(sample, measurand, sample.importA);
    case "Current.Export":
      return perConductor(sample, measurand, sample.exportA);
    case "Voltage":
      return sample.importA.map((_, index) => ({
        measurand,
        value: rounded(sample.voltageV),
        unit: "V",
        ...(sample.current === "DC" ? {} : { phase: `L${index + 1}-N` }),
      }));
    case "Current.Offered":
      return [{ measurand, value: rounded(sample.offeredA), unit: "A" }];
    case "Power.Offered":
      return [{ measurand, value: rounded(sample.offeredW), unit: "W" }];
    case "SoC":
      return [{ measurand, value: rounded(sample.socPercent), unit: "Percent", location: "EV" }];
  }
}

function perConductor(sample: MeterSample, measurand: Measurand, amps: readonly number[]): SampledValue[] {
  return amps.map((value, index) => ({
    measurand,
    value: rounded(value, 2),
    unit: "A",
    ...(sample.current === "DC" ? {} : { phase: `L${index + 1}` }),
  }));
}

function rounded(value: number, decimals = 1): number {
  return Number(value.toFixed(decimals));
}
