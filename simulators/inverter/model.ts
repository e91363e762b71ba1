import type { PointRow, PointValue } from "./point.ts";

/** Values by point name, in the point's unit. A name that is missing is a point that this device does not have. */
export type PointValues = Readonly<Record<string, PointValue | undefined>>;

/** What one write changes: decoded values by point name. */
export type Changes = ReadonlyMap<string, number>;

/** One SunSpec model of the device. */
export interface Model {
  readonly id: number;
  /** All points after ID and L, in the order of their offsets (counted from ID). */
  readonly rows: readonly PointRow[];
  /** L where it is another than the points take: a shorter one lacks the last points, a longer one is padded. */
  readonly length?: number;
  /** Powers of ten by the name of the scale point. */
  readonly scales: Readonly<Record<string, number>>;
  /** Computed at the moment of reading. */
  values(): PointValues;
  /** Takes all changes or none; false for a value that the device does not allow. Absent where nothing can be written. */
  write?(changes: Changes): boolean;
}

/** A model whose points bend what the device does. */
export interface ControlModel extends Model {
  write(changes: Changes): boolean;
  /** Lets reversion timers that ran out take effect. */
  revert(): void;
  /** The power that the control leaves of a wanted one; kW, export positive. */
  shape(wantedKW: number): number;
  /** True while a limit or a setpoint is enabled. */
  isActive(): boolean;
}

/** A model that can take the device off the grid and bring it back. */
export interface SwitchModel extends Model {
  write(changes: Changes): boolean;
  isOn(): boolean;
}

/** True when a change, if it is there, is one of the allowed numbers. */
export function oneOf(changes: Changes, name: string, allowed: readonly number[]): boolean {
  const value = changes.get(name);
  return value === undefined || allowed.includes(value);
}

/** True when a change, if it is there, lies in the range, ends included. */
export function within(changes: Changes, name: string, low: number, high: number): boolean {
  const value = changes.get(name);
  return value === undefined || (value >= low && value <= high);
}
