import { definedOnly } from "../../../src/model/defined-only.ts";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { ModelChain } from "./model-chain.ts";
import { modelReader } from "./model-reader.ts";
import { common } from "./models/common.ts";
import type { Registers } from "./registers.ts";

/** Who made it, by the first common model; nothing of a device that sleeps. */
export async function readIdentity(
  registers: Registers,
  chain: ModelChain,
  signal: AbortSignal,
): Promise<DeviceIdentity> {
  const block = await modelReader(registers, chain, signal)(common);
  if (block === undefined) return {};
  return definedOnly<DeviceIdentity>({
    vendor: block.text("Mn"),
    model: block.text("Md"),
    firmware: block.text("Vr"),
    serial: block.text("SN"),
  });
}

/** A sleeping device may not tell its name; only a name that is known and different makes it another device. */
export function sameDevice(
  a: { readonly [K in "vendor" | "model" | "serial"]?: string | undefined },
  b: { readonly [K in "vendor" | "model" | "serial"]?: string | undefined },
): boolean {
  const differs = (x: string | undefined, y: string | undefined) => x !== undefined && y !== undefined && x !== y;
  return !differs(a.vendor, b.vendor) && !differs(a.model, b.model) && !differs(a.serial, b.serial);
}
