import { quantityOf } from "./xml/active-power.ts";
import { extensionsOf } from "./xml/csipaus.ts";
import {
  BadDocument,
  childOf,
  hexOf,
  integerOf,
  requiredChild,
  SEP_NAMESPACE,
  type XmlElement,
} from "./xml/xml-element.ts";

/** The documents that a device PUTs about itself, by the last part of their address. */
export const DER_DOCUMENTS = {
  dercap: "DERCapability",
  derg: "DERSettings",
  ders: "DERStatus",
  dera: "DERAvailability",
} as const;

export type DerDocument = keyof typeof DER_DOCUMENTS;

/** What a device says it can do; settings (what it is set to) go before ratings (what it is built for). Magnitudes. */
export interface DerRating {
  readonly maxKW?: number;
  readonly maxChargeKW?: number;
  readonly maxDischargeKW?: number;
  /** Nothing but storage: what it gives is discharge, and counts as share of the discharge rate. */
  readonly isStorage: boolean;
  readonly capacityKWh?: number;
  /** Share of `maxKW` per second by which the device ramps by itself, 0 to 1. */
  readonly rampPerSecond?: number;
  /** Modes that it both supports and, where it says so, has enabled; empty for a device that has not said. */
  readonly modes: ReadonlySet<DerMode>;
}

/** Modes in which a power can be ordered, and by which bits a device says that it has them. */
export type DerMode = keyof typeof MODE_BITS | keyof typeof DOE_BITS | keyof typeof VPP_BITS;

/** What a device says about now. */
export interface DerStatus {
  /** Epoch ms. */
  readonly readingTimeMs: number;
  readonly socPercent?: number;
}

/** What a device could do now. Magnitudes, kW; each only if it said so. */
export interface DerAvailability {
  readonly availableKW?: number;
  /** False when it says that it can charge, or give power, for no time at all. */
  readonly canCharge: boolean;
  readonly canGenerate: boolean;
}

const MOST_S = 4_294_967_295;
/** Bits of DERControlType. */
const MODE_BITS = { opModConnect: 2, opModEnergize: 3, opModFixedW: 7, opModMaxLimW: 20, opModTargetW: 22 } as const;
/** Bits of CSIP-AUS's DOEControlType. */
const DOE_BITS = { opModExpLimW: 0, opModImpLimW: 1, opModGenLimW: 2, opModLoadLimW: 3 } as const;
/** Bits of VPPControlType, from version 1.3 of CSIP-AUS on. */
const VPP_BITS = { opModStorageTargetW: 0 } as const;
/** Codes of DERType: other storage, electric vehicle. */
const STORAGE_TYPES: readonly number[] = [80, 81];

/** The last of each document, checked when it came. */
export class DerRecord {
  readonly #documents = new Map<DerDocument, XmlElement>();

  /** @throws BadDocument when it is another document, or one with a value that we can't read */
  put(kind: DerDocument, document: XmlElement): void {
    const expected = DER_DOCUMENTS[kind];
    if (document.name !== expected) throw new BadDocument(`${document.name} where ${expected} was expected`);
    const before = this.#documents.get(kind);
    this.#documents.set(kind, document);
    try {
      this.#readAll(kind);
    } catch (error) {
      if (before === undefined) this.#documents.delete(kind);
      else this.#documents.set(kind, before);
      throw error;
    }
  }

  get(kind: DerDocument): XmlElement | undefined {
    return this.#documents.get(kind);
  }

