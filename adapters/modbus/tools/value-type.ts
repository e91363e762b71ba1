import { OperationError } from "../../kind.ts";

/** Types that a technician may name, and how many registers one value takes. */
const SIZES = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  f32: 2,
  u64: 4,
  i64: 4,
  f64: 4,
} as const;

export type ValueType = keyof typeof SIZES;
export const VALUE_TYPES = Object.keys(SIZES) as readonly ValueType[];

/** A is the most significant byte: ABCD is what the standard and SunSpec send, CDAB turns the registers round, BADC the bytes. */
export const ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export type Order = (typeof ORDERS)[number];

/** Registers of one value. */
export function sizeOf(type: ValueType): number {
  return SIZES[type];
}

/** The value that registers hold. @param registers as many as the type takes, in the order in which they came */
export function decodedValue(registers: readonly number[], type: ValueType, order: Order): number | bigint {
  const bytes = bytesOf(registers, order);
  switch (type) {
    case "u16":
      return bytes.readUInt16BE();
    case "i16":
      return bytes.readInt16BE();
    case "u32":
      return bytes.readUInt32BE();
    case "i32":
      return bytes.readInt32BE();
    case "f32":
      return bytes.readFloatBE();
    case "u64":
      return bytes.readBigUInt64BE();
    case "i64":
      return bytes.readBigInt64BE();
    case "f64":
      return bytes.readDoubleBE();
  }
}

/**
 * The registers for a value that a person typed.
 * @throws OperationError where it is no number, or does not fit the type
 */
export function registersFor(text: string, type: ValueType, order: Order): number[] {
  const bytes = Buffer.alloc(2 * sizeOf(type));
  try {
    write(bytes, text, type);
  } catch (error) {
    throw new OperationError("invalid", `"${text}" is no ${type}`, { cause: error });
  }
  const registers: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) registers.push(bytes.readUInt16BE(at));
  // Turning round is its own inverse.
  const turned = bytesOf(registers, order);
  return registers.map((_, index) => turned.readUInt16BE(2 * index));
}

function write(bytes: Buffer, text: string, type: ValueType): void {
  if (type === "f32" || type === "f64") {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) throw new RangeError("not a finite number");
    if (type === "f64") bytes.writeDoubleBE(value);
    else if (Number.isFinite(Math.fround(value))) bytes.writeFloatBE(value);
    else throw new RangeError("too large");
    return;
  }
  // BigInt takes whole numbers only, in decimal and in hexadecimal, and no empty text is a number.
  if (!/^-?(0x[0-9a-f]+|\d+)$/i.test(text)) throw new RangeError("not a whole number");
  const value = text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
  const bits = BigInt(8 * bytes.length);
  const isSigned = type.startsWith("i");
  const least = isSigned ? -(1n << (bits - 1n)) : 0n;
  const most = isSigned ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  if (value < least || value > most) throw new RangeError("out of range");
  const hex = BigInt.asUintN(8 * bytes.length, value).toString(16);
  bytes.write(hex.padStart(2 * bytes.length, "0"), "hex");
}

function bytesOf(registers: readonly number[], order: Order): Buffer {
  const inOrder = order === "CDAB" || order === "DCBA" ? [...registers].reverse() : registers;
  const bytes = Buffer.alloc(2 * registers.length);
  for (const [index, register] of inOrder.entries()) bytes.writeUInt16BE(register, 2 * index);
  return order === "BADC" || order === "DCBA" ? bytes.swap16() : bytes;
}
