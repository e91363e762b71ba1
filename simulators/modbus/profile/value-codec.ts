import type { PointShape } from "./profile-shape.ts";

type Type = PointShape["type"];
type Order = PointShape["order"];

/** Bytes of a value; text has as many as its point says. */
const BYTES: Readonly<Record<Exclude<Type, "str">, number>> = {
  bit: 2,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
};

/** Registers, or bits, that a point takes. */
export function widthOf({ type, length }: PointShape): number {
  return type === "str" ? length : BYTES[type] / 2;
}

/** The registers of a raw number; what the type can't hold sticks at its end, as in a real device. */
export function encodeRaw(raw: number, type: Exclude<Type, "str">, order: Order): number[] {
  const bytes = Buffer.alloc(BYTES[type]);
  if (type === "f32") bytes.writeFloatBE(raw);
  else if (type === "f64") bytes.writeDoubleBE(raw);
  else {
    const bits = BigInt(bytes.length * 8);
    const isSigned = type.startsWith("i");
    const least = isSigned ? -(1n << (bits - 1n)) : 0n;
    const most = (1n << (isSigned ? bits - 1n : bits)) - 1n;
    const whole = BigInt(Math.round(Number.isFinite(raw) ? raw : 0));
    const kept = BigInt.asUintN(Number(bits), whole < least ? least : whole > most ? most : whole);
    for (let place = 0; place < bytes.length; place++) {
      bytes[place] = Number((kept >> BigInt(8 * (bytes.length - 1 - place))) & 0xffn);
    }
  }
  return toRegisters(reordered(bytes, order));
}

/** The raw number that registers hold. */
export function decodeRaw(registers: readonly number[], type: Exclude<Type, "str">, order: Order): number {
  const bytes = reordered(toBytes(registers), order);
  if (type === "f32") return bytes.readFloatBE();
  if (type === "f64") return bytes.readDoubleBE();
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  return Number(type.startsWith("i") ? BigInt.asIntN(bytes.length * 8, bits) : bits);
}

/** Text in so many registers, the rest zero. */
export function encodeText(text: string, width: number, order: Order): number[] {
  const bytes = Buffer.alloc(2 * width);
  bytes.write(text, "latin1");
  return toRegisters(order === "BADC" || order === "DCBA" ? bytes.swap16() : bytes);
}

/** From most significant first to the order on the wire, or back: each order undoes itself. */
function reordered(bytes: Buffer, order: Order): Buffer {
  const copy = Buffer.from(bytes);
  if (order === "ABCD") return copy;
  if (order === "BADC") return copy.swap16();
  if (order === "DCBA") return copy.reverse();
  // Words last to first, bytes within a word as they are.
  return copy.reverse().swap16();
}

function toRegisters(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(2 * index));
}

function toBytes(registers: readonly number[]): Buffer {
  return Buffer.from(registers.flatMap((register) => [register >> 8, register & 0xff]));
}
