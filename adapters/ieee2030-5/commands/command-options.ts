import { OperationError } from "../../kind.ts";

type Options = Readonly<Record<string, string | boolean | undefined>>;

/** The text of an option, where one was given. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * A whole number within bounds, both inclusive, where the option was given.
 * @throws OperationError when it is something else
 */
export function wholeOption(options: Options, name: string, least: number, most: number): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new OperationError("invalid", `--${name} is "${text}", expected a whole number ${least}..${most}`);
}
