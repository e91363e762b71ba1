import { checkBoolean, optionalNumber, wattsOf } from "./values.ts";
import { childOf, type XmlElement, XmlFault } from "./xml-in.ts";

/** The kinds of control that the simulated device knows, with their bits in DERControlType. */
export const MODE_BITS = { opModFixedW: 7, opModMaxLimW: 20, opModTargetW: 22 } as const;

export type ControlMode = keyof typeof MODE_BITS;

/** What a DERControlBase asks for; each mode only if it is there. */
export interface ControlModes {
  /** Hundredths of a percent of the rating for that direction; positive gives out, negative takes in. */
  readonly fixedW?: number;
  /** Watts; positive gives out. */
  readonly targetW?: number;
  /** Hundredths of a percent of setMaxW that may be given out at most. */
  readonly maxLimW?: number;
}

/** The control names a mode that this device cannot do. */
export class UnsupportedMode extends Error {
  override readonly name = "UnsupportedMode";
}

/** The modes as a bit mask in hexadecimal, for `modesSupported`. */
export function modesHex(modes: readonly ControlMode[]): string {
  let mask = 0;
  for (const mode of modes) mask += 2 ** MODE_BITS[mode];
  return mask.toString(16).toUpperCase().padStart(8, "0");
}

/**
 * Reads a DERControlBase whose shape is right already.
 * @throws XmlFault when a value is out of its range
 * @throws UnsupportedMode when it asks for something that is not among `supported`
 */
export function readModes(base: XmlElement, supported: readonly ControlMode[]): ControlModes {
  const fixedW = optionalNumber(base, "opModFixedW", -10_000, 10_000);
  const maxLimW = optionalNumber(base, "opModMaxLimW", 0, 10_000);
  const target = childOf(base, "opModTargetW");
  const targetW = target === undefined ? undefined : wattsOf(target);
  optionalNumber(base, "rampTms", 0, 65_535);
  for (const name of ["opModConnect", "opModEnergize"]) {
    const flag = childOf(base, name);
    if (flag !== undefined) checkBoolean(flag);
  }
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
  };
}

export function isEmpty(modes: ControlModes): boolean {
  return Object.keys(modes).length === 0;
}

/** True if two controls set the same thing, so that only one of them can hold. */
export function collide(one: ControlModes, other: ControlModes): boolean {
  const setsPower = (modes: ControlModes) => modes.fixedW !== undefined || modes.targetW !== undefined;
  return (setsPower(one) && setsPower(other)) || (one.maxLimW !== undefined && other.maxLimW !== undefined);
}
