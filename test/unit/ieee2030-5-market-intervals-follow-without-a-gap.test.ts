import { expect, test } from "vitest";
import { DerSimulator } from "../../simulators/der/der-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { PolledSite } from "../support/polled-site.ts";
import { waitFor } from "../support/wait-for.ts";

test("a device that polls once a minute changes from interval to interval by itself, and is never without one", async () => {
  await using site = await PolledSite.open([{ kind: "battery", config: { control: "opModTargetW" } }], {
    pollRateS: 60,
  });
  const [adapter] = site.adapters;
  const [identity] = site.credentials;
  if (adapter === undefined || identity === undefined) throw new Error("no device");
  const nowMs = Date.now();
  const edges = [nowMs, nowMs + 3000, nowMs + 5000, nowMs + 60_000];
  const interval = (index: number, powerKW: number) => ({
    setpointId: `s${index}`,
    powerKW,
    fromMs: edges[index] ?? 0,
    untilMs: edges[index + 1] ?? 0,
  });
  adapter.plan?.([interval(1, -3), interval(2, -1)]);
  const applying = adapter.apply(interval(0, -2), site.signal);

  const source = new Battery(systemClock, {
    capacityKWh: 10,
    socPercent: 60,
    maxChargeKW: 5,
    maxDischargeKW: 5,
    deadMs: 10,
    tauMs: 20,
  });
  await using device = new DerSimulator({
    ...identity,
    ca: site.ca,
    url: site.url,
    source,
    ratingKW: 5,
    clock: systemClock,
    log: silentLog,
  });
  await device.start();
  await applying;
  const seen: number[] = [];
  let gaps = 0;
  let before = Number.NaN;
  await waitFor(
    "the last interval",
    () => {
      const power = Math.round(device.powerKW() * 100) / 100;
      if (!device.underControl()) gaps += 1;
      // On the way from one power to the next it has others; what holds is a whole number here, and seen twice.
      if (power === before && Number.isInteger(power) && seen.at(-1) !== power) seen.push(power);
      before = power;
      return device.powerKW() < 0 && seen.includes(-1);
    },
    15_000,
  );
  expect(gaps).toBe(0);
  expect(seen.slice(-3)).toEqual([-2, -3, -1]);
  // What began by itself is what the gateway orders when the time comes: no second control.
  const accepted = await adapter.apply(interval(2, -1), site.signal);
  expect(accepted.command).toContain("started");
  const { DERControlList: list } = await site.read("/edev/1/derp/1/derc?l=10");
  expect(list?.["DERControl"].map((event: { description: string[] }) => event.description[0])).toEqual(["s2"]);
});

test("a day of half hours is listed at once, and each page of it has what the ones before do not have", async () => {
  await using site = await PolledSite.open([{ kind: "battery", config: { ratingKW: 5, maxChargeKW: 5 } }]);
  const fromMs = Date.now() + 60_000;
  const half = 1_800_000;
  const intervals = Array.from({ length: 48 }, (_, index) => ({
    setpointId: `s${index}`,
    powerKW: index % 2 === 0 ? 1 : -1,
    fromMs: fromMs + half * index,
    untilMs: fromMs + half * (index + 1),
  }));
  site.adapters[0]?.plan?.(intervals);
  const page = async (query: string) => {
    const { DERControlList: list } = await site.read(`/edev/1/derp/1/derc?${query}`);
    const events: { description: string[] }[] = list?.["DERControl"] ?? [];
    return {
      all: list?.$["all"],
      results: list?.$["results"],
      names: events.flatMap(({ description }) => description),
    };
  };
  const pages = await Promise.all(["s=0&l=10", "s=10&l=10", "s=20&l=20", "s=40&l=20", "s=48&l=10"].map(page));
  expect(pages.map(({ all, results }) => [all, results])).toEqual([
    ["48", "10"],
    ["48", "10"],
    ["48", "20"],
    ["48", "8"],
    ["48", "0"],
  ]);
  expect(pages.flatMap(({ names }) => names)).toEqual(intervals.map(({ setpointId }) => setpointId));
  // What begins after the fortieth has begun.
  const after = Math.ceil((intervals[39]?.fromMs ?? 0) / 1000);
  expect(await page(`a=${after}&l=255`)).toMatchObject({
    all: "8",
    results: "8",
    names: ["s40", "s41", "s42", "s43", "s44", "s45", "s46", "s47"],
  });
  const program = (await site.read("/edev/1/derp/1"))["DERProgram"];
  expect(program?.["DERControlListLink"][0].$.all).toBe("48");
});
