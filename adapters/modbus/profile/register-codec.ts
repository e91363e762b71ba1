import type { PointSpec } from "./point-schema.ts";

type Type = PointSpec["type"];
type Order = PointSpec["order"];

/** Registers in the order that a device sends them, put most significant first, or back: each is its own inverse. */
function ordered(registers: readonly number[], order: Order, isText: boolean): number[] {
  const bytesSwapped = order === "BADC" || order === "DCBA";
  const wordsSwapped = (order === "CDAB" || order === "DCBA") && !isText;
  const words = bytesSwapped ? registers.map((word) => ((word & 0xff) << 8) | ((word >> 8) & 0xff)) : [...registers];
  return wordsSwapped ? words.reverse() : words;
}

/**
 * The number that registers hold, without scale. Whole numbers beyond 2^53 lose their last digits.
 * @returns undefined for a float that is no finite number
 */
export function decodeNumber(registers: readonly number[], type: Type, order: Order): number | undefined {
  const view = viewOf(ordered(registers, order, false));
  switch (type) {
    case "bit":
    case "u16":
      return view.getUint16(0);
    case "i16":
      return view.getInt16(0);
    case "u32":
      return view.getUint32(0);
    case "i32":
      return view.getInt32(0);
    case "u64":
      return Number(view.getBigUint64(0));
    case "i64":
      return Number(view.getBigInt64(0));
    case "f32":
      return finite(view.getFloat32(0));
    case "f64":
      return finite(view.getFloat64(0));
    case "str":
      return undefined;
  }
}

/** Text up to its first zero byte, without spaces around it; undefined where nothing printable is left. */
export function decodeText(registers: readonly number[], order: Order): string | undefined {
  const bytes = Buffer.from(ordered(registers, order, true).flatMap((word) => [word >> 8, word & 0xff]));
  const end = bytes.indexOf(0);
  const text = bytes.subarray(0, end === -1 ? bytes.length : end).toString("latin1");
  const printable = text.replace(/[^\x20-\x7e\xa1-\xfe]/g, "").trim();
  return printable === "" ? undefined : printable;
}

/**
 * The registers of a whole number, or of a float.
 * @throws RangeError if it does not fit, or is no number: 0 would be a command
 */
export function encodeNumber(value: number, type: Type, order: Order): number[] {
  const words = mostSignificantFirst(value, type);
  return ordered(words, order, false);
}

function mostSignificantFirst(value: number, type: Type): number[] {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a number that can be written`);
  if (type === "f32" || type === "f64") {
    const view = new DataView(new ArrayBuffer(type === "f32" ? 4 : 8));
    if (type === "f32") view.setFloat32(0, value);
    else view.setFloat64(0, value);
    const stored = type === "f32" ? view.getFloat32(0) : value;
    if (!Number.isFinite(stored)) throw new RangeError(`${value} does not fit ${type}`);
    return wordsOf(view);
  }
  if (!Number.isInteger(value)) throw new RangeError(`${value} is not whole, and ${type} takes whole numbers`);
  const range = RANGES[type];
  if (range === undefined) throw new TypeError(`points of type ${type} are not written`);
  const [least, greatest, bytes] = range;
  if (BigInt(value) < least || BigInt(value) > greatest) throw new RangeError(`${value} does not fit ${type}`);
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 2) view.setUint16(0, value & 0xffff);
  else if (bytes === 4) view.setUint32(0, value >>> 0);
  else view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)));
  return wordsOf(view);
}

/** Least, greatest, bytes. */
const RANGES: Readonly<Partial<Record<Type, readonly [bigint, bigint, number]>>> = {
  bit: [0n, 1n, 2],
  u16: [0n, 0xffffn, 2],
  i16: [-0x8000n, 0x7fffn, 2],
  u32: [0n, 0xffff_ffffn, 4],
  i32: [-0x8000_0000n, 0x7fff_ffffn, 4],
  u64: [0n, 0xffff_ffff_ffff_ffffn, 8],
  i64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn, 8],
};

function viewOf(words: readonly number[]): DataView {
  const view = new DataView(new ArrayBuffer(words.length * 2));
  for (const [index, word] of words.entries()) view.setUint16(index * 2, word);
  return view;
}

function wordsOf(view: DataView): number[] {
  return Array.from({ length: view.byteLength / 2 }, (_, index) => view.getUint16(index * 2));
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
