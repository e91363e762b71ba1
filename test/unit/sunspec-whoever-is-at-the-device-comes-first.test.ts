import { afterEach, describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { benchDevice } from "./sunspec-device-bench.ts";
import { never, order, startGateway } from "./sunspec-gateway-bench.ts";
import { illegalAddress, mapOf, modelData, RegisterImage } from "./sunspec-register-image.ts";
import { serveImage } from "./sunspec-served-image.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const NONE = 0xffff;
const M715 = 2 + 68 + 52;
const M802 = M715 + 9;
const M704 = M802 + 64;
const LOCAL = 1;

/** A battery with 702, 715, 802 and 704 and both heartbeats. */
function battery() {
  return new RegisterImage(
    40_000,
    mapOf([
      [1, modelData(66, 0, {})],
      [702, modelData(50, NONE, { 26: 5000, 34: 5000, 35: 5000, 45: 0 })],
      [715, modelData(7, 0, { 2: 0, 5: 0xffff, 6: 0xfffd })],
      [802, modelData(62, NONE, { 17: 0, 18: 4, 19: 0xfffd })],
      [
        704,
        modelData(65, NONE, {
          ...{ 22: 0, 23: 1, 24: 0, 25: 0, 26: 0, 27: 0, 28: 0, 29: 0, 30: 0 },
          ...{ 31: 0, 32: 0, 33: 0, 34: 9, 55: 0, 56: 0 },
        }),
      ],
    ]),
  );
}

const controlWrites = (image: RegisterImage) => image.writes.filter(({ address }) => address - 40_000 >= M704);
const word = (image: RegisterImage, place: number) => image.words[place];

describe("a device that somebody switched to local", () => {
  test.each([
    ["715.LocRemCtl", M715 + 2],
    ["802.LocRemCtl", M802 + 17],
  ])("by %s refuses orders, and nothing is written", async (name, place) => {
    const image = battery();
    image.words[place] = LOCAL;
    const { control } = benchDevice(image, "battery");
    await expect(control.hold(-2, 60, "order", never)).rejects.toMatchObject({ fault: "refused" });
    expect(image.writes).toEqual([]);
    expect(control.notices()).toEqual([`${name} says local: whoever is at the device controls it`]);
  });

  test("while an order holds is left alone at once, and gets the order again when it is given back", async () => {
    const image = battery();
    const at = await serveImage(image);
    open.push(at);
    const gateway = await startGateway(at, { kind: "battery", config: { pollMs: 100 } });
    open.push(gateway);
    await gateway.adapter.apply(order(-2), never);
    await waitFor("a refresh", () => controlWrites(image).length >= 2);

    image.words[M715 + 2] = LOCAL;
    await waitFor("the notice", () => gateway.notices().some((notice) => notice.includes("says local")));
    const before = image.writes.length;
    const reads = image.reads.length;
    await waitFor("the time of a refresh to pass", () => image.reads.length > reads + 40);
    expect(image.writes.length).toBe(before);
    await expect(gateway.adapter.apply(order(1), never)).rejects.toMatchObject({ fault: "refused" });
    await expect(gateway.adapter.release(never)).rejects.toMatchObject({ fault: "refused" });

    image.words[M715 + 2] = 0;
    await waitFor("the baseline to be back", () => word(image, M704 + 22) === 0);
    await waitFor("the notice to go", () => gateway.notices().length === 0);
  });

  test("a bank under local control does not keep the sun from being limited", async () => {
    const image = battery();
    image.words[M802 + 17] = LOCAL;
    for (const place of [14, 15, 54]) image.words[M704 + place] = 0;
    const { control } = benchDevice(image, "solar");
    expect((await control.hold(2, 60, "order", never)).appliedKW).toBe(2);
  });
});

describe("the counters by which a device sees its controller", () => {
  test("stand still without an order, move every second with one, and begin again at their end", async () => {
    const image = battery();
    const at = await serveImage(image);
    open.push(at);
    const gateway = await startGateway(at, { kind: "battery", config: { pollMs: 100 } });
    open.push(gateway);
    await waitFor("some readings", () => image.reads.length > 30);
    expect(image.writes).toEqual([]);

    const beats: number[] = [];
    const bank: number[] = [];
    image.onWrite = (address, values) => {
      if (address === 40_000 + M715 + 5) beats.push((values[0] ?? 0) * 0x1_0000 + (values[1] ?? 0));
      if (address === 40_000 + M802 + 19) bank.push(values[0] ?? 0);
      return true;
    };
    await gateway.adapter.apply(order(-2), never);
    await waitFor("four beats", () => beats.length >= 4 && bank.length >= 4);
    // 0xffffffff and 0xffff would read as "not implemented".
    expect(beats.slice(0, 4)).toEqual([0xffff_fffe, 0, 1, 2]);
    expect(bank.slice(0, 4)).toEqual([0xfffe, 0, 1, 2]);

    await gateway.adapter.release(never);
    const count = beats.length;
    const reads = image.reads.length;
    await waitFor("some readings", () => image.reads.length > reads + 20);
    expect(beats.length).toBeLessThanOrEqual(count + 1);
  });

  test("that the device does not take are not sent again, and the order goes on", async () => {
    const image = battery();
    const { control } = benchDevice(image, "battery");
    await control.hold(-2, 60, "order", never);
    let refusals = 0;
    image.onWrite = () => {
      refusals += 1;
      throw illegalAddress();
    };
    await control.beat(never);
    await control.beat(never);
    expect(refusals).toBe(2);
  });
});
