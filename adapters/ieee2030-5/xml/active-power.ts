import { BadDocument, childOf, integerOf, type XmlElement } from "./xml-element.ts";
import { element, type OutElement } from "./xml-write.ts";

/** A power as 2030.5 writes it: `value` x 10^`multiplier` watts. */
export interface ActivePower {
  /** -9..9. */
  readonly multiplier: number;
  /** Int16: -32768..32767. */
  readonly value: number;
}

const MOST = 32_767;

/** The finest form that fits 16 bits, whole watts, rounded towards zero; same sign. */
export function activePowerFromWatts(powerW: number): ActivePower {
  // The small term keeps 3500 W from becoming 3499 W when kW times 1000 leaves 3499.9999999999995.
  let magnitude = Math.floor(Math.abs(powerW) + 1e-6);
  let multiplier = 0;
  while (magnitude > MOST && multiplier < 9) {
    magnitude = Math.floor(magnitude / 10);
    multiplier += 1;
  }
  const value = Math.min(magnitude, MOST);
  return { multiplier, value: powerW < 0 && value > 0 ? -value : value };
}

/** Watts, same sign. */
export function wattsFromActivePower(power: ActivePower): number {
  return scaled(power.value, power.multiplier);
}

/** `value` x 10^`exponent`; divides for a negative exponent, since 0.1 is not exact and 10 is. */
export function scaled(value: number, exponent: number): number {
  return exponent < 0 ? value / 10 ** -exponent : value * 10 ** exponent;
}

/** A child of the shape `{multiplier, value}` in its unit, for example watts; absent stays absent. */
export function quantityOf(parent: XmlElement, name: string): number | undefined {
  const child = childOf(parent, name);
  if (child === undefined) return undefined;
  const multiplier = integerOf(child, "multiplier", -9, 9) ?? 0;
  // Ampere hours, watt hours and powers have 16 bits in the schema; some clients write more, and it does no harm.
  const value = integerOf(child, "value", -2_147_483_648, 2_147_483_647);
  if (value === undefined) throw new BadDocument(`${parent.name}.${name} has no value`);
  return scaled(value, multiplier);
}

/** Elements of an ActivePower, in schema order. */
export function activePowerElements(power: ActivePower): OutElement[] {
  return [element("multiplier", power.multiplier), element("value", power.value)];
}
