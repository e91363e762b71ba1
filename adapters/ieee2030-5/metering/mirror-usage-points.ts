import { canonicalLfdi, canonicalMRID, type Lfdi } from "../identity.ts";
import {
  BadDocument,
  childOf,
  childrenOf,
  hexOf,
  plainValues,
  requiredChild,
  type XmlElement,
} from "../xml/xml-element.ts";
import { echo, element, type OutElement } from "../xml/xml-write.ts";
import { type MeterValue, valuesOf } from "./meter-values.ts";
import { phaseOf, type ReadingType, readReadingType, UOM } from "./reading-type.ts";

interface MirrorMeter {
  readonly description: OutElement;
  readonly type: ReadingType;
}

interface UsagePoint {
  readonly id: number;
  readonly mRID: string;
  head: XmlElement;
  readonly meters: Map<string, MirrorMeter>;
}

const MOST_POINTS = 8;
const MOST_METERS = 48;
/** Elements of a usage point before its meter readings, in schema order. */
const HEAD_ELEMENTS = ["mRID", "description", "version", "roleFlags", "serviceCategoryKind", "status", "deviceLFDI"];
const METER_HEAD_ELEMENTS = ["mRID", "description", "version"];

/** The meters that one device mirrors to us. Their meaning comes once, their numbers come again and again. */
export class MirrorUsagePoints {
  readonly #lfdi: Lfdi;
  #points: UsagePoint[] = [];
  #lastId = 0;

  constructor(lfdi: Lfdi) {
    this.#lfdi = lfdi;
  }

  get ids(): readonly number[] {
    return this.#points.map((point) => point.id);
  }

  /** Separate phases in which power is metered; 0 where only totals are. */
  get powerPhases(): number {
    const phases = new Set<string>();
    for (const point of this.#points) {
      for (const { type } of point.meters.values()) {
        const phase = type.uom === UOM.watt ? phaseOf(type) : undefined;
        if (phase !== undefined && phase !== "all") phases.add(phase);
      }
    }
    return phases.size;
  }

  /** True for an mRID of one of the usage points, or of a meter reading in them. */
  has(mRID: string): boolean {
    return this.#points.some((point) => point.mRID === mRID || point.meters.has(mRID));
  }

  /** mRIDs of a document and of the meter readings in it that are not here yet. @throws BadDocument where one is none */
  newIn(document: XmlElement): string[] {
    return [document, ...childrenOf(document, "MirrorMeterReading")]
      .map((named) => hexOf(named, "mRID", 32))
      .filter((mRID) => mRID !== undefined)
      .map(canonicalMRID)
      .filter((mRID) => !this.has(mRID));
  }

  /**
   * Takes a MirrorUsagePoint. One with an mRID that is here already updates it.
   * @throws BadDocument
   */
  post(document: XmlElement): { readonly id: number; readonly isNew: boolean; readonly values: MeterValue[] } {
    const mRID = this.#checkHead(document);
    const known = this.#points.find((point) => point.mRID === mRID);
    if (known === undefined && this.#points.length >= MOST_POINTS) {
      throw new BadDocument(`more than ${MOST_POINTS} usage points`);
    }
    const point = known ?? { id: this.#lastId + 1, mRID, head: plainValues(document), meters: new Map() };
    const values = takeMeters(point, childrenOf(document, "MirrorMeterReading"));
    point.head = plainValues(document);
    if (known === undefined) {
      this.#lastId = point.id;
      this.#points.push(point);
    }
    return { id: point.id, isNew: known === undefined, values };
  }

  /**
   * Takes what is posted to one usage point: a MirrorMeterReading, a list of them, or the usage point again.
   * Nothing if there is no such point, after a restart of ours for example; the device then makes it anew.
   * @throws BadDocument
   */
  record(id: number, document: XmlElement): MeterValue[] | undefined {
    const point = this.#points.find((candidate) => candidate.id === id);
    if (point === undefined) return undefined;
    switch (document.name) {
      case "MirrorMeterReading":
        return takeMeters(point, [document]);
      case "MirrorMeterReadingList":
        return takeMeters(point, childrenOf(document, "MirrorMeterReading"));
      case "MirrorUsagePoint":
        if (this.#checkHead(document) !== point.mRID) throw new BadDocument("MirrorUsagePoint with another mRID");
        return this.post(document).values;
      default:
        throw new BadDocument(`${document.name} where a MirrorMeterReading was expected`);
    }
  }

  /** Forgets a usage point; false if there is none. */
  remove(id: number): boolean {
    const before = this.#points.length;
    this.#points = this.#points.filter((point) => point.id !== id);
    return this.#points.length < before;
  }

  /** The usage point as it was told to us, without its numbers. */
  document(id: number, href: string, postRateS: number): OutElement | undefined {
    const point = this.#points.find((candidate) => candidate.id === id);
    if (point === undefined) return undefined;
    return {
      name: "MirrorUsagePoint",
      attributes: { href },
      content: [
        ...echoed(point.head, HEAD_ELEMENTS),
        ...[...point.meters.values()].map((meter) => meter.description),
        element("postRate", postRateS),
      ],
    };
  }

  #checkHead(document: XmlElement): string {
    if (document.name !== "MirrorUsagePoint") {
      throw new BadDocument(`${document.name} where a MirrorUsagePoint was expected`);
    }
    for (const name of ["roleFlags", "serviceCategoryKind", "status"]) requiredChild(document, name);
    const owner = hexOf(document, "deviceLFDI", 40);
    if (owner === undefined || canonicalLfdi(owner) !== this.#lfdi) {
      throw new BadDocument("MirrorUsagePoint.deviceLFDI is not that of its sender");
    }
    return mRIDOf(document);
  }
}

/** Checks all before it keeps any, so that half a document leaves no trace. */
function takeMeters(point: UsagePoint, meterReadings: readonly XmlElement[]): MeterValue[] {
  const meters = new Map(point.meters);
  const values: MeterValue[] = [];
  for (const meterReading of meterReadings) {
    const mRID = mRIDOf(meterReading);
    const told = childOf(meterReading, "ReadingType");
    const type = told === undefined ? meters.get(mRID)?.type : readReadingType(told);
    if (type === undefined) throw new BadDocument(`MirrorMeterReading ${mRID} never said its ReadingType`);
    if (told !== undefined) meters.set(mRID, { type, description: meterDescription(meterReading, told) });
    if (meters.size > MOST_METERS) throw new BadDocument(`more than ${MOST_METERS} meter readings at one usage point`);
    values.push(...valuesOf(meterReading, type));
  }
  for (const [mRID, meter] of meters) point.meters.set(mRID, meter);
  return values;
}

function meterDescription(meterReading: XmlElement, type: XmlElement): OutElement {
  return element("MirrorMeterReading", [...echoed(meterReading, METER_HEAD_ELEMENTS), echo(type)]);
}

function echoed(source: XmlElement, names: readonly string[]): OutElement[] {
  return names.flatMap((name) => childrenOf(source, name).slice(0, 1)).map((child) => echo(child));
}

function mRIDOf(document: XmlElement): string {
  const mRID = hexOf(document, "mRID", 32);
  if (mRID === undefined) throw new BadDocument(`${document.name} has no mRID`);
  return canonicalMRID(mRID);
}
