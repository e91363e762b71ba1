const SHOWN_LETTERS = 2000;

/** Bytes of an input for a person, cut where they are many. */
export function shownText(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString("utf8"));
  return text.length > SHOWN_LETTERS ? `${text.slice(0, SHOWN_LETTERS)}... (${bytes.length} bytes)` : text;
}
