import fc from "fast-check";
import { expect, test } from "vitest";
import { OperationError } from "../../adapters/kind.ts";
import { crc16 } from "../../adapters/modbus/link/crc16.ts";
import {
  decodedValue,
  ORDERS,
  registersFor,
  VALUE_TYPES,
  type ValueType,
} from "../../adapters/modbus/tools/value-type.ts";

const BITS: Readonly<Record<string, number>> = { u16: 16, i16: 16, u32: 32, i32: 32, u64: 64, i64: 64 };

const order = fc.constantFrom(...ORDERS);
const wholeType = fc.constantFrom(...VALUE_TYPES.filter((type) => !type.startsWith("f")));

function range(type: ValueType): { least: bigint; most: bigint } {
  const bits = BigInt(BITS[type] ?? 0);
  return type.startsWith("i")
    ? { least: -(2n ** (bits - 1n)), most: 2n ** (bits - 1n) - 1n }
    : { least: 0n, most: 2n ** bits - 1n };
}

const wholeValue = wholeType.chain((type) => {
  const { least, most } = range(type);
  return fc.record({ type: fc.constant(type), value: fc.bigInt(least, most) });
});

test("a whole number comes back from its registers in every order", () => {
  fc.assert(
    fc.property(wholeValue, order, ({ type, value }, turned) => {
      const registers = registersFor(String(value), type, turned);
      expect(registers.every((register) => Number.isInteger(register) && register >= 0 && register <= 0xffff)).toBe(
        true,
      );
      expect(BigInt(decodedValue(registers, type, turned))).toBe(value);
    }),
  );
});

test("a fraction comes back as exactly as its type holds it", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), order, (value, turned) => {
      expect(decodedValue(registersFor(String(value), "f64", turned), "f64", turned)).toBe(Number(String(value)));
    }),
  );
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), order, (value, turned) => {
      expect(decodedValue(registersFor(String(value), "f32", turned), "f32", turned)).toBe(Number(String(value)));
    }),
  );
});

test("the orders are those that manuals mean", () => {
  expect(registersFor("0x11223344", "u32", "ABCD")).toEqual([0x1122, 0x3344]);
  expect(registersFor("0x11223344", "u32", "CDAB")).toEqual([0x3344, 0x1122]);
  expect(registersFor("0x11223344", "u32", "BADC")).toEqual([0x2211, 0x4433]);
  expect(registersFor("0x11223344", "u32", "DCBA")).toEqual([0x4433, 0x2211]);
});

test("what does not fit its type is refused, never cut", () => {
  fc.assert(
    fc.property(wholeType, fc.bigInt(1n, 2n ** 70n), order, (type, beyond, turned) => {
      const { least, most } = range(type);
      expect(() => registersFor(String(most + beyond), type, turned)).toThrow(OperationError);
      expect(() => registersFor(String(least - beyond), type, turned)).toThrow(OperationError);
    }),
  );
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...VALUE_TYPES), (text, type) => {
      fc.pre(!/^\s*[-+]?(0x[0-9a-f]+|[\d.]+(e[-+]?\d+)?|0[bo]\d+)\s*$/i.test(text));
      expect(() => registersFor(text, type, "ABCD")).toThrow(OperationError);
    }),
  );
});

test("the checksum is that of the standard, and finds every single wrong bit", () => {
  // The check value of this polynomial and start in the catalogues of CRCs.
  expect(crc16(Buffer.from("123456789"))).toBe(0x4b37);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 254 }), fc.nat(), (bytes, place) => {
      const sum = crc16(bytes);
      const sent = Buffer.from([...bytes, sum & 0xff, sum >> 8]);
      expect(crc16(sent)).toBe(0);
      const bit = place % (8 * sent.length);
      sent[bit >> 3] = (sent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(crc16(sent)).not.toBe(0);
    }),
  );
});
