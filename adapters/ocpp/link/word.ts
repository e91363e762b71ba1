import { type JsonRecord, textAt } from "./json.ts";

/** The one of the known words that a text is, in whatever case a charger wrote it; other texts stay as they are. */
export function knownWord(text: string, words: readonly string[]): string {
  if (words.includes(text)) return text;
  const lower = text.toLowerCase();
  return words.find((word) => word.toLowerCase() === lower) ?? text;
}

/** What a table says under the word that a field holds; absent where the field or the word is not there. */
export function entryAt<T>(record: JsonRecord, key: string, table: Readonly<Record<string, T>>): T | undefined {
  const text = textAt(record, key);
  if (text === undefined) return undefined;
  const word = knownWord(text, Object.keys(table));
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
