import { describe, expect, test } from "vitest";
import { scaledFromDecimal, scaledFromNumber } from "../../src/settlement/decimal.ts";
import { splitByLargestRemainder } from "../../src/settlement/largest-remainder.ts";
import { amountText, minorDigits, minorFromNano, nanoAmount, type Rounding } from "../../src/settlement/money.ts";

const price = (text: string) => scaledFromDecimal(text, 6, "price");

/** What so much energy costs at a price, as it is paid. */
function cost(energyWh: number, pricePerKWh: string, currency = "INR", rounding: Rounding = "HALF_EVEN"): string {
  return amountText(minorFromNano(nanoAmount(energyWh, price(pricePerKWh)), currency, rounding), currency);
}

/** Shares of an amount in cents, as texts. */
function shares(totalCents: bigint, weights: readonly bigint[]): string[] {
  return splitByLargestRemainder(totalCents, weights).map((share) => amountText(share, "INR"));
}

describe("an amount", () => {
  test("is energy times price, rounded once, half to even", () => {
    expect(cost(5500, "0.075")).toBe("0.41");
    expect(cost(500, "0.05")).toBe("0.02");
    expect(cost(1500, "0.05")).toBe("0.08");
  });

  test("may be rounded half up instead, and a negative one is rounded as its opposite", () => {
    expect(cost(500, "0.05", "INR", "HALF_UP")).toBe("0.03");
    expect(cost(500, "-0.05", "INR", "HALF_UP")).toBe("-0.03");
    expect(cost(500, "-0.05")).toBe("-0.02");
  });

  test("of one Wh is nothing as a line and not lost before it: a thousand of them are nine cents", () => {
    expect(cost(1, "0.09")).toBe("0.00");
    const oneWh = nanoAmount(1, price("0.09"));
    expect(amountText(minorFromNano(oneWh * 1000n, "INR", "HALF_EVEN"), "INR")).toBe("0.09");
  });

  test("of a day is 1.20 where rounding each quarter hour would make 0.96 of it", () => {
    const quarter = nanoAmount(137, price("0.091234"));
    const roundedEach = minorFromNano(quarter, "INR", "HALF_EVEN") * 96n;
    const roundedOnce = minorFromNano(quarter * 96n, "INR", "HALF_EVEN");
    expect([roundedEach, roundedOnce].map((minor) => amountText(minor, "INR"))).toEqual(["0.96", "1.20"]);
  });

  test("has the decimal places of its currency", () => {
    expect(["JPY", "INR", "EUR", "KWD"].map(minorDigits)).toEqual([0, 2, 2, 3]);
    expect(cost(5500, "27.5", "JPY")).toBe("151");
    expect(cost(5500, "0.075", "KWD")).toBe("0.412");
    expect(() => minorDigits("inr")).toThrow(/ISO 4217/);
  });

  test("never comes of broken energy", () => {
    expect(() => nanoAmount(0.5, 1n)).toThrow(/whole number of Wh/);
  });
});

describe("a decimal text", () => {
  test("is read exactly, where floating point is a hair beside it", () => {
    expect(1.005 * 100).not.toBe(100.5);
    expect(scaledFromDecimal("1.005", 3, "x")).toBe(1005n);
    expect(scaledFromDecimal("-0.000001", 6, "x")).toBe(-1n);
    expect(scaledFromDecimal("1e-7", 7, "x")).toBe(1n);
    expect(scaledFromDecimal("1.50", 1, "x")).toBe(15n);
  });

  test("with a digit too many, or that is none, is refused by name", () => {
    expect(() => scaledFromDecimal("0.0000001", 6, "energy.pricePerKWh")).toThrow(
      /energy\.pricePerKWh.*6 decimal places/,
    );
    for (const text of ["", "1,5", "0x10", "NaN", "1.2.3", " 1"]) {
      expect(() => scaledFromDecimal(text, 6, "rate")).toThrow(/rate: .* is not a decimal number/);
    }
  });

  test("of a cleared price keeps the nearest millionth", () => {
    expect(scaledFromNumber(0.25 / 3, 6, "price")).toBe(83_333n);
    expect(scaledFromNumber(-0.1, 6, "price")).toBe(-100_000n);
    expect(scaledFromNumber(1e-9, 6, "price")).toBe(0n);
    expect(() => scaledFromNumber(Number.NaN, 6, "price")).toThrow(/price/);
  });
});

describe("a split", () => {
  test("by largest remainder loses nothing and makes nothing up", () => {
    expect(shares(10_000n, [60n, 20n, 10n, 10n])).toEqual(["60.00", "20.00", "10.00", "10.00"]);
    expect(shares(10_000n, [1n, 1n, 1n])).toEqual(["33.34", "33.33", "33.33"]);
    expect(shares(-10_000n, [1n, 1n, 1n])).toEqual(["-33.34", "-33.33", "-33.33"]);
    expect(shares(1n, [1n, 1n, 1n])).toEqual(["0.01", "0.00", "0.00"]);
    expect(shares(5n, [0n, 1n, 1n])).toEqual(["0.00", "0.03", "0.02"]);
  });

  test("gives the unit that is left to the largest remainder and not to the first in the list", () => {
    expect(splitByLargestRemainder(10n, [33n, 34n, 33n])).toEqual([3n, 4n, 3n]);
  });

  test("gives the earlier in the list the unit where two remainders are equal", () => {
    expect(shares(5n, [30n, 70n])).toEqual(["0.02", "0.03"]);
    expect(shares(5n, [70n, 30n])).toEqual(["0.04", "0.01"]);
  });

  test("among nobody is an error", () => {
    expect(() => splitByLargestRemainder(100n, [0n, 0n])).toThrow(/no weight is above zero/);
    expect(() => splitByLargestRemainder(100n, [1n, -1n])).toThrow(/weights\[1\] is negative/);
  });
});
