import { describe, expect, test } from "vitest";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import { MapMovedError, readBlock } from "../../adapters/modbus/sunspec/model-block.ts";
import { findModel, walkModels } from "../../adapters/modbus/sunspec/model-chain.ts";
import { inverterInteger } from "../../adapters/modbus/sunspec/models/inverter-integer.ts";
import { illegalAddress, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";

const never = new AbortController().signal;
const filler = (length: number) => new Array<number>(length).fill(0);

describe("the walk along the models", () => {
  test.each([40_000, 0, 50_000])("finds a map at %i", async (base) => {
    const chain = await walkModels(new RegisterImage(base, mapOf([[1, filler(66)]])), never);
    expect(chain).toMatchObject({ base, complete: true, models: [{ id: 1, address: base + 2, length: 66 }] });
  });

  test("finds nothing where another protocol answers", async () => {
    expect(await walkModels(new RegisterImage(40_000, filler(200)), never)).toBeUndefined();
  });

  test("skips models that it does not know, and keeps repeated ones", async () => {
    const image = new RegisterImage(
      40_000,
      mapOf([
        [1, filler(65)],
        [65_230, filler(3)],
        [203, filler(105)],
        [203, filler(105)],
        [103, filler(50)],
      ]),
    );
    const chain = await walkModels(image, never);
    expect(chain?.models.map((model) => model.id)).toEqual([1, 65_230, 203, 203, 103]);
    expect(chain && findModel(chain, inverterInteger)?.address).toBe(40_000 + 2 + 67 + 5 + 107 + 107);
  });

  test("ends at an end mark that has no length behind it", async () => {
    const words = mapOf([[1, filler(66)]]).slice(0, -1);
    const chain = await walkModels(new RegisterImage(40_000, words), never);
    expect(chain).toMatchObject({ complete: true });
    expect(chain?.models).toHaveLength(1);
  });

  test("stops at a length of 0, at the end of the registers and after 200 models, and keeps what it found", async () => {
    const zero = await walkModels(
      new RegisterImage(40_000, [...mapOf([[1, filler(66)]]).slice(0, -2), 0, 0, 0]),
      never,
    );
    expect(zero).toMatchObject({ complete: false });
    expect(zero?.models).toHaveLength(1);

    const cut = await walkModels(new RegisterImage(40_000, [...mapOf([[1, filler(66)]]).slice(0, -2), 103, 50]), never);
    expect(cut?.models).toHaveLength(2);
    expect(cut?.complete).toBe(false);

    const endless = new RegisterImage(0, mapOf(Array.from({ length: 300 }, () => [9, [0]] as const)));
    expect((await walkModels(endless, never))?.models).toHaveLength(200);
  });

  test("a gateway that cannot reach its device is a fault, not a missing map", async () => {
    const image = new RegisterImage(40_000, []);
    image.read = () => Promise.reject(new ModbusError("exception", "exception 11", { code: 11 }));
    await expect(walkModels(image, never)).rejects.toMatchObject({ code: 11 });
  });

  test("reads ID and length one by one where the device refuses to give both", async () => {
    const words = mapOf([[1, filler(66)]]);
    const image = new RegisterImage(40_000, words);
    const read = image.read.bind(image);
    image.read = (address, count) =>
      address > 40_000 && count === 2 ? Promise.reject(illegalAddress()) : read(address, count);
    expect(await walkModels(image, never)).toMatchObject({ complete: true, models: [{ id: 1, length: 66 }] });
  });
});

describe("a block of a model", () => {
  const entry = { id: 103, address: 40_002, length: 50 };
  const power = (w: number, scale: number) => {
    const image = new RegisterImage(40_000, mapOf([[103, modelData(50, 0xffff, { 14: w, 15: scale })]]));
    return readBlock(image, inverterInteger, entry, never);
  };

  test("scales by the power of ten that was read with it", async () => {
    expect((await power(1234, -2)).number("W")).toBe(12.34);
    expect((await power(-5, 1)).number("W")).toBe(-50);
  });

  test("is silent about what is not implemented: the value, its scale, or a scale outside of -10 to 10", async () => {
    expect((await power(0x8000, 0)).number("W")).toBeUndefined();
    expect((await power(1234, 0x8000)).number("W")).toBeUndefined();
    expect((await power(1234, 11)).number("W")).toBeUndefined();
    expect((await power(0, 0)).number("W")).toBe(0);
  });

  test("is silent about points that lie behind the length which the device states", async () => {
    const image = new RegisterImage(40_000, mapOf([[103, modelData(13, 1, {})]]));
    const block = await readBlock(image, inverterInteger, { ...entry, length: 13 }, never);
    expect(block.number("W")).toBeUndefined();
    expect(block.number("WH")).toBeUndefined();
  });

  test("notices that the model is no longer there", async () => {
    const image = new RegisterImage(40_000, mapOf([[113, filler(60)]]));
    await expect(readBlock(image, inverterInteger, entry, never)).rejects.toBeInstanceOf(MapMovedError);
  });
});
