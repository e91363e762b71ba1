import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DefaultBounds } from "../../adapters/ieee2030-5/default-control.ts";
import { Rates } from "../../adapters/ieee2030-5/rates.ts";
import type { AdapterMemory } from "../../adapters/kind.ts";
import { systemClock } from "../../src/clock.ts";
import type { Report } from "../../src/model/adapter.ts";
import { HandClock } from "../support/hand-clock.ts";
import { NotifiedDevice } from "../support/notified-device.ts";
import { PolledSite, sep } from "../support/polled-site.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const DEFAULT = "/edev/1/derp/1/dderc";

let site: PolledSite;
let device: NotifiedDevice;

beforeEach(async () => {
  const config = { ratingKW: 5, defaultControl: { exportKW: 4, rampPercentPerS: 0.27 } };
  site = await PolledSite.open([{ kind: "solar", config }, { kind: "solar" }], { pollRateS: 300, postRateS: 60 });
  const [own] = site.credentials;
  if (own === undefined) throw new Error("no certificate");
  device = await NotifiedDevice.open(own, site.ca);
  site.adapters[0]?.start(site.signal).catch(() => {});
});
afterEach(async () => {
  await device[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const operate = (name: string, input: object) => {
  const operation = site.host.operations?.[name];
  if (operation === undefined) throw new Error(`no operation ${name}`);
  return operation(input, site.signal);
};
const subscribe = async (resource: string) => {
  const body = sep(
    "Subscription",
    `<subscribedResource>${resource}</subscribedResource><limit>10</limit><notificationURI>${device.uri}</notificationURI>`,
  );
  expect((await site.ask("/edev/1/sub", { method: "POST", body })).status).toBe(201);
};
const heard = async (count: number) => {
  await waitFor(`${count} notifications`, () => device.notifications.length >= count);
  return device.notifications[count - 1]?.["Resource"][0];
};
const watts = (base: Record<string, { value: string[]; multiplier: string[] }[]>, name: string) => {
  const quantity = base[`csipaus:${name}`]?.[0];
  return quantity && Number(quantity.value[0]) * 10 ** Number(quantity.multiplier[0]);
};

describe("an operator changes what holds while no control does", () => {
  test("one bound, and the others stay; a device that has subscribed is told at once, others see nothing of it", async () => {
    await subscribe(DEFAULT);
    expect(await operate("default", { era: "der.1", changes: { exportKW: 1.5, importKW: 0 } })).toMatchObject({
      defaults: [{ era: "der.1", setBy: "operator", bounds: { exportKW: 1.5, importKW: 0, rampPercentPerS: 0.27 } }],
    });
    const told = await heard(1);
    expect(told.$["xsi:type"]).toBe("DefaultDERControl");
    expect(told.setGradW).toEqual(["27"]);
    const [base] = told.DERControlBase;
    expect([watts(base, "opModExpLimW"), watts(base, "opModImpLimW")]).toEqual([1500, 0]);

    await operate("default", { era: "der.1", changes: { exportKW: null, rampPercentPerS: null } });
    const [now] = (await heard(2)).DERControlBase;
    expect([watts(now, "opModExpLimW"), watts(now, "opModImpLimW")]).toEqual([undefined, 0]);

    expect(await operate("default", { era: "der.1", reset: true })).toMatchObject({
      defaults: [{ setBy: "config", bounds: { exportKW: 4, rampPercentPerS: 0.27 } }],
    });
    expect((await heard(3)).setGradW).toEqual(["27"]);
    expect((await operate("default", {})) as object).toMatchObject({
      defaults: [{ era: "der.1" }, { era: "der.2", setBy: "config", bounds: {} }],
    });
  });

  test("and what can't be a bound is refused by its name, and changes nothing", async () => {
    const before = (await site.ask(DEFAULT)).body;
    const cases: [object, RegExp][] = [
      [{ era: "der.9", changes: { exportKW: 1 } }, /no device "der\.9" polls/],
      [{ era: "der.1", changes: { exportKW: -1 } }, />=0[\s\S]*exportKW/],
      [{ era: "der.1", changes: { rampPercentPerS: 700 } }, /<=655\.35[\s\S]*rampPercentPerS/],
      [{ era: "der.1", changes: { colour: 1 } }, /colour/],
      [{ era: "der.1", changes: { exportKW: 1 }, reset: true }, /not both/],
      [{ changes: { exportKW: 1 } }, /say its ERA/],
    ];
    for (const [input, reason] of cases) await expect(operate("default", input)).rejects.toThrow(reason);
    expect((await site.ask(DEFAULT)).body).toBe(before);
  });
});

describe("an operator changes how often devices poll and post", () => {
  test("of single resources or of all, and each document says it from then on", async () => {
    await subscribe("/edev");
    await operate("rates", { pollRatesS: { EndDeviceList: 30, DERProgramList: 10 }, postRateS: 20 });
    expect((await heard(1)).$.pollRate).toBe("30");
    const rateOf = async (path: string) => /pollRate="(\d+)"/.exec((await site.ask(path)).body)?.[1];
    const all = async () =>
      await Promise.all(["/dcap", "/edev", "/edev/1/fsa", "/edev/1/derp", "/edev/1/der", "/mup"].map(rateOf));
    expect(await all()).toEqual(["300", "30", "300", "10", "300", "300"]);
    expect((await site.read("/edev/1"))["EndDevice"]?.["postRate"]).toEqual(["20"]);
    // All at once take the place of single ones, which may come beside them.
    await operate("rates", { pollRateS: 120, pollRatesS: { DERList: 90 } });
    expect(await all()).toEqual(["120", "120", "120", "120", "90", "120"]);
    expect(await operate("rates", { reset: true })).toMatchObject({
      rates: { setBy: "config", pollRatesS: { DERProgramList: 300, DERList: 300 }, postRateS: 60 },
    });
    expect(await all()).toEqual(["300", "300", "300", "300", "300", "300"]);
    for (const input of [
      { pollRateS: 0 },
      { postRateS: 1.5 },
      { pollRatesS: { Time: 5 } },
      { reset: true, postRateS: 5 },
    ])
      await expect(operate("rates", input)).rejects.toThrow();
  });

  test("the dispatcher hears that measurements come at another pace", async () => {
    const capabilities: number[] = [];
    const reading = (async () => {
      const reports: AsyncIterable<Report> | undefined = site.adapters[0]?.reports(site.signal);
      for await (const report of reports ?? [])
        if (report.kind === "capability") capabilities.push(report.capability.sampleMs ?? 0);
    })().catch(() => {});
    await site.ask("/dcap");
    await site.adapters[0]?.start(site.signal);
    await operate("rates", { postRateS: 20 });
    await waitFor("the capability", () => capabilities.length > 0);
    expect(capabilities).toEqual([20_000]);
    void reading;
  });
});

describe("what an operator has set", () => {
  const LFDI = "A".repeat(40);

  test("outlives a restart, until it is taken back", async () => {
    const memory = volatileMemory();
    const configured = { exportKW: 4 };
    await new DefaultBounds(configured, memory, LFDI).change({ exportKW: null, loadKW: 2 });
    expect(new DefaultBounds(configured, memory, LFDI)).toMatchObject({ areSet: true, bounds: { loadKW: 2 } });
    expect(new DefaultBounds(configured, memory, LFDI).bounds).not.toHaveProperty("exportKW");
    expect(new DefaultBounds(configured, memory, "B".repeat(40)).bounds).toEqual(configured);
    await new DefaultBounds(configured, memory, LFDI).reset();
    expect(new DefaultBounds(configured, memory, LFDI)).toMatchObject({ areSet: false, bounds: configured });

    const options = { pollRateS: 60, postRateS: 60, memory, clock: systemClock };
    await new Rates(options).change({ pollRatesS: { DERList: 5 } });
    const again = new Rates(options);
    expect([again.areSet, again.pollRateS("DERList"), again.pollRateS()]).toEqual([true, 5, 60]);
    await again.reset();
    expect([new Rates(options).areSet, new Rates(options).pollRateS("DERList")]).toEqual([false, 60]);
  });

  test("counts only once the disk has it", async () => {
    const memory: AdapterMemory = { ...volatileMemory(), set: () => Promise.reject(new Error("disk full")) };
    const bounds = new DefaultBounds({ exportKW: 4 }, memory, LFDI);
    await expect(bounds.change({ exportKW: 1 })).rejects.toThrow("disk full");
    expect(bounds.bounds).toEqual({ exportKW: 4 });
    const rates = new Rates({ pollRateS: 60, postRateS: 60, memory, clock: systemClock });
    await expect(rates.change({ pollRateS: 5 })).rejects.toThrow("disk full");
    expect(rates.pollRateS()).toBe(60);
  });

  test("makes nobody late: who was told to poll once in five minutes may do so once more", async () => {
    const clock = new HandClock();
    const rates = new Rates({ pollRateS: 300, postRateS: 60, memory: volatileMemory(), clock });
    await rates.change({ pollRatesS: { DERProgramList: 10 } });
    expect([rates.pollRateS("DERProgramList"), rates.controlPollS]).toEqual([10, 300]);
    await rates.change({ pollRatesS: { DERProgramList: 20 } });
    expect(rates.controlPollS).toBe(300);
    await clock.run(300_000);
    expect(rates.controlPollS).toBe(20);
    await rates.change({ pollRatesS: { DERProgramList: 600 } });
    expect(rates.controlPollS).toBe(600);
    expect(rates.slowestS).toBe(600);
  });
});
