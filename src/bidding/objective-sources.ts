import { OBJECTIVE_SOURCES, type Objective, type ObjectiveSource } from "../model/objective.ts";
import { ObjectiveProgress } from "./objective-progress.ts";

/** The objective that counts, with the energy that came since it was set. */
export interface CurrentObjective {
  readonly source: ObjectiveSource;
  readonly objective: Objective;
  readonly progress: ObjectiveProgress;
}

type Registers = Parameters<ObjectiveProgress["take"]>[0];

/**
 * The objectives of one resource. The strongest whose deadline lies ahead counts; where none does, the strongest at all, so
 * that what became of it can still be told. Each counts its energy for itself: what came before it was set is not its.
 */
export class ObjectiveSources {
  readonly #bySource = new Map<ObjectiveSource, CurrentObjective>();

  /**
   * Replaces the objective of a source, or takes it away. The same objective again changes nothing.
   * @param registers what the meter says now
   */
  set(source: ObjectiveSource, objective: Objective | undefined, registers: Registers): void {
    if (objective === undefined) {
      this.#bySource.delete(source);
      return;
    }
    if (isSame(this.#bySource.get(source)?.objective, objective)) return;
    const progress = new ObjectiveProgress();
    progress.take(registers);
    this.#bySource.set(source, { source, objective, progress });
  }

  /** Takes the registers of a live reading, kWh. */
  take(registers: Registers): void {
    for (const { progress } of this.#bySource.values()) progress.take(registers);
  }

  current(nowMs: number): CurrentObjective | undefined {
    const all = OBJECTIVE_SOURCES.flatMap((source) => this.#bySource.get(source) ?? []);
    return all.find(({ objective }) => objective.deadlineMs > nowMs) ?? all[0];
  }
}

function isSame(a: Objective | undefined, b: Objective): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify({ ...a, ...b });
}
