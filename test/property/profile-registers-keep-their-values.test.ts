import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Point } from "../../adapters/modbus/profile/point.ts";
import { pointValue, registersFor } from "../../adapters/modbus/profile/point.ts";
import { pointSchema } from "../../adapters/modbus/profile/point-schema.ts";
import { planReads, splitBlock } from "../../adapters/modbus/profile/read-plan.ts";
import { decodeNumber, encodeNumber } from "../../adapters/modbus/profile/register-codec.ts";

const ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
const none = () => undefined;

/** A device's memory by the letters of the order, without the codec: A is the most significant byte. */
function bytesIn(order: (typeof ORDERS)[number], bigEndian: Buffer): Buffer {
  const words = Array.from({ length: bigEndian.length / 2 }, (_, index) =>
    bigEndian.subarray(index * 2, index * 2 + 2),
  );
  const swapped = order === "BADC" || order === "DCBA" ? words.map((word) => Buffer.from(word).reverse()) : words;
  return Buffer.concat(order === "CDAB" || order === "DCBA" ? swapped.reverse() : swapped);
}

const WRITERS = {
  u16: { bytes: 2, range: [0, 0xffff], write: (b: Buffer, v: number) => b.writeUInt16BE(v) },
  i16: { bytes: 2, range: [-0x8000, 0x7fff], write: (b: Buffer, v: number) => b.writeInt16BE(v) },
  u32: { bytes: 4, range: [0, 0xffff_ffff], write: (b: Buffer, v: number) => b.writeUInt32BE(v) },
  i32: { bytes: 4, range: [-0x8000_0000, 0x7fff_ffff], write: (b: Buffer, v: number) => b.writeInt32BE(v) },
  u64: {
    bytes: 8,
    range: [0, Number.MAX_SAFE_INTEGER],
    write: (b: Buffer, v: number) => b.writeBigUInt64BE(BigInt(v)),
  },
  i64: {
    bytes: 8,
    range: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    write: (b: Buffer, v: number) => b.writeBigInt64BE(BigInt(v)),
  },
} as const;

const whole = fc
  .constantFrom(...(Object.keys(WRITERS) as (keyof typeof WRITERS)[]))
  .chain((type) => {
    const [min, max] = WRITERS[type].range;
    return fc.record({
      type: fc.constant(type),
      value: fc.maxSafeInteger().map((n) => min + (Math.abs(n) % (max - min + 1))),
    });
  })
  .filter(({ type, value }) => Number.isSafeInteger(value) && value <= WRITERS[type].range[1]);

describe("registers", () => {
  test("of whole numbers are the bytes of the device, in any order and both ways", () => {
    fc.assert(
      fc.property(whole, fc.constantFrom(...ORDERS), ({ type, value }, order) => {
        const bytes = Buffer.alloc(WRITERS[type].bytes);
        WRITERS[type].write(bytes, value);
        const registers = encodeNumber(value, type, order);
        expect(Buffer.concat(registers.map((word) => Buffer.from([word >> 8, word & 0xff])))).toEqual(
          bytesIn(order, bytes),
        );
        expect(decodeNumber(registers, type, order)).toBe(value);
      }),
    );
  });

  test("of floats come back as they went, and no number is never a number", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(...ORDERS), (value, order) => {
        expect(decodeNumber(encodeNumber(value, "f32", order), "f32", order)).toBe(value);
        expect(decodeNumber(encodeNumber(value, "f64", order), "f64", order)).toBe(value);
      }),
    );
    expect(decodeNumber([0x7fc0, 0], "f32", "ABCD")).toBeUndefined();
    expect(decodeNumber([0x7f80, 0], "f32", "ABCD")).toBeUndefined();
  });

  test("that can't hold a value are refused, and nothing else is written instead", () => {
    expect(() => encodeNumber(65_536, "u16", "ABCD")).toThrow("does not fit");
    expect(() => encodeNumber(-1, "u32", "ABCD")).toThrow("does not fit");
    expect(() => encodeNumber(1.5, "i16", "ABCD")).toThrow("not whole");
    expect(() => encodeNumber(Number.NaN, "u16", "ABCD")).toThrow("not a number");
    expect(() => encodeNumber(1e300, "f32", "ABCD")).toThrow("does not fit");
  });
});

