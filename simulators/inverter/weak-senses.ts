import type { Model, PointValues } from "./model.ts";

/** When what a model measures is not to be had. */
export interface Senses {
  /** What is measured stays as it was. */
  isStale(): boolean;
  /** All but who the device is and what it has counted reads as not implemented. */
  isAsleep(): boolean;
}

/** A model as a client sees it while the device sleeps, or while its measurements are stuck. */
export class WeakSenses implements Model {
  readonly id: number;
  readonly rows: Model["rows"];
  readonly length?: number;
  readonly write?: NonNullable<Model["write"]>;
  readonly #model: Model;
  readonly #senses: Senses;
  readonly #counters: ReadonlySet<string>;
  #stuck: PointValues | undefined;

  constructor(model: Model, senses: Senses) {
    this.#model = model;
    this.#senses = senses;
    this.id = model.id;
    this.rows = model.rows;
    if (model.length !== undefined) this.length = model.length;
    const { write } = model;
    if (write !== undefined) this.write = (changes) => write.call(model, changes);
    const counters = model.rows.filter(([, , type]) => type.startsWith("acc"));
    this.#counters = new Set(counters.flatMap(([name, , , scale]) => (scale === undefined ? [name] : [name, scale])));
  }

  get scales(): Model["scales"] {
    return this.#senses.isAsleep() ? this.#counted(this.#model.scales) : this.#model.scales;
  }

  values(): PointValues {
    if (this.#senses.isAsleep()) return this.#counted(this.#model.values());
    if (!this.#senses.isStale()) this.#stuck = undefined;
    else if (this.#model.write === undefined) {
      this.#stuck ??= this.#model.values();
      return this.#stuck;
    }
    return this.#model.values();
  }

  #counted<Value>(all: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
    return Object.fromEntries(Object.entries(all).filter(([name]) => this.#counters.has(name)));
  }
}
