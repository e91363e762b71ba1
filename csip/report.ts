import { readFileSync, writeFileSync } from "node:fs";
import { table, wantsColour } from "../src/cli/output.ts";
import type { Outcome } from "./outcome.ts";
import type { Outcomes } from "./run-procedures.ts";

const WORDS = { passed: "passed", failed: "failed", notRun: "not run" } as const;
const PAINTS = { passed: "green", failed: "red", notRun: "dim" } as const;

/** Names by verdict, with the reason where one did not pass. */
export function counted(outcomes: readonly Outcome[]) {
  const named = (verdict: Outcome["verdict"]) => outcomes.filter((one) => one.verdict === verdict);
  return {
    passed: named("passed").map(({ name }) => name),
    failed: named("failed").map(({ name, reason }) => ({ name, reason })),
    notRun: named("notRun").map(({ name, reason }) => ({ name, reason })),
  };
}

/** A table for a terminal, and the totals. */
export function text(outcomes: Outcomes): string {
  const colour = wantsColour();
  const rows = [...outcomes.client, ...outcomes.server].map(({ name, description, verdict, reason }) => [
    { text: name },
    { text: WORDS[verdict], paint: PAINTS[verdict] },
    { text: description },
    { text: reason },
  ]);
  const totals = (["client", "server"] as const).map((side) => {
    const { passed, failed, notRun } = counted(outcomes[side]);
    return `${side}: ${passed.length} passed, ${failed.length} failed, ${notRun.length} not run`;
  });
  const heading = ["PROCEDURE", "RESULT", "WHAT", "DETAIL"];
  const width = process.stdout.isTTY ? process.stdout.columns : 1000;
  return `${table(heading, rows, { colour, width })}\n\n${totals.join("\n")}`;
}

const MARKS = /(<!-- csip -->\n)[\s\S]*?(<!-- \/csip -->)/;

/** Puts the table between the marks of a README. @throws Error where there are none */
export function writeReadme(file: string, outcomes: Outcomes): void {
  const before = readFileSync(file, "utf8");
  if (!MARKS.test(before)) throw new Error(`${file} has no marks for the table`);
  writeFileSync(
    file,
    before.replace(MARKS, (_whole, begin: string, end: string) => `${begin}\n${markdown(outcomes)}\n${end}`),
  );
}

function markdown(outcomes: Outcomes): string {
  const rows = [...outcomes.client, ...outcomes.server].map(
    ({ name, description, verdict, reason }) =>
      `| ${name} | ${description} | ${WORDS[verdict]}${verdict === "passed" ? "" : `: ${reason.replaceAll("|", "/")}`} |`,
  );
  const totals = (["client", "server"] as const).map((side) => {
    const { passed, failed, notRun } = counted(outcomes[side]);
    return `- ${side}: ${passed.length} passed, ${failed.length} failed, ${notRun.length} not run`;
  });
  const heading = ["| procedure | what it is about | result |", "| --- | --- | --- |"];
  return [...totals, "", ...heading, ...rows].join("\n");
}
