/** What a charger said of one configuration key (1.6) or variable (2.x). */
export interface Variable {
  /** Absent where the charger knows it and gives no value. */
  readonly value?: string;
  readonly readOnly?: boolean;
}

/** By name in small letters: `meterinterval` of 1.6, `component.variable` of 2.x. */
export type Variables = ReadonlyMap<string, Variable>;

/** The best of the whole numbers that a charger may have quoted or padded. */
export function wholeNumberFrom(text: string | undefined): number | undefined {
  const digits = /^\s*["']?\s*(\d{1,9})\s*["']?\s*$/.exec(text ?? "");
  return digits === null ? undefined : Number(digits[1]);
}

/** Booleans come in any case, as numbers, and some chargers quote them. */
export function booleanFrom(text: string | undefined): boolean | undefined {
  const word = (text ?? "").replace(/[^a-z0-9]/gi, "").toLowerCase();
  if (word === "true" || word === "1" || word === "yes") return true;
  return word === "false" || word === "0" || word === "no" ? false : undefined;
}
