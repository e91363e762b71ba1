import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { callbackContext } from "../../src/market/beckn-context.ts";
import { readDegOrder } from "../../src/market/dialects/deg-order.ts";
import type { DialectPolicy } from "../../src/market/dialects/order-codec.ts";
import { at, MarketHall, SITE } from "./provider-market-hall.ts";

const NEED = {
  id: "need-1",
  name: "Evening peak",
  start: "2026-06-15T13:30:00Z",
  interval: "1h",
  requestedKW: [50, 45],
  clearingTime: "2026-06-15T13:00:00Z",
};
const FIXTURE = resolve(
  import.meta.dirname,
  "../../../shared/fixtures/beckn/devkit-2026/examples/confirm-request.json",
);

function contract(rows: readonly { prices: readonly number[]; capacities: readonly number[] }[], id = "need-1") {
  return {
    contract: {
      id: "contract-1",
      status: { code: "DRAFT" },
      commitments: [
        {
          id: "commitment-1",
          resources: [{ id }],
          commitmentAttributes: {
            "@type": "TimeSeries",
            intervalPeriod: { start: "2026-06-15T13:30:00Z", duration: "PT1H" },
            intervals: rows.map(({ prices, capacities }, index) => ({
              id: index,
              payloads: [
                { type: "OFFER_PRICE", values: prices },
                { type: "CAPACITY_OFFERED", values: capacities },
              ],
            })),
          },
        },
      ],
    },
  };
}

const POLICY: DialectPolicy = {
  sign: { seed: "export-positive", branch: "export-positive", deg: "reduction" },
  currency: "INR",
  isMeter: () => false,
};

const PRICES = [1.5, 2.5, 3.5, 5];
const OFFER = contract([
  { prices: PRICES, capacities: [90, 70, 50, 30] },
  { prices: PRICES, capacities: [80, 60, 45, 25] },
]);
const ask = (hall: MarketHall, action: string, message: object, context = {}) =>
  hall.ask(action, message, context, true);

/** Of each interval: what was cleared, and the price. */
function cleared(message: unknown): unknown[] {
  const rows = at(message, "contract", "commitments", 0, "commitmentAttributes", "intervals") as {
    payloads: object[];
  }[];
  return rows.map(({ payloads }) =>
    ["CAPACITY_CLEARED", "CLEARING_PRICE"].map((type) =>
      at(
        payloads.find((one) => at(one, "type") === type),
        "values",
        0,
      ),
    ),
  );
}

describe("an offer in steps is cleared at the clearing time", () => {
  test("50 and 45 kW at 3.5, written into the participant's own contract", async () => {
    const hall = new MarketHall({ flexNeeds: [NEED] });
    await ask(hall, "confirm", OFFER);
    expect(hall.sent()).toEqual([]);
    await hall.wait(59 * 60_000);
    expect(hall.sent()).toEqual([]);
    await hall.wait(60_000);
    const [callback, other] = hall.sent();
    expect(other).toBeUndefined();
    expect(callback?.context).toMatchObject({
      action: "on_confirm",
      messageId: "message-1",
      transactionId: "t1",
      bapId: SITE,
      networkId: "test/deg",
    });
    expect(cleared(callback?.message)).toEqual([
      [50, 3.5],
      [45, 3.5],
    ]);
    expect(at(callback?.message, "contract", "id")).toBe("contract-1");
    expect(at(callback?.message, "contract", "status", "code")).toBe("ACTIVE");
    await hall.wait(30 * 60_000);
    expect(hall.state()).toBe("ACTIVE");
    await hall.wait(2 * 3_600_000);
    expect(hall.state()).toBe("COMPLETED");
  });

  test("two sellers share what one price brings", async () => {
    const hall = new MarketHall({ flexNeeds: [{ ...NEED, requestedKW: [120] }] });
    const one = contract([{ prices: PRICES, capacities: [90, 70, 50, 30] }]);
    await ask(hall, "confirm", one);
    await ask(hall, "confirm", one, { transactionId: "t2" });
    await hall.wait(3_600_000);
    expect(hall.sent().map((callback) => cleared(callback.message))).toEqual([[[60, 2.5]], [[60, 2.5]]]);
    expect(hall.store.roundList.find((round) => round.roundId === "need-need-1")?.bids).toBe(2);
  });

  test("the former names of the columns, and a period of a row's own", async () => {
    const hall = new MarketHall({ flexNeeds: [NEED] });
    const offer = contract([]);
    const series = at(offer, "contract", "commitments", 0, "commitmentAttributes") as { intervals: object[] };
    series.intervals = [
      {
        intervalPeriod: { start: "2026-06-15T14:30:00Z", duration: "PT1H" },
        payloads: [
          { type: "BID_PRICE", values: [3.5] },
          { type: "BID_POWER", values: [60] },
        ],
      },
    ];
    await ask(hall, "confirm", offer);
    await hall.wait(3_600_000);
    expect(cleared(hall.sent()[0]?.message)).toEqual([[45, 3.5]]);
  });

  test("a cancelled contract is left out", async () => {
    const hall = new MarketHall({ flexNeeds: [NEED] });
    await ask(hall, "confirm", OFFER);
    await ask(hall, "cancel", { contract: { id: "contract-1" } });
    const [callback] = hall.sent();
    expect(at(callback?.message, "contract", "status", "code")).toBe("CANCELLED");
    await hall.wait(3_600_000);
    expect(hall.sent()).toEqual([]);
  });
});

