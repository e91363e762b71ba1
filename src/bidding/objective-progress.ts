import type { RegisterProgress } from "../model/objective.ts";

/**
 * Energy that a car has got since its objective was set, from the registers of its meter.
 * A register that starts anew (another meter, a reset) loses nothing of what was counted before.
 */
export class ObjectiveProgress {
  readonly #imported: RegisterCount;
  readonly #exported: RegisterCount;

  /** @param before what was counted before a restart: registers that went on meanwhile count from there */
  constructor(before?: RegisterProgress) {
    this.#imported = new RegisterCount(before?.importedKWh, before?.lastImportKWh);
    this.#exported = new RegisterCount(before?.exportedKWh, before?.lastExportKWh);
  }

  /** Takes the registers of a live reading, kWh; each only if the meter sent it. */
  take(registers: { readonly importKWh?: number; readonly exportKWh?: number }): void {
    if (registers.importKWh !== undefined) this.#imported.take(registers.importKWh);
    if (registers.exportKWh !== undefined) this.#exported.take(registers.exportKWh);
  }

  /**
   * Delivered energy, kWh at the meter. What the car gave back counts with what it takes to put it there again, so it may
   * be negative. 0 while the meter has sent no register.
   */
  deliveredKWh(roundTripEfficiency: number): number {
    return this.#imported.countedKWh - this.#exported.countedKWh / roundTripEfficiency;
  }

  get registers(): RegisterProgress {
    const [lastImportKWh, lastExportKWh] = [this.#imported.lastKWh, this.#exported.lastKWh];
    return {
      importedKWh: this.#imported.countedKWh,
      exportedKWh: this.#exported.countedKWh,
      ...(lastImportKWh !== undefined && { lastImportKWh }),
      ...(lastExportKWh !== undefined && { lastExportKWh }),
    };
  }
}

class RegisterCount {
  countedKWh: number;
  lastKWh: number | undefined;

  constructor(countedKWh = 0, lastKWh?: number) {
    this.countedKWh = countedKWh;
    this.lastKWh = lastKWh;
  }

  take(registerKWh: number): void {
    if (this.lastKWh !== undefined && registerKWh > this.lastKWh) this.countedKWh += registerKWh - this.lastKWh;
    this.lastKWh = registerKWh;
  }
}
