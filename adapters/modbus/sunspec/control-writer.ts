import type { Clock } from "../../../src/clock.ts";
import { DEVICE_BUSY, ModbusError } from "../link/modbus-error.ts";
import type { PlacedControl, RawPoints } from "./control.ts";
import { type ModelBlock, readBlock } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";
import type { WriteStep } from "./register-writer.ts";
import type { Registers, WriteManner } from "./registers.ts";
import { SunSpecError } from "./sunspec-error.ts";

const READ_BACK_TRIES = 3;
const READ_BACK_PAUSE_MS = 200;
const BUSY_TRIES = 3;
const BUSY_PAUSE_MS = 500;
const NOT_WRITTEN: ReadonlySet<string> = new Set(["exception", "argument", "busy", "resting"]);

/** Brings requests to a control block, waits for a busy device, and compares what then stands there. */
export class ControlWriter {
  readonly #registers: Registers;
  readonly #clock: Clock;

  constructor(registers: Registers, clock: Clock) {
    this.#registers = registers;
    this.#clock = clock;
  }

  /**
   * Writes in order; stops at the first fault.
   * @param onNothingWritten called before it throws, if the very first request was answered with an exception: only
   * that says for sure that nothing has changed
   */
  async write(
    steps: readonly WriteStep[],
    manner: WriteManner,
    signal: AbortSignal,
    onNothingWritten: () => Promise<void>,
  ): Promise<void> {
    for (const [index, step] of steps.entries()) {
      try {
        await this.#writeStep(step, manner, signal);
      } catch (error) {
        if (index === 0 && error instanceof ModbusError && NOT_WRITTEN.has(error.fault)) await onNothingWritten();
        throw error;
      }
    }
  }

  /** Goes on after a step that the device refuses, so that one refused register does not keep a limit in force. */
  async writeAll(steps: readonly WriteStep[], manner: WriteManner, signal: AbortSignal): Promise<void> {
    let refusal: ModbusError | undefined;
    for (const step of steps) {
      try {
        await this.#writeStep(step, manner, signal);
      } catch (error) {
        if (!(error instanceof ModbusError) || error.fault !== "exception") throw error;
        refusal ??= error;
      }
    }
    if (refusal !== undefined) throw refusal;
  }

  /**
   * Compares the named points with what was written.
   * @returns the block as it reads now
   * @throws SunSpecError `refused` if the device kept what it had, `protocol` if it shows a third value
   */
  async verify(
    placed: PlacedControl,
    before: ModelBlock<ModelTable>,
    points: RawPoints,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ModelBlock<ModelTable>> {
    const { control } = placed;
    const after = await this.readUntil(placed, signal, (block) => differing(block, points, names).length === 0);
    const wrong = differing(after, points, names);
    if (wrong.length === 0) return after;
    const kept = wrong.every((name) => after.raw(name) === before.raw(name));
    const shown = wrong.map((name) => `${name} reads ${after.raw(name) ?? "nothing"} after ${points.get(name)}`);
    throw new SunSpecError(
      kept ? "refused" : "protocol",
      `the write to model ${control.model} was confirmed but ${shown.join(", ")}`,
    );
  }

  /** Reads the block until it shows what was meant, a few times: some devices take a moment until it does. */
  async readUntil(
    { control, entry }: PlacedControl,
    signal: AbortSignal,
    isAsMeant: (block: ModelBlock<ModelTable>) => boolean,
  ): Promise<ModelBlock<ModelTable>> {
    for (let attempt = 1; ; attempt++) {
      const block = await readBlock(this.#registers, control.table, entry, signal);
      if (isAsMeant(block) || attempt >= READ_BACK_TRIES) return block;
      await this.#clock.sleep(READ_BACK_PAUSE_MS, signal);
    }
  }

  async #writeStep(step: WriteStep, manner: WriteManner, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#registers.write(step.address, step.values, manner, signal);
        return;
      } catch (error) {
        const isBusy = error instanceof ModbusError && error.code === DEVICE_BUSY;
        if (!isBusy || attempt >= BUSY_TRIES) throw error;
        await this.#clock.sleep(BUSY_PAUSE_MS, signal);
      }
    }
  }
}

/** Names of the points that do not read as they were written. */
export function differing(block: ModelBlock<ModelTable>, points: RawPoints, names: readonly string[]): string[] {
  return names.filter((name) => points.has(name) && block.raw(name) !== points.get(name));
}
