import type { Figure } from "./figure.ts";

/** The figures for a script: exactly these fields. */
export function figuresAsJson(figures: readonly Figure[]): string {
  const plain = figures.map(({ name, value, unit, target, floor, met }) => ({ name, value, unit, target, floor, met }));
  return `${JSON.stringify({ figures: plain }, null, 2)}\n`;
}

/** The figures for a person: one line each, columns as wide as they need. */
export function figuresAsTable(figures: readonly Figure[]): string {
  const rows = [
    ["figure", "value", "unit", "target", "floor", "met", "how"],
    ...figures.map(({ name, value, unit, target, floor, met, detail }) => [
      name,
      String(value),
      unit,
      `<= ${target}`,
      String(floor),
      met ? "yes" : "NO",
      detail,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
