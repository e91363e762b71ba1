import { describe, expect, test } from "vitest";
import { MODEL_IDS } from "../../simulators/inverter/model-catalogue.ts";
import { parseModels } from "../../simulators/inverter/model-list.ts";
import { Plant } from "../../simulators/inverter/plant.ts";
import { sizeOf } from "../../simulators/inverter/point.ts";
import { SunSpecDevice } from "../../simulators/inverter/sunspec-device.ts";
import { GOOD_SUNSPEC_BEHAVIOUR } from "../../simulators/inverter/sunspec-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { type Bench, exceptionOf, HandClock, openBench, signed } from "./inverter-simulator-bench.ts";
import { fixtureJson, hasFixtures } from "./sunspec-register-image.ts";

interface Definition {
  readonly group: { readonly points: readonly DefinedPoint[]; readonly groups?: readonly DefinedGroup[] };
}

interface DefinedGroup {
  readonly name: string;
  readonly count?: number | string;
  readonly points: readonly DefinedPoint[];
}

interface DefinedPoint {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly sf?: string;
  readonly access?: string;
}

const ASKED_FOR = [
  1, 101, 102, 103, 111, 112, 113, 120, 121, 122, 123, 124, 160, 201, 202, 203, 204, 211, 212, 213, 214, 701, 702, 703,
  704, 713, 714, 715, 802,
];

function batteryDevice(ids: readonly number[]): SunSpecDevice {
  const clock = new HandClock();
  const cells = new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
  return new SunSpecDevice({
    models: ids.map((id) => ({ id })),
    clock,
    plant: new Plant(clock, cells, 0.3),
    manners: GOOD_SUNSPEC_BEHAVIOUR,
    label: { manufacturer: "M", model: "D", version: "1", serial: "S" },
    unit: 1,
    hasReversion: true,
    meterSign: 1,
  });
}

test("every model that a gateway may meet can be had", () => {
  expect(MODEL_IDS).toEqual(ASKED_FOR);
});

describe.skipIf(!hasFixtures)("points against the published definitions (skipped without ../shared)", () => {
  test.each(ASKED_FOR)("model %i: each point lies where the definition says, with its type, scale and access", (id) => {
    const [model] = batteryDevice([id]).models;
    const expected = definedPoints(fixtureJson(`models/model_${id}.json`) as Definition, repeats(id));
    const shown = (model?.rows ?? []).map(([name, offset, type, scale]) => ({ name, offset, type, scale }));
    expect(shown).toEqual(expected.map(({ name, offset, type, scale }) => ({ name, offset, type, scale })));
    // A device may lock a point that the standard opens, never the other way round.
    const open = new Set(expected.filter(({ access }) => access === "RW").map(({ name }) => name));
    for (const [name, , , , access] of model?.rows ?? []) if (access === "RW") expect(open).toContain(name);
    for (const row of model?.rows ?? []) expect(sizeOf(row[2])).toBeGreaterThan(0);
  });
});

function repeats(id: number): number {
  return id === 160 ? 2 : 1;
}

/** All points after ID and L in their order, those of repeating groups as many times as this device has them. */
function definedPoints({ group }: Definition, times: number) {
  const rows: { name: string; offset: number; type: string; scale: string | undefined; access: string | undefined }[] =
    [];
  let offset = 0;
  const add = (prefix: string, points: readonly DefinedPoint[]) => {
    for (const { name, type, size, sf, access } of points) {
      if (name !== "L" && (name !== "ID" || prefix !== "")) {
        const kind = type === "string" ? `string${size}` : type === "count" ? "uint16" : type;
        rows.push({ name: `${prefix}${name}`, offset, type: kind, scale: sf, access });
      }
      offset += size;
    }
  };
  add("", group.points);
  for (const each of group.groups ?? []) {
    const isRepeated = each.count !== undefined;
    for (let place = 1; place <= (isRepeated ? times : 1); place++) {
      add(isRepeated ? `${place}.` : `${each.name}.`, each.points);
    }
  }
  return rows;
}

