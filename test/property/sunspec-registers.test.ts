import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkedRegisters, MAX_READ, MAX_WRITE, piecesOf } from "../../adapters/modbus/link/register-range.ts";
import { walkModels } from "../../adapters/modbus/sunspec/model-chain.ts";
import { decodeNumber, decodeText, encodeNumber } from "../../adapters/modbus/sunspec/point-types.ts";
import { mapOf, RegisterImage } from "../unit/sunspec-register-image.ts";

const RANGES = {
  int16: [-32_767, 32_767],
  uint16: [0, 65_534],
  enum16: [0, 65_534],
  bitfield16: [0, 65_534],
  int32: [-2_147_483_647, 2_147_483_647],
  uint32: [0, 4_294_967_294],
} as const;

describe("numbers in registers", () => {
  for (const [type, [min, max]] of Object.entries(RANGES) as [keyof typeof RANGES, readonly [number, number]][]) {
    test(`${type}: what is written is read, and the not-implemented code is never written`, () =>
      fc.assert(
        fc.property(fc.integer({ min, max }), (raw) => {
          expect(decodeNumber(type, encodeNumber(type, raw))).toBe(raw);
        }),
      ));

    test(`${type}: refuses what does not fit`, () => {
      for (const raw of [min - 1, max + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => encodeNumber(type, raw), String(raw)).toThrow(RangeError);
      }
    });
  }

  test("long numbers are high word first, and sleep codes are absent", () => {
    expect(encodeNumber("int32", -5000)).toEqual([0xffff, 0xec78]);
    expect(decodeNumber("uint64", [0, 0, 1, 2])).toBe(65_538);
    expect(decodeNumber("uint64", [0xffff, 0xffff, 0xffff, 0xffff])).toBeUndefined();
    expect(decodeNumber("acc32", [0, 0])).toBeUndefined();
    expect(decodeNumber("float32", [0x7fc0, 0])).toBeUndefined();
    expect(decodeNumber("float32", [0x3fc0, 0])).toBe(1.5);
    expect(decodeNumber("int16", [])).toBeUndefined();
  });

  test("any words are a text or nothing, and control letters never get through", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 16 }), (words) => {
        const text = decodeText(words);
        if (text !== undefined) expect(text).toMatch(/^[\x20-\x7e]+$/);
      }),
    ));
});

describe("requests", () => {
  test("pieces cover a run once, in order, and none is too long", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 1, max: 2000 }),
        fc.constantFrom(MAX_READ, MAX_WRITE),
        (address, count, most) => {
          fc.pre(address + count <= 0x10000);
          const pieces = piecesOf(address, count, most);
          expect(pieces.every((piece) => piece.count >= 1 && piece.count <= most)).toBe(true);
          const covered = pieces.flatMap((piece) => Array.from({ length: piece.count }, (_, i) => piece.address + i));
          expect(covered).toEqual(Array.from({ length: count }, (_, i) => address + i));
        },
      ),
    ));

  test("a value that is no whole 16-bit number is refused, never sent as 0", () => {
    for (const value of [Number.NaN, 1.7, -1, 65_536, Number.POSITIVE_INFINITY]) {
      expect(() => checkedRegisters([0, value]), String(value)).toThrow("whole number");
    }
    expect(() => piecesOf(65_535, 2, MAX_READ)).toThrow("inside 0 to 65535");
    expect(() => piecesOf(0, 0, MAX_READ)).toThrow();
    expect(() => piecesOf(1.5, 1, MAX_READ)).toThrow();
  });
});

test("any chain of models is walked to its end", async () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 65_534 }), fc.integer({ min: 1, max: 300 })), { maxLength: 30 }),
      async (models) => {
        const words = mapOf(models.map(([id, length]) => [id, new Array<number>(length).fill(0xffff)] as const));
        const chain = await walkModels(new RegisterImage(40_000, words), new AbortController().signal);
        expect(chain?.complete).toBe(true);
        expect(chain?.models.map(({ id, length }) => [id, length])).toEqual(models);
      },
    ),
  ));
