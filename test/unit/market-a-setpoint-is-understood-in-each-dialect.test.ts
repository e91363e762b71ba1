import { describe, expect, test } from "vitest";
import { dialectOf } from "../../src/market/dialects/choose-dialect.ts";
import type { ReductionToSetpoint } from "../../src/market/placement.ts";
import { Desk, MARKET, NOW_MS, POLICY, plainContext, US } from "../support/market-desk.ts";
import {
  activation,
  at,
  branchConfirm,
  camelContext,
  cleared,
  degConfirm,
  interval,
  payload,
  plainConfirm,
  seedConfirm,
} from "../support/market-shapes.ts";

const HOUR_MS = 3_600_000;

/** The charger would draw 7 kW without us. */
const sevenKW: ReductionToSetpoint = (_, reductionKW) => ({ powerKW: reductionKW - 7 });

/** What a desk makes of a message: its setpoints, or code, place and reason of the NACK. */
async function outcome(message: unknown, desk = new Desk({ reductionToSetpoint: sevenKW })) {
  const { error } = await desk.receive(message);
  if (error !== undefined) return `${error.code} ${error.paths}: ${error.message}`;
  return desk.setpoints.map(({ era, powerKW, validFromMs, validUntilMs }) => ({
    era,
    powerKW,
    window: [(validFromMs - NOW_MS) / HOUR_MS, (validUntilMs - NOW_MS) / HOUR_MS],
  }));
}

const charging = { era: "EV-1", powerKW: -4, window: [0, 0.25] };

describe("the dialect", () => {
  test.each([
    ["seed", seedConfirm()],
    ["seed", plainConfirm()],
    ["branch", branchConfirm()],
    ["deg", degConfirm()],
    ["seed", { message: {} }],
  ])("is %s by the shape alone", (name, message) => {
    expect(dialectOf(message).name).toBe(name);
  });

  test("is not told by the version or the envelope", async () => {
    const camelOrder = { ...seedConfirm(), context: camelContext("on_confirm") };
    expect(await outcome(camelOrder)).toEqual([charging]);
    const snakeContract = { ...degConfirm(), context: { ...plainContext("on_confirm"), version: "1.1.0" } };
    expect(await outcome(snakeContract)).toHaveLength(2);
  });

  test("of two at once is refused", async () => {
    const both = degConfirm({ contract: {} });
    const message = { ...(both["message"] as object), order: {} };
    expect(await outcome({ ...both, message })).toMatch(/^DIALECT_UNKNOWN message: both order and contract/);
  });
});

describe("the seed's", () => {
  test("setpoint stands in the order's attributes, with prefixes or without", async () => {
    expect(await outcome(seedConfirm())).toEqual([charging]);
    expect(await outcome(plainConfirm())).toEqual([charging]);
  });

  test("list names each resource", async () => {
    const setpoints = [
      { era: "EV-1", quantity: -7 },
      { era: "PV-1", setpointKW: 3 },
    ];
    expect(await outcome(plainConfirm({ setpointKW: undefined, setpoints }))).toMatchObject([
      { era: "EV-1", powerKW: -7 },
      { era: "PV-1", powerKW: 3 },
    ]);
  });

  test("setpoint beside an offset is refused: 8.5 − 2.0 may be 6.5 already", async () => {
    expect(await outcome(plainConfirm({ setpointKW: 8.5, offsetCommand: { offsetKW: -2 } }))).toMatch(
      /^MESSAGE_INVALID message.order.orderAttributes.offsetCommand: it is not said whether/,
    );
  });
});

