import { type ControlValues, modesOf } from "./control-values.ts";
import { STATUS } from "./event-status.ts";
import { serverMrid } from "./server-mrid.ts";

/** A DefaultDERControl: what holds when no event does. */
export interface DefaultControl extends ControlValues {
  /** Hundredths of a percent of setMaxW per second. */
  readonly setGradW?: number | undefined;
}

/** A control as it is ordered. */
export interface NewControl {
  readonly values: ControlValues;
  /** Seconds since 1970. */
  readonly startS: number;
  readonly durationS: number;
  readonly randomizeStartS?: number | undefined;
  readonly randomizeDurationS?: number | undefined;
  /** Least power of ten in which watts are written. */
  readonly multiplier?: number | undefined;
  /** The server's own name for it. */
  readonly tag?: string | undefined;
}

export interface Control extends NewControl {
  readonly id: number;
  readonly mRID: string;
  readonly creationTimeS: number;
  /** When it was cancelled or superseded, or will be; the event itself never changes (2030.5-2018, 10.10.4.2). */
  ended?: { readonly status: typeof STATUS.cancelled | typeof STATUS.superseded; readonly atS: number };
  /** Since when another control overlaps it in some of its modes only. */
  contestedAtS?: number;
}

export interface Program {
  readonly id: number;
  readonly mRID: string;
  readonly primacy: number;
  /** FunctionSetAssignments that it belongs to. */
  readonly fsaId: number;
  readonly tag?: string | undefined;
  default: DefaultControl | undefined;
  readonly controls: Control[];
}

const MAX_CONTROLS = 500;

/** The utility's programs with their controls. They are the same for all devices. */
export class ProgramBook {
  readonly programs: Program[] = [];
  #nextControl = 1;
  readonly #removed = new Set<number>();

  addProgram(options: { primacy: number; fsaId?: number | undefined; tag?: string | undefined }): Program {
    const id = this.programs.length + 1;
    const { primacy, fsaId = 1, tag } = options;
    const program: Program = {
      id,
      mRID: serverMrid("program", id),
      primacy,
      fsaId,
      tag,
      default: undefined,
      controls: [],
    };
    this.programs.push(program);
    return program;
  }

  /** Ids of the FunctionSetAssignments that are served: the first always, others with their first program. */
  assignments(): number[] {
    const ids = new Set([1, ...this.programs.map(({ fsaId }) => fsaId)]);
    return [...ids].filter((id) => !this.#removed.has(id)).sort((one, other) => one - other);
  }

  removeAssignment(id: number): void {
    this.#removed.add(id);
  }

  programsOf(fsaId: number): Program[] {
    return this.programs.filter((program) => program.fsaId === fsaId);
  }

  /**
   * Publishes a control. What it overlaps and outranks in each of its modes is superseded: at once if it would start
   * later, else when the new one starts.
   */
  addControl(program: Program, order: NewControl, nowS: number): Control {
    const id = this.#nextControl++;
    const rivals = this.#contenders(program, order, nowS);
    // "Later" means later: a control that is to outrank one of this second is created in the next.
    const creationTimeS = Math.max(nowS, ...rivals.map(({ control }) => control.creationTimeS + 1));
    const control: Control = { ...order, id, mRID: serverMrid("control", id), creationTimeS };
    const modes = modesOf(order.values);
    for (const { control: rival, primacy } of rivals) {
      const isWhole = modesOf(rival.values).every((mode) => modes.includes(mode));
      const atS = rival.startS >= order.startS ? nowS : Math.max(order.startS, nowS);
      if (isWhole && primacy === program.primacy) rival.ended ??= { status: STATUS.superseded, atS };
      else rival.contestedAtS ??= nowS;
    }
    program.controls.push(control);
    if (program.controls.length > MAX_CONTROLS) program.controls.shift();
    return control;
  }

  cancel(control: Control, nowS: number): void {
    if (control.ended === undefined || control.ended.atS > nowS)
      control.ended = { status: STATUS.cancelled, atS: nowS };
  }

  /** All that have not ended, with their programs. */
  standing(nowS: number): { program: Program; control: Control }[] {
    return this.programs.flatMap((program) =>
      program.controls
        .filter((control) => !isOver(control, nowS) && (control.ended === undefined || control.ended.atS > nowS))
        .map((control) => ({ program, control })),
    );
  }

  #contenders(program: Program, order: NewControl, nowS: number): { control: Control; primacy: number }[] {
    const modes = modesOf(order.values);
    return this.standing(nowS)
      .filter(({ program: { primacy } }) => primacy >= program.primacy)
      .filter(({ control }) => modesOf(control.values).some((mode) => modes.includes(mode)))
      .filter(({ control }) => control.startS < order.startS + order.durationS && order.startS < endOf(control))
      .map(({ control, program: { primacy } }) => ({ control, primacy }));
  }
}

/** True once its interval and its randomised tail are over: then it is no longer listed. */
export function isOver(control: Control, nowS: number): boolean {
  return (
    endOf(control) + Math.max(control.randomizeStartS ?? 0, 0) + Math.max(control.randomizeDurationS ?? 0, 0) <= nowS
  );
}

function endOf({ startS, durationS }: NewControl): number {
  return startS + durationS;
}
