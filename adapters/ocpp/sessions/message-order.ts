/** Messages of one transaction whose numbers are remembered. */
const MAX_REMEMBERED = 1000;

/**
 * The order in which a 2.x station numbered the messages of one transaction (`seqNo`). After an outage they come late,
 * twice, or not at all.
 */
export class MessageOrder {
  readonly #seen = new Set<number>();
  #first: number | undefined;
  #last = -1;
  #count = 0;

  /** `next`: newer than all before. `late`: one that was missing. `repeat`: it was here already. */
  take(seqNo: number): "next" | "late" | "repeat" {
    if (this.#seen.has(seqNo)) return "repeat";
    this.#seen.add(seqNo);
    const oldest = this.#seen.values().next();
    if (this.#seen.size > MAX_REMEMBERED && !oldest.done) this.#seen.delete(oldest.value);
    this.#count += 1;
    this.#first = Math.min(this.#first ?? seqNo, seqNo);
    if (seqNo < this.#last) return "late";
    this.#last = seqNo;
    return "next";
  }

  /** Messages between the first and the last one that did not come. */
  get missing(): number {
    return this.#first === undefined ? 0 : this.#last - this.#first + 1 - this.#count;
  }
}
