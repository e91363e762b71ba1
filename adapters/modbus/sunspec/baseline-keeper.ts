import type { Log } from "../../../src/log.ts";
import type { BaselineMemory } from "../baseline/baseline-memory.ts";
import type { Baseline, PowerControl } from "./control.ts";
import { sameDevice } from "./identity.ts";
import { baselineFrom, type KeptBaseline } from "./kept-baseline.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";
import type { Facts } from "./sunspec-device.ts";
import { SunSpecError } from "./sunspec-error.ts";

/** What a device held before us, from before the first write until it was given back, over crashes too. */
export class BaselineKeeper {
  readonly #memory: BaselineMemory<KeptBaseline>;
  readonly #log: Log;
  #kept: KeptBaseline | undefined;

  constructor(memory: BaselineMemory<KeptBaseline>, log: Log) {
    this.#memory = memory;
    this.#log = log;
    this.#kept = memory.get();
  }

  /** Absent if nothing of ours may be in the device. */
  get kept(): KeptBaseline | undefined {
    return this.#kept;
  }

  /** The one of this control in the scale of its block; absent if none is kept. */
  of(control: PowerControl, block: ModelBlock<ModelTable>): Baseline | undefined {
    return this.#kept?.model === control.model ? baselineFrom(this.#kept, control, block) : undefined;
  }

  /**
   * Puts what was found on the disk, unless something is kept already.
   * @returns true if nothing of ours was in the device before
   * @throws SunSpecError `refused` if the disk does not take it: then nothing may be written
   */
  async keepFirst(found: KeptBaseline): Promise<boolean> {
    if (this.#kept !== undefined) return false;
    try {
      await this.#memory.keep(found);
    } catch (cause) {
      throw new SunSpecError("refused", `what the device held could not be put on the disk: ${String(cause)}`);
    }
    this.#kept = found;
    return true;
  }

  /** @returns true if another device answers at this address, whose baseline it is not */
  async forgetOfAnother(facts: Facts): Promise<boolean> {
    if (this.#kept === undefined || sameDevice(this.#kept.identity, facts.identity)) return false;
    await this.forget();
    return true;
  }

  async forget(): Promise<void> {
    this.#kept = undefined;
    try {
      await this.#memory.forget();
    } catch (error) {
      this.#log.warn("a baseline that is not needed any more stays on the disk", { reason: String(error) });
    }
  }
}
