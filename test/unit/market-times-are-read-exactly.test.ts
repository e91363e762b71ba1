import { expect, test } from "vitest";
import {
  durationMsFromText,
  instantMsFromText,
  textFromDurationMs,
  textFromInstantMs,
} from "../../src/market/iso-time.ts";

test.each([
  ["2026-06-15T12:05:00Z", Date.UTC(2026, 5, 15, 12, 5)],
  ["2026-06-15T17:35:00+05:30", Date.UTC(2026, 5, 15, 12, 5)],
  ["2026-06-15T12:05:00.25Z", Date.UTC(2026, 5, 15, 12, 5, 0, 250)],
  ["2024-02-29T00:00:00z", Date.UTC(2024, 1, 29)],
])("%s is an instant", (text, expected) => {
  expect(instantMsFromText(text)).toBe(expected);
});

test.each([
  ["no offset", "2026-06-15T12:05:00"],
  ["a day that is not in the calendar", "2026-02-30T00:00:00Z"],
  ["an hour that is not on the clock", "2026-06-15T25:00:00Z"],
  ["a date alone", "2026-06-15"],
  ["another order", "15/06/2026 12:05"],
  ["trailing letters", "2026-06-15T12:05:00Zulu"],
])("%s is no instant", (_, text) => {
  expect(instantMsFromText(text)).toBeUndefined();
});

test.each([
  ["PT30S", 30_000],
  ["PT15M", 900_000],
  ["PT1H30M", 5_400_000],
  ["P1D", 86_400_000],
  ["P1DT0.5S", 86_400_500],
  ["P2W", 14 * 86_400_000],
  ["P1M", 30 * 86_400_000],
])("%s is a duration", (text, expected) => {
  expect(durationMsFromText(text)).toBe(expected);
});

test.each(["", "P", "PT", "30", "PT-5S", "-PT5S", "P1H", "PT1D", "PT5", "PT99999999999999999999S"])(
  "%j is no duration",
  (text) => {
    expect(durationMsFromText(text)).toBeUndefined();
  },
);

test("what we write we read", () => {
  expect(instantMsFromText(textFromInstantMs(1_750_000_000_123))).toBe(1_750_000_000_123);
  expect(textFromDurationMs(30_000)).toBe("PT30S");
  // Not every reader takes a fraction, and a message must not end before its time.
  expect(textFromDurationMs(1001)).toBe("PT2S");
});
