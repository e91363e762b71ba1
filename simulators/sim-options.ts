import { CliError, EXIT } from "../src/cli/exit-code.ts";
import type { SimulatorContext, SimulatorOptions } from "../src/cli/parts.ts";

export type SimContext = SimulatorContext;

/** Options of a simulator's command line, by their names in camel case. */
export type SimOptions = SimulatorOptions;

export const seedOption = { flags: "--seed <number>", description: "repeat a run", defaultValue: "7" };

/** @throws CliError if it was not given */
export function textOf(options: SimOptions, name: string): string {
  const value = options[name];
  if (typeof value !== "string" || value === "") throw wrong(`${flagOf(name)} is missing`);
  return value;
}

/** @throws CliError if it is no number, or not from `least` to `most` */
export function numberOf(
  options: SimOptions,
  name: string,
  least = Number.NEGATIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
): number {
  const text = textOf(options, name);
  const value = Number(text);
  if (!Number.isFinite(value)) throw wrong(`${flagOf(name)} must be a number, got "${text}"`);
  if (value < least || value > most) throw wrong(`${flagOf(name)} must be from ${least} to ${most}, got ${text}`);
  return value;
}

/** @throws CliError as `numberOf` does, and for a fraction */
export function wholeOf(options: SimOptions, name: string, least: number, most: number): number {
  const value = numberOf(options, name, least, most);
  if (!Number.isInteger(value)) throw wrong(`${flagOf(name)} must be a whole number, got ${value}`);
  return value;
}

/** Nothing if the option was not given. @throws CliError as `numberOf` does */
export function optionalNumberOf(options: SimOptions, name: string, least: number, most: number): number | undefined {
  return options[name] === undefined ? undefined : numberOf(options, name, least, most);
}

/** @throws CliError if it is none of them */
export function oneOf<const T extends string>(options: SimOptions, name: string, allowed: readonly T[]): T {
  const text = textOf(options, name);
  const found = allowed.find((candidate) => candidate === text);
  if (found === undefined) throw wrong(`${flagOf(name)} must be one of ${allowed.join(", ")}, got "${text}"`);
  return found;
}

export function wrong(message: string, options?: ErrorOptions): CliError {
  return new CliError(EXIT.usage, message, options);
}

/** `maxA` is `--max-a` on the command line. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
