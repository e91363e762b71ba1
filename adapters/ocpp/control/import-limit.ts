import { type AcConnection, ampsFromKW, kWFromAmps } from "../../../src/model/units.ts";

/** The unit of a charging schedule: amps on each phase, or watts over all of them. */
export type RateUnit = "A" | "W";

/** What the wiring of one connector allows. */
export interface ConnectorRating extends AcConnection {
  readonly maxA: number;
  /** Least current at which a car charges at all; IEC 61851 says 6 A. */
  readonly minA: number;
  /** What becomes of a power above 0 and under the least: no charging, or the least. */
  readonly belowMin: "pause" | "min";
}

/** A limit in the charger's own terms: import-positive, never negative. */
export interface WireLimit {
  readonly unit: RateUnit;
  /** Amps per phase with one decimal, or whole watts. */
  readonly value: number;
}

/**
 * Turns the sign: OCPP limits what a charger may import, and counts that positive.
 *
 * @param powerKW export positive
 * @returns kW of import, ≥ 0, or nothing where the power is generation, which a charging limit cannot ask for. Less than
 * a milliwatt of generation is the rounding of a sum, and means 0.
 */
export function importLimitKW(powerKW: number): number | undefined {
  if (Number.isNaN(powerKW) || powerKW > 1e-6) return undefined;
  return powerKW >= 0 ? 0 : -powerKW;
}

/** The way back: kW with export positive from an import as OCPP counts it. */
export function powerFromImportKW(importKW: number): number {
  return importKW === 0 ? 0 : -importKW;
}

/** Slack for the rounding of sums and splits, kW. */
const SLACK_KW = 1e-6;

/**
 * Keeps to what the connector can do and rounds down to what the charger can be told. Never more than `importKW`, save
 * for `belowMin: "min"`.
 */
export function wireLimit(importKW: number, rating: ConnectorRating, unit: RateUnit): WireLimit {
  const possibleKW = possibleImportKW(importKW, rating);
  return { unit, value: unit === "A" ? ampsFromKW(possibleKW, rating) : Math.floor(possibleKW * 1000 + 1e-6) };
}

function possibleImportKW(importKW: number, rating: ConnectorRating): number {
  const leastKW = kWFromAmps(rating.minA, rating);
  if (importKW <= SLACK_KW) return 0;
  if (importKW >= leastKW + SLACK_KW) return Math.min(importKW, kWFromAmps(rating.maxA, rating));
  if (importKW >= leastKW - SLACK_KW) return leastKW;
  return rating.belowMin === "min" ? leastKW : 0;
}

/** kW of import that a limit stands for. */
export function importKWFrom(limit: WireLimit, connection: AcConnection): number {
  return limit.unit === "A" ? kWFromAmps(limit.value, connection) : limit.value / 1000;
}
