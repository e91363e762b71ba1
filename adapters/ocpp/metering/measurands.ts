/** What a measurand is an amount of; a unit of another quantity beside it makes the value unreadable. */
type Quantity =
  | "power"
  | "reactivePower"
  | "energy"
  | "reactiveEnergy"
  | "apparentEnergy"
  | "current"
  | "voltage"
  | "percent"
  | "frequency"
  | "temperature"
  | "time"
  | "plain";

/** `value × factor + offset` is the value in the unit that we count in. */
interface Unit {
  readonly factor: number;
  readonly offset?: number;
}

/**
 * Units as chargers write them. We count in kW, kvar, kWh, kvarh, kVAh, A, V, percent, Hz, °C and seconds. VA is in none of
 * them: apparent power is no active power, whatever the measurand beside it says.
 */
const UNITS: Readonly<Record<Quantity, Readonly<Record<string, Unit>>>> = {
  power: { W: { factor: 1e-3 }, kW: { factor: 1 }, mW: { factor: 1e-6 }, MW: { factor: 1e3 } },
  reactivePower: { var: { factor: 1e-3 }, kvar: { factor: 1 } },
  energy: { Wh: { factor: 1e-3 }, kWh: { factor: 1 }, MWh: { factor: 1e3 } },
  reactiveEnergy: { varh: { factor: 1e-3 }, kvarh: { factor: 1 } },
  apparentEnergy: { VAh: { factor: 1e-3 }, kVAh: { factor: 1 } },
  current: { A: { factor: 1 }, mA: { factor: 1e-3 }, kA: { factor: 1e3 } },
  voltage: { V: { factor: 1 }, mV: { factor: 1e-3 }, kV: { factor: 1e3 } },
  percent: { Percent: { factor: 1 }, "%": { factor: 1 } },
  frequency: { Hertz: { factor: 1 }, Hz: { factor: 1 } },
  temperature: {
    Celsius: { factor: 1 },
    // The standard of 1.6 first spelt it so, and its schema still allows it.
    Celcius: { factor: 1 },
    C: { factor: 1 },
    K: { factor: 1, offset: -273.15 },
    Kelvin: { factor: 1, offset: -273.15 },
    Fahrenheit: { factor: 5 / 9, offset: -160 / 9 },
  },
  time: { s: { factor: 1 }, min: { factor: 60 } },
  plain: {},
};

/** The unit that is meant where none is written: Wh for an energy (both standards), the plain one for all else. */
const DEFAULT_UNIT: Readonly<Record<Quantity, string>> = {
  power: "W",
  reactivePower: "var",
  energy: "Wh",
  reactiveEnergy: "varh",
  apparentEnergy: "VAh",
  current: "A",
  voltage: "V",
  percent: "Percent",
  frequency: "Hertz",
  temperature: "Celsius",
  time: "s",
  plain: "",
};

/** Each measurand of 1.6, 2.0.1 and 2.1, and what it is an amount of. */
const MEASURANDS = {
  "Current.Export": "current",
  "Current.Export.Minimum": "current",
  "Current.Export.Offered": "current",
  "Current.Import": "current",
  "Current.Import.Minimum": "current",
  "Current.Import.Offered": "current",
  "Current.Offered": "current",
  "Display.BatteryEnergyCapacity": "energy",
  "Display.ChargingComplete": "plain",
  "Display.InletHot": "plain",
  "Display.MaximumSOC": "percent",
  "Display.MinimumSOC": "percent",
  "Display.PresentSOC": "percent",
  "Display.RemainingTimeToMaximumSOC": "time",
  "Display.RemainingTimeToMinimumSOC": "time",
  "Display.RemainingTimeToTargetSOC": "time",
  "Display.TargetSOC": "percent",
  "Energy.Active.Export.Interval": "energy",
  "Energy.Active.Export.Register": "energy",
  "Energy.Active.Import.CableLoss": "energy",
  "Energy.Active.Import.Interval": "energy",
  "Energy.Active.Import.LocalGeneration.Register": "energy",
  "Energy.Active.Import.Register": "energy",
  "Energy.Active.Net": "energy",
  "Energy.Active.Setpoint.Interval": "energy",
  "Energy.Apparent.Export": "apparentEnergy",
  "Energy.Apparent.Import": "apparentEnergy",
  "Energy.Apparent.Net": "apparentEnergy",
  "Energy.Reactive.Export.Interval": "reactiveEnergy",
  "Energy.Reactive.Export.Register": "reactiveEnergy",
  "Energy.Reactive.Import.Interval": "reactiveEnergy",
  "Energy.Reactive.Import.Register": "reactiveEnergy",
  "Energy.Reactive.Net": "reactiveEnergy",
  "EnergyRequest.Bulk": "energy",
  "EnergyRequest.Maximum": "energy",
  "EnergyRequest.Maximum.V2X": "energy",
  "EnergyRequest.Minimum": "energy",
  "EnergyRequest.Minimum.V2X": "energy",
  "EnergyRequest.Target": "energy",
  Frequency: "frequency",
  "Power.Active.Export": "power",
  "Power.Active.Import": "power",
  "Power.Active.Residual": "power",
  "Power.Active.Setpoint": "power",
  "Power.Export.Minimum": "power",
  "Power.Export.Offered": "power",
  "Power.Factor": "plain",
  "Power.Import.Minimum": "power",
  "Power.Import.Offered": "power",
  "Power.Offered": "power",
  "Power.Reactive.Export": "reactivePower",
  "Power.Reactive.Import": "reactivePower",
  RPM: "plain",
  SoC: "percent",
  Temperature: "temperature",
  Voltage: "voltage",
  "Voltage.Maximum": "voltage",
  "Voltage.Minimum": "voltage",
} as const satisfies Readonly<Record<string, Quantity>>;

export type Measurand = keyof typeof MEASURANDS;

/** Both standards: an absent measurand means the register of energy taken in. */
const DEFAULT_MEASURAND: Measurand = "Energy.Active.Import.Register";

const BY_NAME: ReadonlyMap<string, Measurand> = new Map(
  (Object.keys(MEASURANDS) as Measurand[]).map((name) => [name, name]),
);

const BY_LETTERS: ReadonlyMap<string, Measurand> = new Map(
  (Object.keys(MEASURANDS) as Measurand[]).map((name) => [name.toLowerCase(), name]),
);

/** The measurand of a text off the wire, in any case; nothing for one that no version has. */
export function measurandFrom(text: string | undefined): Measurand | undefined {
  if (text === undefined) return DEFAULT_MEASURAND;
  // Nearly all write it as the standard does.
  return BY_NAME.get(text) ?? BY_LETTERS.get(text.toLowerCase());
}

/**
 * A value in the unit that we count the measurand in.
 * @returns nothing where the unit is of another quantity, or none that is known
 */
export function inOwnUnit(measurand: Measurand, value: number, unit: string | undefined): number | undefined {
  const quantity = MEASURANDS[measurand];
  if (quantity === "plain") return value;
  const found = unitOf(UNITS[quantity], unit ?? DEFAULT_UNIT[quantity]);
  return found === undefined ? undefined : value * found.factor + (found.offset ?? 0);
}

/** As it is written, and in any case where that is not ambiguous: `KWH` is kWh, but `mw` may be two things. */
function unitOf(units: Readonly<Record<string, Unit>>, text: string): Unit | undefined {
  if (Object.hasOwn(units, text)) return units[text];
  const alike = Object.keys(units).filter((name) => name.toLowerCase() === text.toLowerCase());
  return alike.length === 1 && alike[0] !== undefined ? units[alike[0]] : undefined;
}
