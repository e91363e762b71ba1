import { checkBoolean, optionalNumber, wattsOf } from "./values.ts";
import { childOf, type XmlElement, XmlFault } from "./xml-in.ts";

/** The kinds of control of the standard that the simulated device knows, with their bits in DERControlType. */
export const MODE_BITS = {
  opModConnect: 2,
  opModEnergize: 3,
  opModFixedW: 7,
  opModMaxLimW: 20,
  opModTargetW: 22,
} as const;

/** CSIP-AUS's, with their bits in DOEControlType. */
export const DOE_BITS = { opModExpLimW: 0, opModImpLimW: 1, opModGenLimW: 2, opModLoadLimW: 3 } as const;

export type ControlMode = keyof typeof MODE_BITS | keyof typeof DOE_BITS | "opModStorageTargetW";

/** Namespaces of CSIP-AUS begin so, whatever their version. */
export const CSIP_AUS = "https://csipaus.org/ns";

/** What a DERControlBase asks for; each mode only if it is there. */
export interface ControlModes {
  /** Hundredths of a percent of the rating for that direction; positive gives out, negative takes in. */
  readonly fixedW?: number;
  /** Watts; positive gives out. Also CSIP-AUS's storage target. */
  readonly targetW?: number;
  /** Hundredths of a percent of setMaxW that may be given out at most. */
  readonly maxLimW?: number;
  /** Watts that may be given out, or taken in, at most: the tighter of CSIP-AUS's two limits for that direction. */
  readonly mostOutW?: number;
  readonly mostInW?: number;
  /** Disconnected or de-energized. */
  readonly isOff?: boolean;
}

/** The control names a mode that this device cannot do. */
export class UnsupportedMode extends Error {
  override readonly name = "UnsupportedMode";
}

/** The modes as a bit mask in hexadecimal, for `modesSupported`. */
export function modesHex(modes: readonly ControlMode[]): string {
  let mask = 0;
  for (const mode of modes) if (mode in MODE_BITS) mask += 2 ** MODE_BITS[mode as keyof typeof MODE_BITS];
  return mask.toString(16).toUpperCase().padStart(8, "0");
}

/** CSIP-AUS's modes as `doeModesSupported` has them; nothing where there is none. */
export function doeModesHex(modes: readonly ControlMode[]): string | undefined {
  const bits = modes.filter((mode) => mode in DOE_BITS).map((mode) => 2 ** DOE_BITS[mode as keyof typeof DOE_BITS]);
  if (bits.length === 0) return undefined;
  return bits
    .reduce((sum, bit) => sum + bit)
    .toString(16)
    .toUpperCase()
    .padStart(2, "0");
}

/**
 * Reads a DERControlBase whose shape is right already.
 * @throws XmlFault when a value is out of its range
 * @throws UnsupportedMode when it asks for something that is not among `supported`
 */
export function readModes(base: XmlElement, supported: readonly ControlMode[]): ControlModes {
  const fixedW = optionalNumber(base, "opModFixedW", -10_000, 10_000);
  const maxLimW = optionalNumber(base, "opModMaxLimW", 0, 10_000);
  const target = childOf(base, "opModTargetW") ?? extensionOf(base, "opModStorageTargetW", supported);
  const targetW = target === undefined ? undefined : wattsOf(target);
  const mostOutW = least(base, supported, ["opModExpLimW", "opModGenLimW"]);
  const mostInW = least(base, supported, ["opModImpLimW", "opModLoadLimW"]);
  optionalNumber(base, "rampTms", 0, 65_535);
  const flags = ["opModConnect", "opModEnergize"]
    .map((name) => childOf(base, name))
    .filter((flag) => flag !== undefined);
  for (const flag of flags) checkBoolean(flag);
  if (fixedW !== undefined && targetW !== undefined) {
    throw new XmlFault("opModFixedW and opModTargetW in one control contradict each other");
  }
  for (const { name } of base.children) {
    if (name !== "rampTms" && !supported.some((mode) => mode === name))
      throw new UnsupportedMode(`${name} is not supported`);
  }
  return {
    ...(fixedW !== undefined && { fixedW }),
    ...(targetW !== undefined && { targetW }),
    ...(maxLimW !== undefined && { maxLimW }),
    ...(mostOutW !== undefined && { mostOutW }),
    ...(mostInW !== undefined && { mostInW }),
    ...(flags.length > 0 && { isOff: flags.some(({ text }) => text === "false" || text === "0") }),
  };
}

export function isEmpty(modes: ControlModes): boolean {
  return Object.keys(modes).length === 0;
}

/** True if two controls set the same thing, so that only one of them can hold. */
export function collide(one: ControlModes, other: ControlModes): boolean {
  const setsPower = (modes: ControlModes) => modes.fixedW !== undefined || modes.targetW !== undefined;
  const alone = ["maxLimW", "mostOutW", "mostInW", "isOff"] as const;
  const both = alone.some((mode) => one[mode] !== undefined && other[mode] !== undefined);
  return (setsPower(one) && setsPower(other)) || both;
}

/** An element of CSIP-AUS, if this device knows it; its own children are the standard's. */
function extensionOf(base: XmlElement, name: ControlMode, supported: readonly ControlMode[]): XmlElement | undefined {
  if (!supported.includes(name)) return undefined;
  const found = base.children.find((child) => child.name === name && child.namespace.startsWith(CSIP_AUS));
  return found && { ...found, namespace: base.namespace };
}

/** The smaller of two limits of CSIP-AUS, W. @throws XmlFault for a negative one */
function least(base: XmlElement, supported: readonly ControlMode[], names: readonly ControlMode[]): number | undefined {
  const limits = names.map((name) => extensionOf(base, name, supported)).filter((limit) => limit !== undefined);
  const watts = limits.map(wattsOf);
  if (watts.some((limit) => limit < 0)) throw new XmlFault("a limit is negative");
  return watts.length === 0 ? undefined : Math.min(...watts);
}
