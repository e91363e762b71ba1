/** A request that was not answered in time. */
export interface Overdue {
  /** Modbus function. */
  readonly code: number;
  readonly address: number;
  /** Registers or bits. */
  readonly count: number;
}

/** A read that asks for nothing but a sign that all before it is over. */
export interface Fence {
  readonly code: 1 | 2 | 3 | 4;
  readonly address: number;
  readonly count: number;
}

/** A device that has not answered by then will not. */
const FORGET_MS = 30_000;
const MOST_OWED = 3;
/** One more than can be owed, each with another number of data bytes. */
const REGISTER_COUNTS = [1, 2, 3, 4];
const BIT_COUNTS = [1, 9, 17, 25];

/**
 * Answers that a unit on a serial line still owes. They look like the answers to the next requests of their kind, but a
 * device answers in the order in which it was asked: once it has answered a read whose answer looks different, a fence,
 * nothing older can come any more.
 */
export class OwedAnswers {
  #owed: (Overdue & { readonly atMs: number })[] = [];

  /** @param nowMs elapsed ms */
  add(overdue: Overdue, nowMs: number): void {
    this.#owed = [...this.#owed, { ...overdue, atMs: nowMs }].slice(-MOST_OWED);
  }

  /** Nothing is owed any more. */
  settle(): void {
    this.#owed = [];
  }

  /** What to read before anything else is asked; nothing where no answer is owed. */
  fence(nowMs: number): Fence | undefined {
    this.#owed = this.#owed.filter(({ atMs }) => nowMs - atMs < FORGET_MS);
    const last = this.#owed.at(-1);
    if (last === undefined) return undefined;
    const code = readOf(last.code);
    const isBits = code <= 2;
    const owedBytes = new Set(this.#owed.filter((one) => one.code === code).map(({ count }) => bytesOf(count, isBits)));
    const counts = isBits ? BIT_COUNTS : REGISTER_COUNTS;
    const count = counts.find((one) => !owedBytes.has(bytesOf(one, isBits))) ?? 1;
    return { code, count, address: Math.min(last.address, 0x10000 - count) };
  }
}

/** The read of the same table, so that the device surely knows it. */
function readOf(code: number): Fence["code"] {
  if (code === 1 || code === 2 || code === 4) return code;
  return code === 5 || code === 15 ? 1 : 3;
}

function bytesOf(count: number, isBits: boolean): number {
  return isBits ? Math.ceil(count / 8) : 2 * count;
}
