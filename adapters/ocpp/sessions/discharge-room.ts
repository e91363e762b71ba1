/** A car that went below by less than this has not moved: the last digit of a register. */
const REGISTER_STEP_KWH = 0.001;

/**
 * What a car may still give before it is down at the least charge at which it gives anything, by the registers of the
 * meter since it said how far that is.
 */
export class DischargeRoom {
  readonly #saidKWh: number;
  #importedKWh = 0;
  #exportedKWh = 0;
  #lastImportKWh: number | undefined;
  #lastExportKWh: number | undefined;

  /** @param kWh what the car said it may still give; above 0 where there was room */
  constructor(kWh: number) {
    this.#saidKWh = kWh;
  }

  get isOpen(): boolean {
    return this.#saidKWh + this.#importedKWh - this.#exportedKWh > REGISTER_STEP_KWH;
  }

  /** Takes the registers of a live reading. */
  take({ importKWh, exportKWh }: { readonly importKWh?: number; readonly exportKWh?: number }): void {
    this.#importedKWh += risen(this.#lastImportKWh, importKWh);
    this.#exportedKWh += risen(this.#lastExportKWh, exportKWh);
    this.#lastImportKWh = importKWh ?? this.#lastImportKWh;
    this.#lastExportKWh = exportKWh ?? this.#lastExportKWh;
  }
}

function risen(before: number | undefined, now: number | undefined): number {
  return before === undefined || now === undefined ? 0 : Math.max(0, now - before);
}
