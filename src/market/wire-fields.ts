import { Refusal } from "./answer.ts";
import { durationMsFromText, instantMsFromText } from "./iso-time.ts";

/** Vocabularies whose prefix may stand before a name on the wire; with and without it the name means the same. */
const PREFIXES = ["beckn:", "schema:"] as const;

const MAX_TEXT_LENGTH = 256;
const MAX_ITEMS = 1000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * An object of a message, of which only what is asked for is read, each name with or without its vocabulary's prefix.
 *
 * Each read checks its field and answers nothing where it is absent; the fault of a field that is there and wrong names
 * the place as it stands on the wire (`message.order.beckn:orderAttributes.setpointKW`). A field in two spellings is
 * refused, since two readers could take different ones. By hand and not by a schema library: this is on the way of each
 * setpoint, and a schema took four times as long on a machine that does little else.
 */
export class WireFields {
  /** Where this object stands in the message. */
  readonly path: string;
  readonly #fields: Fields;

  private constructor(fields: Fields, path: string) {
    this.#fields = fields;
    this.path = path;
  }

  /** @throws Refusal if it is no object */
  static of(value: unknown, path: string): WireFields {
    if (!isObject(value)) throw invalid(path, expected("object", value));
    return new WireFields(value, path);
  }

  /** The message's own part, for example `message.order` for `order`. @throws Refusal if it is no object */
  static ofMessage(body: unknown, ...names: readonly string[]): WireFields {
    let fields = WireFields.of(body, "");
    for (const name of ["message", ...names]) fields = fields.required(name, fields.object(name), "object");
    return fields;
  }

  /** The place of a field, as it is spelled here. */
  pathOf(name: string): string {
    const key = this.#keyOf(name) ?? name;
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  has(name: string): boolean {
    return this.#keyOf(name) !== undefined;
  }

  /** As it is, unchecked. */
  raw(name: string): unknown {
    const key = this.#keyOf(name);
    return key === undefined ? undefined : this.#fields[key];
  }

  /** @param leastValue lowest number that is allowed */
  number(name: string, leastValue = Number.NEGATIVE_INFINITY): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number") return this.fail(name, expected("number", value));
    if (value < leastValue) return this.fail(name, `expected a number of at least ${leastValue}`);
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "boolean") return value;
    return this.fail(name, expected("boolean", value));
  }

  /** One letter at least. */
  text(name: string, maxLength = MAX_TEXT_LENGTH): string | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") return this.fail(name, expected("string", value));
    if (value.length === 0 || value.length > maxLength) {
      return this.fail(name, `expected a text of 1 to ${maxLength} letters`);
    }
    return value;
  }

  /** Epoch ms of an RFC 3339 time. */
  instantMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return instantMsFromText(text) ?? this.fail(name, "expected an RFC 3339 time such as 2026-06-15T12:05:00Z");
  }

  /** ISO 8601, above zero. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ms = durationMsFromText(text);
    if (ms !== undefined && ms > 0) return ms;
    return this.fail(name, "expected an ISO 8601 duration above zero, such as PT15M");
  }

  /** ISO 4217. */
  currency(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined || isCurrency(text)) return text;
    return this.fail(name, "expected an ISO 4217 code such as INR");
  }

  object(name: string): WireFields | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : WireFields.of(value, this.pathOf(name));
  }

  /** The object if it is one, and nothing if something else stands there: for a field that decides nothing. */
  objectIfAny(name: string): WireFields | undefined {
    const value = this.raw(name);
    return isObject(value) ? new WireFields(value, this.pathOf(name)) : undefined;
  }

  /** Its objects, in order. */
  list(name: string, maxItems = MAX_ITEMS): readonly WireFields[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.fail(name, expected("array", value));
    if (value.length > maxItems) return this.fail(name, `expected at most ${maxItems} items`);
    const path = this.pathOf(name);
    return value.map((item, index) => WireFields.of(item, `${path}[${index}]`));
  }

  /** A value that must be there. @param kind what was expected, for the fault */
  required<T>(name: string, value: T | undefined, kind: string): T {
    return value ?? this.fail(name, `expected ${kind}, received undefined`);
  }

  /** @throws Refusal that names the field */
  fail(name: string, fault: string): never {
    throw invalid(this.pathOf(name), fault);
  }

  #keyOf(name: string): string | undefined {
    let found: string | undefined;
    for (const key of spellingsOf(name)) {
      if (!Object.hasOwn(this.#fields, key)) continue;
      if (found !== undefined) throw invalid(`${this.path}.${found}`, `given twice, as ${found} and ${key}`);
      found = key;
    }
    return found;
  }
}

/** Put together once for each name that the code asks for; all messages go through here. */
const spellings = new Map<string, readonly string[]>();

function spellingsOf(name: string): readonly string[] {
  let known = spellings.get(name);
  if (known === undefined) {
    known = ["", ...PREFIXES].map((prefix) => prefix + name);
    spellings.set(name, known);
  }
  return known;
}

/** ISO 4217. */
export function isCurrency(value: unknown): value is string {
  return typeof value === "string" && /^[A-Z]{3}$/.test(value);
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expected(kind: string, value: unknown): string {
  let found: string = typeof value;
  if (value === null) found = "null";
  else if (Array.isArray(value)) found = "array";
  return `expected ${kind}, received ${found}`;
}

function invalid(path: string, fault: string): Refusal {
  return new Refusal(400, "MESSAGE_INVALID", path, fault);
}
