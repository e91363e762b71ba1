import { canonicalHex, optionalNumber, required, timeOf, wholeNumber } from "../der/values.ts";
import { childOf, type XmlElement, XmlFault } from "../der/xml-in.ts";

/** What a series measures; codes of ReadingType, each only if it was sent. */
export interface SeriesType {
  readonly uom?: number | undefined;
  readonly kind?: number | undefined;
  readonly phase?: number | undefined;
  readonly flowDirection?: number | undefined;
  readonly dataQualifier?: number | undefined;
  readonly multiplier: number;
}

export interface Series {
  readonly mRID: string;
  type: SeriesType;
  readonly element: XmlElement;
  /** In the unit of the series. */
  readonly readings: { readonly atS: number; readonly value: number }[];
}

export interface UsagePoint {
  readonly id: number;
  readonly owner: string;
  readonly mRID: string;
  element: XmlElement;
  /** Bits: 0 mirror, 1 premises, 3 DER, 6 submeter. */
  roleFlags: number;
  readonly series: Map<string, Series>;
}

const MAX_POINTS = 200;
const MAX_READINGS = 2000;

/** Usage points that devices mirror here, with what their meters said. */
export class MirrorBook {
  readonly points: UsagePoint[] = [];

  visibleTo(owner: string): UsagePoint[] {
    return this.points.filter((point) => point.owner === owner);
  }

  /**
   * Takes a MirrorUsagePoint whose shape is right already. One that is known by its mRID is updated.
   * @throws XmlFault for a series without a type, RangeError where there are too many points
   */
  put(element: XmlElement, owner: string): { point: UsagePoint; isNew: boolean } {
    const mRID = canonicalHex(required(element, "mRID").text);
    const roleFlags = Number.parseInt(required(element, "roleFlags").text, 16);
    if (Number.isNaN(roleFlags)) throw new XmlFault("roleFlags is not hexadecimal");
    const known = this.points.find((point) => point.mRID === mRID && point.owner === owner);
    if (known === undefined && this.points.length >= MAX_POINTS) throw new RangeError("too many usage points");
    const point = known ?? {
      id: (this.points.at(-1)?.id ?? 0) + 1,
      owner,
      mRID,
      element,
      roleFlags,
      series: new Map<string, Series>(),
    };
    point.element = element;
    point.roleFlags = roleFlags;
    for (const child of element.children) if (child.name === "MirrorMeterReading") this.addReadings(point, child);
    if (known === undefined) this.points.push(point);
    return { point, isNew: known === undefined };
  }

  /** @throws XmlFault for a series that was never announced and has no type */
  addReadings(point: UsagePoint, element: XmlElement): void {
    const mRID = canonicalHex(required(element, "mRID").text);
    const type = childOf(element, "ReadingType");
    const known = point.series.get(mRID);
    if (known === undefined && type === undefined)
      throw new XmlFault(`MirrorMeterReading ${mRID} was never announced and has no ReadingType`);
    const series = known ?? { mRID, type: typeFrom(type as XmlElement), element, readings: [] };
    if (type !== undefined) series.type = typeFrom(type);
    const sets = element.children.filter(({ name }) => name === "MirrorReadingSet");
    for (const parent of [element, ...sets]) {
      for (const reading of parent.children) if (reading.name === "Reading") keep(series, reading, parent);
    }
    point.series.set(mRID, series);
  }

  remove(point: UsagePoint): void {
    this.points.splice(this.points.indexOf(point), 1);
  }
}

function keep(series: Series, reading: XmlElement, parent: XmlElement): void {
  const value = childOf(reading, "value");
  if (value === undefined) return;
  const period = childOf(reading, "timePeriod") ?? childOf(parent, "timePeriod");
  const atS = period === undefined ? 0 : timeOf(required(period, "start"));
  const raw = wholeNumber(value, -(2 ** 47), 2 ** 47 - 1);
  series.readings.push({ atS, value: raw * 10 ** series.type.multiplier });
  if (series.readings.length > MAX_READINGS) series.readings.shift();
}

function typeFrom(element: XmlElement): SeriesType {
  const code = (name: string) => optionalNumber(element, name, 0, 255);
  return {
    uom: code("uom"),
    kind: code("kind"),
    phase: code("phase"),
    flowDirection: code("flowDirection"),
    dataQualifier: code("dataQualifier"),
    multiplier: optionalNumber(element, "powerOfTenMultiplier", -9, 9) ?? 0,
  };
}
