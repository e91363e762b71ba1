import type { Baseline, PowerControl, RawPoints } from "./control.ts";
import type { ModelBlock } from "./model-block.ts";
import { sizeOf } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";
import { encodeNumber, writableType } from "./point-types.ts";

/** One request: consecutive registers. */
export interface WriteStep {
  readonly address: number;
  readonly values: readonly number[];
}

/**
 * The requests that bring an order to a device: neighbours together, the one with the enabling point last, so that
 * nothing comes into force before its value and its reversion time are there.
 */
export function orderSteps(control: PowerControl, block: ModelBlock<ModelTable>, points: RawPoints): WriteStep[] {
  return runs(control, block, points)
    .sort((a, b) => Number(a.hasEnable) - Number(b.hasEnable) || a.address - b.address)
    .map(({ address, values }) => ({ address, values }));
}

/**
 * The requests that give a device its baseline back. Where nothing was in force before, the command is taken off first
 * and the values follow; a limit of the device's own comes back with its value, without a moment of no limit at all.
 */
export function restoreSteps(control: PowerControl, block: ModelBlock<ModelTable>, baseline: Baseline): WriteStep[] {
  if (baseline.enabled) return orderSteps(control, block, baseline.points);
  const off = new Map([[control.enable, 0]]);
  const values = new Map(baseline.points);
  values.delete(control.enable);
  return [...orderSteps(control, block, off), ...orderSteps(control, block, values)];
}

interface Run {
  readonly address: number;
  readonly values: number[];
  hasEnable: boolean;
}

function runs(control: PowerControl, block: ModelBlock<ModelTable>, points: RawPoints): Run[] {
  const byOffset = [...points].sort(([a], [b]) => block.point(a).offset - block.point(b).offset);
  const found: Run[] = [];
  for (const [name, raw] of byOffset) {
    const point = block.point(name);
    const address = block.entry.address + point.offset;
    const values = encodeNumber(writableType(point.type), raw);
    const before = found.at(-1);
    if (before !== undefined && before.address + before.values.length === address) {
      before.values.push(...values);
      before.hasEnable ||= name === control.enable;
    } else {
      found.push({ address, values: [...values], hasEnable: name === control.enable });
    }
    if (values.length !== sizeOf(point)) throw new RangeError(`${name} does not take ${values.length} registers`);
  }
  return found;
}
