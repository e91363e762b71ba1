/** What may stand in a document that is hashed. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/**
 * JSON that is the same text for the same content, to hash or sign it (RFC 8785): no white space, keys sorted by their
 * UTF-16 code units, numbers and strings as ECMAScript writes them. A key whose value is undefined is left out.
 * @throws RangeError for a number that JSON can't hold
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value as Readonly<Record<string, JsonValue | undefined>>)
      .filter((entry): entry is [string, JsonValue] => entry[1] !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} can't be written as JSON`);
  return JSON.stringify(value);
}
