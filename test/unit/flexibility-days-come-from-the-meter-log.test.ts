import { expect, test } from "vitest";
import { stringify } from "yaml";
import { adapters } from "../../adapters/index.ts";
import { parseConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/log.ts";
import type { IntervalBody } from "../../src/meter/log-record.ts";
import { type ReductionReport, SiteFlexibility } from "../../src/site-flexibility.ts";
import { HandClock } from "../support/hand-clock.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Monday. */
const MONDAY_MS = Date.parse("2026-06-15T00:00:00Z");
const EVENT = { fromMs: MONDAY_MS + 18 * HOUR_MS, untilMs: MONDAY_MS + 20 * HOUR_MS };

/** A site that has metered the four weeks before, 4 kW at each hour, and this Monday until 17:00. */
function metered(more: { config?: object; monday?: number; day?: (ms: number) => Partial<IntervalBody> } = {}) {
  const text = stringify({
    market: {
      ...{
        subscriberId: "site",
        bppId: "market",
        bppUri: "http://127.0.0.1:9/x",
        webhook: { port: 0 },
        interval: "1h",
      },
      baseline: { ...more.config },
    },
    devices: [{ era: "ev", kind: "charger", modbus: { host: "127.0.0.1" } }],
  });
  const { market } = parseConfig(text, "site.yaml", adapters);
  if (market?.baseline === undefined) throw new Error("no baseline");
  const clock = new HandClock(MONDAY_MS + 17 * HOUR_MS);
  const reports: ReductionReport[] = [];
  const flexibility = new SiteFlexibility({
    baseline: market.baseline,
    intervalMs: HOUR_MS,
    groups: new Map([["both", ["ev", "other"]]]),
    capability: () => ({ minPowerKW: -11, maxPowerKW: 0 }),
    clock,
    log: silentLog,
    onReport: (report) => reports.push(report),
  });
  const add = (startMs: number, importWh: number, over: Partial<IntervalBody> = {}) => {
    const [start = "", end = ""] = [startMs, startMs + HOUR_MS].map((ms) => new Date(ms).toISOString());
    flexibility.interval({ kind: "interval", era: "ev", start, end, quality: "MEASURED", importWh, ...over });
  };
  for (let ms = MONDAY_MS - 28 * DAY_MS; ms < MONDAY_MS; ms += HOUR_MS) add(ms, 4000, more.day?.(ms));
  for (let ms = MONDAY_MS; ms < clock.now(); ms += HOUR_MS) add(ms, (more.monday ?? 4) * 1000);
  return { flexibility, reports, add, clock };
}

test("an order is what the days like this one used, less the reduction", () => {
  expect(metered().flexibility.toSetpoint("ev", 1.5, EVENT)).toEqual({ powerKW: -2.5 });
});

test("what was metered on the day itself corrects it, by a fifth at most", () => {
  // Four hours before the event, the last of them a buffer.
  expect(metered({ monday: 4.4 }).flexibility.toSetpoint("ev", 1.5, EVENT)).toEqual({
    powerKW: expect.closeTo(-2.9, 9),
  });
  expect(metered({ monday: 9 }).flexibility.toSetpoint("ev", 1.5, EVENT)).toEqual({ powerKW: expect.closeTo(-3.3, 9) });
});

test("a load is never asked to give: what can't be reduced is left out", () => {
  expect(metered().flexibility.toSetpoint("ev", 9, EVENT)).toEqual({ powerKW: 0 });
});

test("more consumption is held to what the device can take", () => {
  expect(metered().flexibility.toSetpoint("ev", -2, EVENT)).toEqual({ powerKW: -6 });
  expect(metered().flexibility.toSetpoint("ev", -20, EVENT)).toEqual({ powerKW: -11 });
});

test("weekends, gaps and hours under an order are no example", () => {
  const isEvening = (ms: number) => (ms % DAY_MS) / HOUR_MS === 18;
  const isWeekend = (ms: number) => [0, 6].includes(new Date(ms).getUTCDay());
  const odd = (over: Partial<IntervalBody>, which: (ms: number) => boolean) =>
    metered({ day: (ms) => (which(ms) ? over : {}) }).flexibility.toSetpoint("ev", 1, EVENT);
  expect(odd({ importWh: 9000 }, isWeekend)).toEqual({ powerKW: -3 });
  const recent = (ms: number) => isEvening(ms) && ms > MONDAY_MS - 14 * DAY_MS;
  expect(odd({ importWh: 1000, setpointId: "s" }, recent)).toEqual({ powerKW: -3 });
  expect(odd({ quality: "GAP" }, recent)).toEqual({ powerKW: -3 });
  expect(odd({ quality: "GAP" }, isEvening)).toEqual({ fault: expect.stringContaining("fewer than 5") });
});

test("a holiday is like other holidays only", () => {
  const { flexibility } = metered({ config: { holidays: ["2026-06-15"] } });
  expect(flexibility.toSetpoint("ev", 1, EVENT)).toEqual({ fault: expect.any(String) });
});

test("the days are those of the place, and an event may pass midnight", () => {
  const late = { fromMs: MONDAY_MS + 21 * HOUR_MS, untilMs: MONDAY_MS + 24 * HOUR_MS };
  // From 23:00 to 02:00 in Berlin; the hour after midnight belongs to the next day, Tuesday to Saturday.
  const day = (ms: number) => ({ importWh: (ms % DAY_MS) / HOUR_MS === 22 ? 7000 : 4000 });
  const { flexibility } = metered({ config: { timeZone: "Europe/Berlin", adjustment: "0s" }, day });
  expect(flexibility.toSetpoint("ev", 1, late)).toEqual({ powerKW: expect.closeTo(-4, 9) });
});

test("a group needs the baseline of each of its members", () => {
  expect(metered().flexibility.toSetpoint("both", 1, EVENT)).toEqual({ fault: expect.stringMatching(/^other: /) });
});

test("afterwards the meters say what was delivered; an order that was taken back is not reported", () => {
  const { flexibility, reports, add, clock } = metered();
  const order = (id: string, reductionKW: number) => {
    const placed = flexibility.toSetpoint("ev", reductionKW, EVENT);
    if ("fault" in placed) throw new Error(placed.fault);
    const { fromMs: validFromMs, untilMs: validUntilMs } = EVENT;
    const setpoint = { id, era: "ev", validFromMs, validUntilMs, receivedAtMs: clock.now(), ...placed };
    flexibility.taken([{ ...setpoint, source: { kind: "market" } }]);
  };
  order("first", 1);
  order("second", 2);
  clock.advance(3 * HOUR_MS);
  add(EVENT.fromMs, 1500);
  expect(reports).toEqual([]);
  add(EVENT.fromMs + HOUR_MS, 2500);
  expect(reports).toEqual([
    expect.objectContaining({
      ...{ setpointId: "second", committedKW: 2, deliveredKW: 2, deliveredPercent: 100, methodology: "10of10" },
    }),
  ]);
  const again = metered();
  again.flexibility.toSetpoint("ev", 1, EVENT);
  again.flexibility.withdraw(["first"]);
  again.clock.advance(4 * HOUR_MS);
  again.add(EVENT.fromMs + HOUR_MS, 2500);
  expect(again.reports).toEqual([]);
});
