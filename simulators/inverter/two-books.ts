import type { Changes, ControlModel, Model, PointValues } from "./model.ts";

export interface Manners {
  /** Control writes are refused. */
  readonly refuses: boolean;
  /** Control writes are taken into the registers, and the hardware does not follow. */
  readonly ignoresWrites: boolean;
}

/**
 * A control kept twice: what the registers say, and what the hardware follows. They differ only while the device ignores
 * writes. Such a device answers and reads back as if all were well, so that only its meter tells.
 */
export class TwoBooks<Control extends ControlModel> implements Model {
  readonly id: number;
  readonly rows: Model["rows"];
  readonly scales: Model["scales"];
  readonly shown: Control;
  readonly inForce: Control;
  readonly #manners: Manners;

  constructor(create: () => Control, manners: Manners) {
    this.shown = create();
    this.inForce = create();
    this.id = this.shown.id;
    this.rows = this.shown.rows;
    this.scales = this.shown.scales;
    this.#manners = manners;
  }

  values(): PointValues {
    return this.shown.values();
  }

  write(changes: Changes): boolean {
    if (this.#manners.refuses || !this.shown.write(changes)) return false;
    return this.#manners.ignoresWrites || this.inForce.write(changes);
  }

  revert(): void {
    this.shown.revert();
    this.inForce.revert();
  }
}
