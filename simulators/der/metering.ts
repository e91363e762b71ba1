import type { Hardware } from "./hardware.ts";
import { ownMrid } from "./identity.ts";
import { meterWattsFromKW } from "./power-signs.ts";
import { group, leaf, writeXml, type XmlNode } from "./xml-out.ts";

/** One series that the device's meter sends. */
interface Series {
  readonly name: string;
  readonly readingType: XmlNode;
  /** In the unit of the series; import positive. */
  readonly value: (hardware: Hardware) => number;
}

/** Codes of ReadingType: towards the customer, and from the customer. */
const FORWARD = 1;
const REVERSE = 19;

const SERIES: readonly Series[] = [
  {
    name: "W",
    readingType: readingType({ accumulation: 12, flow: FORWARD, kind: 37, unit: 38 }),
    value: (hardware) => meterWattsFromKW(hardware.powerKW()),
  },
  {
    name: "Wh import",
    readingType: readingType({ accumulation: 9, flow: FORWARD, kind: 12, unit: 72 }),
    value: (hardware) => Math.round(hardware.meter().importKWh * 1000),
  },
  {
    name: "Wh export",
    readingType: readingType({ accumulation: 9, flow: REVERSE, kind: 12, unit: 72 }),
    value: (hardware) => Math.round(hardware.meter().exportKWh * 1000),
  },
];

/** Announces the meter and its series, without values. */
export function mirrorUsagePointXml(lfdi: string): string {
  return writeXml(
    group(
      "MirrorUsagePoint",
      leaf("mRID", ownMrid(lfdi, "meter")),
      leaf("description", "DER meter"),
      // Bits: mirror, DER, submeter.
      leaf("roleFlags", "0049"),
      leaf("serviceCategoryKind", 0),
      leaf("status", 1),
      leaf("deviceLFDI", lfdi),
      ...SERIES.map(({ name, readingType }) =>
        group("MirrorMeterReading", leaf("mRID", ownMrid(lfdi, name)), leaf("description", name), readingType),
      ),
    ),
  );
}

/** What the meter shows now, one document a series. */
export function meterReadingsXml(lfdi: string, hardware: Hardware, nowS: number, intervalS: number): string[] {
  return SERIES.map(({ name, value }) => {
    const period = group("timePeriod", leaf("duration", intervalS), leaf("start", nowS));
    const reading = group("Reading", period, leaf("value", value(hardware)));
    const set = group("MirrorReadingSet", leaf("mRID", ownMrid(lfdi, `${name}/${nowS}`)), period, reading);
    return writeXml(group("MirrorMeterReading", leaf("mRID", ownMrid(lfdi, name)), set));
  });
}

/** Power now, alone and with its type, for a reader that has seen no usage point. */
export function presentPowerXml(lfdi: string, hardware: Hardware, nowS: number): string {
  const power = SERIES[0] as Series;
  const period = group("timePeriod", leaf("duration", 1), leaf("start", nowS));
  const reading = group("Reading", period, leaf("value", power.value(hardware)));
  return writeXml(group("MirrorMeterReading", leaf("mRID", ownMrid(lfdi, power.name)), reading, power.readingType));
}

function readingType(type: { accumulation: number; flow: number; kind: number; unit: number }): XmlNode {
  return group(
    "ReadingType",
    leaf("accumulationBehaviour", type.accumulation),
    leaf("commodity", 1),
    leaf("flowDirection", type.flow),
    leaf("kind", type.kind),
    leaf("phase", 0),
    leaf("powerOfTenMultiplier", 0),
    leaf("uom", type.unit),
  );
}
