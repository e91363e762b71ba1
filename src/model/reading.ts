import type { Era } from "./resource.ts";

/**
 * What a device measured at one time. Each value is there only if the device sent it: absent is not zero.
 * Powers are in kW, export positive.
 */
export interface Reading {
  readonly era: Era;
  /** Wall time at which the device says it measured; absent if it did not say. */
  readonly deviceTimeMs?: number;
  /** Wall time of arrival here. */
  readonly receivedAtMs: number;
  /**
   * True for a value that was measured while the link was down and came later. It is stored at its own time and never
   * drives live control or a verdict.
   */
  readonly replayed?: true;
  /** Active power, kW, export positive. */
  readonly powerKW?: number;
  /** Reactive power, kvar; positive is given out, as a capacitor does. Nothing but a measurement ever fills it. */
  readonly reactivePowerKvar?: number;
  /** Register of energy taken in, kWh, only ever rising. */
  readonly importKWh?: number;
  /** Register of energy given out, kWh, only ever rising. */
  readonly exportKWh?: number;
  /** Line-to-neutral voltage, volts, mean of the phases. */
  readonly voltageV?: number;
  /** Current per phase, amps, magnitude. */
  readonly currentA?: readonly number[];
  /** State of charge, 0 to 100. */
  readonly socPercent?: number;
  /** Power the device says it offers to the car or may generate at most, kW, same sign as `powerKW`. */
  readonly offeredKW?: number;
  readonly frequencyHz?: number;
  readonly temperatureC?: number;
}

/**
 * What a device could do right now, apart from what it is told: a charger without a car can do nothing, an inverter no
 * more than its sun. Narrower than its `Capability`.
 */
export interface Availability {
  readonly era: Era;
  /** ≤ 0, kW. */
  readonly minPowerKW: number;
  /** ≥ 0, kW. */
  readonly maxPowerKW: number;
  /** For a person: "no car", "car connected", "sun 3.2 kW". */
  readonly reason: string;
}