describe("the branch's cleared power", () => {
  const branch = (over: Parameters<typeof branchConfirm>[0]) => outcome(branchConfirm(over));
  const whole = { era: "EV-1", powerKW: -4, window: [-1, 1] };

  test("stands under our own id, and holds in the contract's window", async () => {
    expect(await branch({})).toEqual([whole]);
  });

  test("may stand under our meter, and never moves another resource than that", async () => {
    const over = { agent: { clearedPower: { "meter-pv": 3, x: 1 } }, prosumer: { offerCurve: undefined } };
    const unknown = { ...over, order: { "beckn:id": "order-9" } };
    expect(await branch(unknown)).toEqual([{ ...whole, era: "PV-1", powerKW: 3 }]);
    expect(await branch(over)).toMatch(
      /^RESOURCE_AMBIGUOUS .*order order-1 means EV-1 here, and meter meter-pv is PV-1/,
    );
  });

  test("may stand under the meter of the role that we fill, though nobody configured that", async () => {
    expect(await branch({ agent: { clearedPower: { m7: -4, m8: -9 } }, prosumer: { sourceMeterId: "m7" } })).toEqual([
      whole,
    ]);
  });

  test("may stand under the only prosumer's name, if nobody else stands there", async () => {
    const prosumerRole = { filledBy: "household-7" };
    expect(await branch({ agent: { clearedPower: { "household-7": -4 } }, prosumerRole })).toEqual([whole]);
    expect(await branch({ agent: { clearedPower: { "household-7": -4, other: 1 } }, prosumerRole })).toMatch(
      /^RESOURCE_UNKNOWN .*clearedPower: none of its 2 names is ours/,
    );
  });

  test("for several of our meters goes to each", async () => {
    expect(
      await branch({
        agent: { clearedPower: { "meter-ev": -4, "meter-pv": 3 } },
        prosumer: { sourceMeterId: undefined, offerCurve: undefined },
      }),
    ).toMatchObject([
      { era: "EV-1", powerKW: -4 },
      { era: "PV-1", powerKW: 3 },
    ]);
  });

  test("of ours told twice must agree", async () => {
    expect(await branch({ agent: { clearedPower: { [US]: -4, "meter-ev": -4 } } })).toEqual([whole]);
    expect(await branch({ agent: { clearedPower: { [US]: -4, "meter-ev": -7 } } })).toMatch(
      /^MESSAGE_INVALID .*in sum/,
    );
  });

  test("may come with the clearing signal, with its price", async () => {
    const desk = new Desk();
    const signal = { signalId: "market-clearing-price", price: 0.0625, unit: "EUR/kWh", clearedPower: -4 };
    expect(
      await outcome(
        branchConfirm({ agent: { clearedPower: null, clearingPrice: null }, attributes: { inputSignals: [signal] } }),
        desk,
      ),
    ).toEqual([whole]);
    expect(desk.setpoints[0]?.clearingPrice).toEqual({ pricePerKWh: 0.0625, currency: "EUR" });
    const other = { ...signal, clearedPower: -5 };
    expect(await branch({ attributes: { inputSignals: [other] } })).toMatch(/^MESSAGE_INVALID .*contradicts/);
  });

  test("above what the grid operator approved is cut, flagged, and keeps its sign", async () => {
    const desk = new Desk();
    expect(await outcome(branchConfirm({ parameters: { approvedMaxTradeKW: 3 } }), desk)).toMatchObject([
      { powerKW: -3 },
    ]);
    expect(desk.flags).toMatchObject([{ flag: "CUT_TO_APPROVED", detail: expect.stringContaining("-4 kW cleared") }]);
    expect(await branch({ parameters: { approvedMaxTradeKW: 0 } })).toMatchObject([{ powerKW: 0 }]);
    expect(await branch({ parameters: { approvedMaxTradeKW: -3 } })).toMatch(/^MESSAGE_INVALID .*approvedMaxTradeKW/);
  });

  test("in the other direction than the offer beside it is refused", async () => {
    expect(await branch({ agent: { clearedPower: { [US]: 4 } } })).toMatch(
      /^SIGN_AMBIGUOUS .*clearedPower\.bap\.site\.example: 4 kW cleared, but the offer/,
    );
  });

  test("that is not known yet is no setpoint", async () => {
    for (const clearedPower of [null, {}, undefined, { [US]: null }]) {
      expect(await branch({ agent: { clearedPower } })).toMatch(
        /^MESSAGE_INVALID .*roleInputs\.clearedPower: expected a number, kW/,
      );
    }
  });

  test("of a contract that is over is refused; a contract that is over releases", async () => {
    expect(await branch({ attributes: { status: "TERMINATED" } })).toMatch(
      /^MESSAGE_INVALID .*status: the contract is over/,
    );
    const desk = new Desk();
    await desk.receive(branchConfirm());
    const over = { action: "on_update", message_id: "m2", timestamp: at(1000) };
    await desk.receive(
      branchConfirm({ context: over, agent: { clearedPower: null }, attributes: { status: "COMPLETED" } }),
    );
    expect(desk.releases).toMatchObject([{ eras: ["EV-1"] }]);
  });

  test("beside a setpointKW is refused, and the seed's setpoint in a contract with roles is read", async () => {
    expect(await branch({ attributes: { setpointKW: -4 } })).toMatch(/^MESSAGE_INVALID .*setpointKW: given beside/);
    expect(await branch({ agent: { clearedPower: null }, attributes: { setpointKW: -4 } })).toEqual([charging]);
  });

  test("of a market that counts consumption positive turns only where that is configured", async () => {
    const policy = () => ({ ...POLICY, sign: { ...POLICY.sign, branch: "import-positive" as const } });
    const message = branchConfirm({ agent: { clearedPower: { [US]: 4 } }, prosumer: { offerCurve: undefined } });
    expect(await outcome(message, new Desk({ policy }))).toEqual([whole]);
    expect(await outcome(message)).toMatch(/^SETPOINT_IMPOSSIBLE/);
  });
});

