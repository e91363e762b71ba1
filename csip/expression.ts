import { NotRun } from "./outcome.ts";

/** What a name stands for while a procedure runs: a number, or an instant in seconds since 1970. */
export type Names = (name: string) => number;

const SECONDS: Readonly<Record<string, number>> = { second: 1, min: 60, minute: 60, hour: 3600, day: 86_400 };

/**
 * A parameter with its variables filled in: `$(maxExportW * 2)`, `$(now + '5 minutes')`, `$(this < rtgMaxW)`, `$now`.
 * What is no expression is given back as it is.
 * @throws NotRun for an expression that is not understood
 */
export function resolved(value: unknown, names: Names): unknown {
  if (typeof value !== "string" || !value.startsWith("$")) return value;
  const inner = /^\$\((.*)\)$/.exec(value)?.[1] ?? value.slice(1);
  const [, left, operator, right] =
    /^\s*('[^']*'|[^\s*/+<>=-]+)\s*(?:([*/+-]|[<>]=?|==)\s*(.+?))?\s*$/.exec(inner) ?? [];
  if (left === undefined) throw new NotRun(`the expression ${value} is not understood`);
  const one = term(left, value, names);
  if (operator === undefined || right === undefined) return one;
  const other = term(right, value, names);
  switch (operator) {
    case "*":
      return one * other;
    case "/":
      return one / other;
    case "+":
      return one + other;
    case "-":
      return one - other;
    case "<":
      return one < other;
    case "<=":
      return one <= other;
    case ">":
      return one > other;
    case ">=":
      return one >= other;
    default:
      return one === other;
  }
}

export function resolvedAll(
  parameters: Readonly<Record<string, unknown>>,
  names: Names,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, resolved(value, names)]));
}

function term(text: string, whole: string, names: Names): number {
  if (/^-?[\d.]+$/.test(text)) return Number(text);
  const duration = /^'(\d+) (second|min|minute|hour|day)s?'$/.exec(text);
  if (duration !== null) return Number(duration[1]) * (SECONDS[duration[2] ?? ""] ?? 0);
  if (/^\w+$/.test(text)) return names(text);
  throw new NotRun(`the expression ${whole} is not understood`);
}
