import type { Era } from "../model/resource.ts";
import type { EnergyQuality } from "./interval-energy.ts";
import type { Direction } from "./settlement-rules.ts";

/** What a meter and a market say of one interval, before it is settled. */
export interface TradedInterval {
  readonly era: Era;
  /** The order under which the energy was traded; absent if none was told. */
  readonly orderId?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly quality: EnergyQuality;
  /** Why there is a gap. */
  readonly reason?: string;
  /** Absent: the one that the rules are about. */
  readonly direction?: Direction;
  /** Metered energy in the direction of the trade, whole Wh, ≥ 0; absent if the meter does not tell. */
  readonly meteredWh?: number;
  /** Energy that the cleared setpoint asks for in that direction, whole Wh, ≥ 0; absent without a setpoint. */
  readonly clearedWh?: number;
  /** Millionths of a currency unit per kWh. */
  readonly microPerKWh?: bigint;
  /** Currency of the price, ISO 4217; absent if it is the settlement's. */
  readonly currency?: string;
  /** Locational adder, millionths of a currency unit per kWh; the price contains it. */
  readonly adderMicroPerKWh?: bigint;
}

/**
 * Energy that a setpoint asks for in one direction, whole Wh.
 * @param powerW export positive
 * @returns ≥ 0; 0 if the setpoint goes the other way
 */
export function clearedEnergyWh(powerW: number, durationMs: number, direction: Direction): number {
  const towardsW = direction === "EXPORT" ? powerW : -powerW;
  return Math.round((Math.max(0, towardsW) * durationMs) / 3_600_000);
}
