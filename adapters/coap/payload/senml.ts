import { PayloadError, type RawValue } from "./format.ts";

/** Labels of SenML in CBOR by their names in JSON (RFC 8428, 6, table 4), as far as they carry a name or a value. */
const CBOR_LABELS: Readonly<Record<string, number>> = { bn: -2, bv: -5, n: 0, v: 2, vs: 3, vb: 4 };

/**
 * The values of a pack by their resolved names: base name and name together, base value and value added (RFC 8428, 4).
 * Where a name comes several times the last one counts.
 * @throws PayloadError
 */
export function valuesOfPack(pack: unknown): Map<string, RawValue> {
  if (!Array.isArray(pack)) throw new PayloadError("a SenML pack is a list");
  const values = new Map<string, RawValue>();
  let baseName = "";
  let baseValue = 0;
  for (const record of pack as unknown[]) {
    const read = readerOf(record);
    baseName = textOf(read("bn"), "bn") ?? baseName;
    baseValue = numberOf(read("bv"), "bv") ?? baseValue;
    const name = baseName + (textOf(read("n"), "n") ?? "");
    const number = numberOf(read("v"), "v");
    const value = number === undefined ? (read("vb") ?? read("vs")) : number + baseValue;
    if (value === undefined) continue;
    if (typeof value !== "number" && typeof value !== "boolean" && typeof value !== "string") {
      throw new PayloadError(`SenML ${name} has a value of no known kind`);
    }
    values.set(name, value);
  }
  return values;
}

/** A pack that carries values by their full names, for JSON. */
export function jsonPackOf(values: ReadonlyMap<string, RawValue>): Record<string, RawValue>[] {
  return [...values].map(([n, value]) => ({ n, [kindOf(value)]: value }));
}

/** The same for CBOR, with the labels of RFC 8428. */
export function cborPackOf(values: ReadonlyMap<string, RawValue>): Map<number, RawValue>[] {
  return [...values].map(
    ([n, value]) =>
      new Map<number, RawValue>([
        [label("n"), n],
        [label(kindOf(value)), value],
      ]),
  );
}

function kindOf(value: RawValue): "v" | "vs" | "vb" {
  if (typeof value === "number") return "v";
  return typeof value === "string" ? "vs" : "vb";
}

function label(name: string): number {
  return CBOR_LABELS[name] ?? 0;
}

function readerOf(record: unknown): (name: string) => unknown {
  if (record instanceof Map) return (name) => record.get(label(name)) as unknown;
  if (typeof record !== "object" || record === null) throw new PayloadError("a SenML record is an object");
  return (name) => (Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined);
}

function textOf(value: unknown, name: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new PayloadError(`SenML ${name} is no text`);
}

function numberOf(value: unknown, name: string): number | undefined {
  if (value === undefined || typeof value === "number") return value;
  throw new PayloadError(`SenML ${name} is no number`);
}
