import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { ScenarioReport } from "../../src/cli/scenario-parts.ts";

// Built, as a person runs it: the model's clock runs many times faster than the wall, and a loader would slow it down.
const MAIN = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));

function runScenario(name: string): Promise<{ code: number; report: ScenarioReport }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, "scenario", name, "--json"], { timeout: 100_000 }, (error, stdout, stderr) => {
      try {
        resolve({ code: error === null ? 0 : Number(error.code), report: JSON.parse(stdout) as ScenarioReport });
      } catch {
        reject(new Error(`${name} printed no report: ${stderr}`));
      }
    });
  });
}

/** Runs one use case by its command, and holds that each of its own checks was met. */
export async function expectUseCaseHolds(name: string): Promise<void> {
  const { code, report } = await runScenario(name);
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(report).toMatchObject({ schemaVersion: 1, scenario: name, ok: true });
  expect(report.checks.length).toBeGreaterThan(4);
  expect(report.story.length).toBeGreaterThan(0);
  expect(code).toBe(0);
}
