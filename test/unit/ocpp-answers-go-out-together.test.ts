import { describe, expect, test } from "vitest";
import { AnswerBatch } from "../../adapters/ocpp/link/answer-batch.ts";

function opened() {
  const due: (() => void)[] = [];
  const written: string[] = [];
  const batch = new AnswerBatch((work) => due.push(work));
  const charger = (name: string) => ({ write: (frame: string) => void written.push(`${name} ${frame}`) });
  return { batch, due, written, charger };
}

describe("answers to many chargers", () => {
  test("wait for the end of the turn, and go out in their order", () => {
    const { batch, due, written, charger } = opened();
    batch.add(charger("A"), "1");
    batch.add(charger("B"), "1");
    batch.add(charger("A"), "2");
    expect(written).toEqual([]);
    expect(due).toHaveLength(1);
    due.shift()?.();
    expect(written).toEqual(["A 1", "B 1", "A 2"]);
    batch.add(charger("B"), "2");
    expect(due).toHaveLength(1);
  });

  test("do not wait for more than a crowd", () => {
    const { batch, written, charger } = opened();
    for (let count = 1; count <= 256; count++) batch.add(charger("A"), String(count));
    expect(written).toHaveLength(256);
  });

  test("go out before anything else that is written, and then not again", () => {
    const { batch, due, written, charger } = opened();
    batch.add(charger("A"), "1");
    batch.flush();
    expect(written).toEqual(["A 1"]);
    due.shift()?.();
    expect(written).toEqual(["A 1"]);
  });

  test("that make a charger's link end while they go out do not keep the others from theirs", () => {
    const { batch, due, written, charger } = opened();
    const ending = { write: () => batch.flush() };
    batch.add(ending, "1");
    batch.add(charger("B"), "1");
    due.shift()?.();
    expect(written).toEqual(["B 1"]);
  });
});
