import type { z } from "zod";

/** The first thing that is wrong with a value, with the path as it stands on the wire. */
export interface Fault {
  readonly path: string;
  readonly fault: string;
}

/**
 * The first issue of a failed parse as a person reads it.
 * @param prefix where the parsed part stands in the message
 * @param message the whole message, to find whether a name carries `beckn:` there
 */
export function zodFault(error: z.ZodError, prefix: readonly PropertyKey[], message: unknown): Fault {
  const issue = error.issues[0];
  if (issue === undefined) return { path: wirePath(prefix, message), fault: "invalid" };
  return { path: wirePath([...prefix, ...issue.path], message), fault: issue.message.replace(/^Invalid input: /, "") };
}

/** Vocabularies whose prefix may stand before a name on the wire; with and without it the name means the same. */
export const PREFIXES = ["beckn:", "schema:"] as const;

/** `message.order.beckn:orderAttributes.setpoints[2].era`: each name with the prefix that it has in this message. */
export function wirePath(path: readonly PropertyKey[], message: unknown): string {
  let text = "";
  let value = message;
  for (const part of path) {
    const key = wireKey(value, part);
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? key : `.${key}`;
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  }
  return text;
}

function wireKey(value: unknown, part: PropertyKey): string {
  const name = String(part);
  if (typeof value !== "object" || value === null || Object.hasOwn(value, name)) return name;
  return PREFIXES.map((prefix) => prefix + name).find((key) => Object.hasOwn(value, key)) ?? name;
}
