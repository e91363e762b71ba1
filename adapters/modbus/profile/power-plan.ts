import type { ControlRange } from "./control-range.ts";
import {
  type ControlSpec,
  type FixedStep,
  type PlainValue,
  type StepSpec,
  type ValueSpec,
  type WriteSpec,
  writesOf,
} from "./control-schema.ts";
import { baseFactor, type Lookup, type Point, pointValue, registersFor } from "./point.ts";
import { ProfileError } from "./profile-error.ts";

/** One request to the device. */
export interface PlannedWrite {
  readonly space: "holding" | "coil";
  readonly address: number;
  readonly registers: readonly number[];
  readonly fc: 6 | 16;
  readonly parts: readonly PlannedPart[];
}

/** One point of a request. */
export interface PlannedPart {
  readonly point: Point;
  readonly registers: readonly number[];
  readonly onlyIfChanged: boolean;
  /** False for a timer, which reads other than it was written a moment later. */
  readonly isKept: boolean;
}

/** What brings a power to the device. */
export interface PowerPlan {
  readonly writes: readonly PlannedWrite[];
  /** kW, export positive, after limits and the device's own steps. */
  readonly appliedKW: number;
  /** The command in the device's own terms, for a person. */
  readonly command: string;
}

/** What a plan needs to know of the device. */
export interface PlanContext {
  readonly points: ReadonlyMap<string, Point>;
  readonly range: ControlRange;
  /** Whole seconds after which the device falls back by itself, where it can be told. */
  readonly reversionS: number;
  readonly look: Lookup;
  /** Registers that a point holds now, for `keep`. */
  readonly registersOf: (name: string) => readonly number[] | undefined;
}

type Direction = "consumption" | "generation" | "zero";

/** A target in W, A or %. */
interface Aim {
  readonly direction: Direction;
  readonly magnitude: number;
}

/**
 * The requests for a power, pure: it writes nothing.
 * @param powerKW export positive; what is beyond the limits is cut to them
 * @throws ProfileError `refused` for a power that the device does not take, `protocol` where a number does not fit
 */
export function planPower(control: ControlSpec, powerKW: number, context: PlanContext): PowerPlan {
  const aim = aimOf(control, powerKW, context.range);
  if (aim.direction === "zero" && control.convert.zero === "refuse") {
    throw new ProfileError("refused", "this device does not take 0 kW");
  }
  if (aim.direction === "zero" && control.convert.zero === "off") {
    const writes = planFixed(control.off ?? [], context);
    return { writes, appliedKW: 0, command: `off: ${textOf(writes, context.look)}` };
  }
  const steps = [...control.sequence.flatMap((step) => ofDirection(step, aim.direction)), ...enableStep(control)];
  const writes = steps.map((step) => plannedWrite(writesOf<WriteSpec>(step), aim, control.convert.round, context));
  const appliedKW = appliedOf(steps, writes, aim, context);
  return { writes, appliedKW, command: textOf(writes, context.look) };
}

/** Writes of numbers that have nothing to do with a power. */
export function planFixed(fixed: readonly FixedStep[], context: PlanContext): readonly PlannedWrite[] {
  const aim: Aim = { direction: "zero", magnitude: 0 };
  return fixed.map((step) => {
    const writes = writesOf(step).map((one) => ({ ...one, onlyIfChanged: false }));
    return plannedWrite(writes, aim, "down", context);
  });
}

function aimOf(control: ControlSpec, powerKW: number, range: ControlRange): Aim {
  const direction: Direction = powerKW > 0 ? "generation" : powerKW < 0 ? "consumption" : "zero";
  if (direction === "zero") {
    if (control.convert.zero !== "least") return { direction, magnitude: 0 };
    const way = range.generation > 0 ? "generation" : "consumption";
    return { direction: way, magnitude: Math.min(range.least, range[way]) };
  }
  const magnitude = Math.min(Math.abs(powerKW) * range.perKW, range[direction]);
  if (magnitude <= 0) return { direction: "zero", magnitude: 0 };
  if (magnitude >= range.least) return { direction, magnitude };
  return control.limits.belowLeast === "least"
    ? { direction, magnitude: Math.min(range.least, range[direction]) }
    : { direction: "zero", magnitude: 0 };
}

