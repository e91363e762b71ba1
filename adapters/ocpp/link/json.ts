/** A JSON object off the wire; nothing is known of its values yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Entries that are looked at in any one list of a message; what is beyond is ignored. */
const MAX_LIST = 1000;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text field with the spaces around it cut off; absent when it is missing, empty or no text. */
export function textAt(record: JsonRecord, key: string): string | undefined {
  const value = record[key];
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  return text === "" ? undefined : text;
}

/** A finite number, also where the charger wrote it as text; absent otherwise. */
export function numberAt(record: JsonRecord, key: string): number | undefined {
  const value = record[key];
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  const text = textAt(record, key);
  if (text === undefined) return undefined;
  const parsed = Number(text);
  return Number.isFinite(parsed) ? parsed : undefined;
}

export function integerAt(record: JsonRecord, key: string): number | undefined {
  const value = numberAt(record, key);
  return value !== undefined && Number.isInteger(value) ? value : undefined;
}

export function recordAt(record: JsonRecord, key: string): JsonRecord | undefined {
  const value = record[key];
  return isRecord(value) ? value : undefined;
}

/** The objects of a list; a lone object counts as a list of one, and what is no object is skipped. */
export function recordsAt(record: JsonRecord, key: string): readonly JsonRecord[] {
  const value = record[key];
  if (isRecord(value)) return [value];
  return Array.isArray(value) ? value.slice(0, MAX_LIST).filter(isRecord) : [];
}

/**
 * The beginning of a text that is kept for longer than its message. Copied where it is cut, since a part of a string holds
 * on to the whole of it.
 */
export function cutText(text: string, letters: number): string {
  return text.length <= letters ? text : Buffer.from(text.slice(0, letters), "utf8").toString("utf8");
}
