import type { OcppVersion } from "./ocpp-version.ts";
import { EXPORT_MEASURANDS, MEASURANDS, MEASURANDS_OF_21, type Measurand } from "./power/meter-sample.ts";

/** What a CSMS may change while the charger runs. */
export interface ChargerSettings {
  /** 0 sends none. */
  sampleIntervalMs: number;
  measurands: readonly Measurand[];
  heartbeatMs: number;
  webSocketPingS: number;
  /** What the meter can measure at all. */
  readonly measurable: readonly Measurand[];
}

/** @param bidirectional the meter counts export too, since a car can give back */
export function defaultSettings(
  sampleIntervalMs: number,
  version: OcppVersion,
  bidirectional: boolean,
): ChargerSettings {
  const measurable = MEASURANDS.filter(
    (measurand) =>
      (bidirectional || !EXPORT_MEASURANDS.includes(measurand)) &&
      ((bidirectional && version === "2.1") || !MEASURANDS_OF_21.includes(measurand)),
  );
  return {
    sampleIntervalMs,
    measurable,
    measurands: measurable.filter((measurand) => measurand !== "Power.Offered"),
    heartbeatMs: 300_000,
    webSocketPingS: 30,
  };
}

/** A list such as `Voltage,SoC`; nothing if this charger cannot measure one of them. */
export function parseMeasurands(text: string, measurable: readonly Measurand[]): readonly Measurand[] | undefined {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const known = names.flatMap((name) => measurable.filter((measurand) => measurand === name));
  return known.length === names.length ? known : undefined;
}

/** Whole seconds from 0 to a day; nothing for anything else. */
export function parseSeconds(text: string): number | undefined {
  if (!/^\d{1,6}$/.test(text.trim())) return undefined;
  const seconds = Number(text);
  return seconds <= 86_400 ? seconds : undefined;
}
