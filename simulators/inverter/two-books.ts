import type { Changes, ControlModel, Model, PointValues } from "./model.ts";

export interface Manners {
  /** Control writes are refused. */
  readonly refuses: boolean;
  /** Somebody at the device is in command, so that control writes are refused. */
  readonly isLocal: boolean;
  /** Control writes are taken into the registers, and the hardware does not follow. */
  readonly ignoresWrites: boolean;
  /** A new value waits until its enable is written, as on some devices. */
  readonly needsEnable: boolean;
}

/** What says that what was written before is to count. */
const ENABLES = ["WMaxLim_Ena", "WMaxLimPctEna", "WSetEna", "StorCtl_Mod"];

/**
 * A control kept twice: what the registers say, and what the hardware follows. They differ only while the device ignores
 * writes, or waits for an enable. Such a device answers and reads back as if all were well, so that only its meter tells.
 */
export class TwoBooks<Control extends ControlModel> implements Model {
  readonly id: number;
  readonly rows: Model["rows"];
  readonly scales: Model["scales"];
  readonly shown: Control;
  readonly inForce: Control;
  readonly #manners: Manners;
  readonly #waiting = new Map<string, number>();

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
    const { refuses, isLocal, ignoresWrites, needsEnable } = this.#manners;
    if (refuses || isLocal || !this.shown.write(changes)) return false;
    if (ignoresWrites) return true;
    for (const [name, value] of changes) this.#waiting.set(name, value);
    if (needsEnable && !ENABLES.some((name) => changes.has(name))) return true;
    const due = new Map(this.#waiting);
    this.#waiting.clear();
    return this.inForce.write(due);
  }

  revert(): void {
    this.shown.revert();
    this.inForce.revert();
  }
}
