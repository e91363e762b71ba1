import type { Log } from "../../../src/log.ts";
import type { BaselineMemory } from "../baseline/baseline-memory.ts";
import type { Baseline, Order, PowerControl } from "./control.ts";
import { sameDevice } from "./identity.ts";
import { baselineFrom, isForeign, type KeptBaseline, withOrder } from "./kept-baseline.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";
import type { Facts } from "./sunspec-device.ts";
import { SunSpecError } from "./sunspec-error.ts";

/** What a device held before us, from before the first write until it was given back, over crashes too. */
export class BaselineKeeper {
  readonly #memory: BaselineMemory<KeptBaseline>;
  readonly #log: Log;
  #kept: KeptBaseline | undefined;
  /** True until the first order: what is kept comes from before a restart, and much may have happened since. */
  #isOld: boolean;

  constructor(memory: BaselineMemory<KeptBaseline>, log: Log) {
    this.#memory = memory;
    this.#log = log;
    this.#kept = memory.get();
    this.#isOld = this.#kept !== undefined;
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
   * Puts on the disk what was found before the first order, and with each order what is about to be written.
   * @returns true if nothing of ours was in the device before
   * @throws SunSpecError `refused` if the disk does not take it: then nothing may be written
   */
  async keepBefore(order: Order, block: ModelBlock<ModelTable>, found: () => KeptBaseline): Promise<boolean> {
    const before = this.#kept;
    const next = withOrder(before ?? found(), block, order);
    if (next !== before) {
      try {
        await this.#memory.keep(next);
      } catch (cause) {
        throw new SunSpecError("refused", `what the device held could not be put on the disk: ${String(cause)}`);
      }
    }
    this.#kept = next;
    this.#isOld = false;
    return before === undefined;
  }

  /**
   * Somebody at the device, or another controller, has set something of his own since we were last here: that stays, and
   * what was kept is of no use any more.
   */
  async forgetForAnotherMaster(control: PowerControl, block: ModelBlock<ModelTable>): Promise<boolean> {
    if (!this.#isOld || this.#kept === undefined || !isForeign(this.#kept, control, block)) return false;
    this.#log.warn("the control block was changed by somebody else since we were here, and stays as it is", {
      model: control.model,
    });
    await this.forget();
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
