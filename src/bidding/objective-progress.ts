/**
 * Energy that a car has got since its objective was set, from the registers of its meter.
 * A register that starts anew (another meter, a reset) loses nothing of what was counted before.
 */
export class ObjectiveProgress {
  #imported = new RegisterCount();
  #exported = new RegisterCount();

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
}

class RegisterCount {
  countedKWh = 0;
  #lastKWh: number | undefined;

  take(registerKWh: number): void {
    if (this.#lastKWh !== undefined && registerKWh > this.#lastKWh) this.countedKWh += registerKWh - this.#lastKWh;
    this.#lastKWh = registerKWh;
  }
}
