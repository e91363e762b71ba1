import { isUtf8 } from "node:buffer";

/** Deepest nesting of objects and arrays that is read; real messages stay under 12. */
const MAX_DEPTH = 32;

/** A path in a fault is cut to this length, so that a hostile key is not sent back in full. */
const MAX_PATH_LENGTH = 200;

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly path: string; readonly fault: string };

/**
 * Reads JSON that decides about power: what two parsers could read differently, or what harms code behind the parser,
 * is refused and the place is named.
 *
 * Accepts what `JSON.parse` accepts, less: bytes that are not UTF-8, nesting deeper than 32, a key twice in one object,
 * the keys `__proto__` and `prototype` under `constructor`, and numbers beyond the range of a double (`1e400`).
 * Nearly all messages are seen to be harmless by counting; for the others one exact pass without recursion names the
 * fault. The caller bounds the size.
 */
export function parseStrictJson(bytes: Uint8Array): StrictJson {
  if (!isUtf8(bytes)) return { ok: false, path: "", fault: "not valid UTF-8" };
  // A byte order mark stays in the text, where JSON.parse refuses it (RFC 8259, 8.1).
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const plain = readPlain(text);
  if (plain !== undefined) return { ok: true, value: plain.value };
  const fault = scan(text);
  if (fault !== undefined) return { ok: false, ...fault };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, path: "", fault: `not JSON: ${error instanceof Error ? error.message : "unreadable"}` };
  }
}

/**
 * The value, if it is plain that nothing in the text is to be refused; else nothing, and the exact pass decides.
 *
 * Without a backslash each quote begins or ends a string, so the matches of `KEY_END` are all keys and some strings that
 * begin with a colon. If a key stood twice, the objects would have fewer keys than there are matches.
 */
function readPlain(text: string): { readonly value: unknown } | undefined {
  if (UNUSUAL.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  let keys = 0;
  KEY_END.lastIndex = 0;
  while (KEY_END.test(text)) keys += 1;
  return countKeys(value, 0) === keys ? { value } : undefined;
}

const UNUSUAL = /\\|__proto__|prototype/;
const KEY_END = /"[ \t\n\r]*:/g;

/** Keys of all objects in a value; NaN if it is nested too deeply or has a number that is none. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value === "number") return Number.isFinite(value) ? 0 : Number.NaN;
  if (typeof value !== "object" || value === null) return 0;
  if (depth === MAX_DEPTH) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item, depth + 1);
    return count;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(fields)) count += 1 + countKeys(fields[key], depth + 1);
  return count;
}

/** An object or array that is open at this point of the text. */
interface Open {
  /** Keys seen so far; absent for an array. */
  readonly keys?: Set<string>;
  /** The key whose value is being read. */
  key: string;
  /** True where the next string is a key. */
  awaitsKey: boolean;
  index: number;
}

interface ScanFault {
  readonly path: string;
  readonly fault: string;
}

/**
 * Finds what `JSON.parse` would let through. On text that is not JSON it may find nothing or stop anywhere; `JSON.parse`
 * then says what is wrong.
 */
function scan(text: string): ScanFault | undefined {
  const open: Open[] = [];
  let at = 0;
  while (at < text.length) {
    const top = open.at(-1);
    switch (text[at]) {
      case "{":
      case "[": {
        if (open.length === MAX_DEPTH) return faultAt(open, `nested deeper than ${MAX_DEPTH}`);
        const isObject = text[at] === "{";
        open.push({ ...(isObject && { keys: new Set<string>() }), key: "", awaitsKey: isObject, index: 0 });
        at += 1;
        break;
      }
      case "}":
      case "]":
        open.pop();
        at += 1;
        break;
      case ",":
        if (top !== undefined) {
          top.awaitsKey = top.keys !== undefined;
          top.index += 1;
        }
        at += 1;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (top?.keys !== undefined && top.awaitsKey) {
          const key = decodeKey(text.slice(at, end));
          if (key === undefined) return undefined;
          top.key = key;
          top.awaitsKey = false;
          if (top.keys.has(key)) return faultAt(open, "this key stands twice in one object");
          if (isDangerous(key, open)) return faultAt(open, "this key is not allowed");
          top.keys.add(key);
        }
        at = end;
        break;
      }
      default: {
        const end = endOfNumber(text, at);
        if (end > at) {
          const number = Number(text.slice(at, end));
          if (Math.abs(number) === Number.POSITIVE_INFINITY) return faultAt(open, "this number is too large");
        }
        at = Math.max(end, at + 1);
      }
    }
  }
  return undefined;
}

/** `__proto__` changes an object's prototype when it is copied with `Object.assign`; `constructor.prototype` when it is merged. */
function isDangerous(key: string, open: readonly Open[]): boolean {
  return key === "__proto__" || (key === "prototype" && open.at(-2)?.key === "constructor");
}

/** Index after the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  // Nearly all strings have no escape, and the engine's own search is many times faster than a loop.
  const quote = text.indexOf('"', start + 1);
  if (quote < 0) return text.length;
  if (text.charCodeAt(quote - 1) !== 0x5c) return quote + 1;
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    at += code === 0x5c ? 2 : 1;
  }
  return text.length;
}

/** Index after the number that starts here; `start` itself where none does. */
function endOfNumber(text: string, start: number): number {
  let at = start;
  while (at < text.length && isNumberChar(text.charCodeAt(at), at === start)) at += 1;
  return at;
}

/** Digit or minus first; then also `.`, `+`, `e` and `E`. */
function isNumberChar(code: number, isFirst: boolean): boolean {
  if ((code >= 0x30 && code <= 0x39) || code === 0x2d) return true;
  return !isFirst && (code === 0x2e || code === 0x2b || code === 0x65 || code === 0x45);
}

/** The key as JSON means it (`"a"` is `a`), or nothing if it is not a JSON string. */
function decodeKey(quoted: string): string | undefined {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/** The fault with the path of the value that is being read, for example `message.order.setpoints[2].era`. */
function faultAt(open: readonly Open[], fault: string): ScanFault {
  let path = "";
  for (const level of open) {
    if (level.keys === undefined) path += `[${level.index}]`;
    else if (level.key !== "") path += path === "" ? level.key : `.${level.key}`;
  }
  return { path: path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path, fault };
}
