import { type AcConnection, ampsFromKW, kWFromAmps } from "../../../src/model/units.ts";

/** The unit of a charging schedule: amps on each phase, or watts over all of them. */
export type RateUnit = "A" | "W";

/** What one connector can do, on the lines that are in use now. */
export interface ConnectorRating extends AcConnection {
  readonly maxKW: number;
  /** Least power at which a car charges at all, kW; 0 where there is no such step (direct current). */
  readonly minKW: number;
  /** What becomes of a power above 0 and under the least: no charging, or the least. */
  readonly belowMin: "pause" | "min";
}

/** What the config says of a connector's power. */
export interface ConnectorConfig extends AcConnection {
  readonly current: "AC" | "DC";
  /** Amps on each line. */
  readonly maxA: number;
  readonly minA: number;
  readonly maxKW?: number | undefined;
  readonly minKW?: number | undefined;
  readonly belowMin: "pause" | "min";
}

/** A limit in the charger's own terms: import-positive, never negative. */
export interface WireLimit {
  readonly unit: RateUnit;
  /** Amps per phase with one decimal, or whole watts. */
  readonly value: number;
}

/** @param phases lines in use, which may be fewer than are wired */
export function ratingOf(config: ConnectorConfig, phases: number = config.phases): ConnectorRating {
  const { voltageV, belowMin } = config;
  const bound = config.maxKW ?? Number.POSITIVE_INFINITY;
  // IEC 61851 lets no car draw less than 6 A; direct current has neither lines nor that step.
  if (config.current === "DC") return { phases: 1, voltageV, belowMin, maxKW: bound, minKW: config.minKW ?? 0 };
  const connection = { phases, voltageV };
  const minKW = Math.max(kWFromAmps(config.minA, connection), config.minKW ?? 0);
  return { ...connection, belowMin, minKW, maxKW: Math.min(kWFromAmps(config.maxA, connection), bound) };
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

/** What is left of a power within the connector's rating, kW: 0, or from the least to the most. */
export function possibleImportKW(importKW: number, rating: ConnectorRating): number {
  if (importKW <= SLACK_KW) return 0;
  if (importKW >= rating.minKW + SLACK_KW) return Math.min(importKW, rating.maxKW);
  if (importKW >= rating.minKW - SLACK_KW) return rating.minKW;
  return rating.belowMin === "min" ? rating.minKW : 0;
}

/** kW of import that a limit stands for. */
export function importKWFrom(limit: WireLimit, connection: AcConnection): number {
  return limit.unit === "A" ? kWFromAmps(limit.value, connection) : limit.value / 1000;
}
