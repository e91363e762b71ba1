import type { Baseline, PowerControl, RawPoints } from "./control.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";
import { encodeNumber, writableType } from "./point-types.ts";
import type { SunSpecQuirks } from "./quirks.ts";

/** One request: consecutive registers. */
export interface WriteStep {
  readonly address: number;
  readonly values: readonly number[];
}

/**
 * The requests that bring an order to a device: neighbours together, the one with the enabling point last, so that
 * nothing comes into force before its value and its reversion time are there.
 *
 * @param rearm how a new value comes into force in this device
 */
export function orderSteps(
  control: PowerControl,
  block: ModelBlock<ModelTable>,
  points: RawPoints,
  rearm: SunSpecQuirks["rearm"] = "none",
): WriteStep[] {
  const enable = points.get(control.enable);
  if (rearm === "none" || enable === undefined || enable === 0) return steps(control, block, points);
  const values = new Map(points);
  values.delete(control.enable);
  const isOn = (block.raw(control.enable) ?? 0) !== 0;
  const isNew = [...values].some(([name, raw]) => block.raw(name) !== raw);
  return [
    ...steps(control, block, values),
    // Only for a moment, and only where a new value would not count without it.
    ...(rearm === "toggle" && isOn && isNew ? steps(control, block, new Map([[control.enable, 0]])) : []),
    ...steps(control, block, new Map([[control.enable, enable]])),
  ];
}

/**
 * The requests that give a device its baseline back. Where nothing was in force before, the command is taken off first
 * and the values follow; a limit of the device's own comes back with its value, without a moment of no limit at all.
 */
export function restoreSteps(
  control: PowerControl,
  block: ModelBlock<ModelTable>,
  baseline: Baseline,
  rearm: SunSpecQuirks["rearm"] = "none",
): WriteStep[] {
  if (baseline.enabled) return orderSteps(control, block, baseline.points, rearm);
  const off = new Map([[control.enable, 0]]);
  const values = new Map(baseline.points);
  values.delete(control.enable);
  return [...steps(control, block, off), ...steps(control, block, values)];
}

/** Registers that the requests write, each as often as it is written. */
export function registersOf(requests: readonly WriteStep[]): number[] {
  return requests.flatMap(({ address, values }) => values.map((_, index) => address + index));
}

interface Run extends WriteStep {
  readonly values: number[];
  hasEnable: boolean;
}

function steps(control: PowerControl, block: ModelBlock<ModelTable>, points: RawPoints): WriteStep[] {
  return runs(control, block, points)
    .sort((a, b) => Number(a.hasEnable) - Number(b.hasEnable) || a.address - b.address)
    .map(({ address, values }) => ({ address, values }));
}

function runs(control: PowerControl, block: ModelBlock<ModelTable>, points: RawPoints): Run[] {
  const byOffset = [...points].sort(([a], [b]) => block.point(a).offset - block.point(b).offset);
  const found: Run[] = [];
  for (const [name, raw] of byOffset) {
    // `Conn` of 123 stands among these registers; what is not meant never gets here.
    if (!control.written.includes(name)) throw new RangeError(`${name} of model ${control.model} is never written`);
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
  }
  return found;
}
