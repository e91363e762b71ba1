/** stdout carries data only; all that is said beside it goes to stderr. */
export function printData(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  printData(JSON.stringify(value, null, 2));
}

/** One object a line, for streams (NDJSON). */
export function printJsonLine(value: unknown): void {
  printData(JSON.stringify(value));
}

export function printNote(text: string): void {
  process.stderr.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Colour only where a person looks and has not said no (no-color.org). */
export function wantsColour(stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.isTTY === true && !process.env["NO_COLOR"];
}

export type Paint = "green" | "red" | "yellow" | "cyan" | "dim" | "bold" | "plain";

const CODES: Readonly<Record<Paint, string>> = {
  green: "32",
  red: "31",
  yellow: "33",
  cyan: "36",
  dim: "2",
  bold: "1",
  plain: "0",
};

export interface Cell {
  readonly text: string;
  readonly paint?: Paint;
  readonly align?: "left" | "right";
}

/** Rows under a heading, columns as wide as their widest cell, at most `width` letters a line. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: { colour: boolean; width: number },
): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.text.length ?? 0)),
  );
  const line = (cells: readonly Cell[]) => {
    let used = 0;
    let out = "";
    for (const [column, cell] of cells.entries()) {
      const width = widths[column] ?? 0;
      const room = options.width - used;
      if (room <= 0) break;
      const text = (cell.align === "right" ? cell.text.padStart(width) : cell.text.padEnd(width)).slice(0, room);
      used += width + 2;
      out += paint(text, cell.paint ?? "plain", options.colour) + (column === cells.length - 1 ? "" : "  ");
    }
    return out.trimEnd();
  };
  return [
    line(heading.map((text, column) => ({ text, paint: "dim", align: rows[0]?.[column]?.align ?? "left" }))),
    ...rows.map(line),
  ].join("\n");
}

export function paint(text: string, how: Paint, colour: boolean): string {
  return colour && how !== "plain" ? `\u001b[${CODES[how]}m${text}\u001b[0m` : text;
}

/** "-8.00 kW", or "–" where nothing was measured. */
export function kWText(powerKW: number | undefined): string {
  if (powerKW === undefined) return "–";
  const rounded = Math.round(powerKW * 100) / 100;
  return `${rounded === 0 ? "0.00" : rounded.toFixed(2)} kW`;
}

export function ageText(ageMs: number | undefined): string {
  if (ageMs === undefined) return "–";
  if (ageMs < 10_000) return `${(Math.max(0, ageMs) / 1000).toFixed(1)} s`;
  if (ageMs < 120_000) return `${Math.round(ageMs / 1000)} s`;
  return `${Math.round(ageMs / 60_000)} min`;
}
