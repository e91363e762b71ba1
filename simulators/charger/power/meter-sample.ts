/** What the charger's meter can tell. The names are those of OCPP. */
export const MEASURANDS = [
  "Energy.Active.Import.Register",
  "Power.Active.Import",
  "Current.Import",
  "Voltage",
  "Current.Offered",
  "Power.Offered",
  "SoC",
] as const;

export type Measurand = (typeof MEASURANDS)[number];

export type SampleContext = "Sample.Periodic" | "Transaction.Begin" | "Transaction.End" | "Trigger";

/** One reading of the meter and the car. Magnitudes: a charger counts import as positive. */
export interface MeterSample {
  readonly timeMs: number;
  readonly energyWh: number;
  readonly powerW: number;
  /** Per conductor of the cable, L1 first; 0 on one that is not used. */
  readonly currentA: readonly number[];
  readonly voltageV: number;
  readonly offeredA: number;
  readonly offeredW: number;
  readonly socPercent: number;
  readonly phasesUsed: number;
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
      return [{ measurand, value: rounded(sample.energyWh), unit: "Wh" }];
    case "Power.Active.Import":
      return [{ measurand, value: rounded(sample.powerW), unit: "W" }];
    case "Current.Import":
      return sample.currentA.map((currentA, index) => ({
        measurand,
        value: rounded(currentA, 2),
        unit: "A",
        phase: `L${index + 1}`,
      }));
    case "Voltage":
      return sample.currentA.map((_, index) => ({
        measurand,
        value: rounded(sample.voltageV),
        unit: "V",
        phase: `L${index + 1}-N`,
      }));
    case "Current.Offered":
      return [{ measurand, value: rounded(sample.offeredA), unit: "A" }];
    case "Power.Offered":
      return [{ measurand, value: rounded(sample.offeredW), unit: "W" }];
    case "SoC":
      return [{ measurand, value: rounded(sample.socPercent), unit: "Percent", location: "EV" }];
  }
}

function rounded(value: number, decimals = 1): number {
  return Number(value.toFixed(decimals));
}
