import type { Objective } from "../model/objective.ts";
import { ObjectiveProgress } from "./objective-progress.ts";

type Registers = Parameters<ObjectiveProgress["take"]>[0];

/** What a device wants by its own account, as a car with a time of departure does, and what it got of that since. */
export class OwnGoal {
  #objective: Objective | undefined;
  #progress = new ObjectiveProgress();

  get objective(): Objective | undefined {
    return this.#objective;
  }

  deliveredKWh(roundTripEfficiency: number): number {
    return this.#progress.deliveredKWh(roundTripEfficiency);
  }

  /**
   * The same goal again changes nothing; absent, there is none any more.
   * @param registers what the meter says now
   */
  set(objective: Objective | undefined, registers: Registers): void {
    if (JSON.stringify(objective) === JSON.stringify(this.#objective)) return;
    this.#objective = objective;
    this.#progress = new ObjectiveProgress();
    this.#progress.take(registers);
  }

  /** Takes the registers of a live reading, kWh. */
  take(registers: Registers): void {
    this.#progress.take(registers);
  }
}
