import type { ResourceKind } from "../../../src/model/resource.ts";
import { batteryRates124 } from "./battery-rates-124.ts";
import { batterySetpoint704 } from "./battery-setpoint-704.ts";
import type { PlacedControl, PowerControl } from "./control.ts";
import type { ModelChain } from "./model-chain.ts";
import { modelReader } from "./model-reader.ts";
import type { Registers } from "./registers.ts";
import { solarLimit123 } from "./solar-limit-123.ts";
import { solarLimit704 } from "./solar-limit-704.ts";

/** Some inverters drop off the grid or lock up at 0 % of model 123. */
const LEAST_PERCENT_123 = 1;

/** The controls for a kind of device, the better one first. @param minPercent least limit; absent takes what is wise for the model */
export function controlsFor(kind: ResourceKind, minPercent: number | undefined): readonly PowerControl[] {
  if (kind === "solar") return [solarLimit704(minPercent ?? 0), solarLimit123(minPercent ?? LEAST_PERCENT_123)];
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
  const read = modelReader(registers, chain, signal);
  for (const control of controls) {
    const block = await read(control.table);
    if (block !== undefined && control.usable(block)) return { control, entry: block.entry };
  }
  return undefined;
}
