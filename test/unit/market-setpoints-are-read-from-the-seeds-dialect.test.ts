import { describe, expect, test } from "vitest";
import { callbackContext } from "../../src/market/beckn-context.ts";
import type { PowerDraft } from "../../src/market/dialects/order-codec.ts";
import { readSeedOffers } from "../../src/market/dialects/seed-offers.ts";
import { readSeedOrder } from "../../src/market/dialects/seed-order.ts";
import type { SeedDialect } from "../../src/market/dialects/seed-shape.ts";
import { NOW_MS, onConfirm, plainContext } from "../support/market-desk.ts";

const SEED: SeedDialect = { sign: "export-positive", currency: "INR" };

function drafts(message: unknown, dialect = SEED): readonly PowerDraft[] {
  const { drafts: read } = readSeedOrder(message, callbackContext(message), dialect, NOW_MS);
  return read.filter((draft) => draft.kind === "power");
}

describe("a setpoint", () => {
  test("is read with the seed's prefixes, with all that goes with it", () => {
    const message = onConfirm({
      attributes: {
        setpointKW: -8,
        clearingPrice: 0.09,
        objectives: {
          targetChargeKWh: 20,
          deadline: "2026-06-15T18:00:00Z",
          maxPricePerKWh: 0.12,
          preferredSource: "SOLAR",
          constraints: { minChargeKWh: 10, maxChargeKWh: 60 },
        },
      },
      order: {},
    });
    expect(drafts(message)).toEqual([
      {
        kind: "power",
        path: "message.order.beckn:orderAttributes.setpointKW",
        powerKW: -8,
        clearingPrice: { pricePerKWh: 0.09, currency: "INR" },
        objective: {
          targetChargeKWh: 20,
          deadlineMs: Date.parse("2026-06-15T18:00:00Z"),
          maxPricePerKWh: 0.12,
          preferredSource: "SOLAR",
          minChargeKWh: 10,
          maxChargeKWh: 60,
        },
        maxPricePerKWh: 0.12,
        orderId: "order-1",
        transactionId: "transaction-1",
        messageId: "message-1",
      },
    ]);
  });

  test("is the same without prefixes, and its faults name the field as it was written", () => {
    const order = { id: "order-1", orderAttributes: { setpointKW: -8, clearingPrice: 0.09 } };
    const plain = { context: plainContext("on_confirm"), message: { order } };
    expect(drafts(plain)).toMatchObject([{ powerKW: -8, path: "message.order.orderAttributes.setpointKW" }]);
  });

  test("is refused when a field stands in two spellings", () => {
    const message = onConfirm({ order: { orderAttributes: { setpointKW: 5 } } });
    expect(() => drafts(message)).toThrow(/given twice, as orderAttributes and beckn:orderAttributes/);
  });

  test("takes a price that is still open, and keeps the currency that stands nearest", () => {
    expect(drafts(onConfirm({ attributes: { clearingPrice: "PAY_AS_CLEAR" } }))[0]?.clearingPrice).toBeUndefined();
    const inEuro = onConfirm({ order: { "beckn:orderValue": { currency: "EUR", value: 1 } } });
    expect(drafts(inEuro)[0]?.clearingPrice).toEqual({ pricePerKWh: 0.09, currency: "EUR" });
    expect(() => drafts(onConfirm({ attributes: { clearingPrice: "cheap" } }))).toThrow(/PAY_AS_CLEAR/);
  });

  test("the price is that of the resource's grid node, and says how much of it is the node's", () => {
    const priceOf = (attributes: Record<string, unknown>) => drafts(onConfirm({ attributes }))[0]?.clearingPrice;
    const atNode = { pricePerKWh: 0.17, currency: "INR", adderPerKWh: expect.closeTo(0.085, 12) };
    expect(priceOf({ clearingPrice: 0.085, locationalPrice: 0.17 })).toEqual(atNode);
    expect(priceOf({ clearingPrice: 0.17, locationalPrice: 0.17, marketPrice: 0.085 })).toEqual(atNode);
    expect(priceOf({ clearingPrice: 0.17, locationalPrice: 0.17 })).toEqual({ pricePerKWh: 0.17, currency: "INR" });
  });

  test("turns its sign only for a market that is declared to count consumption positive", () => {
    const message = onConfirm({ attributes: { setpointKW: 8 } });
    expect(drafts(message)[0]?.powerKW).toBe(8);
    expect(drafts(message, { ...SEED, sign: "import-positive" })[0]?.powerKW).toBe(-8);
  });

  test("ignores what is not read, however odd", () => {
    const message = onConfirm({ order: { "beckn:orderItems": 7, "beckn:orderValue": "free", "beckn:seller": null } });
    expect(drafts(message)).toHaveLength(1);
  });

  test("keeps only the highest price of an objective that is no goal", () => {
    const [draft] = drafts(onConfirm({ attributes: { objectives: { maxPricePerKWh: 0.05 } } }));
    expect(draft).toMatchObject({ maxPricePerKWh: 0.05 });
    expect(draft?.objective).toBeUndefined();
  });
});

