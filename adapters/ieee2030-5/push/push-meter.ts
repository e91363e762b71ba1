import { type MeterValue, meterValueOf, valuesOf } from "../metering/meter-values.ts";
import { type ReadingType, readReadingType, UOM } from "../metering/reading-type.ts";
import { BadDocument, childOf, childrenOf, type XmlElement } from "../xml/xml-element.ts";

/** What a number without a ReadingType means: watts, as the standard's meters count them. */
const PLAIN_WATTS: ReadingType = { uom: UOM.watt, flowDirection: 1, multiplier: 0, phase: 0 };

const METER_NAMES: readonly string[] = ["MeterReading", "MirrorMeterReading"];
const LIST_NAMES: readonly string[] = ["MeterReadingList", "MirrorMeterReadingList", "MirrorUsagePoint"];

/**
 * The numbers of a document fetched from a meter: one Reading, one MeterReading or MirrorMeterReading with its
 * ReadingType inside, or several of these.
 * @throws BadDocument
 */
export function meterDocumentValues(document: XmlElement): MeterValue[] {
  if (document.name === "Reading") {
    const value = meterValueOf(document, PLAIN_WATTS);
    return value === undefined ? [] : [value];
  }
  if (METER_NAMES.includes(document.name)) return ownValues(document);
  if (LIST_NAMES.includes(document.name)) {
    return METER_NAMES.flatMap((name) => childrenOf(document, name)).flatMap(ownValues);
  }
  throw new BadDocument(`${document.name} where a Reading or MeterReading was expected`);
}

function ownValues(meterReading: XmlElement): MeterValue[] {
  const type = childOf(meterReading, "ReadingType");
  return valuesOf(meterReading, type === undefined ? PLAIN_WATTS : readReadingType(type));
}
