import type { PowerControl } from "./control.ts";
import type { ModelBlock } from "./model-block.ts";
import type { ModelTable } from "./model-table.ts";

/** What a reversion timer may be off by, seconds: the device counts whole ones, and its clock is not ours. */
const TOLERANCE_S = 3;

/** Whether the device will end a command without us, and how that is known. */
export type Arming =
  | {
      readonly armed: true;
      /** Seconds after which it falls back, as the device says. */
      readonly seconds: number;
      readonly how: string;
    }
  | { readonly armed: false; readonly why: string };

/**
 * Watches whether the timer that was written really runs. A register that reads as written proves that it was taken; a
 * count of what is left (704) that goes down proves that it runs.
 */
export class ReversionWatch {
  #armedS: number | undefined;
  #armedAtMs = 0;
  /** What is wrong with the timer of this device; absent while nothing speaks against it. */
  #fault: string | undefined;
  #provenCounting = false;

  get fault(): string | undefined {
    return this.#fault;
  }

  /** True once the timer was seen to count down. */
  get provenCounting(): boolean {
    return this.#provenCounting;
  }

  /** For another device. */
  reset(): void {
    this.#armedS = undefined;
    this.#fault = undefined;
    this.#provenCounting = false;
  }

  /** Nothing is armed any more. */
  disarmed(): void {
    this.#armedS = undefined;
  }

  /**
   * What a block that was read after a write says of the timer.
   * @param writtenS seconds that were written
   * @param isTrue false for a device whose registers do not show what is in force
   * @param nowMs elapsed ms after the block came, so that the timer has run for at least what we count
   */
  armed(
    control: PowerControl,
    block: ModelBlock<ModelTable>,
    writtenS: number,
    isTrue: boolean,
    nowMs: number,
  ): Arming {
    const arming = armingOf(control, block, writtenS, isTrue);
    this.#armedS = arming.armed ? arming.seconds : undefined;
    this.#armedAtMs = nowMs;
    this.#fault = arming.armed ? (this.#fault === STANDS_STILL ? this.#fault : undefined) : arming.why;
    return this.#fault === undefined ? arming : { armed: false, why: this.#fault };
  }

  /** Looks, some time after it was armed, whether it has counted down. @param nowMs elapsed ms before the block was asked for */
  look(control: PowerControl, block: ModelBlock<ModelTable>, nowMs: number): void {
    const { left } = control.reversion;
    const leftS = left === undefined ? undefined : block.raw(left);
    if (this.#armedS === undefined || leftS === undefined) return;
    const goneS = (nowMs - this.#armedAtMs) / 1000;
    if (goneS < TOLERANCE_S + 1) return;
    const dueS = this.#armedS - goneS;
    if (leftS > dueS + TOLERANCE_S) {
      this.#fault = STANDS_STILL;
      this.#provenCounting = false;
    } else if (dueS > 0) {
      this.#provenCounting = true;
      if (this.#fault === STANDS_STILL) this.#fault = undefined;
    }
  }
}

/** The timer reads as running, or there is none. */
export function showsTimer(control: PowerControl, block: ModelBlock<ModelTable>): boolean {
  const { seconds, left } = control.reversion;
  if (!block.implemented(seconds)) return true;
  return (block.raw(seconds) ?? 0) > 0 && (left === undefined || block.raw(left) !== 0);
}

const STANDS_STILL = "the device confirms its reversion time and does not count it down";

function armingOf(control: PowerControl, block: ModelBlock<ModelTable>, writtenS: number, isTrue: boolean): Arming {
  const { seconds, left } = control.reversion;
  const readS = block.raw(seconds);
  if (readS === undefined) return { armed: false, why: `the device has no reversion timer (${seconds})` };
  if (!isTrue) return { armed: true, seconds: writtenS, how: `${seconds} was written` };
  if (readS === 0) return { armed: false, why: `${seconds} was written as ${writtenS} s and reads 0` };
  const leftS = left === undefined ? undefined : block.raw(left);
  if (leftS === 0) return { armed: false, why: `${left} reads 0 after ${seconds} was written` };
  if (leftS !== undefined) return { armed: true, seconds: readS, how: `${left} says ${leftS} s` };
  return { armed: true, seconds: readS, how: `${seconds} reads ${readS} s` };
}