describe("a window", () => {
  const from = NOW_MS + 60_000;
  const until = NOW_MS + 960_000;
  const iso = (ms: number) => new Date(ms).toISOString();

  test.each([
    ["validFrom and validUntil", { validFrom: iso(from), validUntil: iso(until) }, from, until],
    ["an end alone", { validUntil: iso(until) }, undefined, until],
    ["startTime and duration", { startTime: iso(from), duration: "PT15M" }, from, until],
    ["a duration from now on", { duration: "PT15M" }, undefined, NOW_MS + 900_000],
    ["timeWindow", { timeWindow: { start: iso(from), end: iso(until) } }, from, until],
    ["with prefixes", { "beckn:validUntil": iso(until) }, undefined, until],
  ])("%s", (_, attributes, validFromMs, validUntilMs) => {
    const [draft] = drafts(onConfirm({ attributes }));
    expect([draft?.validFromMs, draft?.validUntilMs]).toEqual([validFromMs, validUntilMs]);
  });

  test.each([
    ["two forms", { validUntil: iso(until), duration: "PT15M" }, /more than one window/],
    ["an end before the start", { validFrom: iso(until), validUntil: iso(from) }, /ends before it begins/],
    ["a time without an offset", { validUntil: "2026-06-15T12:05:00" }, /RFC 3339/],
    ["a number of seconds", { startTime: 1702656000, duration: "PT1H" }, /expected string/],
    ["a duration of nothing", { duration: "PT0S" }, /above zero/],
  ])("%s is refused", (_, attributes, fault) => {
    expect(() => drafts(onConfirm({ attributes }))).toThrow(fault);
  });
});

describe("a list of setpoints", () => {
  const list = (setpoints: unknown, more = {}) =>
    onConfirm({ order: { "beckn:orderAttributes": { "@type": "EnergyOrder", setpoints, ...more } } });

  test("gives one for each resource, in either spelling of the power", () => {
    const message = list([
      { era: "EV-1", setpointKW: -8 },
      { era: "PV-1", quantity: 3.5, duration: "PT5M" },
    ]);
    expect(drafts(message)).toMatchObject([
      { era: "EV-1", powerKW: -8, path: "message.order.beckn:orderAttributes.setpoints[0].setpointKW" },
      { era: "PV-1", powerKW: 3.5, validUntilMs: NOW_MS + 300_000 },
    ]);
  });

  test("takes the window of the list where an item has none of its own", () => {
    const [first, second] = drafts(
      list(
        [
          { era: "EV-1", setpointKW: -8 },
          { era: "PV-1", setpointKW: 1, duration: "PT5M" },
        ],
        { duration: "PT1H" },
      ),
    );
    expect(first?.validUntilMs).toBe(NOW_MS + 3_600_000);
    expect(second?.validUntilMs).toBe(NOW_MS + 300_000);
  });

  test.each([
    [
      "a resource twice",
      [
        { era: "EV-1", setpointKW: 1 },
        { era: "EV-1", setpointKW: 2 },
      ],
      /twice/,
    ],
    ["no power", [{ era: "EV-1" }], /expected a number/],
    ["two powers", [{ era: "EV-1", setpointKW: 1, quantity: 2 }], /contradicts/],
    ["no resource", [{ setpointKW: 1 }], /expected string/],
    ["nothing in it", [], /./],
  ])("%s is refused", (_, setpoints, fault) => {
    expect(() => drafts(list(setpoints))).toThrow(fault);
  });

  test("a single setpoint beside a list is refused", () => {
    const message = list([{ era: "EV-1", setpointKW: 1 }], { setpointKW: 1 });
    expect(() => drafts(message)).toThrow(/only one may be/);
  });
});

describe("what the seed leaves open is never guessed", () => {
  test("an offset that may or may not be in the setpoint", () => {
    const offset = (offsetCommand: unknown) => onConfirm({ attributes: { offsetCommand } });
    expect(() => drafts(offset({ offsetKW: -2 }))).toThrow(/offset/);
    expect(drafts(offset({ enabled: false, offsetKW: -2 }))).toHaveLength(1);
    expect(drafts(offset({ offsetKW: 0 }))).toHaveLength(1);
  });

  test("an order that is cancelled and has a setpoint", () => {
    expect(() => drafts(onConfirm({ order: { "beckn:orderStatus": "CANCELLED" } }))).toThrow(/contradicts/);
  });

  test("names of two dialects in one context", () => {
    const { bap_id: _, ...context } = plainContext("on_confirm");
    const message = { context: { ...context, bapId: "us" }, message: { contract: {} } };
    expect(() => callbackContext(message)).toThrow(/both bap_id and bapId/);
  });
});

describe("offers of on_discover", () => {
  test("are read from the seed's plain form", () => {
    const offers = [
      { price: { value: 0.09, currency: "INR" }, offerAttributes: { clearingPrice: 0.09, setpointKW: -8 } },
    ];
    const message = { context: plainContext("on_discover"), message: { catalogs: [{ offers }] } };
    expect(readSeedOffers(message, SEED)).toEqual([
      { clearingPrice: { pricePerKWh: 0.09, currency: "INR" }, powerKW: -8 },
    ]);
  });

  test("are read with prefixes, and with the price where the examples have it", () => {
    const offers = [
      {
        "beckn:id": "offer-1",
        "beckn:price": { "schema:price": 0.1, "schema:priceCurrency": "EUR" },
        "beckn:offerAttributes": { era: "EV-1" },
      },
      { "beckn:id": "offer without a price" },
    ];
    const message = { message: { catalogs: [{ "beckn:offers": offers }] } };
    expect(readSeedOffers(message, SEED)).toEqual([
      { offerId: "offer-1", clearingPrice: { pricePerKWh: 0.1, currency: "EUR" }, era: "EV-1" },
    ]);
  });

  test("may be none", () => {
    expect(readSeedOffers({ message: {} }, SEED)).toEqual([]);
    expect(() => readSeedOffers({ message: { catalogs: "none" } }, SEED)).toThrow(/expected array/);
  });
});