test("the other actions answer in the same dialect", async () => {
  const hall = new MarketHall({ flexNeeds: [NEED], support: { phone: "112" } });
  await ask(hall, "discover", { intent: {} });
  await ask(hall, "select", OFFER);
  await ask(hall, "init", OFFER);
  await ask(hall, "confirm", OFFER);
  await hall.wait(3_600_000);
  await ask(hall, "update", { contract: { id: "contract-1", performance: [{ id: "p1" }] } });
  await ask(hall, "status", { contract: { id: "contract-1" } });
  await ask(hall, "support", {});
  const sent = hall.sent();
  expect(sent.map((one) => one.action)).toEqual([
    "on_discover",
    "on_select",
    "on_init",
    "on_confirm",
    "on_update",
    "on_status",
    "on_support",
  ]);
  const resource = at(sent[0]?.message, "catalogs", 0, "resources", 0);
  expect(at(resource, "id")).toBe("need-1");
  expect(at(resource, "resourceAttributes", "intervals", 1, "payloads", 0)).toEqual({
    type: "CAPACITY_REQUESTED",
    values: [45],
  });
  expect(at(sent[2]?.message, "contract", "status", "code")).toBe("DRAFT");
  expect(at(sent[5]?.message, "contract", "performance")).toEqual([{ id: "p1" }]);
  expect(cleared(sent[5]?.message)[0]).toEqual([50, 3.5]);
});

describe("a newer curve in an update", () => {
  const AMENDED = contract([
    { prices: PRICES, capacities: [60, 40, 20, 10] },
    { prices: PRICES, capacities: [60, 40, 20, 10] },
  ]).contract.commitments[0]?.commitmentAttributes;
  const update = (id: string) => ({ contract: { commitments: [{ id, commitmentAttributes: AMENDED }] } });

  test("counts when the need is cleared", async () => {
    const hall = new MarketHall({ flexNeeds: [NEED] });
    await ask(hall, "confirm", OFFER);
    await ask(hall, "update", update("commitment-1"));
    expect(hall.sent().map((one) => one.action)).toEqual(["on_update"]);
    await hall.wait(3_600_000);
    const [callback] = hall.sent();
    expect(callback?.action).toBe("on_confirm");
    expect(cleared(callback?.message)).toEqual([
      [50, 1.5],
      [45, 1.5],
    ]);
  });

  test("is refused once the need is cleared, and for a commitment that the contract has not", async () => {
    const hall = new MarketHall({ flexNeeds: [NEED] });
    await ask(hall, "confirm", OFFER);
    expect(await hall.refused("update", update("commitment-9"), {}, true)).toContain("OFFER_MISMATCH");
    await hall.wait(3_600_000);
    expect(await hall.refused("update", update("commitment-1"), {}, true)).toContain("GATE_CLOSED");
  });

  test("that was written before the confirmation changes nothing", async () => {
    const hall = new MarketHall({ flexNeeds: [NEED] });
    const earlier = new Date(hall.clock.now() - 1000).toISOString();
    await ask(hall, "confirm", OFFER);
    await ask(hall, "update", update("commitment-1"), { timestamp: earlier });
    await hall.wait(3_600_000);
    expect(cleared(hall.sent().at(-1)?.message)[0]).toEqual([50, 3.5]);
  });
});

