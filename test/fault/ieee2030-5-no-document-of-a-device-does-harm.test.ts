import { expect, test } from "vitest";
import { chanceOf } from "../../fuzz/chance.ts";
import { runFuzz } from "../../fuzz/run-fuzz.ts";
import { DEVICE_DOCUMENTS } from "../../fuzz/sep2-documents.ts";
import { targets } from "../../fuzz/targets.ts";
import { mutateXml } from "../../fuzz/xml-mutation.ts";

test("two thousand garbled documents over mutual TLS: no crash, no hang, no internal error, no growth", async () => {
  let data = "";
  const exitCode = await runFuzz(["2030.5", "--count", "2000", "--seed", "7", "--no-time", "--json"], targets, {
    data: (text) => {
      data += text;
    },
    note: () => {},
  });
  const report = JSON.parse(data);
  expect(report.failures).toEqual([]);
  expect(report.sent).toBe(2000);
  expect(exitCode).toBe(0);
  // Many are wrong and many are right, or one half of the adapter would never have been looked at.
  const { status_201: created, status_204: changed, status_400: bad } = report.figures;
  expect(created + changed).toBeGreaterThan(200);
  expect(bad).toBeGreaterThan(200);
}, 120_000);

test("a document is the same for the same seed and number, whatever was made before", () => {
  const made = (seed: number, index: number) => {
    const chance = chanceOf(seed, index);
    return mutateXml(chance.pick(DEVICE_DOCUMENTS).xml, chance).toString("latin1");
  };
  const first = Array.from({ length: 200 }, (_, index) => made(1, index));
  expect(Array.from({ length: 200 }, (_, index) => made(1, 199 - index)).reverse()).toEqual(first);
  expect(new Set(first).size).toBeGreaterThan(120);
});
