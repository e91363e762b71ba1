import { ownMrid } from "../../simulators/der/identity.ts";
import { group, leaf, writeXml, type XmlNode } from "../../simulators/der/xml-out.ts";
import { NotRun } from "../outcome.ts";

/** Codes of a ReadingType, and the power of ten in which its values are written. */
const READING_TYPES: Readonly<Record<string, { readonly uom: number; readonly multiplier: number }>> = {
  ActivePowerAverage: { uom: 38, multiplier: 0 },
  ReactivePowerAverage: { uom: 63, multiplier: 0 },
  FrequencyAverage: { uom: 33, multiplier: -1 },
  VoltageSinglePhaseAverage: { uom: 29, multiplier: -1 },
};

export interface MeterPlan {
  readonly lfdi: string;
  /** mRID of the usage point. */
  readonly mRID: string;
  readonly location: string;
  readonly readingTypes: readonly string[];
  /** mRIDs of the series, in the order of their types; made where absent. */
  readonly seriesMrids: readonly string[];
  readonly multiplier: number | undefined;
}

export function roleFlagsOf(location: string): string {
  // Bits: mirror and premises; mirror, DER and submeter.
  return location === "Site" ? "0003" : "0049";
}

/** @throws NotRun for a quantity that is not supported */
export function uomOf(readingType: string): number {
  return typeOf(readingType).uom;
}

export function seriesMrid(plan: MeterPlan, readingType: string): string {
  return plan.seriesMrids[plan.readingTypes.indexOf(readingType)] ?? ownMrid(plan.lfdi, `${plan.mRID}/${readingType}`);
}

export function usagePointXml(plan: MeterPlan): string {
  return writeXml(
    group(
      "MirrorUsagePoint",
      leaf("mRID", plan.mRID),
      leaf("roleFlags", roleFlagsOf(plan.location)),
      leaf("serviceCategoryKind", 0),
      leaf("status", 1),
      leaf("deviceLFDI", plan.lfdi),
      ...plan.readingTypes.map((name) =>
        group("MirrorMeterReading", leaf("mRID", seriesMrid(plan, name)), readingTypeNode(plan, name)),
      ),
    ),
  );
}

/** One document for a series, with a set of readings of a minute each, the last of which ends now. */
export function readingsXml(plan: MeterPlan, readingType: string, values: readonly number[], nowS: number): string {
  const multiplier = plan.multiplier ?? typeOf(readingType).multiplier;
  const startS = nowS - 60 * values.length;
  const period = (durationS: number, atS: number) =>
    group("timePeriod", leaf("duration", durationS), leaf("start", atS));
  const readings = values.map((value, index) => {
    // A digit more than the wire has would be a rounding of the binary number and not of the value.
    const raw = Math.round(value / 10 ** multiplier);
    return group("Reading", period(60, startS + 60 * index), leaf("value", raw.toFixed(0)));
  });
  return writeXml(
    group(
      "MirrorMeterReading",
      leaf("mRID", seriesMrid(plan, readingType)),
      group(
        "MirrorReadingSet",
        leaf("mRID", ownMrid(plan.lfdi, `${plan.mRID}/${readingType}/${nowS}`)),
        period(60 * values.length, startS),
        ...readings,
      ),
    ),
  );
}

function readingTypeNode(plan: MeterPlan, readingType: string): XmlNode {
  const { uom, multiplier } = typeOf(readingType);
  return group(
    "ReadingType",
    leaf("commodity", 1),
    leaf("dataQualifier", 2),
    leaf("flowDirection", 1),
    leaf("intervalLength", 60),
    leaf("kind", 37),
    leaf("phase", 0),
    leaf("powerOfTenMultiplier", plan.multiplier ?? multiplier),
    leaf("uom", uom),
  );
}

function typeOf(readingType: string): { readonly uom: number; readonly multiplier: number } {
  const type = READING_TYPES[readingType];
  if (type === undefined) throw new NotRun(`readings of ${readingType} are not supported`);
  return type;
}
