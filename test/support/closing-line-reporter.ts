import type { Reporter, TestModule } from "vitest/node";

/** Says which tests were left out and why, and closes with one line that a script can read. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let [passed, failed, skipped] = [0, 0, 0];
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "failed") failed += 1;
        else {
          skipped += 1;
          process.stdout.write(`skipped: ${test.fullName}${noteOf(test.result())}\n`);
        }
      }
    }
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}

function noteOf(result: object): string {
  return "note" in result && typeof result.note === "string" ? ` (${result.note})` : "";
}
