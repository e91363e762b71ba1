import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Trial, toleranceKW, Verification } from "../../src/dispatch/verification.ts";

const charger: Trial = {
  orderedKW: -8,
  appliedKW: -8,
  startKW: -3,
  control: "limit",
  acceptedAtMs: 0,
  settleMs: 5_000,
  sampleMs: 1_000,
};

/** Feeds one sample a second and returns the last word. */
function judge(trial: Trial, powers: readonly (number | { powerKW: number; offeredKW: number })[]) {
  const verification = new Verification(trial);
  for (const [second, power] of powers.entries()) {
    verification.add({ atMs: (second + 1) * 1000, ...(typeof power === "number" ? { powerKW: power } : power) });
  }
  return verification;
}

const repeated = <T>(value: T, times: number): T[] => Array.from({ length: times }, () => value);

describe("a command that was accepted", () => {
  test("is effective when three samples in a row show the order, even before the device's own settling time", () => {
    expect(judge(charger, [-3, -6, -7.9, -8, -8.05]).finding?.verdict).toBe("effective");
  });

  test("has no verdict from two samples, since one of them may be noise", () => {
    expect(judge(charger, [-7.9, -8]).finding).toBeUndefined();
  });

  test("is ignored when the meter stays where it was beyond the limit", () => {
    const throttled = { ...charger, orderedKW: -2, appliedKW: -2, startKW: -7.4 };
    expect(judge(throttled, repeated(-7.4, 8)).finding?.verdict).toBe("ignored");
  });

  test("is not called ignored before the device had its time", () => {
    const throttled = { ...charger, orderedKW: -2, appliedKW: -2, startKW: -7.4 };
    expect(judge(throttled, repeated(-7.4, 4)).finding).toBeUndefined();
  });

  test("is partial when the power moved towards the order and stopped on the way", () => {
    const throttled = { ...charger, orderedKW: -2, appliedKW: -2, startKW: -7.4 };
    expect(judge(throttled, repeated(-5, 8)).finding?.verdict).toBe("partial");
  });

  test("is ignored, not partial, when a car that had just begun to charge shoots past the limit", () => {
    const beginning = { ...charger, orderedKW: -2, appliedKW: -2, startKW: 0 };
    expect(judge(beginning, repeated(-7.4, 8)).finding?.verdict).toBe("ignored");
  });

  test("is reverted when it followed and then went back by itself", () => {
    const throttled = { ...charger, orderedKW: -2, appliedKW: -2, startKW: -7.4 };
    const story = judge(throttled, [...repeated(-2, 6), ...repeated(-7.4, 3)]);
    expect(story.finding?.verdict).toBe("reverted");
  });

  test("is partial, not reverted, when a full car takes less than it may", () => {
    const story = judge(charger, [...repeated(-8, 6), ...repeated(-2, 4)]);
    expect(story.finding?.verdict).toBe("partial");
    expect(story.finding?.reason).toContain("takes or gives less");
  });

  test("is ignored when the charger does not even offer what it accepted", () => {
    const stuck = repeated({ powerKW: -3, offeredKW: -3 }, 9);
    expect(judge(charger, stuck).finding?.verdict).toBe("ignored");
  });

  test("is partial when the charger offers it and the car does not take it", () => {
    const fullCar = repeated({ powerKW: -3, offeredKW: -8 }, 9);
    expect(judge(charger, fullCar).finding?.verdict).toBe("partial");
  });

  test("is partial when a limit allowed only a part, and names the limit", () => {
    const clamped = { ...charger, orderedKW: -11, appliedKW: -8, shortfallReason: "the fuse limit allows -8.00 kW" };
    const { finding } = judge(clamped, repeated(-8, 4));
    expect(finding?.verdict).toBe("partial");
    expect(finding?.reason).toContain("fuse");
  });

  test("of a battery is ignored when it does less: a battery is to hold its power", () => {
    const battery: Trial = { ...charger, control: "setpoint", startKW: 0 };
    expect(judge(battery, repeated(0, 9)).finding?.verdict).toBe("ignored");
  });

  test("is unverifiable when no reading comes at all", () => {
    expect(new Verification(charger).close(60_000, "expired").verdict).toBe("unverifiable");
  });

  test("is superseded when a newer one comes before the meter could tell", () => {
    const verification = judge(charger, [-3]);
    expect(verification.close(1_500, "superseded").verdict).toBe("superseded");
  });

  test("keeps its verdict when it ends", () => {
    expect(judge(charger, repeated(-8, 5)).close(60_000, "superseded").verdict).toBe("effective");
  });

  test("ignores samples from before it was accepted", () => {
    const verification = new Verification({ ...charger, acceptedAtMs: 10_000 });
    for (const second of [1, 2, 3, 4]) verification.add({ atMs: second * 1000, powerKW: -8 });
    expect(verification.finding).toBeUndefined();
  });

  test("can never be effective while the meter is outside the tolerance", () => {
    const power = fc.double({ min: -22, max: 22, noNaN: true });
    fc.assert(
      fc.property(power, power, power, fc.boolean(), (orderedKW, measuredKW, startKW, isLimit) => {
        fc.pre(Math.abs(orderedKW - measuredKW) > toleranceKW(orderedKW));
        const trial: Trial = {
          ...charger,
          orderedKW,
          appliedKW: orderedKW,
          startKW,
          control: isLimit ? "limit" : "setpoint",
        };
        expect(judge(trial, repeated(measuredKW, 12)).finding?.verdict).not.toBe("effective");
      }),
    );
  });

  test("is always found out within three samples after the settling time", () => {
    const power = fc.double({ min: -22, max: 22, noNaN: true });
    fc.assert(
      fc.property(power, power, power, (orderedKW, measuredKW, startKW) => {
        const trial: Trial = { ...charger, orderedKW, appliedKW: orderedKW, startKW };
        expect(judge(trial, repeated(measuredKW, 8)).finding).toBeDefined();
      }),
    );
  });
});
