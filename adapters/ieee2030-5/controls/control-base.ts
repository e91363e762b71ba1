import { type ActivePower, activePowerElements } from "../xml/active-power.ts";
import { CSIPAUS_NAMESPACES, type CsipausVersion } from "../xml/csipaus.ts";
import { element, type OutElement, tag } from "../xml/xml-write.ts";
import { type ControlName, type Controls, CSIPAUS_CONTROLS, STANDARD_CONTROLS } from "./control-names.ts";
import type { ControlPower } from "./control-power.ts";
import { controlsOfOrder, isOrder, type OrderedControls } from "./operator-order.ts";

/** What is the same in every control of one device. */
export interface BaseWriting {
  /** In how many hundredths of a second the device is to move from one power to the next, 0..65535; absent: its own way. */
  readonly rampTms?: number | undefined;
  /** Version of CSIP-AUS; absent: 1.2. */
  readonly csipaus?: CsipausVersion | undefined;
}

/** A DERControlBase with these controls, in schema order. */
export function baseOf(controls: Controls, { rampTms, csipaus = "1.2" }: BaseWriting = {}): OutElement {
  const written = (name: ControlName, tagName: string) => {
    const value = controls.get(name);
    if (value === undefined) return undefined;
    return element(tagName, typeof value === "object" ? activePowerElements(value) : value);
  };
  const isExtended = CSIPAUS_CONTROLS.some((name) => controls.has(name));
  return tag("DERControlBase", isExtended ? { "xmlns:csipaus": CSIPAUS_NAMESPACES[csipaus] } : {}, [
    ...STANDARD_CONTROLS.map((name) => written(name, name)),
    rampTms === undefined ? undefined : element("rampTms", rampTms),
    ...CSIPAUS_CONTROLS.map((name) => written(name, `csipaus:${name}`)),
  ]);
}

/** The DERControlBase that orders this power. */
export function controlBase(power: ControlPower | OrderedControls, writing: BaseWriting = {}): OutElement {
  return baseOf(controlsOf(power), writing);
}

/** Names of the controls that order this power. */
export function controlNames(power: ControlPower | OrderedControls): readonly ControlName[] {
  return [...controlsOf(power).keys()];
}

function controlsOf(power: ControlPower | OrderedControls): Controls {
  if (isOrder(power)) return controlsOfOrder(power.order);
  if ("limits" in power) return new Map(power.limits.map(({ name, watts }) => [name, watts]));
  if ("hundredths" in power) return new Map([[power.mode, power.hundredths]]);
  return new Map<ControlName, boolean | ActivePower>([[power.mode, "on" in power ? power.on : power.watts]]);
}