function pointOf(spec: Record<string, unknown>): Point {
  return { ...pointSchema.parse({ register: 0, ...spec }), name: "p", address: 0, width: 1 };
}

describe("a value that is written", () => {
  const scales = fc.constantFrom(0.001, 0.01, 0.1, 1, 2, 10, 100);

  test("is never more than was ordered, and less than one step below it", () => {
    fc.assert(
      fc.property(fc.double({ min: -20_000, max: 20_000, noNaN: true }), scales, (value, scale) => {
        const point = pointOf({ type: "i32", scale, unit: "W" });
        const written = Number(pointValue(point, registersFor(point, value, "down", none), none));
        expect(Math.abs(written)).toBeLessThanOrEqual(Math.abs(value) + 1e-6 * scale + 1e-9);
        expect(Math.abs(value) - Math.abs(written)).toBeLessThan(scale);
        expect(written === 0 || Math.sign(written) === Math.sign(value)).toBe(true);
      }),
    );
  });

  test("that is a whole number of steps is written as it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: -30_000, max: 30_000 }), scales, (steps, scale) => {
        const point = pointOf({ type: "i16", scale });
        const [register = 0] = registersFor(point, steps * scale, "down", none);
        expect((register << 16) >> 16).toBe(steps);
      }),
    );
  });

  test("is never the code for no value", () => {
    const point = pointOf({ type: "u16", notImplemented: [65_535] });
    expect(() => registersFor(point, 65_535, "down", none)).toThrow("no value");
  });
});

describe("reads in blocks", () => {
  const points = fc
    .array(
      fc.record({
        address: fc.integer({ min: 0, max: 600 }),
        type: fc.constantFrom("u16", "u32", "f64"),
        space: fc.constantFrom("holding", "input"),
      }),
      { minLength: 1, maxLength: 60 },
    )
    .map((rows) =>
      rows.map(({ address, type, space }, index): Point => {
        const width = { u16: 1, u32: 2, f64: 4 }[type] ?? 1;
        return { ...pointOf({ type, space }), name: `p${index}`, address, width };
      }),
    );
  const limits = fc.record({ maxRead: fc.integer({ min: 4, max: 125 }), maxGap: fc.integer({ min: 0, max: 40 }) });

  test("have each point once and whole, and keep to the device's limits", () => {
    fc.assert(
      fc.property(points, limits, (all, bounds) => {
        const blocks = planReads(all, bounds);
        expect(blocks.flatMap((block) => block.points).length).toBe(all.length);
        for (const block of blocks) {
          expect(block.count).toBeLessThanOrEqual(bounds.maxRead);
          const used = new Set(
            block.points.flatMap(({ address, width }) => Array.from({ length: width }, (_, index) => address + index)),
          );
          let gap = 0;
          for (let address = block.address; address < block.address + block.count; address++) {
            gap = used.has(address) ? 0 : gap + 1;
            expect(gap).toBeLessThanOrEqual(bounds.maxGap);
          }
          for (const point of block.points) {
            expect(point.space).toBe(block.space);
            expect(point.address).toBeGreaterThanOrEqual(block.address);
            expect(point.address + point.width).toBeLessThanOrEqual(block.address + block.count);
          }
        }
      }),
    );
  });

  test("that are refused come down to single points, each once", () => {
    fc.assert(
      fc.property(points, limits, (all, bounds) => {
        let blocks = planReads(all, bounds);
        let rounds = 0;
        const alone: string[] = [];
        while (blocks.length > 0) {
          rounds += 1;
          expect(rounds).toBeLessThan(40);
          blocks = blocks.flatMap((block) => {
            const parts = splitBlock(block, bounds.maxRead);
            if (parts.length === 0) alone.push(...block.points.map(({ name }) => name));
            return parts;
          });
        }
        expect(alone.sort()).toEqual(all.map(({ name }) => name).sort());
      }),
    );
  });
});
