import { describe, expect, test } from "vitest";
import { chanceOf } from "../../fuzz/chance.ts";
import type { Step } from "../../fuzz/modbus-answers.ts";
import { mutatedReply } from "../../fuzz/modbus-mutation.ts";
import { askOf, truthAt } from "../../fuzz/modbus-truth.ts";
import { mutatedMap } from "../../fuzz/mutated-map.ts";
import { runFuzz } from "../../fuzz/run-fuzz.ts";
import { targets } from "../../fuzz/targets.ts";
import type { Framing } from "../../simulators/modbus/frame.ts";
import { mbapFraming } from "../../simulators/modbus/mbap.ts";
import { rtuFraming } from "../../simulators/modbus/rtu.ts";

test("some thousands of wrong answers over real sockets: no crash, no hang, no wrong value taken, no growth", async () => {
  let data = "";
  const exitCode = await runFuzz(["modbus", "--count", "6000", "--seed", "7", "--json"], targets, {
    data: (text) => {
      data += text;
    },
    note: () => {},
  });
  const report = JSON.parse(data);
  expect(report.failures).toEqual([]);
  expect(report.sent).toBe(6000);
  // Many a wrong answer is refused, and what is right in between is taken, or nothing would have been looked at.
  expect(report.figures.answers_refused).toBeGreaterThan(2000);
  expect(report.figures.right_values_taken).toBeGreaterThan(5000);
  expect(report.figures.maps_read).toBeGreaterThan(20);
  expect(exitCode).toBe(0);
});

/** What a device would make of input `index`, and the right answer to it. */
function replyTo(index: number, framing: Framing, seed = 1) {
  const chance = chanceOf(seed, index);
  const ask = askOf(chance);
  const count = ask.kind === "read" ? Math.min(ask.count, 125) : ask.values.length;
  const pdu =
    ask.kind === "read"
      ? Buffer.from([3, 2 * count, ...new Array<number>(2 * count).fill(0x11)])
      : Buffer.from([16, ask.address >> 8, ask.address & 0xff, 0, count]);
  const request = Buffer.from([ask.kind === "read" ? 3 : 16, ask.address >> 8, ask.address & 0xff, 0, count]);
  const frame = { transaction: 300 + index, unit: ask.unit };
  const scene = {
    request: { ...frame, pdu: request },
    answer: { ...frame, pdu },
    earlier: [],
    framing,
    chance: chance.fork("answer"),
    patienceMs: 40,
  };
  return { ask, reply: mutatedReply(scene), right: framing.encode(scene.answer) };
}

describe.each([mbapFraming, rtuFraming])("an answer in $name", (framing) => {
  test("is the same for the same seed and number, whatever was made before", () => {
    const shown = (index: number, seed?: number) => JSON.stringify(replyTo(index, framing, seed).reply);
    const first = Array.from({ length: 300 }, (_, index) => shown(index));
    expect(Array.from({ length: 300 }, (_, index) => shown(299 - index)).reverse()).toEqual(first);
    expect(Array.from({ length: 300 }, (_, index) => shown(index, 2))).not.toEqual(first);
  });

  test("is of every kind, and one that is called wrong for a write is never the right one", () => {
    const names = new Set<string>();
    for (let index = 0; index < 3000; index++) {
      const { ask, reply, right } = replyTo(index, framing);
      names.add(reply.name);
      const bytes = Buffer.concat(reply.steps.map(({ bytes }: Step) => bytes ?? Buffer.alloc(0)));
      if (ask.kind === "write" && !reply.obeys) expect(bytes.equals(right)).toBe(false);
    }
    expect(names.size).toBeGreaterThan(framing.name === "tcp" ? 21 : 18);
  });
});

test("no register of the device holds what its neighbours hold, nor what another unit does", () => {
  const seen = new Set(Array.from({ length: 1000 }, (_, address) => truthAt(1, address)));
  expect(seen.size).toBeGreaterThan(950);
  const same = Array.from({ length: 1000 }, (_, address) => address).filter(
    (address) => truthAt(1, address) === truthAt(2, address),
  );
  expect(same.length).toBeLessThan(10);
});

test("a wrong map is the same for the same chance, and begins where a map may begin", () => {
  const words = (index: number) => {
    const read = mutatedMap(chanceOf(1, index));
    return [40_000, 0, 50_000].map((base) => read("holding", base, 2)).find((cell) => typeof cell !== "number");
  };
  for (let index = 0; index < 50; index++) expect(words(index)).toEqual([0x5375, 0x6e53]);
});
