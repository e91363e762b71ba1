import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Benchmark, figure, Skipped } from "../../bench/figure.ts";
import { percentile } from "../../bench/percentile.ts";
import { runBenchmarks } from "../../bench/run-benchmarks.ts";

const measured = (name: string, value: number): Parameters<typeof figure>[0] => ({
  name,
  value,
  unit: "x",
  target: 1.5,
  floor: 0.9,
  detail: "a run of three",
});

const quick: Benchmark = {
  figures: ["quick", "thorough"],
  run: async () => [figure(measured("quick", 1.5)), figure(measured("thorough", 1.6))],
};
const broken: Benchmark = {
  figures: ["broken"],
  run: async () => {
    throw new Error("the daemon did not get ready");
  },
};
const elsewhere: Benchmark = {
  figures: ["elsewhere"],
  run: async () => {
    throw new Skipped("this system has no /proc");
  },
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bench-test-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function bench(argv: readonly string[], benchmarks: readonly Benchmark[]) {
  const said = { data: "", notes: "" };
  const exitCode = await runBenchmarks(argv, benchmarks, folder, {
    data: (text) => {
      said.data += text;
    },
    note: (text) => {
      said.notes += text;
    },
  });
  return { exitCode, ...said };
}

test("a missed target is reported and is no error", async () => {
  const { exitCode, data } = await bench(["--json"], [quick]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(data)).toEqual({
    figures: [
      { name: "quick", value: 1.5, unit: "x", target: 1.5, floor: 0.9, met: true },
      { name: "thorough", value: 1.6, unit: "x", target: 1.5, floor: 0.9, met: false },
    ],
  });
});

test("a figure that can't be measured is told and does not stop the others", async () => {
  const { exitCode, data, notes } = await bench(["--json"], [broken, quick]);
  expect(exitCode).toBe(1);
  expect(notes).toContain("the daemon did not get ready");
  expect(JSON.parse(data).figures).toHaveLength(2);
});

test("a figure that has no meaning on this machine is skipped with the reason", async () => {
  const { exitCode, data, notes } = await bench(["--json"], [elsewhere]);
  expect(exitCode).toBe(0);
  expect(notes).toContain("no /proc");
  expect(JSON.parse(data)).toEqual({ figures: [] });
});

test("only the named figure is measured and shown", async () => {
  const { exitCode, data, notes } = await bench(["--only", "thorough"], [broken, quick]);
  expect(exitCode).toBe(0);
  expect(notes).toBe("");
  expect(data).toMatch(/^figure .*\nthorough +1\.6 +x +<= 1\.5 +0\.9 +NO +a run of three\n$/);
});

test("a name that no figure has is wrong use, and says which names there are", async () => {
  const { exitCode, data, notes } = await bench(["--only", "speed"], [quick]);
  expect(exitCode).toBe(2);
  expect(data).toBe("");
  expect(notes).toContain("quick, thorough");
});

test("nothing is left in the folder, whatever happened", async () => {
  await bench([], [quick, broken]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a value that is no number is no figure", () => {
  expect(() => figure(measured("quick", Number.NaN))).toThrow("finite");
});

test("a percentile is a sample that was really taken", () => {
  const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(samples, 50)).toBe(50);
  expect(percentile(samples, 99)).toBe(99);
  expect(percentile([7], 99)).toBe(7);
  expect(() => percentile([], 50)).toThrow("no samples");
});
