import { ObjectiveProgress } from "./bidding/objective-progress.ts";
import type { Objective, RegisterProgress } from "./model/objective.ts";
import type { Era } from "./model/resource.ts";
import type { ObjectiveRecord } from "./store/control-store.ts";

/** Energy after which the progress is written again, kWh: what a register that starts anew while we are down can cost. */
const WRITTEN_EACH_KWH = 1;

export interface DeviceGoalOptions {
  readonly era: Era;
  /** The goal in the config. */
  readonly configured: Objective | undefined;
  /** What was written before a restart. */
  readonly record: ObjectiveRecord | undefined;
  readonly save: (record: ObjectiveRecord) => void;
}

/**
 * The goal of one device and how much of it is there. Both outlive a restart: the registers go on counting while the
 * gateway is down, so it is enough to know where they stood.
 */
export class DeviceGoal {
  readonly #options: DeviceGoalOptions;
  #objective: Objective | undefined;
  #progress: ObjectiveProgress;
  #saved: RegisterProgress | undefined;

  constructor(options: DeviceGoalOptions) {
    const { configured, record } = options;
    this.#options = options;
    // Who writes another goal into the config means that one, whatever an order said before.
    const goesOn = record !== undefined && isSame(record.configured, configured);
    this.#objective = goesOn ? record.objective : configured;
    this.#progress = new ObjectiveProgress(goesOn ? record.progress : undefined);
    this.#saved = goesOn ? record.progress : undefined;
  }

  get objective(): Objective | undefined {
    return this.#objective;
  }

  deliveredKWh(roundTripEfficiency: number): number {
    return this.#progress.deliveredKWh(roundTripEfficiency);
  }

  /** A goal that came with an order takes the place of the one before; the same again changes nothing. */
  set(objective: Objective, registers: { readonly importKWh?: number; readonly exportKWh?: number }): void {
    if (this.#objective !== undefined && isSame(this.#objective, { ...this.#objective, ...objective })) return;
    this.#objective = objective;
    this.#progress = new ObjectiveProgress();
    this.#progress.take(registers);
    this.save();
  }

  /** Takes the registers of a live reading, kWh. */
  take(registers: { readonly importKWh?: number; readonly exportKWh?: number }): void {
    this.#progress.take(registers);
    if (this.#isWorthWriting()) this.save();
  }

  /** Writes how far it is; nothing if there is no goal. */
  save(): void {
    const { era, configured, save } = this.#options;
    if (this.#objective === undefined) return;
    const progress = this.#progress.registers;
    this.#saved = progress;
    save({ era, objective: this.#objective, ...(configured && { configured }), progress });
  }

  #isWorthWriting(): boolean {
    const now = this.#progress.registers;
    const before = this.#saved;
    if (before === undefined) return true;
    return (
      (now.lastImportKWh === undefined) !== (before.lastImportKWh === undefined) ||
      (now.lastExportKWh === undefined) !== (before.lastExportKWh === undefined) ||
      now.importedKWh - before.importedKWh >= WRITTEN_EACH_KWH ||
      now.exportedKWh - before.exportedKWh >= WRITTEN_EACH_KWH
    );
  }
}

function isSame(a: Objective | undefined, b: Objective | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
