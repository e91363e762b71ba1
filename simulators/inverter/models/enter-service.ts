import type { Clock } from "../../../src/clock.ts";
import { ReversionTimer } from "../../modbus/reversion-timer.ts";
import { type Changes, oneOf, type PointValues, type SwitchModel, within } from "../model.ts";
import type { PointRow } from "../point.ts";

const ROWS: readonly PointRow[] = [
  ["ES", 2, "enum16", undefined, "RW"],
  ["ESVHi", 3, "uint16", "V_SF", "RW"],
  ["ESVLo", 4, "uint16", "V_SF", "RW"],
  ["ESHzHi", 5, "uint32", "Hz_SF", "RW"],
  ["ESHzLo", 7, "uint32", "Hz_SF", "RW"],
  ["ESDlyTms", 9, "uint32", undefined, "RW"],
  ["ESRndTms", 11, "uint32", undefined, "RW"],
  ["ESRmpTms", 13, "uint32", undefined, "RW"],
  ["ESDlyRemTms", 15, "uint32"],
  ["V_SF", 17, "sunssf"],
  ["Hz_SF", 18, "sunssf"],
];

/**
 * Model 703: whether the device may be in service (IEEE 1547-2018, 4.10). Without the permit it gives and takes nothing;
 * with it again it waits for the delay first. Voltage and frequency of this grid are always within the bounds.
 */
export class EnterService implements SwitchModel {
  readonly id = 703;
  readonly rows = ROWS;
  readonly scales = { V_SF: -1, Hz_SF: -3 };
  readonly #delay: ReversionTimer;
  // In percent of the nominal voltage, hertz and seconds.
  #points = { ES: 1, ESVHi: 105, ESVLo: 91.7, ESHzHi: 50.1, ESHzLo: 49.5, ESDlyTms: 5, ESRmpTms: 10 };

  constructor(clock: Clock) {
    this.#delay = new ReversionTimer(clock);
  }

  values(): PointValues {
    return { ...this.#points, ESDlyRemTms: this.#delay.remainingS() };
  }

  write(changes: Changes): boolean {
    // There is no random delay in this device.
    if (changes.has("ESRndTms") || !oneOf(changes, "ES", [0, 1])) return false;
    if (!within(changes, "ESVHi", 100, 120) || !within(changes, "ESVLo", 80, 100)) return false;
    if (!within(changes, "ESHzHi", 50, 55) || !within(changes, "ESHzLo", 45, 50)) return false;
    if (!within(changes, "ESDlyTms", 0, 600) || !within(changes, "ESRmpTms", 1, 1000)) return false;
    const wasOut = this.#points.ES === 0;
    this.#points = { ...this.#points, ...Object.fromEntries(changes) };
    if (wasOut && this.#points.ES === 1) this.#delay.restart(this.#points.ESDlyTms);
    return true;
  }

  isOn(): boolean {
    return this.#points.ES === 1 && this.#delay.remainingS() === 0;
  }
}