describe("a cleared capacity", () => {
  const deg = (over: Parameters<typeof degConfirm>[0]) => outcome(degConfirm(over));
  const first = { era: "EV-1", powerKW: -4, window: [1, 2] };

  test("is a reduction in each interval, one setpoint after the other", async () => {
    expect(await deg({})).toEqual([first, { era: "EV-1", powerKW: -5, window: [2, 3] }]);
  });

  test("has a price in the currency of its descriptor", async () => {
    const desk = new Desk({ reductionToSetpoint: sevenKW });
    await desk.receive(degConfirm());
    expect(desk.setpoints[0]?.clearingPrice).toEqual({ pricePerKWh: 3.5, currency: "INR" });
    expect(desk.store.contracts.get("transaction-1")).toMatchObject({
      era: "EV-1",
      orderId: "contract-1",
      state: "ACTIVE",
    });
  });

  test("of 50 and 45 kW at 3.5 is worth 332.5", async () => {
    const desk = new Desk({ reductionToSetpoint: (_, reductionKW) => ({ powerKW: reductionKW - 100 }) });
    await desk.receive(degConfirm({ intervals: [interval(0, cleared(50)), interval(1, cleared(45))] }));
    const worth = desk.setpoints.map(
      ({ powerKW, clearingPrice }) => (powerKW + 100) * (clearingPrice?.pricePerKWh ?? 0),
    );
    expect(worth.reduce((sum, one) => sum + one, 0)).toBe(332.5);
  });

  test("under its earlier name is the same", async () => {
    expect(await deg({ intervals: [interval(0, [payload("CLEARED_POWER", 3)])] })).toEqual([first]);
    const both = [payload("CLEARED_POWER", 3), payload("CAPACITY_CLEARED", 3)];
    expect(await deg({ intervals: [interval(0, both)] })).toMatch(
      /^MESSAGE_INVALID .*payloads\[1\]\.type: given beside/,
    );
  });

  test("is placed by the number of its interval, or by the interval's own period", async () => {
    expect(await deg({ intervals: [interval(1, cleared(3))] })).toEqual([{ ...first, window: [2, 3] }]);
    const period = { start: at(5 * HOUR_MS), duration: "PT30M" };
    expect(await deg({ intervals: [interval(0, cleared(3), period)] })).toEqual([{ ...first, window: [5, 5.5] }]);
    expect(await deg({ intervals: [interval(undefined, cleared(3), period)] })).toEqual([
      { ...first, window: [5, 5.5] },
    ]);
    expect(await deg({ intervals: [interval(undefined, cleared(3))] })).toMatch(
      /^MESSAGE_INVALID .*intervals\[0\]\.id/,
    );
    expect(await deg({ intervals: [interval(0, cleared(3)), interval(0, cleared(3))] })).toMatch(/same time/);
    expect(await deg({ series: { intervalPeriod: undefined } })).toMatch(
      /^MESSAGE_INVALID .*intervalPeriod: expected a/,
    );
  });

  test("without a baseline is refused and says so", async () => {
    expect(await outcome(degConfirm(), new Desk())).toMatch(
      /^BASELINE_UNKNOWN .*intervals\[0\]\.payloads\[0\]\.values: a reduction of 3 kW needs a baseline of EV-1/,
    );
    const fault = () => ({ fault: "only 2 of 5 days are measured" });
    expect(await outcome(degConfirm(), new Desk({ reductionToSetpoint: fault }))).toMatch(/only 2 of 5 days/);
  });

  test("that is negative, or of which nothing says that it is a reduction, is refused", async () => {
    expect(await deg({ intervals: [interval(0, cleared(-3))] })).toMatch(/^SIGN_AMBIGUOUS .*values: -3 kW, where/);
    expect(await deg({ offerAttributes: { "@type": "EnergyOffer" } })).toMatch(
      /^SIGN_AMBIGUOUS .*neither a DemandFlexNeed/,
    );
    expect(await deg({ intervals: [interval(0, cleared(3, -1))] })).toMatch(/^SIGN_AMBIGUOUS .*negative price/);
    const need = [{ resourceAttributes: { "@type": "DemandFlexNeed" } }];
    expect(await deg({ offerAttributes: { "@type": undefined }, commitment: { resources: need } })).toHaveLength(2);
  });

  test("is the device's own power only for a market of which that is configured", async () => {
    const policy = () => ({ ...POLICY, sign: { ...POLICY.sign, deg: "import-positive" as const } });
    expect(await outcome(degConfirm(), new Desk({ policy }))).toMatchObject([{ powerKW: -3 }, { powerKW: -2 }]);
  });

  test("is signed only in a type that says so, and in which direction", async () => {
    const delta = (type: string, kW: number) => deg({ intervals: [interval(0, [payload(type, kW)])] });
    expect(await delta("DELTA_USAGE", -3)).toEqual([first]);
    expect(await delta("DELTA_USAGE", 2)).toMatchObject([{ powerKW: -9 }]);
    expect(await delta("DELTA_INJECTION", 3)).toEqual([first]);
    expect(await delta("DELTA_CAPACITY_CLEARED", 3)).toMatch(/^SIGN_AMBIGUOUS .*not said of what/);
  });

  test("in another unit than kW is never converted", async () => {
    const payloadDescriptors = [{ payloadType: "CAPACITY_CLEARED", units: "MW" }];
    expect(await deg({ series: { payloadDescriptors } })).toMatch(
      /^MESSAGE_INVALID .*payloadDescriptors\[0\]\.units: expected KW/,
    );
  });

  test("above what was offered is refused", async () => {
    const offered = [...cleared(3), payload("CAPACITY_OFFERED", 2, 1)];
    expect(await deg({ intervals: [interval(0, offered)] })).toMatch(
      /^MESSAGE_INVALID .*3 kW cleared, and only 2 kW offered/,
    );
  });

  test("for a meter that is not ours, or for two resources at once, is refused", async () => {
    expect(await deg({ seller: { participatingMeters: ["meter-ev", "elsewhere"] } })).toMatch(
      /^RESOURCE_UNKNOWN .*meter meter-ev \+ elsewhere/,
    );
    expect(await deg({ seller: { participatingMeters: ["meter-ev", "meter-pv"] } })).toMatch(/^RESOURCE_UNKNOWN/);
  });

  test("for the devices behind the meters is known by their names too", async () => {
    const seller = { participatingMeters: ["street-1"], energyResources: [{ id: "meter-ev" }] };
    expect(await deg({ seller })).toHaveLength(2);
  });

  test("of a series that is half over is taken for the rest, and of one that is over not at all", async () => {
    const desk = new Desk({ reductionToSetpoint: sevenKW });
    desk.clock.nowMs += 2.5 * HOUR_MS;
    const timestamp = at(2.5 * HOUR_MS);
    expect(await outcome(degConfirm({ context: { timestamp } }), desk)).toEqual([
      { era: "EV-1", powerKW: -5, window: [2, 3] },
    ]);
    desk.clock.nowMs += HOUR_MS;
    const late = { timestamp: at(3.5 * HOUR_MS), messageId: "m2" };
    expect(await outcome(degConfirm({ context: late }), desk)).toMatch(/^SETPOINT_ENDED/);
  });

  test("of nothing gives the device back for that time, and only for that", async () => {
    const desk = new Desk({ reductionToSetpoint: sevenKW });
    await desk.receive(degConfirm());
    const context = { action: "on_update", messageId: "m2", timestamp: at(1000) };
    await desk.receive(degConfirm({ context, intervals: [interval(0, cleared(0)), interval(1, cleared(1))] }));
    expect(desk.releases).toMatchObject([{ setpointIds: ["bpp.market.example/message-1/0"], isPartial: true }]);
    expect(desk.setpoints.at(-1)).toMatchObject({ powerKW: -6, id: "bpp.market.example/m2/1" });
  });

  test("of a contract that is a draft is refused, of one that is cancelled released", async () => {
    expect(await deg({ contract: { status: { code: "DRAFT" } } })).toMatch(/^MESSAGE_INVALID .*status\.code: DRAFT/);
    const desk = new Desk({ reductionToSetpoint: sevenKW });
    await desk.receive(degConfirm());
    const context = { action: "on_cancel", messageId: "m2", timestamp: at(1000) };
    await desk.receive(degConfirm({ context, contract: { status: { code: "CANCELLED" }, commitments: [] } }));
    expect(desk.releases).toMatchObject([{ eras: ["EV-1"], orderId: "contract-1" }]);
  });
});