describe("a chain as somebody lists it", () => {
  const idsOf = async (bench: Bench) => {
    const client = await bench.client();
    const found: [id: number, length: number][] = [];
    for (let address = bench.base + 2; ; ) {
      const [id = 0xffff, length = 0] = (await client.readHoldingRegisters(address, 2)).data;
      if (id === 0xffff) return found;
      found.push([id, length]);
      address += 2 + length;
    }
  };

  test("has models twice, in any order, of another length, and some that nobody knows", async () => {
    await using bench = await openBench("solar", { models: parseModels("1:65,64001:3,160,101,203,203,120-123") });
    expect(await idsOf(bench)).toEqual([
      [1, 65],
      [64001, 3],
      [160, 48],
      [101, 50],
      [203, 105],
      [203, 105],
      [120, 26],
      [121, 30],
      [122, 44],
      [123, 24],
    ]);
  });

  test("a short model lacks its last points, and they can't be written", async () => {
    await using bench = await openBench("solar", { models: parseModels("1,103,121,123:4,64001") });
    expect(await exceptionOf(bench.writeOne(123, 5, 3000))).toBeUndefined();
    // The enable has gone, so the limit can be written and never binds.
    expect(await exceptionOf(bench.writeOne(123, 9, 1))).toBe(2);
    expect(bench.simulator.underControl()).toBe(false);
  });

  test.each([
    ["abc", /"abc" is no model/],
    ["1,,103", /"" is no model/],
    ["120-3", /no range/],
    ["1-2000", /no range/],
  ])("%s is not understood", (text, message) => {
    expect(() => parseModels(text)).toThrow(message);
  });

  test.each([
    ["5", /there is no model 5/],
    ["124", /needs a battery/],
    ["802", /needs a battery/],
    ["103:0", /cannot have a length/],
  ])("a solar inverter with %s can't be had", async (text, message) => {
    await expect(openBench("solar", { models: parseModels(text) })).rejects.toThrow(message);
  });
});

describe("models beside the usual ones", () => {
  test("160 splits the sun over two strings, more than what arrives at the terminals", async () => {
    await using bench = await openBench("solar", { models: parseModels("1,103,160") });
    bench.settle();
    const [first = 0] = await bench.read(160, 21, 1);
    const [second = 0] = await bench.read(160, 41, 1);
    expect(await bench.read(160, 8, 1)).toEqual([2]);
    expect(first + second).toBeCloseTo(8000 / 0.97, -1);
  });

  test("714 and 802 show what the cells take in as negative", async () => {
    await using bench = await openBench("battery", { models: parseModels("1,701,714,802"), idleKW: -2 });
    bench.settle();
    expect(signed((await bench.read(714, 6, 1))[0])).toBe(-1940);
    expect(signed((await bench.read(802, 47, 1))[0])).toBe(-1940);
    expect(await bench.read(802, 16, 1)).toEqual([4]);
  });

  test("a meter beside the inverter counts what is drawn as positive, one that is told so the other way", async () => {
    await using bench = await openBench("solar", { models: parseModels("1,103,203") });
    bench.settle();
    expect(signed((await bench.read(203, 18, 1))[0]) * 10 ** signed((await bench.read(203, 22, 1))[0])).toBe(-8000);
    await using other = await openBench("solar", { models: parseModels("1,103,203"), meterSign: -1 });
    other.settle();
    expect(signed((await other.read(203, 18, 1))[0])).toBe(800);
  });

  test("703 without the permit takes the device off the grid, and its delay runs before it comes back", async () => {
    await using bench = await openBench("solar", { models: parseModels("1,701-704") });
    await bench.write(703, 2, [0]);
    bench.settle();
    expect(bench.simulator.powerKW()).toBe(0);
    expect(await bench.read(701, 5, 1)).toEqual([0]);
    await bench.write(703, 9, [0, 60]);
    await bench.write(703, 2, [1]);
    bench.clock.advance(30_000);
    expect(await bench.read(703, 15, 2)).toEqual([0, 30]);
    expect(bench.simulator.powerKW()).toBe(0);
    bench.clock.advance(31_000);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 1);
  });

  test("715 stops and starts the device, and its heart beats once a second", async () => {
    await using bench = await openBench("solar", { models: parseModels("1,701,704,715") });
    const beat = async () => (await bench.read(715, 4, 1))[0] ?? 0;
    const before = await beat();
    bench.clock.advance(5000);
    expect((await beat()) - before).toBe(5);
    await bench.writeOne(715, 8, 0);
    bench.settle();
    expect(bench.simulator.powerKW()).toBe(0);
    await bench.writeOne(715, 8, 1);
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 1);
    await bench.write(715, 5, [0, 77]);
    expect(await bench.read(715, 5, 2)).toEqual([0, 77]);
    expect(await exceptionOf(bench.writeOne(715, 8, 9))).toBe(3);
    expect(await exceptionOf(bench.writeOne(715, 2, 1))).toBe(2);
  });

  test("802 opens the contactor of the cells", async () => {
    await using bench = await openBench("battery", { models: parseModels("1,701,704,802") });
    await bench.writeOne(802, 50, 2);
    bench.settle();
    expect(bench.simulator.powerKW()).toBe(0);
    expect(await bench.read(802, 22, 1)).toEqual([1]);
  });

  test("a switch that the chain does not show is closed", async () => {
    await using bench = await openBench("solar", { models: parseModels("1,103") });
    bench.settle();
    expect(bench.simulator.powerKW()).toBeCloseTo(8, 1);
  });
});
