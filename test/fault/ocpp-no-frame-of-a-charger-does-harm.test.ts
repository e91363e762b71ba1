import { describe, expect, test } from "vitest";
import { chanceOf } from "../../fuzz/chance.ts";
import type { FuzzTarget } from "../../fuzz/fuzz-target.ts";
import { mutate } from "../../fuzz/json-mutation.ts";
import { STATION_MESSAGES } from "../../fuzz/ocpp-messages.ts";
import { runFuzz } from "../../fuzz/run-fuzz.ts";
import { targets } from "../../fuzz/targets.ts";

async function fuzz(argv: readonly string[], from: readonly FuzzTarget[] = targets) {
  const said = { data: "", notes: "" };
  const exitCode = await runFuzz(argv, from, {
    data: (text) => {
      said.data += text;
    },
    note: (text) => {
      said.notes += text;
    },
  });
  return { exitCode, ...said };
}

test("some thousands of garbled frames over real sockets: no crash, no hang, no internal error, no growth", async () => {
  const { exitCode, data } = await fuzz(["ocpp", "--count", "6000", "--seed", "7", "--no-time", "--json"]);
  const report = JSON.parse(data);
  expect(report.failures).toEqual([]);
  expect(report.sent).toBe(6000);
  // Most frames leave the link open, or nothing behind the first wrong one would have been looked at.
  expect(report.figures.links_closed_by_adapter).toBeLessThan(300);
  expect(exitCode).toBe(0);
});

describe("an input", () => {
  test("is the same for the same seed and number, whatever was sent before", () => {
    const input = (seed: number, index: number) => {
      const chance = chanceOf(seed, index);
      return mutate(chance.pick(STATION_MESSAGES["ocpp1.6"] ?? []), chance).bytes.toString("latin1");
    };
    const first = Array.from({ length: 200 }, (_, index) => input(1, index));
    expect(Array.from({ length: 200 }, (_, index) => input(1, 199 - index)).reverse()).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(150);
    expect(Array.from({ length: 200 }, (_, index) => input(2, index))).not.toEqual(first);
  });
});

describe("the runner", () => {
  const failing: FuzzTarget = {
    name: "failing",
    title: "fails",
    run: async ({ seed }) => ({
      target: "failing",
      seed,
      sent: 10,
      failures: [{ kind: "crash", what: "it ended", index: 3, input: '"[2"' }],
      figures: { answer_ms_p50: 1 },
    }),
  };

  test("shows the input that failed, how to send it again, and ends with 1", async () => {
    const { exitCode, data } = await fuzz(["failing", "--seed", "5"], [failing]);
    expect(exitCode).toBe(1);
    expect(data).toContain('crash: it ended, input 3 (again: --seed 5 --from 3 --count 1)\n    "[2"');
  });

  test("says what is wrong with its options", async () => {
    for (const argv of [
      [],
      ["nothing"],
      ["failing", "--count", "0"],
      ["failing", "--seed", "x"],
      ["failing", "more"],
    ]) {
      const { exitCode, data, notes } = await fuzz(argv, [failing]);
      expect(exitCode).toBe(2);
      expect(data).toBe("");
      expect(notes).not.toBe("");
    }
    expect((await fuzz(["--help"])).data).toContain("ocpp");
  });
});