describe("a request", () => {
  test("for a reduction is no callback, and the NACK says what would be one", async () => {
    expect(await outcome(activation())).toMatch(
      /^NOT_PROVIDER context.action: "confirm" is asked of a provider .*a reduction is ordered with on_confirm/,
    );
  });

  test("goes to the provider where the site is one too", async () => {
    const requests = {
      takes: (action: string) => action === "confirm",
      receive: async () => ({ status: 200, body: '{"message":{"ack":{"status":"ACK"}}}' }),
    };
    expect(await new Desk({ requests }).receive(activation())).toMatchObject({ status: 200 });
  });
});

describe("an order", () => {
  const cancel = {
    context: { ...plainContext("on_cancel"), message_id: "c1", timestamp: at(1000), bpp_id: "bpp.other.example" },
    message: { order: { "beckn:id": "order-1" } },
  };

  test("is cancelled by the market that made it and by nobody else", async () => {
    const desk = new Desk();
    await desk.receive(seedConfirm());
    const answer = await desk.inbox.receive({ body: Buffer.from(JSON.stringify(cancel)), requireSignature: false });
    expect(answer.status).toBe(401);
    expect(answer.body).toContain("SIGNER_MISMATCH");
    expect(desk.releases).toEqual([]);
    expect(desk.store.contracts.get("transaction-1")?.state).toBe("ACTIVE");
    expect(await desk.receive({ ...cancel, context: { ...cancel.context, bpp_id: MARKET } })).toMatchObject({
      status: 200,
    });
    expect(desk.releases).toMatchObject([{ eras: ["EV-1"] }]);
  });

  test("of which nothing is to come any more is another market's all the same, after a restart too", async () => {
    const before = new Desk();
    await before.receive(seedConfirm());
    const [setpoint] = before.setpoints;
    if (setpoint === undefined) throw new Error("no setpoint");
    before.store.setpoints.delete(setpoint.id);
    const desk = new Desk({}, before);
    const answer = await desk.inbox.receive({ body: Buffer.from(JSON.stringify(cancel)), requireSignature: false });
    expect(answer.status).toBe(401);
    expect(answer.body).toContain('this transaction is with \\"bpp.market.example\\"');
    expect(desk.store.contracts.get("transaction-1")?.state).toBe("ACTIVE");
  });

  test("in a transaction that we opened comes from the market that we opened it with", async () => {
    const desk = new Desk();
    const bppId = "bpp.ours.example";
    await desk.store.commit({
      contracts: [{ transactionId: "transaction-1", era: "EV-1", state: "CONFIRMING", bppId, updatedAtMs: NOW_MS }],
    });
    expect((await desk.receive(seedConfirm())).error).toMatchObject({
      code: "SIGNER_MISMATCH",
      paths: "context.bpp_id",
    });
  });

  test("in another currency than the objective's highest price is flagged, and never compared", async () => {
    const directory = {
      has: () => true,
      capability: () => undefined,
      byOrder: () => "EV-1",
      byTransaction: () => undefined,
      maxPrice: () => ({ pricePerKWh: 0.05, currency: "EUR" }),
    };
    const desk = new Desk({ directory });
    await desk.receive(seedConfirm());
    expect(desk.flags).toMatchObject([{ flag: "PRICE_NOT_COMPARABLE" }]);
    await desk.receive(seedConfirm({ context: { message_id: "m2" }, attributes: { currency: "EUR" } }));
    expect(desk.flags[1]).toMatchObject({ flag: "ABOVE_MAX_PRICE" });
  });
});
