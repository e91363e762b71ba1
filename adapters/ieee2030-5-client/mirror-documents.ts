import type { Lfdi } from "../ieee2030-5/identity.ts";
import { element, type OutElement } from "../ieee2030-5/xml/xml-write.ts";
import { ownMRID } from "./our-ids.ts";

/** One number that is posted regularly. */
export interface Mirrored {
  /** Part of its ids, so that they stay the same. */
  readonly name: "W" | "var" | "V" | "Wh";
  readonly description: string;
  readonly uom: number;
  readonly kind: number;
  /** The unit is 10^-this: tenths of a volt are 1. */
  readonly decimals: number;
  readonly flowDirection: number;
  readonly dataQualifier: number;
}

/** Codes of the standard: dataQualifier 2 average, 12 normal; kind 37 power, 12 energy; flowDirection 1 to the customer. */
export const MIRRORED: Readonly<Record<Mirrored["name"], Mirrored>> = {
  W: { name: "W", description: "W average", uom: 38, kind: 37, decimals: 0, flowDirection: 1, dataQualifier: 2 },
  var: { name: "var", description: "var average", uom: 63, kind: 37, decimals: 0, flowDirection: 1, dataQualifier: 2 },
  V: { name: "V", description: "V average", uom: 29, kind: 0, decimals: 1, flowDirection: 0, dataQualifier: 2 },
  Wh: { name: "Wh", description: "stored energy", uom: 72, kind: 12, decimals: 0, flowDirection: 0, dataQualifier: 12 },
};

/** RoleFlags: bit 0 mirror, 1 premises, 3 DER, 6 submeter. */
export const ROLE = { site: "0003", der: "0049" } as const;
const ELECTRICITY = { service: 0, commodity: 1 } as const;
const STATUS_ON = 1;

/**
 * The one place where our metering turns its sign for the utility: its meters count power to the customer positive, we
 * count what goes out positive. Reactive power, in kvar, turns with it.
 */
export function meterWattsFromExportKW(powerKW: number): number {
  return Math.round(-powerKW * 1000) + 0;
}

export interface MirrorIdentity {
  readonly lfdi: Lfdi;
  readonly role: keyof typeof ROLE;
  readonly pen: number;
}

export function mirrorUsagePoint(
  { lfdi, role, pen }: MirrorIdentity,
  mirrored: readonly Mirrored[],
  intervalS: number,
): OutElement {
  return element("MirrorUsagePoint", [
    element("mRID", ownMRID(lfdi, `MirrorUsagePoint ${role}`, pen)),
    element("description", role === "site" ? "site" : "DER"),
    element("roleFlags", ROLE[role]),
    element("serviceCategoryKind", ELECTRICITY.service),
    element("status", STATUS_ON),
    element("deviceLFDI", lfdi),
    ...mirrored.map((one) =>
      element("MirrorMeterReading", [
        element("mRID", readingMRID({ lfdi, role, pen }, one)),
        element("description", one.description),
        element("ReadingType", [
          element("commodity", ELECTRICITY.commodity),
          element("dataQualifier", one.dataQualifier),
          element("flowDirection", one.flowDirection),
          element("intervalLength", intervalS),
          element("kind", one.kind),
          element("phase", 0),
          element("powerOfTenMultiplier", -one.decimals),
          element("uom", one.uom),
        ]),
      ]),
    ),
  ]);
}

/** One value of an interval. @param value in the unit itself */
export function mirrorReading(
  identity: MirrorIdentity,
  mirrored: Mirrored,
  value: number,
  interval: { readonly startS: number; readonly durationS: number },
): OutElement {
  const timePeriod = element("timePeriod", [
    element("duration", interval.durationS),
    element("start", interval.startS),
  ]);
  const { lfdi, pen, role } = identity;
  return element("MirrorMeterReading", [
    element("mRID", readingMRID(identity, mirrored)),
    element("MirrorReadingSet", [
      element("mRID", ownMRID(lfdi, `MirrorReadingSet ${role} ${mirrored.name} ${interval.startS}`, pen)),
      timePeriod,
      element("Reading", [timePeriod, element("value", Math.round(value * 10 ** mirrored.decimals) + 0)]),
    ]),
  ]);
}

function readingMRID({ lfdi, role, pen }: MirrorIdentity, { name }: Mirrored): string {
  return ownMRID(lfdi, `MirrorMeterReading ${role} ${name}`, pen);
}
