import { z } from "zod";

/** Name of a resource, a point, a control or a source inside a profile. */
export const name = z
  .string()
  .regex(/^[a-z][A-Za-z0-9]{0,39}$/, "must be a name of letters and digits that begins small, for example gridPower");

/** Says for a key that is left out what it is for; zod's own word for every other fault. */
export function missing(what: string) {
  return (issue: { readonly input?: unknown }) => (issue.input === undefined ? `is missing: ${what}` : undefined);
}

/** Where a number comes from: the number itself, a point's value, or the rating in the config, in W. The first that is there counts. */
const source = z.union([
  z.number("must be a number, the name of a point, or config.ratingKW"),
  name,
  z.literal("config.ratingKW"),
]);

export const sources = z.union([source, z.array(source).min(1).max(8)]);

export type Sources = z.output<typeof sources>;

/** The sources of a number in their order; none where it is left out. */
export function sourceList(given: Sources | undefined): readonly z.output<typeof source>[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? given : [given];
}

/** Names of the points that sources refer to. */
export function pointsOf(given: Sources | undefined): readonly string[] {
  return sourceList(given).filter((one): one is string => typeof one === "string" && one !== "config.ratingKW");
}