  rating(): DerRating {
    const built = this.#documents.get("dercap");
    const set = this.#documents.get("derg");
    const maxW = power(set, "setMaxW") ?? power(built, "rtgMaxW") ?? power(built, "rtgW");
    const chargeW = power(set, "setMaxChargeRateW") ?? power(built, "rtgMaxChargeRateW");
    const dischargeW = power(set, "setMaxDischargeRateW") ?? power(built, "rtgMaxDischargeRateW");
    const type = built === undefined ? undefined : integerOf(built, "type", 0, 255);
    const capacityWh = power(set, "setMaxWh") ?? power(built, "rtgMaxWh");
    const gradient = set === undefined ? undefined : integerOf(set, "setGradW", 0, 65_535);
    return {
      ...(maxW === undefined ? {} : { maxKW: maxW / 1000 }),
      ...(chargeW === undefined ? {} : { maxChargeKW: chargeW / 1000 }),
      ...(dischargeW === undefined ? {} : { maxDischargeKW: dischargeW / 1000 }),
      isStorage: type !== undefined && STORAGE_TYPES.includes(type),
      ...(capacityWh === undefined ? {} : { capacityKWh: capacityWh / 1000 }),
      // 0 would be a device that never gets anywhere; clients send it for "not set".
      ...(gradient === undefined || gradient === 0 ? {} : { rampPerSecond: gradient / 10_000 }),
      modes: new Set<DerMode>([
        ...modesOf(MODE_BITS, built, set, "modes"),
        ...modesOf(DOE_BITS, extension(built), extension(set), "doeModes"),
        ...modesOf(VPP_BITS, extension(built), extension(set), "vppModes"),
      ]),
    };
  }

  status(): DerStatus | undefined {
    const document = this.#documents.get("ders");
    if (document === undefined) return undefined;
    const charge = childOf(document, "stateOfChargeStatus");
    const hundredths = charge === undefined ? undefined : integerOf(charge, "value", 0, 10_000);
    return {
      readingTimeMs: readingTimeMs(document),
      ...(hundredths === undefined ? {} : { socPercent: hundredths / 100 }),
    };
  }

  availability(): DerAvailability | undefined {
    const document = this.#documents.get("dera");
    if (document === undefined) return undefined;
    readingTimeMs(document);
    const availableW = power(document, "statWAvail");
    return {
      ...(availableW === undefined ? {} : { availableKW: availableW / 1000 }),
      canCharge: integerOf(document, "maxChargeDuration", 0, MOST_S) !== 0,
      canGenerate: integerOf(document, "availabilityDuration", 0, MOST_S) !== 0,
    };
  }

  /** Reads a document once for its faults, so that a bad one is refused at the door. */
  #readAll(kind: DerDocument): void {
    const document = this.#documents.get(kind);
    if (kind === "dercap" && document !== undefined) requiredChild(document, "modesSupported");
    if (kind === "derg" && document !== undefined) requiredChild(document, "updatedTime");
    this.rating();
    this.status();
    this.availability();
  }
}

function power(document: XmlElement | undefined, name: string): number | undefined {
  if (document === undefined) return undefined;
  const value = quantityOf(document, name);
  if (value !== undefined && value < 0) throw new BadDocument(`${document.name}.${name} is negative`);
  return value;
}

function modesOf<Mode extends DerMode>(
  bits: Readonly<Record<Mode, number>>,
  built: XmlElement | undefined,
  set: XmlElement | undefined,
  name: string,
): Mode[] {
  return (Object.keys(bits) as Mode[]).filter(
    (mode) => hasBit(built, `${name}Supported`, bits[mode], false) && hasBit(set, `${name}Enabled`, bits[mode], true),
  );
}

/** What the Australian extension adds to a document, as if it were the standard's. */
function extension(document: XmlElement | undefined): XmlElement | undefined {
  if (document === undefined) return undefined;
  return { ...document, children: extensionsOf(document).map((child) => ({ ...child, namespace: SEP_NAMESPACE })) };
}

function hasBit(document: XmlElement | undefined, name: string, bit: number, ifAbsent: boolean): boolean {
  const digits = document === undefined ? undefined : hexOf(document, name, 8);
  if (digits === undefined) return ifAbsent;
  return Math.floor(Number.parseInt(digits, 16) / 2 ** bit) % 2 === 1;
}

function readingTimeMs(document: XmlElement): number {
  const seconds = integerOf(document, "readingTime", 0, Number.MAX_SAFE_INTEGER / 1000);
  if (seconds === undefined) throw new BadDocument(`${document.name} has no readingTime`);
  return seconds * 1000;
}
