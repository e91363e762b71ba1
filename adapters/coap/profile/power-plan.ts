import type { RawValue } from "../payload/format.ts";
import type { ControlRange } from "./control-range.ts";
import { type ControlSpec, type StepSpec, type WriteSpec, writesOf } from "./control-schema.ts";
import type { PointSpec } from "./point-schema.ts";
import { fromExportW, type PointValue, rawOf } from "./point-value.ts";

/** One request that writes: points of one resource. */
export interface PlannedWrite {
  readonly resource: string;
  readonly parts: readonly PlannedPart[];
}

export interface PlannedPart {
  readonly point: string;
  /** In the point's unit. */
  readonly value: PointValue;
  readonly raw: RawValue;
  /** False for a time that counts down: it is not what was written when it is read back. */
  readonly isKept: boolean;
  /** True: it need not be written where the device shows it already. */
  readonly onlyIfChanged: boolean;
}

export interface PowerPlan {
  /** kW, export positive: what is left after the device's steps. */
  readonly appliedKW: number;
  readonly writes: readonly PlannedWrite[];
}

type Points = Readonly<Record<string, PointSpec>>;

/** What the writes of an order are. @param powerKW export positive @param reversionS whole seconds */
export function planPower(
  spec: ControlSpec,
  powerKW: number,
  reversionS: number,
  range: ControlRange,
  points: Points,
): PowerPlan {
  const appliedW = appliedPowerW(spec, powerKW * 1000, range);
  const writes = spec.sequence
    .map((step) => plannedStep(step, appliedW, reversionS, range, points))
    .filter((write) => write !== undefined);
  return { appliedKW: appliedW / 1000 + 0, writes };
}

/** Writes that mean the same whatever was ordered. */
export function planRelease(steps: readonly StepSpec[], range: ControlRange, points: Points): PlannedWrite[] {
  return steps.map((step) => plannedStep(step, 0, 0, range, points)).filter((write) => write !== undefined);
}

/** Writes that bring back what points held, neighbours in one resource together. */
export function planBaseline(kept: readonly (readonly [string, PointValue])[], points: Points): PlannedWrite[] {
  const byResource = new Map<string, PlannedPart[]>();
  for (const [point, value] of kept) {
    const spec = points[point];
    if (spec === undefined) continue;
    const parts = byResource.get(spec.resource) ?? [];
    parts.push({ point, value, raw: rawOf(spec, value), isKept: true, onlyIfChanged: true });
    byResource.set(spec.resource, parts);
  }
  return [...byResource].map(([resource, parts]) => ({ resource, parts }));
}

/** W, export positive, within the range and on the device's steps, never beyond the order. */
function appliedPowerW(spec: ControlSpec, powerW: number, range: ControlRange): number {
  const mostW = powerW < 0 ? range.consumptionW : range.generationW;
  const stepW = spec.convert.step * range.unitW;
  const wantedW = Math.min(Math.abs(powerW), mostW);
  // A whole number of steps stays one, whatever the last binary digit says.
  const onStepW = Math.floor(wantedW / stepW + 1e-9) * stepW;
  return onStepW < range.leastW ? 0 : Math.sign(powerW) * onStepW + 0;
}

function plannedStep(
  step: StepSpec,
  powerW: number,
  reversionS: number,
  range: ControlRange,
  points: Points,
): PlannedWrite | undefined {
  const way = powerW < 0 ? "consumption" : powerW > 0 ? "generation" : "zero";
  const parts: PlannedPart[] = [];
  let resource: string | undefined;
  for (const write of writesOf(step)) {
    const spec = points[write.point];
    if (spec === undefined || (write.when !== undefined && write.when !== way)) continue;
    resource = spec.resource;
    const value = writtenValue(write.value, spec, powerW, reversionS, range);
    const { point, onlyIfChanged } = write;
    parts.push({ point, value, raw: rawOf(spec, value), isKept: write.value !== "reversion", onlyIfChanged });
  }
  return resource === undefined ? undefined : { resource, parts };
}

function writtenValue(
  value: WriteSpec["value"],
  spec: PointSpec,
  powerW: number,
  reversionS: number,
  range: ControlRange,
): PointValue {
  if (typeof value !== "string") return value;
  // In percent the unit is of the range; in watts the point says its own.
  const quantity = (partW: number) =>
    range.isPercent ? Math.abs(partW) / range.unitW : Math.abs(fromExportW(spec, partW));
  switch (value) {
    case "power":
      return range.isPercent ? fromExportW({ ...spec, unit: "W" }, powerW) / range.unitW : fromExportW(spec, powerW);
    case "consumption":
      return quantity(Math.min(powerW, 0));
    case "generation":
      return quantity(Math.max(powerW, 0));
    case "magnitude":
      return quantity(powerW);
    case "reversion":
      return reversionS;
  }
}
