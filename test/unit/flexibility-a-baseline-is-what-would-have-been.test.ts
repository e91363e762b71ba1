import { expect, test } from "vitest";
import {
  type BaselineMethod,
  baseline,
  type DayRecord,
  HIGHEST_FIVE_OF_TEN_HOURLY,
  TEN_OF_TEN_HOURLY,
} from "../../src/flexibility/baseline.ts";

/** A day of 24 hours at one power, but for what is told. */
function day(number: number, baseKW: number, more: Partial<DayRecord> = {}): DayRecord {
  return { day: number, dayType: "WEEKDAY", powerKW: Array.from({ length: 24 }, () => baseKW), ...more };
}

const event = { from: 16, count: 2 };
const tenDays = Array.from({ length: 10 }, (_, index) => day(90 + index, -10 - index));

test("ten of ten is the mean of the ten days, at each hour", () => {
  expect(baseline(tenDays, day(100, -14.5), event, TEN_OF_TEN_HOURLY)).toEqual({
    powerKW: [-14.5, -14.5],
    days: [99, 98, 97, 96, 95, 94, 93, 92, 91, 90],
    adjustment: { factor: 1 },
  });
});

test("five of ten takes the days on which most was consumed", () => {
  const result = baseline(tenDays, day(100, -17), event, HIGHEST_FIVE_OF_TEN_HOURLY);
  expect(result?.days).toEqual([99, 98, 97, 96, 95]);
  expect(result?.powerKW).toEqual([-17, -17]);
});

test("a day that is hotter than the others lifts its own baseline, by a fifth at most", () => {
  const warm = baseline(tenDays, day(100, -14.5 * 1.1), event, TEN_OF_TEN_HOURLY);
  expect(warm?.powerKW[0]).toBeCloseTo(-15.95, 9);
  const hot = baseline(tenDays, day(100, -40), event, TEN_OF_TEN_HOURLY);
  expect(hot?.adjustment).toEqual({ factor: 1.2 });
  expect(hot?.powerKW[0]).toBeCloseTo(-17.4, 9);
  const cold = baseline(tenDays, day(100, -1), event, TEN_OF_TEN_HOURLY);
  expect(cold?.adjustment).toEqual({ factor: 0.8 });
});

test("the hour before the event does not count, nor anything after it began", () => {
  const powerKW = day(100, -14.5).powerKW.map((kW, hour) => (hour >= 15 ? -100 : kW));
  expect(baseline(tenDays, day(100, 0, { powerKW }), event, TEN_OF_TEN_HOURLY)?.adjustment).toEqual({ factor: 1 });
});

test("events, outages, other kinds of days and days long ago are no examples", () => {
  const odd = [
    day(99.5 - 0.5, -500, { excluded: true }),
    day(98, -500, { dayType: "WEEKEND" }),
    day(40, -500),
    day(100, -500),
    day(101, -500),
  ];
  const usual = tenDays.map((one) => ({ ...one, day: one.day - 3 }));
  expect(baseline([...odd, ...usual], day(100, -14.5), event, TEN_OF_TEN_HOURLY)?.powerKW).toEqual([-14.5, -14.5]);
});

test("a day with a gap in the event's hours is none, and too few days make no baseline", () => {
  const gap = day(99, -19, { powerKW: day(99, -19).powerKW.map((kW, hour) => (hour === 17 ? undefined : kW)) });
  const five = [gap, ...tenDays.slice(5, 9)];
  expect(baseline(five, day(100, -17), event, TEN_OF_TEN_HOURLY)).toBeUndefined();
  expect(baseline([...five, day(80, -12)], day(100, -17), event, TEN_OF_TEN_HOURLY)?.days).not.toContain(99);
});

test("panels are corrected by adding, since a ratio of what does not consume has no meaning", () => {
  const sunny = Array.from({ length: 10 }, (_, index) => day(90 + index, 10));
  expect(baseline(sunny, day(100, 11), event, TEN_OF_TEN_HOURLY)).toMatchObject({
    powerKW: [11, 11],
    adjustment: { addedKW: 1 },
  });
  expect(baseline(sunny, day(100, 30), event, TEN_OF_TEN_HOURLY)).toMatchObject({ powerKW: [12, 12] });
  const nothing = Array.from({ length: 10 }, (_, index) => day(90 + index, 0));
  expect(baseline(nothing, day(100, -5), event, TEN_OF_TEN_HOURLY)?.powerKW).toEqual([0, 0]);
});

test("an event too early in the day for its hours before is not corrected", () => {
  expect(baseline(tenDays, day(100, -40), { from: 2, count: 1 }, TEN_OF_TEN_HOURLY)?.adjustment).toEqual({ factor: 1 });
});

test("the order of the days changes nothing", () => {
  const shuffled = [...tenDays].sort((a, b) => (a.day % 3) - (b.day % 3));
  const today = day(100, -16);
  expect(baseline(shuffled, today, event, HIGHEST_FIVE_OF_TEN_HOURLY)).toEqual(
    baseline(tenDays, today, event, HIGHEST_FIVE_OF_TEN_HOURLY),
  );
});

test.each<[string, Partial<BaselineMethod>, RegExp]>([
  ["more days than are looked at", { pick: 11 }, /pick must be/],
  ["no day at all", { pick: 0 }, /pick must be/],
  ["a cap above one", { adjustmentCap: 2 }, /adjustmentCap/],
  ["half a day", { lookAt: 2.5 }, /lookAt must be a whole number/],
])("a method that asks for %s is refused", (_, change, fault) => {
  expect(() => baseline(tenDays, day(100, -14), event, { ...TEN_OF_TEN_HOURLY, ...change })).toThrow(fault);
});
