import { z } from "zod";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { Baseline, PowerControl } from "./control.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";

const text = z.string().max(64).optional();

/** A baseline as it lies on the disk, with what it belongs to. */
export const keptBaseline = z.object({
  model: z.enum(["123", "124", "704"]),
  /** Of the device that held it: another one at the same address does not get it. */
  identity: z.object({ vendor: text, model: text, serial: text }),
  enabled: z.boolean(),
  /** Raw, with the power of ten that they had, by point name. */
  points: z.record(z.string().max(32), z.object({ raw: z.int(), scale: z.int() })),
});

export type KeptBaseline = z.infer<typeof keptBaseline>;

/** What to keep of a baseline. */
export function keptFrom(
  control: PowerControl,
  block: ModelBlock<ModelTable>,
  baseline: Baseline,
  { vendor, model, serial }: DeviceIdentity,
): KeptBaseline {
  const points = [...baseline.points].map(([name, raw]) => [name, { raw, scale: block.scaleOf(name) ?? 0 }] as const);
  return {
    model: control.model,
    identity: { vendor, model, serial },
    enabled: baseline.enabled,
    points: Object.fromEntries(points),
  };
}

/** The baseline in the scale that the device has now; what it does not implement any more is left out. */
export function baselineFrom(kept: KeptBaseline, control: PowerControl, block: ModelBlock<ModelTable>): Baseline {
  const points = new Map<string, number>();
  for (const [name, { raw, scale }] of Object.entries(kept.points)) {
    if (!control.written.includes(name) || !block.implemented(name)) continue;
    points.set(name, Math.trunc(raw * 10 ** (scale - (block.scaleOf(name) ?? scale))));
  }
  return { points, enabled: kept.enabled };
}
