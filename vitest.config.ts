import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Real sockets and real simulators: a file may take seconds, and two cores are what a small CI has.
    testTimeout: 60_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line-reporter.ts"],
    coverage: { include: ["src/**", "adapters/**", "simulators/**"] },
  },
});
