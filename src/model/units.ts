/** Conversions between the units of the core and the units on a wire. Pure; each name says from and to. */

export interface AcConnection {
  /** Conductors that carry the power: 1, 2 or 3. */
  readonly phases: number;
  /** Line-to-neutral voltage in volts, for example 230. */
  readonly voltageV: number;
}

/**
 * Amps on each phase for a power, as OCPP means a limit in amps ("A, per phase").
 *
 * @param powerKW magnitude, zero or positive; the caller turns the sign where its protocol says so
 * @returns amps rounded **down** to 0.1 A: OCPP 1.6 allows one decimal, and a limit may not be exceeded by rounding
 */
export function ampsFromKW(powerKW: number, connection: AcConnection): number {
  const amps = (powerKW * 1000) / (connection.voltageV * connection.phases);
  // The small term keeps 16 A from becoming 15.9 A when the division leaves 15.999999999999998.
  return Math.floor(amps * 10 + 1e-6) / 10;
}

/** Power magnitude in kW of a current on each phase. */
export function kWFromAmps(limitA: number, connection: AcConnection): number {
  return (limitA * connection.voltageV * connection.phases) / 1000;
}
