import type { ResourceKind } from "../../../src/model/resource.ts";
import { batteryRates124 } from "./battery-rates-124.ts";
import { batterySetpoint704 } from "./battery-setpoint-704.ts";
import type { PlacedControl, PowerControl } from "./control.ts";
import { readBlock } from "./model-block.ts";
import { findModel, type ModelChain } from "./model-chain.ts";
import type { Registers } from "./registers.ts";
import { solarLimit123 } from "./solar-limit-123.ts";
import { solarLimit704 } from "./solar-limit-704.ts";

/** The controls for a kind of device, the better one first. */
export function controlsFor(kind: ResourceKind, minPercent: number): readonly PowerControl[] {
  if (kind === "solar") return [solarLimit704, solarLimit123(minPercent)];
  if (kind === "battery") return [batterySetpoint704, batteryRates124];
  return [];
}

/** Takes the first control that the device has, and that the config allows; nothing if there is none. */
export async function chooseControl(
  registers: Registers,
  chain: ModelChain,
  controls: readonly PowerControl[],
  signal: AbortSignal,
): Promise<PlacedControl | undefined> {
  for (const control of controls) {
    const entry = findModel(chain, control.table);
    if (entry === undefined) continue;
    const block = await readBlock(registers, control.table, entry, signal);
    if (control.usable(block)) return { control, entry };
  }
  return undefined;
}
