/** A line that carries more than this is in use, and one with less than that is not; between them nothing is certain. */
const IN_USE_A = 3;
const IDLE_A = 0.7;

/** Samples in a row after which fewer lines than are wired are believed. */
const STEADY_SAMPLES = 3;

/**
 * On how many of the wired lines the car that is connected draws. A limit in amps is per line, so a car on one line gets a third
 * of the power that was meant for three. Only a meter that shows all lines can tell, never the number of values it sends.
 */
export class CarLines {
  readonly #wired: number;
  #lines: number;
  #candidate = 0;
  #seen = 0;

  constructor(wired: number) {
    this.#wired = wired;
    this.#lines = wired;
  }

  get lines(): number {
    return this.#lines;
  }

  /**
   * @param currentA magnitude on each line; of one that the meter does not show nothing is known
   * @returns true if the answer changed
   */
  note(currentA: readonly number[] | undefined): boolean {
    if (currentA === undefined || currentA.length < this.#wired) return false;
    const used = currentA.filter((lineA) => lineA > IN_USE_A).length;
    if (used === 0 || currentA.some((lineA) => lineA > IDLE_A && lineA <= IN_USE_A)) return false;
    this.#seen = used === this.#candidate ? this.#seen + 1 : 1;
    this.#candidate = used;
    // More lines mean more power than was ordered, so that counts at once.
    if (used === this.#lines || (used < this.#lines && this.#seen < STEADY_SAMPLES)) return false;
    this.#lines = used;
    return true;
  }

  /** Another car may come. */
  forget(): void {
    this.#lines = this.#wired;
    this.#candidate = 0;
    this.#seen = 0;
  }
}