function ofDirection(step: StepSpec, direction: Direction): readonly StepSpec[] {
  const writes = writesOf<WriteSpec>(step).filter(({ when }) => when === undefined || when === direction);
  if (writes.length === 0) return [];
  return "atomic" in step ? [{ atomic: [...writes] }] : [writes[0] as WriteSpec];
}

function enableStep({ enable }: ControlSpec): readonly StepSpec[] {
  return enable === undefined ? [] : [{ ...enable, onlyIfChanged: false }];
}

function plannedWrite(
  writes: readonly WriteSpec[],
  aim: Aim,
  round: "down" | "nearest",
  context: PlanContext,
): PlannedWrite {
  const parts = writes
    .map((write) => plannedPart(write, aim, round, context))
    .sort((a, b) => a.point.address - b.point.address);
  const first = parts[0] as PlannedPart;
  const registers = parts.flatMap((part) => part.registers);
  const fc = first.point.writeFunction ?? (registers.length === 1 ? 6 : 16);
  const space = first.point.space === "coil" ? "coil" : "holding";
  return { space, address: first.point.address, registers, fc, parts };
}

function plannedPart(write: WriteSpec, aim: Aim, round: "down" | "nearest", context: PlanContext): PlannedPart {
  const point = context.points.get(write.point);
  if (point === undefined) throw new ProfileError("protocol", `there is no point ${write.point}`);
  const word = wordOf(write.value, aim);
  const registers = word === "keep" ? keptRegisters(point, context) : encoded(point, word, aim, round, context);
  return { point, registers, onlyIfChanged: write.onlyIfChanged, isKept: word !== "reversion" };
}

function keptRegisters(point: Point, context: PlanContext): readonly number[] {
  const registers = context.registersOf(point.readAs ?? point.name);
  if (registers === undefined) throw new ProfileError("refused", `${point.name} is to be kept and cannot be read`);
  return registers;
}

function encoded(
  point: Point,
  word: Exclude<PlainValue, "keep">,
  aim: Aim,
  round: "down" | "nearest",
  context: PlanContext,
): readonly number[] {
  try {
    if (typeof word === "number") return registersFor(point, word, "nearest", context.look);
    const value = inBaseUnits(word, point, aim, context) / baseFactor(point);
    return registersFor(point, value, round, context.look);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProfileError("protocol", error.message, { cause: error });
  }
}

function inBaseUnits(word: Exclude<PlainValue, number | "keep">, point: Point, aim: Aim, context: PlanContext): number {
  const { range } = context;
  switch (word) {
    case "power": {
      const positive = aim.direction === (point.sign ?? "generation");
      return positive ? aim.magnitude : 0 - aim.magnitude;
    }
    case "consumption":
    case "generation":
      return aim.direction === word ? aim.magnitude : 0;
    case "magnitude":
      return aim.magnitude;
    case "reversion":
      return context.reversionS;
    case "maxConsumption":
      return range.consumption;
    case "maxGeneration":
      return range.generation;
  }
}

function wordOf(value: ValueSpec, aim: Aim): PlainValue {
  return typeof value === "object" ? value[aim.direction] : value;
}

/** What the rounded register says; the plan's own word where no register carries the power. */
function appliedOf(
  steps: readonly StepSpec[],
  writes: readonly PlannedWrite[],
  aim: Aim,
  { range, look }: PlanContext,
): number {
  const turn = aim.direction === "consumption" ? -1 : 1;
  if (aim.direction === "zero") return 0;
  const carrier = steps
    .flatMap((step) => writesOf<WriteSpec>(step))
    .find((write) => ["power", "magnitude", aim.direction].includes(String(wordOf(write.value, aim))));
  const part = writes.flatMap(({ parts }) => parts).find(({ point }) => point.name === carrier?.point);
  const value = part === undefined ? undefined : pointValue(part.point, part.registers, look);
  const magnitude =
    typeof value !== "number" || part === undefined ? aim.magnitude : Math.abs(value) * baseFactor(part.point);
  return Number(((turn * magnitude) / range.perKW).toPrecision(12)) + 0;
}

function textOf(writes: readonly PlannedWrite[], look: Lookup): string {
  return writes
    .flatMap(({ parts }) => parts)
    .map(({ point, registers }) => {
      const value = point.space === "coil" ? registers[0] : pointValue(point, registers, look);
      return `${point.name} ${value ?? registers.join(" ")}${point.unit === undefined ? "" : ` ${point.unit}`}`;
    })
    .join(", ");
}
