import type { DefaultControl } from "../config.ts";
import { type ControlEvent, isOperators } from "../controls/control-event.ts";
import type { PolledDevice } from "../polled-device.ts";
import type { DevicePaths, ProgramPaths } from "./paths.ts";

/** A DERProgram of a device: whose it is, and what stands in it. */
export interface Program {
  readonly name: "market" | "operator";
  readonly primacy: number;
  readonly paths: ProgramPaths;
  /** What makes its mRIDs, and those of its assignment and default, different from another's. */
  readonly mark: string;
  controls(): readonly ControlEvent[];
  bounds(): DefaultControl;
}

/** The programs of a device, the strongest first; one for all where the operator has none of its own. */
export function programsOf(device: PolledDevice, paths: DevicePaths): readonly Program[] {
  const { desk, defaults, primacy, operatorPrimacy } = device;
  const isApart = operatorPrimacy !== undefined;
  const market: Program = {
    name: "market",
    primacy,
    paths,
    mark: "",
    controls: () => desk.controls().filter((event) => !isApart || !isOperators(event)),
    // Also what an operator has set: a bound that it has taken away would hold on here.
    bounds: () => defaults.bounds,
  };
  if (!isApart) return [market];
  const operator: Program = {
    name: "operator",
    primacy: operatorPrimacy,
    paths: paths.operator,
    mark: " operator",
    controls: () => desk.orders(),
    bounds: () => defaults.set,
  };
  return [operator, market];
}