test("our own gateway takes no update for a command, and a cancellation for the end", async () => {
  const hall = new MarketHall({ flexNeeds: [NEED] });
  await ask(hall, "confirm", OFFER);
  await hall.wait(3_600_000);
  await ask(hall, "update", { contract: { id: "contract-1", performance: [{ id: "p1" }] } });
  await ask(hall, "track", { contract: { id: "contract-1" } });
  await ask(hall, "cancel", { contract: { id: "contract-1" } });
  await ask(hall, "rate", { ratings: [{ value: 5 }] });
  const [confirmed, updated, tracked, cancelled, rated] = hall.sent();
  const read = (one: typeof confirmed) =>
    readDegOrder({ message: one?.message }, callbackContext({ context: one?.context }), POLICY);
  expect(read(confirmed).drafts.map((draft) => draft.kind === "reduction" && draft.reductionKW)).toEqual([50, 45]);
  expect(read(updated)).toMatchObject({ isOver: false, drafts: [] });
  expect(cleared(tracked?.message)[0]).toEqual([50, 3.5]);
  expect(read(cancelled)).toMatchObject({ isOver: true, drafts: [] });
  expect(rated?.message).toMatchObject({ ratingReceived: true, contract: { id: "contract-1" } });
});

test("acknowledged and refused in the dialect of the request", async () => {
  const hall = new MarketHall({ flexNeeds: [NEED] });
  const taken = await hall.receive(hall.request("confirm", OFFER, {}, true));
  expect(taken.body).toEqual({ message: { status: "ACK", messageId: "message-1" } });
  const refused = await hall.receive(hall.request("cancel", {}, { transactionId: "t9" }, true));
  expect(refused.status).toBe(404);
  expect(refused.body.message).toMatchObject({ status: "NACK", messageId: "message-2" });
});

test.each([
  ["an unknown need", contract([{ prices: [1], capacities: [1] }], "need-9"), "RESOURCE_UNKNOWN"],
  ["prices and capacities of different length", contract([{ prices: [1, 2], capacities: [1] }]), "1 capacities"],
  ["a capacity below zero", contract([{ prices: [1], capacities: [-1] }]), "magnitudes are expected"],
  ["prices out of order", contract([{ prices: [2, 1], capacities: [2, 1] }]), "not above the one before"],
  ["an offer that runs the other way", contract([{ prices: [1, 2], capacities: [1, 2] }]), "falling"],
  [
    "an interval too many",
    contract([1, 2, 3].map(() => ({ prices: [1], capacities: [1] }))),
    "not an interval of need-1",
  ],
])("refused: %s", async (_name, message, reason) => {
  const hall = new MarketHall({ flexNeeds: [NEED] });
  expect(await hall.refused("confirm", message, {}, true)).toContain(reason);
});

test("after the clearing time it is too late", async () => {
  const hall = new MarketHall({ flexNeeds: [NEED] });
  await hall.wait(3_600_000);
  expect(await hall.refused("confirm", OFFER, {}, true)).toContain("GATE_CLOSED");
});

const isThere = existsSync(FIXTURE);
test.skipIf(!isThere)(
  `the published contract clears to its published numbers${isThere ? "" : " (skipped: the fixtures are not on this machine)"}`,
  async () => {
    const { message } = JSON.parse(readFileSync(FIXTURE, "utf8"));
    const hall = new MarketHall({ flexNeeds: [{ ...NEED, id: "flex-need-north-delhi-jun15" }] });
    await ask(hall, "confirm", message);
    await hall.wait(3_600_000);
    expect(cleared(hall.sent()[0]?.message)).toEqual([
      [50, 3.5],
      [45, 3.5],
    ]);
  },
);
