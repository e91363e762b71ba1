/** A SunSpec point type. `string8` is a string of 8 registers. */
export type PointType =
  | "uint16"
  | "int16"
  | "enum16"
  | "bitfield16"
  | "sunssf"
  | "pad"
  | "uint32"
  | "int32"
  | "bitfield32"
  | "acc32"
  | "float32"
  | "uint64"
  | "acc64"
  | `string${number}`;

/** One row of a model: where a point lies, how it is written, which point scales it, and whether a client may write it. */
export type PointRow = readonly [
  name: string,
  offset: number,
  type: PointType,
  scale?: string | undefined,
  access?: "RW",
];

/** What a point says, in its unit and already scaled. Absent: this device has no such point. */
export type PointValue = number | string;

/** Rows of one type that follow each other without a gap. */
export function rowsFrom(offset: number, type: PointType, names: readonly string[], scale?: string): PointRow[] {
  return names.map((name, index) => [name, offset + index * sizeOf(type), type, scale]);
}

interface NumberFormat {
  /** Registers of 16 bit. */
  readonly size: number;
  readonly signed: boolean;
  /** The code that stands for "not implemented", as an unsigned number. */
  readonly none: bigint;
}

const FORMATS: Readonly<Record<string, NumberFormat>> = {
  uint16: { size: 1, signed: false, none: 0xffffn },
  int16: { size: 1, signed: true, none: 0x8000n },
  enum16: { size: 1, signed: false, none: 0xffffn },
  bitfield16: { size: 1, signed: false, none: 0xffffn },
  sunssf: { size: 1, signed: true, none: 0x8000n },
  pad: { size: 1, signed: true, none: 0x8000n },
  uint32: { size: 2, signed: false, none: 0xffff_ffffn },
  int32: { size: 2, signed: true, none: 0x8000_0000n },
  bitfield32: { size: 2, signed: false, none: 0xffff_ffffn },
  acc32: { size: 2, signed: false, none: 0n },
  float32: { size: 2, signed: true, none: 0x7fc0_0000n },
  uint64: { size: 4, signed: false, none: 0xffff_ffff_ffff_ffffn },
  acc64: { size: 4, signed: false, none: 0n },
};

/** Registers that a point takes. */
export function sizeOf(type: PointType): number {
  return type.startsWith("string") ? Number(type.slice("string".length)) : formatOf(type).size;
}

/** The registers of a point that the device does not have. */
export function noneOf(type: PointType): number[] {
  if (type.startsWith("string")) return new Array<number>(sizeOf(type)).fill(0);
  const format = formatOf(type);
  return split(format.none, format.size);
}

/**
 * The registers of a value. A number outside of what the type can hold sticks at the end of its range, next to the
 * not-implemented code, as in a real meter.
 * @param scale power of ten of one raw step; 0 where the point has no scale point
 */
export function encode(type: PointType, value: PointValue | undefined, scale: number): number[] {
  if (value === undefined) return noneOf(type);
  if (typeof value === "string") return encodeText(value, sizeOf(type));
  if (!Number.isFinite(value)) return noneOf(type);
  if (type === "float32") return encodeFloat(value);
  const format = formatOf(type);
  const bits = BigInt(format.size * 16);
  let low = format.signed ? -(1n << (bits - 1n)) : 0n;
  let high = format.signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  if (format.signed) low += 1n;
  else if (format.none !== 0n) high -= 1n;
  const raw = BigInt(Math.round(scale < 0 ? value * 10 ** -scale : value / 10 ** scale));
  const kept = raw < low ? low : raw > high ? high : raw;
  return split(BigInt.asUintN(Number(bits), kept), format.size);
}

/**
 * The number that a client wrote, in the point's unit; `undefined` for the not-implemented code, which is no value.
 * Only for the whole-number types of up to 32 bit, since no control point has another.
 */
export function decode(type: PointType, registers: readonly number[], scale: number): number | undefined {
  const format = formatOf(type);
  let bits = 0n;
  for (const register of registers) bits = (bits << 16n) | BigInt(register);
  if (bits === format.none) return undefined;
  const raw = Number(format.signed ? BigInt.asIntN(format.size * 16, bits) : bits);
  return scale < 0 ? raw / 10 ** -scale : raw * 10 ** scale;
}

function formatOf(type: PointType): NumberFormat {
  const format = FORMATS[type];
  if (format === undefined) throw new TypeError(`no number format for ${type}`);
  return format;
}

/** Most significant register first, as SunSpec orders all values longer than 16 bit. */
function split(bits: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, index) => Number((bits >> BigInt(16 * (size - 1 - index))) & 0xffffn));
}

function encodeFloat(value: number): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
}

function encodeText(text: string, size: number): number[] {
  const bytes = Buffer.alloc(size * 2);
  bytes.write(text, "latin1");
  return Array.from({ length: size }, (_, index) => bytes.readUInt16BE(index * 2));
}
