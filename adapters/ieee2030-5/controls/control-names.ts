import type { ActivePower } from "../xml/active-power.ts";

/** Controls of a DERControlBase that we write, in the order of the schema; those of CSIP-AUS stand after all others. */
export const STANDARD_CONTROLS = [
  "opModConnect",
  "opModEnergize",
  "opModFixedW",
  "opModMaxLimW",
  "opModTargetW",
] as const;
export const CSIPAUS_CONTROLS = [
  "opModImpLimW",
  "opModExpLimW",
  "opModGenLimW",
  "opModLoadLimW",
  "opModStorageTargetW",
] as const;

export type ControlName = (typeof STANDARD_CONTROLS)[number] | (typeof CSIPAUS_CONTROLS)[number];

/** One control and its value; a number is hundredths of a percent. */
export type Controls = ReadonlyMap<ControlName, number | boolean | ActivePower>;

/** Controls that each order one power: with two of them at a time nobody could say which. */
const POWERS: readonly ControlName[] = ["opModFixedW", "opModTargetW", "opModStorageTargetW"];

/** True where both orders are about the same thing, so that only one of them can hold. */
export function contend(some: readonly ControlName[], others: readonly ControlName[]): boolean {
  const ordersPower = (names: readonly ControlName[]) => names.some((name) => POWERS.includes(name));
  return some.some((name) => others.includes(name)) || (ordersPower(some) && ordersPower(others));
}
