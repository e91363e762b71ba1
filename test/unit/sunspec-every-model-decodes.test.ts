import { describe, expect, test } from "vitest";
import type { ModelChain } from "../../adapters/modbus/sunspec/model-chain.ts";
import { walkModels } from "../../adapters/modbus/sunspec/model-chain.ts";
import { readModelValues } from "../../adapters/modbus/sunspec/model-values.ts";
import { allTables } from "../../adapters/modbus/sunspec/models/all-tables.ts";
import { dumpImage, fixtureJson, hasFixtures, mapOf, RegisterImage } from "./sunspec-register-image.ts";

const never = new AbortController().signal;

interface DefinedGroup {
  readonly name: string;
  readonly count?: number | string;
  readonly points: readonly { readonly name: string; readonly type: string; readonly size: number }[];
  readonly groups?: readonly DefinedGroup[];
}

/** What a device shows for a point that it does not have (SunSpec Device Information Model Specification, data types). */
const NONE: Readonly<Record<string, readonly number[]>> = {
  int16: [0x8000],
  sunssf: [0x8000],
  pad: [0x8000],
  uint16: [0xffff],
  enum16: [0xffff],
  bitfield16: [0xffff],
  count: [0xffff],
  acc32: [0, 0],
  acc64: [0, 0, 0, 0],
  int32: [0x8000, 0],
  uint32: [0xffff, 0xffff],
  bitfield32: [0xffff, 0xffff],
  float32: [0x7fc0, 0],
  uint64: [0xffff, 0xffff, 0xffff, 0xffff],
};

/** 21 in the raw form of each type; texts say "AB". */
const TWENTY_ONE: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(["int16", "uint16", "enum16", "bitfield16", "count", "pad"].map((type) => [type, [21]])),
  ...Object.fromEntries(["acc32", "int32", "uint32", "bitfield32"].map((type) => [type, [0, 21]])),
  ...Object.fromEntries(["acc64", "uint64"].map((type) => [type, [0, 0, 0, 21]])),
  // -1: every scaled value is 2.1.
  sunssf: [0xffff],
  float32: [0x41a8, 0],
};

/** The registers of a model behind its length, and the names of its values, written down from the definition. */
function filled(id: number, words: Readonly<Record<string, readonly number[]>>, groups: number) {
  const { group } = fixtureJson(`models/model_${id}.json`) as { group: DefinedGroup };
  const data: number[] = [];
  const take = (points: DefinedGroup["points"]) => {
    for (const { name, type, size } of points) {
      if (points === group.points && (name === "ID" || name === "L")) continue;
      const isCount = group.groups?.some((inner) => inner.count === name);
      const text = words === NONE ? [0] : [0x4142];
      data.push(...(isCount ? [groups] : type === "string" ? padded(text, size) : (words[type] ?? [])));
    }
  };
  take(group.points);
  for (const inner of group.groups ?? []) {
    for (let index = 0; index < (inner.count === undefined ? 1 : groups); index++) take(inner.points);
  }
  return data;
}

const padded = (words: readonly number[], size: number) => [
  ...words,
  ...new Array<number>(size - words.length).fill(0),
];

async function valuesOf(id: number, data: readonly number[]) {
  const image = new RegisterImage(40_000, mapOf([[id, data]]));
  const chain = (await walkModels(image, never)) as ModelChain;
  return (await readModelValues(image, chain, never))[0]?.values ?? [];
}

describe.skipIf(!hasFixtures)("every model (skipped without ../shared)", () => {
  const ids = allTables.flatMap((table) => table.ids);

  test.each(ids)("model %i: each point is read where the definition puts it, scaled, in every group", async (id) => {
    const table = allTables.find((each) => each.ids.includes(id));
    const values = await valuesOf(id, filled(id, TWENTY_ONE, 3));
    const points = { ...table?.points, ...table?.group?.points };
    for (const { name, value } of values) {
      const plain = name.replace(/^\w+\[\d\]\./, "");
      const point = points[plain];
      const isCount = plain === table?.group?.count;
      if (isCount) expect(value).toBe(3);
      else expect([name, value]).toEqual([name, point?.type === "string" ? "AB" : point?.scale ? 2.1 : 21]);
    }
    const shown = Object.values(table?.points ?? {}).filter((point) => point.type !== "sunssf").length;
    expect(values).toHaveLength(shown + 3 * Object.keys(table?.group?.points ?? {}).length);
  });

  test.each(ids)("model %i: what is not implemented is absent, in every type", async (id) => {
    const table = allTables.find((each) => each.ids.includes(id));
    const values = await valuesOf(id, filled(id, NONE, 2));
    expect(values.filter(({ name }) => name !== table?.group?.count)).toEqual([]);
  });

  test.each(ids)(
    "model %i: the same word everywhere, as devices send that wake or restart, is no value",
    async (id) => {
      const { length } = filled(id, NONE, 2);
      for (const word of [0xffff, 0x8000]) expect(await valuesOf(id, new Array<number>(length).fill(word))).toEqual([]);
    },
  );

  test.each(ids)("model %i: an older one that ends in the middle keeps what it has", async (id) => {
    const data = filled(id, TWENTY_ONE, 3);
    const whole = await valuesOf(id, data);
    const half = await valuesOf(id, data.slice(0, Math.ceil(data.length / 2)));
    expect(half.length).toBeLessThan(whole.length);
    for (const { name } of half) expect(whole.some((each) => each.name === name)).toBe(true);
  });

  test("a real inverter's models, with the one that takes two reads and six inputs", async () => {
    const image = dumpImage("sma-sb3.6-1av-41_day");
    const chain = (await walkModels(image, never)) as ModelChain;
    const models = await readModelValues(image, chain, never);
    const value = (id: number, name: string) =>
      models.find((model) => model.id === id)?.values?.find((each) => each.name === name)?.value;
    expect(value(101, "W")).toBe(1080);
    expect(value(101, "Hz")).toBeCloseTo(49.98, 9);
    expect(value(121, "WMax")).toBe(3680);
    expect(value(160, "N")).toBe(6);
    expect(models.find((model) => model.id === 160)?.length).toBe(128);
    expect(models.find((model) => model.id === 160)?.values?.some(({ name }) => name === "module[6].ID")).toBe(true);
    // A storage model on a box without storage: nothing but an empty bit field.
    expect(models.find((model) => model.id === 124)?.values).toEqual([{ name: "StorCtl_Mod", value: 0 }]);
    expect(models.find((model) => model.id === 126)).not.toHaveProperty("values");
  });
});
