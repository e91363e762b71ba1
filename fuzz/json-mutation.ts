import type { Chance } from "./chance.ts";

/** What goes over the wire: text as bytes, so that it need not be text at all, or a binary frame. */
export interface Input {
  readonly bytes: Buffer;
  readonly isBinary: boolean;
}

/** Something that no schema foresees in its place. */
const ODD_VALUES: readonly ((chance: Chance) => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1e308,
  () => 2 ** 53,
  () => 0.1 + 0.2,
  () => "",
  () => " ",
  () => "NaN",
  () => "1e999",
  () => "\u0000\u001b[2J\u202e",
  () => "\ud800",
  () => [],
  () => ({}),
  () => [[[[[[[[]]]]]]]],
  () => "9999-99-99T99:99:99Z",
  () => "1970-01-01T00:00:00",
  (chance) => "x".repeat(1 + chance.integer(0, 60_000)),
  (chance) => new Array(1 + chance.integer(0, 5000)).fill(0),
  (chance) => new Array(1 + chance.integer(0, 500)).fill({ value: "1" }),
  (chance) => chance.integer(-1_000_000, 1_000_000),
];

const ODD_KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "",
  "\u0000",
  "status",
] as const;

type Json = Record<string, unknown> | unknown[];

/** One message with one to three things wrong with it. The same chance makes the same input. */
export function mutate(message: readonly unknown[], chance: Chance): Input {
  const copy = structuredClone(message) as unknown[];
  for (let times = chance.integer(0, 2); times >= 0; times--) {
    const change = chance.pick(VALUE_MUTATIONS);
    change(copy, chance);
  }
  let text = JSON.stringify(copy);
  const raw = chance.integer(0, 9);
  if (raw < 4) text = chance.pick(TEXT_MUTATIONS)(text, chance);
  const bytes = Buffer.from(text, "utf8");
  return raw === 9 ? chance.pick(BYTE_MUTATIONS)(bytes, chance) : { bytes, isBinary: false };
}

const VALUE_MUTATIONS: readonly ((message: unknown[], chance: Chance) => void)[] = [
  // Nothing: a real message in between, so that what the others left behind is used.
  () => {},
  swapValue,
  swapValue,
  swapValue,
  (message, chance) => {
    const place = somewhere(message, chance);
    if (Array.isArray(place)) place.splice(chance.integer(0, place.length), 1);
    else delete place[pickKey(place, chance)];
  },
  (message, chance) => {
    const place = somewhere(message, chance);
    const value = chance.pick(ODD_VALUES)(chance);
    if (Array.isArray(place)) place.push(value);
    // Defined and not assigned: `__proto__` is to be a key like any other.
    else
      Object.defineProperty(place, chance.pick(ODD_KEYS), {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  },
  (message, chance) => {
    message[1] = chance.pick([0, -1, 1.5, null, "", "x".repeat(37), "x".repeat(129), "x".repeat(10_000), [], {}, true]);
  },
  (message, chance) => {
    message[0] = chance.pick([0, 1, 2, 3, 4, 5, 6, 7, "2", null, [], {}, -2, 2.5]);
  },
  (message, chance) => {
    message[2] = chance.pick(["", "Heartbeat", "__proto__", "constructor", "toString", "x".repeat(5000), 5, null, {}]);
  },
];

const TEXT_MUTATIONS: readonly ((text: string, chance: Chance) => string)[] = [
  (text, chance) => text.slice(0, chance.integer(0, text.length)),
  (text, chance) => text.slice(chance.integer(0, text.length)),
  (text, chance) => {
    const at = chance.integer(0, text.length);
    return text.slice(0, at) + String.fromCharCode(chance.integer(0, 0x7f)) + text.slice(at + chance.integer(0, 3));
  },
  // Two keys of one name: the last one counts for one reader, the first one for another.
  (text) => text.replace(/\{("[^"]{1,60}":)/, '{$1"twice",$1'),
  (text, chance) => nested(text, chance, "[", "]"),
  (text, chance) => nested(text, chance, '{"a":', "}"),
  (text) => `${text}${text}`,
  (text) => `\ufeff${text}`,
  (text) => text.replaceAll(",", " , ").replaceAll(":", "\t:\n"),
  (text) => text.replace(/\d+/, "1e400"),
  (text) => text.replace(/\d+/, "-0.00000000000000000000000000000000000000001e-99999"),
  (_text, chance) => " ".repeat(chance.integer(0, 60_000)),
];

const BYTE_MUTATIONS: readonly ((bytes: Buffer, chance: Chance) => Input)[] = [
  (bytes, chance) => flipped(bytes, chance, 7),
  (bytes, chance) => flipped(bytes, chance, 7),
  (bytes, chance) => flipped(bytes, chance, 7),
  (bytes, chance) => flipped(bytes, chance, 7),
  // The eighth bit makes bytes that are no UTF-8, which ends a WebSocket.
  (bytes, chance) => flipped(bytes, chance, 8),
  (bytes) => ({ bytes, isBinary: true }),
  (_bytes, chance) => ({ bytes: Buffer.alloc(chance.integer(0, 1000), chance.integer(0, 255)), isBinary: true }),
];

function swapValue(message: unknown[], chance: Chance): void {
  const place = somewhere(message, chance);
  const value = chance.pick(ODD_VALUES)(chance);
  if (Array.isArray(place)) place[chance.integer(0, Math.max(0, place.length - 1))] = value;
  else place[pickKey(place, chance)] = value;
}

/** A list or an object within the message, or the message itself. */
function somewhere(message: Json, chance: Chance): Json & Record<string, unknown> {
  let place = message as Json & Record<string, unknown>;
  for (let depth = chance.integer(0, 6); depth > 0; depth--) {
    const inner = Object.values(place).filter((value) => typeof value === "object" && value !== null);
    if (inner.length === 0) break;
    place = chance.pick(inner) as Json & Record<string, unknown>;
  }
  return place;
}

function pickKey(place: object, chance: Chance): string {
  const keys = Object.keys(place);
  return keys.length === 0 ? "x" : chance.pick(keys);
}

/** Deep enough to overflow a stack that walks it, and within what a frame may hold. */
function nested(text: string, chance: Chance, open: string, close: string): string {
  const depth = chance.integer(100, 8000);
  const at = chance.integer(0, text.length);
  return `${text.slice(0, at)}${open.repeat(depth)}0${close.repeat(depth)}${text.slice(at)}`;
}

function flipped(bytes: Buffer, chance: Chance, bits: number): Input {
  const changed = Buffer.from(bytes);
  for (let flips = chance.integer(1, 4); flips > 0 && changed.length > 0; flips--) {
    const at = chance.integer(0, changed.length - 1);
    changed[at] = (changed[at] ?? 0) ^ (1 << chance.integer(0, bits - 1));
  }
  return { bytes: changed, isBinary: false };
}
