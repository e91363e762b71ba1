import { type Format, PayloadError, type RawValue } from "./format.ts";
import { treeOf, valueAt } from "./json-pointer.ts";
import { cborPackOf, jsonPackOf, valuesOfPack } from "./senml.ts";

/** Where a value stands in a payload, as a profile says it. */
export interface ValuePlace {
  /** A JSON pointer, or a whole SenML name; absent where the payload is the value. */
  readonly at?: string | undefined;
  /** A row of a list that is found by what stands in it. */
  readonly row?:
    | { readonly list: string; readonly where: Readonly<Record<string, RawValue>>; readonly take: string }
    | undefined;
}

/** A payload that was read. */
export type Payload =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tree"; readonly tree: unknown }
  | { readonly kind: "pack"; readonly values: ReadonlyMap<string, RawValue> };

/** @throws PayloadError where the bytes are not of that format */
export async function readPayload(format: Format, bytes: Uint8Array): Promise<Payload> {
  if (format === "text") return { kind: "text", text: textOf(bytes) };
  const tree = format === "json" || format === "senml-json" ? jsonOf(bytes) : await cborOf(bytes, format);
  if (format === "json" || format === "cbor") return { kind: "tree", tree };
  return { kind: "pack", values: valuesOfPack(tree) };
}

/** The value at a place; undefined where the device does not give one. */
export function valueIn(payload: Payload, { at, row }: ValuePlace): RawValue | undefined {
  if (payload.kind === "text") return payload.text.trim();
  if (payload.kind === "pack") return payload.values.get(at ?? "");
  if (row === undefined) return plain(valueAt(payload.tree, at ?? ""));
  const list = valueAt(payload.tree, row.list);
  if (!Array.isArray(list)) return undefined;
  const found = (list as unknown[]).find((one) =>
    Object.entries(row.where).every(([key, wanted]) => valueAt(one, `/${key}`) === wanted),
  );
  return found === undefined ? undefined : plain(valueAt(found, `/${row.take}`));
}

/** A payload that carries values by their places. @param values of one place only where the format is text */
export async function writePayload(format: Format, values: ReadonlyMap<string, RawValue>): Promise<Uint8Array> {
  switch (format) {
    case "text":
      return Buffer.from([...values.values()].map(plainText).join(""));
    case "json":
      return Buffer.from(JSON.stringify(treeOf(values)));
    case "senml-json":
      return Buffer.from(JSON.stringify(jsonPackOf(values)));
    case "cbor":
      return (await import("cborg")).encode(treeOf(values));
    case "senml-cbor":
      return (await import("cborg")).encode(cborPackOf(values));
  }
}

/** LwM2M and most others write a boolean as 1 or 0 in plain text (LwM2M core, 7.4.1). */
function plainText(value: RawValue): string {
  return typeof value === "boolean" ? (value ? "1" : "0") : String(value);
}

function plain(value: unknown): RawValue | undefined {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : undefined;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PayloadError("the text is not UTF-8", { cause });
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new PayloadError(`no JSON: ${text.slice(0, 40)}`, { cause });
  }
}

async function cborOf(bytes: Uint8Array, format: Format): Promise<unknown> {
  const { decode } = await import("cborg");
  try {
    // SenML has numbers as keys, which an object could not tell from texts.
    return decode(bytes, { useMaps: format === "senml-cbor", rejectDuplicateMapKeys: true });
  } catch (cause) {
    throw new PayloadError(`no CBOR: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
