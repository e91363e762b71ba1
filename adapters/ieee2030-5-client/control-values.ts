import { scaled } from "../ieee2030-5/xml/active-power.ts";
import { BadDocument, integerOf, isSep, type XmlElement } from "../ieee2030-5/xml/xml-element.ts";

/** The controls that the client carries out. */
export const MODES = [
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
] as const;

export type Mode = (typeof MODES)[number];

/**
 * Controls of one event or default, by name: 0 or 1 for connect and energize, hundredths of a percent for FixedW and MaxLimW,
 * watts for the rest.
 */
export type ControlValues = Readonly<Partial<Record<Mode, number>>>;

/** Namespaces of CSIP-AUS begin like this; each edition has one of its own. */
const CSIP_AUS = "https://csipaus.org/ns";
const OWN_OF_CSIP_AUS: readonly string[] = [
  "opModImpLimW",
  "opModExpLimW",
  "opModGenLimW",
  "opModLoadLimW",
  "opModStorageTargetW",
];
const SHARES: readonly string[] = ["opModFixedW", "opModMaxLimW"];
const SWITCHES: readonly string[] = ["opModConnect", "opModEnergize"];
const ORDERS: readonly string[] = ["opModFixedW", "opModTargetW", "opModStorageTargetW"];
const MOST_RAMP = 65_535;

/** True for a control in hundredths of a percent. */
export function isShare(mode: Mode): boolean {
  return SHARES.includes(mode);
}

/** True for a control that is on or off. */
export function isSwitch(mode: Mode): boolean {
  return SWITCHES.includes(mode);
}

/** True for a power to hold, which has a direction; a limit has none of its own. */
export function isOrder(mode: Mode): boolean {
  return ORDERS.includes(mode);
}

/** Time in which a control is to be reached, s; absent where its default rate holds. */
export function readRampS(base: XmlElement): number | undefined {
  const hundredths = integerOf(base, "rampTms", 0, MOST_RAMP);
  return hundredths === undefined ? undefined : hundredths / 100;
}

/**
 * Reads what is understood of a DERControlBase; the rest is left out.
 * @throws BadDocument for a value that its control can't have
 */
export function readControlValues(base: XmlElement): ControlValues {
  const values: Partial<Record<Mode, number>> = {};
  for (const child of base.children) {
    const isOfAus = child.namespace.startsWith(CSIP_AUS);
    if (!isSep(child) && !isOfAus) continue;
    const mode = MODES.find((one) => one === child.name && OWN_OF_CSIP_AUS.includes(one) === isOfAus);
    if (mode === undefined) continue;
    if (values[mode] !== undefined) throw new BadDocument(`DERControlBase has ${mode} twice`);
    values[mode] = controlValue(mode, child);
  }
  return values;
}

function controlValue(mode: Mode, element: XmlElement): number {
  if (isSwitch(mode)) return switchOf(element);
  if (isShare(mode)) {
    // 2023 wraps the number in a type of its own.
    const text = element.children.length === 0 ? element.text : (partOf(element, "value") ?? "");
    return wholeNumber(mode, text, mode === "opModFixedW" ? -10_000 : 0, 10_000);
  }
  const watts = wholeNumber(mode, partOf(element, "value") ?? "", -2_147_483_648, 2_147_483_647);
  const powerW = scaled(watts, wholeNumber(mode, partOf(element, "multiplier") ?? "0", -9, 9));
  if (powerW < 0 && !isOrder(mode))
    throw new BadDocument(`${mode} is ${powerW} W; a limit has no direction of its own`);
  return powerW;
}

function switchOf({ name, text }: XmlElement): number {
  if (text === "true" || text === "1") return 1;
  if (text === "false" || text === "0") return 0;
  throw new BadDocument(`${name} is "${text.slice(0, 40)}", expected true or false`);
}

function partOf(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

function wholeNumber(mode: string, text: string, least: number, most: number): number {
  const value = /^[+-]?\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new BadDocument(`${mode} is "${text.slice(0, 40)}", expected a whole number ${least}..${most}`);
  }
  return value;
}
