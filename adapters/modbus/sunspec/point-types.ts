/** Types of SunSpec points. */
export type PointType = NumericType | "string";

/** Types whose value is a number. */
export type NumericType = keyof typeof WORDS;

/** Types of the points that commands write. */
export type WritableType = "int16" | "uint16" | "enum16" | "bitfield16" | "int32" | "uint32";

const WORDS = {
  int16: 1,
  uint16: 1,
  acc16: 1,
  enum16: 1,
  bitfield16: 1,
  count: 1,
  sunssf: 1,
  int32: 2,
  uint32: 2,
  acc32: 2,
  enum32: 2,
  bitfield32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  acc64: 4,
  float64: 4,
} as const;

/** Registers that a numeric type takes. */
export function wordsOf(type: NumericType): number {
  return WORDS[type];
}

/**
 * A number from its registers, high word first. `undefined` for the code that says "not implemented", which many
 * devices also send when they sleep; an accumulator of 0 says the same, and one of all ones is a sleeping device's, not a
 * count. Whole numbers past 2^53 are rounded.
 */
export function decodeNumber(type: NumericType, words: readonly number[]): number | undefined {
  const view = viewOf(words);
  if (view.byteLength < WORDS[type] * 2) return undefined;
  switch (type) {
    case "int16":
    case "sunssf":
      return unless(view.getInt16(0), -0x8000);
    case "uint16":
    case "enum16":
    case "bitfield16":
    case "count":
      return unless(view.getUint16(0), 0xffff);
    case "acc16":
      return counted(view.getUint16(0), 0xffff);
    case "int32":
      return unless(view.getInt32(0), -0x8000_0000);
    case "uint32":
    case "enum32":
    case "bitfield32":
      return unless(view.getUint32(0), 0xffff_ffff);
    case "acc32":
      return counted(view.getUint32(0), 0xffff_ffff);
    case "float32":
      return finite(view.getFloat32(0));
    case "float64":
      return finite(view.getFloat64(0));
    case "int64": {
      const value = view.getBigInt64(0);
      return value === -(2n ** 63n) ? undefined : Number(value);
    }
    case "uint64": {
      const value = view.getBigUint64(0);
      return value === 2n ** 64n - 1n ? undefined : Number(value);
    }
    case "acc64":
      return counted(Number(view.getBigUint64(0)), 2 ** 64);
  }
}

/**
 * Registers of a raw (unscaled) number, high word first.
 * @throws RangeError if it is not whole, does not fit, or would read as "not implemented"
 */
export function encodeNumber(type: WritableType, raw: number): number[] {
  const bits = WORDS[type] * 16;
  const signed = type.startsWith("int");
  const least = signed ? -(2 ** (bits - 1)) + 1 : 0;
  const most = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 2;
  if (!Number.isInteger(raw) || raw < least || raw > most) {
    throw new RangeError(`${raw} is not a whole number from ${least} to ${most} (${type})`);
  }
  const bytes = new DataView(new ArrayBuffer(bits / 8));
  if (bits === 16) bytes.setUint16(0, raw & 0xffff);
  else bytes.setUint32(0, raw >>> 0);
  return Array.from({ length: bits / 16 }, (_, index) => bytes.getUint16(index * 2));
}

/** The type as one that is written. @throws TypeError for one that no command writes */
export function writableType(type: PointType): WritableType {
  switch (type) {
    case "int16":
    case "uint16":
    case "enum16":
    case "bitfield16":
    case "int32":
    case "uint32":
      return type;
    default:
      throw new TypeError(`points of type ${type} are not written`);
  }
}

/**
 * Text up to the first NUL, trimmed. `undefined` if nothing readable is there: sleeping SMA inverters send 0xFF.
 */
export function decodeText(words: readonly number[]): string | undefined {
  let text = "";
  for (const word of words) {
    for (const byte of [word >> 8, word & 0xff]) {
      if (byte === 0) return text.trim() || undefined;
      if (byte === 0xff) return undefined;
      text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
    }
  }
  return text.trim() || undefined;
}

function unless(value: number, notImplemented: number): number | undefined {
  return value === notImplemented ? undefined : value;
}

function counted(value: number, allOnes: number): number | undefined {
  return value === 0 || value === allOnes ? undefined : value;
}

/** Any NaN says "not implemented"; an infinity is no measurement either. */
function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function viewOf(words: readonly number[]): DataView {
  const view = new DataView(new ArrayBuffer(words.length * 2));
  for (const [index, word] of words.entries()) view.setUint16(index * 2, word);
  return view;
}
