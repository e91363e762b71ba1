import { z } from "zod";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { Baseline, Order, PowerControl, RawPoints } from "./control.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";

const text = z.string().max(64).optional();

/** Raw, with the power of ten that they had, by point name. */
const points = z.record(z.string().max(32), z.object({ raw: z.int(), scale: z.int() }));
type KeptPoints = z.infer<typeof points>;

/** A baseline as it lies on the disk, with what it belongs to. */
export const keptBaseline = z.object({
  model: z.enum(["123", "124", "704"]),
  /** Of the device that held it: another one at the same address does not get it. */
  identity: z.object({ vendor: text, model: text, serial: text }),
  enabled: z.boolean(),
  points,
  /** What we wrote, the newest last: the last may not have got through, so that the one before may still stand there. */
  written: z.array(points).max(2),
});

export type KeptBaseline = z.infer<typeof keptBaseline>;

/** What to keep of a baseline. */
export function keptFrom(
  control: PowerControl,
  block: ModelBlock<ModelTable>,
  baseline: Baseline,
  { vendor, model, serial }: DeviceIdentity,
): KeptBaseline {
  return {
    model: control.model,
    identity: { vendor, model, serial },
    enabled: baseline.enabled,
    points: withScale(block, baseline.points),
    written: [],
  };
}

/** The same with what is about to be written. */
export function withOrder(kept: KeptBaseline, block: ModelBlock<ModelTable>, order: Order): KeptBaseline {
  const told = new Map(order.verify.map((name) => [name, order.points.get(name) ?? 0]));
  const next = withScale(block, told);
  const last = kept.written.at(-1);
  if (last !== undefined && JSON.stringify(last) === JSON.stringify(next)) return kept;
  return { ...kept, written: [...(last === undefined ? [] : [last]), next] };
}

/** The baseline in the scale that the device has now; what it does not implement any more is left out. */
export function baselineFrom(kept: KeptBaseline, control: PowerControl, block: ModelBlock<ModelTable>): Baseline {
  return { points: inScale(kept.points, control, block), enabled: kept.enabled };
}

/** True if the block is in force with values that neither we wrote nor were there before us: somebody else's. */
export function isForeign(kept: KeptBaseline, control: PowerControl, block: ModelBlock<ModelTable>): boolean {
  if ((block.raw(control.enable) ?? 0) === 0) return false;
  const ours = kept.written.map((written) => inScale(written, control, block));
  return ours.length > 0 && ours.every((told) => [...told].some(([name, raw]) => block.raw(name) !== raw));
}

function withScale(block: ModelBlock<ModelTable>, raws: RawPoints): KeptPoints {
  return Object.fromEntries([...raws].map(([name, raw]) => [name, { raw, scale: block.scaleOf(name) ?? 0 }]));
}

function inScale(kept: KeptPoints, control: PowerControl, block: ModelBlock<ModelTable>): Map<string, number> {
  const raws = new Map<string, number>();
  for (const [name, { raw, scale }] of Object.entries(kept)) {
    if (!control.written.includes(name) || !block.implemented(name)) continue;
    raws.set(name, Math.trunc(raw * 10 ** (scale - (block.scaleOf(name) ?? scale))));
  }
  return raws;
}
