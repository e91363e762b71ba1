import { describe, expect, test } from "vitest";
import { openBench, signed, sky } from "./inverter-simulator-bench.ts";

async function chain(bench: Awaited<ReturnType<typeof openBench>>): Promise<{ id: number; length: number }[]> {
  const client = await bench.client();
  const marker = await client.readHoldingRegisters(bench.base, 2);
  expect(marker.buffer.toString("latin1")).toBe("SunS");
  const models: { id: number; length: number }[] = [];
  for (let address = bench.base + 2; ; ) {
    const [id = -1, length = -1] = (await client.readHoldingRegisters(address, 2)).data;
    models.push({ id, length });
    if (id === 0xffff || models.length > 20) return models;
    address += 2 + length;
  }
}

describe("the chain of models", () => {
  const rows = [
    { kind: "solar", map: "legacy", base: 40_000, ids: [1, 103, 120, 121, 122, 123] },
    { kind: "battery", map: "legacy", base: 0, ids: [1, 103, 120, 121, 122, 123, 124] },
    { kind: "solar", map: "float", base: 50_000, ids: [1, 113, 120, 121, 122, 123] },
    { kind: "solar", map: "der", base: 40_000, ids: [1, 701, 702, 704] },
    { kind: "battery", map: "der", base: 0, ids: [1, 701, 702, 704, 713] },
  ] as const;

  test.each(rows)("a $kind inverter with the $map map at $base has $ids and ends", async ({ kind, map, base, ids }) => {
    await using bench = await openBench(kind, { map, base });
    const models = await chain(bench);
    expect(models.map(({ id }) => id)).toEqual([...ids, 0xffff]);
    expect(models.at(-1)).toEqual({ id: 0xffff, length: 0 });
  });

  test("each model has the length that the standard gives it", async () => {
    const lengths = new Map<number, number>();
    for (const map of ["legacy", "float", "der"] as const) {
      await using bench = await openBench("battery", { map });
      for (const { id, length } of await chain(bench)) lengths.set(id, length);
    }
    expect(Object.fromEntries(lengths)).toEqual({
      1: 66,
      103: 50,
      113: 60,
      120: 26,
      121: 30,
      122: 44,
      123: 24,
      124: 24,
      701: 153,
      702: 50,
      704: 65,
      713: 7,
      65535: 0,
    });
  });
});

describe("what the device says of itself", () => {
  test("it names its maker, model and serial number", async () => {
    await using bench = await openBench("solar", { manufacturer: "Sunny Works", model: "SW-10", serial: "A1" });
    const text = async (offset: number, size: number) => {
      const bytes = Buffer.from((await bench.read(1, offset, size)).flatMap((word) => [word >> 8, word & 0xff]));
      return bytes.toString("latin1").replace(/\0+$/, "");
    };
    expect(await text(2, 16)).toBe("Sunny Works");
    expect(await text(18, 16)).toBe("SW-10");
    expect(await text(50, 16)).toBe("A1");
  });

  test("a rating reads in tens of watts, with the scale factor that says so", async () => {
    await using bench = await openBench("battery");
    expect(await bench.read(120, 2, 3)).toEqual([82, 500, 1]);
    expect(await bench.read(120, 19, 2)).toEqual([1000, 1]);
    expect(await bench.read(120, 23, 4)).toEqual([500, 1, 500, 1]);
    expect(await bench.read(702, 2, 1).catch(() => "no 702")).toBe("no 702");
  });

  test("points that a solar inverter does not have read as not implemented", async () => {
    await using bench = await openBench("solar");
    expect(await bench.read(120, 19, 8)).toEqual([0xffff, 0x8000, 0xffff, 0x8000, 0xffff, 0x8000, 0xffff, 0x8000]);
    expect(await bench.read(103, 27, 2)).toEqual([0xffff, 0x8000]);
    expect(await bench.read(123, 6, 1)).toEqual([0xffff]);
    await using der = await openBench("solar", { map: "der" });
    expect(await der.read(704, 38, 2)).toEqual([0x8000, 0]);
    expect(await der.read(704, 45, 2)).toEqual([0xffff, 0xffff]);
    expect(await der.read(702, 10, 2)).toEqual([0xffff, 0xffff]);
  });
});

describe("measurement is live", () => {
  test("a cloud shows in power, availability, voltage and state", async () => {
    await using bench = await openBench("solar");
    bench.settle();
    const [power, powerScale] = await bench.read(103, 14, 2);
    expect(signed(power) * 10 ** signed(powerScale)).toBe(8000);
    const before = await bench.read(103, 10, 1);
    expect(await bench.read(103, 38, 1)).toEqual([4]);
    sky.share = 0.2;
    bench.settle();
    expect((await bench.read(103, 14, 1))[0]).toBe(200);
    expect(await bench.read(122, 31, 2)).toEqual([200, 1]);
    expect((await bench.read(103, 10, 1))[0]).toBeLessThan(before[0] ?? 0);
    sky.share = 0;
    bench.settle();
    expect(await bench.read(103, 38, 1)).toEqual([2]);
  });

  test("the float model says the same in floating point", async () => {
    await using bench = await openBench("solar", { map: "float" });
    bench.settle();
    const [high = 0, low = 0] = await bench.read(113, 22, 2);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt16BE(high, 0);
    bytes.writeUInt16BE(low, 2);
    expect(bytes.readFloatBE(0)).toBeCloseTo(8000, 0);
    expect(await bench.read(113, 34, 2)).toEqual([0x7fc0, 0]);
  });

  test("the energy register rises by what was generated", async () => {
    await using bench = await openBench("solar");
    const energy = async () => {
      const [high = 0, low = 0] = await bench.read(103, 24, 2);
      return high * 0x10000 + low;
    };
    const before = await energy();
    bench.clock.advance(1_800_000);
    expect((await energy()) - before).toBe(4000);
  });

  test("a battery that draws shows negative power and rising state of charge", async () => {
    await using bench = await openBench("battery", { map: "der", idleKW: -2 });
    bench.settle();
    expect(signed((await bench.read(701, 10, 1))[0])).toBe(-2000);
    expect(signed((await bench.read(701, 14, 1))[0])).toBeLessThan(0);
    const [socBefore = 0] = await bench.read(713, 4, 1);
    const absorbed = async () => (await bench.read(701, 25, 2))[1] ?? 0;
    const absorbedBefore = await absorbed();
    bench.clock.advance(3_600_000);
    expect(((await bench.read(713, 4, 1))[0] ?? 0) - socBefore).toBe(190);
    expect((await absorbed()) - absorbedBefore).toBe(2000);
  });
});
