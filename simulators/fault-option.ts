import { wrong } from "./sim-options.ts";

/** One fault as it is named on the command line. */
export interface Fault<Behaviour> {
  readonly name: string;
  /** What stands behind `=`; absent where nothing may. */
  readonly value?: string;
  /** What is meant where a value may be left out. */
  readonly otherwise?: string;
  readonly effect: string;
  /** The part of the behaviour that it sets. @throws RangeError for a value that makes no sense */
  readonly behaviour: (value: string, before: Readonly<Behaviour>) => Partial<Behaviour>;
}

/** Every way in which a simulator can misbehave, grouped as in its help. */
export type FaultList<Behaviour> = readonly { readonly title: string; readonly faults: readonly Fault<Behaviour>[] }[];

/** A fault that does not exist, or a value that it cannot have. The message says what may stand there. */
export class FaultError extends Error {
  override readonly name = "FaultError";
}

/** For the help of every simulator that has faults. */
export const faultOption = {
  flags: "--fault <name[=value]>",
  description: "misbehave; may be repeated, see below",
  repeatable: true,
};

/**
 * Adds faults, as `NAME` or `NAME=VALUE`, to a behaviour.
 * @throws FaultError for a fault that there is not, or a value that it cannot have
 */
export function behaviourWith<Behaviour extends object>(
  list: FaultList<Behaviour>,
  before: Readonly<Behaviour>,
  texts: readonly string[],
): Behaviour {
  const behaviour = { ...before };
  for (const text of texts) Object.assign(behaviour, partOf(list, text, behaviour));
  return behaviour;
}

/** What was given with `--fault`. @throws CliError as `behaviourWith` throws a FaultError */
export function faultsGiven<Behaviour>(given: unknown, take: (texts: readonly string[]) => Behaviour): Behaviour {
  try {
    return take(Array.isArray(given) ? given.map(String) : []);
  } catch (error) {
    if (error instanceof FaultError) throw wrong(`--fault: ${error.message}`);
    throw error;
  }
}

/** The list for people, as the help shows it. */
export function helpOf<Behaviour>(list: FaultList<Behaviour>): string {
  const rows = list.flatMap(({ faults }) => faults);
  const width = Math.max(...rows.map((row) => usage(row).length).filter((length) => length <= 36));
  const line = (row: Fault<Behaviour>) => {
    const head = usage(row);
    return head.length > width
      ? `  ${head}\n  ${" ".repeat(width)}  ${row.effect}`
      : `  ${head.padEnd(width)}  ${row.effect}`;
  };
  return list.map(({ title, faults }) => `${title}:\n${faults.map(line).join("\n")}`).join("\n");
}

/** A number behind `=`. @throws RangeError */
export function number(text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new RangeError(`"${text}" is not a number from ${least} to ${most}`);
  }
  return value;
}

/** @throws RangeError */
export function whole(text: string, least = 0, most = 100): number {
  const value = number(text, least, most);
  if (!Number.isInteger(value)) throw new RangeError(`"${text}" is not a whole number`);
  return value;
}

/** In ms, from seconds. @throws RangeError */
export function seconds(text: string): number {
  return Math.round(1000 * number(text, 0, 1e7));
}

/** @throws RangeError */
export function oneOf<Value>(text: string, values: Readonly<Record<string, Value>>): Value {
  const value = Object.hasOwn(values, text) ? values[text] : undefined;
  if (value === undefined) throw new RangeError(`"${text}" is none of ${Object.keys(values).join(", ")}`);
  return value;
}

function usage<Behaviour>({ name, value, otherwise }: Fault<Behaviour>): string {
  if (value === undefined) return name;
  return otherwise === undefined ? `${name}=${value}` : `${name}[=${value}]`;
}

function partOf<Behaviour>(list: FaultList<Behaviour>, text: string, before: Readonly<Behaviour>): Partial<Behaviour> {
  const [name = "", ...rest] = text.split("=");
  const found = list.flatMap(({ faults }) => faults).find((row) => row.name === name);
  if (found === undefined) throw new FaultError(`there is no fault "${name}"; --help lists them`);
  const given = rest.length === 0 ? found.otherwise : rest.join("=");
  if (found.value === undefined && given !== undefined)
    throw new FaultError(`fault ${name} takes no value, got "${text}"`);
  if (found.value !== undefined && given === undefined)
    throw new FaultError(`fault ${name} needs a value: ${usage(found)}`);
  try {
    return found.behaviour(given ?? "", before);
  } catch (error) {
    throw new FaultError(`fault ${usage(found)}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
