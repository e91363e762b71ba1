import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

/** Prints the nice value of each thread of a new process, its first one marked, after the helpers were told to give way. */
const PROGRAM = `
  import { readdirSync, readFileSync } from "node:fs";
  import { letHelpersGiveWay } from ${JSON.stringify(new URL("../../src/cli/engine-flags.ts", import.meta.url).href)};
  letHelpersGiveWay();
  const niceOf = (thread) => Number(readFileSync("/proc/self/task/" + thread + "/stat", "utf8").split(") ")[1].split(" ")[16]);
  const threads = readdirSync("/proc/self/task");
  console.log(JSON.stringify(threads.map((thread) => ({ isFirst: Number(thread) === process.pid, nice: niceOf(thread) }))));
`;

test.skipIf(process.platform !== "linux")(
  "the thread that serves messages keeps its rank, and the engine's helpers have a lower one (skipped where it is no Linux)",
  () => {
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", PROGRAM], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const threads = JSON.parse(stdout) as { isFirst: boolean; nice: number }[];
    const own = threads.find(({ isFirst }) => isFirst)?.nice ?? Number.NaN;
    const helpers = threads.filter(({ isFirst }) => !isFirst);
    expect(helpers.length).toBeGreaterThan(0);
    expect(own).not.toBeNaN();
    for (const { nice } of helpers) expect(nice).toBe(Math.max(own, 10));
  },
);
