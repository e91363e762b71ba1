import { group, leaf, type XmlNode } from "../der/xml-out.ts";

/** What a DERControlBase orders, by the names of the standard and of CSIP-AUS. Each only if it is to be there. */
export interface ControlValues {
  readonly opModConnect?: boolean | undefined;
  readonly opModEnergize?: boolean | undefined;
  /** Percent of the rating for that direction; positive gives out. */
  readonly opModFixedW?: number | undefined;
  /** Percent of setMaxW. */
  readonly opModMaxLimW?: number | undefined;
  /** Watts; positive gives out. */
  readonly opModTargetW?: number | undefined;
  /** Seconds. */
  readonly rampS?: number | undefined;
  /** CSIP-AUS limits at the connection point and of all generation and load behind it; watts, never negative. */
  readonly opModImpLimW?: number | undefined;
  readonly opModExpLimW?: number | undefined;
  readonly opModGenLimW?: number | undefined;
  readonly opModLoadLimW?: number | undefined;
  /** Watts; positive discharges. */
  readonly opModStorageTargetW?: number | undefined;
}

/** Namespace prefixes that a document with controls declares. */
export const CSIP_AUS = {
  "xmlns:csipaus": "https://csipaus.org/ns",
  "xmlns:csipaus13": "https://csipaus.org/ns/v1.3",
} as const;

const MODES = [
  "opModConnect",
  "opModEnergize",
  "opModFixedW",
  "opModMaxLimW",
  "opModTargetW",
  "opModImpLimW",
  "opModExpLimW",
  "opModGenLimW",
  "opModLoadLimW",
  "opModStorageTargetW",
] as const satisfies readonly (keyof ControlValues)[];

/** Names of the modes that are set: two controls contend for a mode that both set. */
export function modesOf(values: ControlValues): string[] {
  return MODES.filter((mode) => values[mode] !== undefined);
}

/** @param multiplier least power of ten in which watts are written */
export function controlBase(values: ControlValues, multiplier = 0): XmlNode {
  const { rampS } = values;
  return group(
    "DERControlBase",
    flag("opModConnect", values.opModConnect),
    flag("opModEnergize", values.opModEnergize),
    percent("opModFixedW", values.opModFixedW),
    percent("opModMaxLimW", values.opModMaxLimW),
    watts("opModTargetW", values.opModTargetW, multiplier),
    rampS === undefined ? undefined : leaf("rampTms", Math.round(rampS * 100)),
    watts("csipaus:opModImpLimW", values.opModImpLimW, multiplier),
    watts("csipaus:opModExpLimW", values.opModExpLimW, multiplier),
    watts("csipaus:opModGenLimW", values.opModGenLimW, multiplier),
    watts("csipaus:opModLoadLimW", values.opModLoadLimW, multiplier),
    watts("csipaus13:opModStorageTargetW", values.opModStorageTargetW, multiplier),
  );
}

function flag(name: string, value: boolean | undefined): XmlNode | undefined {
  return value === undefined ? undefined : leaf(name, String(value));
}

/** Hundredths of a percent on the wire. */
function percent(name: string, value: number | undefined): XmlNode | undefined {
  return value === undefined ? undefined : leaf(name, Math.round(value * 100));
}

/** ActivePower: 16 bits with sign, so that what does not fit is written in a higher power of ten. */
function watts(name: string, value: number | undefined, least: number): XmlNode | undefined {
  if (value === undefined) return undefined;
  let multiplier = least;
  while (Math.abs(value / 10 ** multiplier) > 32_767) multiplier++;
  return group(name, leaf("multiplier", multiplier), leaf("value", Math.round(value / 10 ** multiplier)));
}
