import { describe, expect, test } from "vitest";
import { BidError } from "../../src/clearing/clearing-types.ts";
import { clearGrid } from "../../src/clearing/grid/clear-grid.ts";
import { at, CAR, GRID_AT_009, MARKET, MarketHall, SITE } from "../unit/provider-market-hall.ts";

const INTENT = CAR.intent;

async function withOffer(): Promise<MarketHall> {
  const hall = new MarketHall(GRID_AT_009);
  await hall.ask("discover", CAR);
  await hall.untilGate();
  hall.sent();
  return hall;
}

const accept = (offer: object) => ({ order: { "beckn:acceptedOffer": offer } });

describe("the same message again", () => {
  test("gets the same answer and has no second effect", async () => {
    const hall = await withOffer();
    const confirm = hall.request("confirm", { order: {} });
    const first = await hall.receive(confirm);
    const second = await hall.receive(confirm);
    expect(first.status).toBe(200);
    expect(second).toEqual(first);
    expect(hall.sent().map((one) => one.action)).toEqual(["on_confirm"]);
  });

  test("also while the first is still being stored", async () => {
    const hall = await withOffer();
    const confirm = hall.request("confirm", { order: {} });
    const answers = await Promise.all([hall.receive(confirm), hall.receive(confirm), hall.receive(confirm)]);
    expect(answers.map((one) => one.status)).toEqual([200, 200, 200]);
    expect(hall.sent()).toHaveLength(1);
  });

  test("also when it would be too late by now, and across a restart", async () => {
    const hall = await withOffer();
    const confirm = hall.request("confirm", { order: {} });
    await hall.receive(confirm);
    hall.sent();
    await hall.wait(3_600_000);
    const later = new MarketHall(GRID_AT_009, hall);
    expect((await later.receive(confirm)).status).toBe(200);
    expect(later.sent().filter((one) => one.action === "on_confirm")).toEqual([]);
  });

  test("a refusal is repeated as well, though by now it could be taken", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await hall.ask("discover", CAR);
    const early = hall.request("confirm", { order: {} }, { ttl: "PT1H" });
    const first = await hall.receive(early);
    expect(first.body.message.error?.code).toBe("STATE_ILLEGAL");
    await hall.untilGate();
    expect(await hall.receive(early)).toEqual(first);
  });

  test("the same id with another body is refused", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const id = { message_id: "one" };
    await hall.ask("discover", CAR, id);
    expect(await hall.refused("discover", { intent: { ...INTENT, era: "ev-2" } }, id)).toContain("MESSAGE_CONFLICT");
    const twins = [
      hall.request("status", {}, { message_id: "two" }),
      hall.request("status", { x: 1 }, { message_id: "two" }),
    ];
    const answers = await Promise.all(twins.map((one) => hall.receive(one)));
    expect(answers.map((one) => one.status).toSorted()).toEqual([200, 409]);
  });
});

describe("time", () => {
  test("a message past its time to live is refused, and one from the future", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const ago = (ms: number) => ({ timestamp: new Date(hall.clock.now() - ms).toISOString() });
    expect(await hall.refused("discover", CAR, ago(31_000))).toContain("MESSAGE_STALE");
    expect(await hall.refused("discover", CAR, ago(-31_000))).toContain("MESSAGE_FROM_FUTURE");
    await hall.ask("discover", CAR, ago(29_000));
  });

  test("a message that was written before what was done since changes nothing", async () => {
    const hall = await withOffer();
    const earlier = { timestamp: new Date(hall.clock.now() - 10_000).toISOString() };
    await hall.ask("confirm", { order: {} });
    hall.sent();
    await hall.ask("cancel", { order: {} }, earlier);
    expect(hall.state()).toBe("CONFIRMED");
    expect(hall.sent()).toEqual([]);
  });

  test("an offer can be confirmed until its deadline and not after", async () => {
    const hall = await withOffer();
    hall.clock.advance(45_001);
    expect(await hall.refused("confirm", { order: {} })).toContain("OFFER_EXPIRED");
    const inTime = await withOffer();
    inTime.clock.advance(45_000);
    await inTime.ask("confirm", { order: {} });
  });

  test("a gate that was missed is left out: nobody could follow it from its start", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await hall.ask("discover", CAR);
    await hall.wait(20 * 60_000);
    expect(hall.sent()).toEqual([]);
    await hall.untilGate();
    expect(at(hall.sent()[0]?.message, "catalogs", 0, "beckn:offers", 0, "beckn:offerAttributes", "validFrom")).toBe(
      "2026-06-15T12:30:00.000Z",
    );
  });
});

describe("a request in the wrong state is refused with the state's name", () => {
  test("each on the way of a transaction", async () => {
    const hall = new MarketHall(GRID_AT_009);
    for (const action of ["confirm", "cancel", "update", "status", "track", "rating"]) {
      expect(await hall.refused(action, { order: {} })).toContain("TRANSACTION_UNKNOWN");
    }
    await hall.ask("discover", CAR);
    expect(await hall.refused("confirm", { order: {} })).toContain("DISCOVERED");
    expect(await hall.refused("rating", { order: {} })).toContain("DISCOVERED");
    await hall.untilGate();
    await hall.ask("confirm", { order: {} });
    expect(await hall.refused("confirm", { order: {} })).toContain("CONFIRMED");
    expect(await hall.refused("discover", CAR)).toContain("CONFIRMED");
    await hall.wait(60_000);
    expect(await hall.refused("select", { order: {} })).toContain("ACTIVE");
    expect(await hall.refused("confirm", { order: {} })).toContain("OFFER_UNKNOWN");
    await hall.ask("cancel", { order: {} });
    expect(await hall.refused("cancel", { order: {} })).toContain("CANCELLED");
    expect(await hall.refused("update", { order: {} })).toContain("CANCELLED");
    await hall.ask("status", { order: {} });
  });

  test("another participant's transaction of the same id is another transaction", async () => {
    const hall = await withOffer();
    const stranger = { bap_id: "stranger.example" };
    expect(await hall.refused("cancel", { order: {} }, stranger)).toContain("TRANSACTION_UNKNOWN");
    expect(hall.state()).toBe("OFFERED");
  });
});

describe("a confirmation has to be of what was offered", () => {
  test.each([
    ["another offer", accept({ "beckn:id": "other" }), "the offer that is open"],
    ["another price", accept({ "beckn:price": { value: 0.05 } }), "not 0.05"],
    ["another currency", accept({ "beckn:price": { value: 0.09, currency: "EUR" } }), "INR"],
    ["another resource", { order: { "beckn:orderAttributes": { era: "ev-9" } } }, "ev-9"],
    ["another item", { order: { "beckn:orderItems": [{ "beckn:orderedItem": "ev-9" }] } }, "ev-9"],
  ])("%s", async (_name, message, reason) => {
    const hall = await withOffer();
    expect(await hall.refused("confirm", message)).toMatch(new RegExp(`OFFER_MISMATCH.*${reason}`));
    expect(hall.state()).toBe("OFFERED");
  });
});

describe("who sends", () => {
  const signed = { requireSignature: true };

  test("a signature counts only if it is there, whole, by a pinned key and by who the message is from", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const code = async (request: object, over: object) => (await hall.receive(request, over)).body.message.error?.code;
    const request = hall.request("discover", CAR);
    expect(await code(request, signed)).toBe("SIGNATURE_MISSING");
    const authorization = hall.sign(request);
    expect(await code(hall.request("discover", CAR), { ...signed, authorization })).toBe("SIGNATURE_BAD");
    expect(await code(request, { ...signed, authorization: hall.sign(request, "stranger.example") })).toBe(
      "KEY_UNKNOWN",
    );
    const other = hall.request("discover", CAR, { bap_id: "other.example" });
    expect(await code(other, { ...signed, authorization: hall.sign(other) })).toBe("SIGNER_MISMATCH");
    // None of these took the id from the real one.
    expect((await hall.receive(request, { ...signed, authorization })).status).toBe(200);
  });

  test("a wrong signature is refused even where none is asked for", async () => {
    const hall = new MarketHall(GRID_AT_009);
    const authorization = hall.sign(hall.request("discover", CAR));
    expect((await hall.receive(hall.request("discover", CAR), { authorization })).status).toBe(401);
  });

  test("a report is signed by the one it is from, which is its bpp", async () => {
    const hall = await withOffer();
    const request = hall.request("on_status", { order: {} }, { bap_id: MARKET, bpp_id: SITE });
    expect((await hall.receive(request, { ...signed, authorization: hall.sign(request) })).status).toBe(200);
    const forged = hall.request("on_status", { order: {} }, { bap_id: MARKET, bpp_id: "other.example" });
    expect((await hall.receive(forged, { ...signed, authorization: hall.sign(forged) })).status).toBe(401);
  });

  test("a message for another market, and callbacks to nowhere", async () => {
    const hall = new MarketHall(GRID_AT_009);
    expect(await hall.refused("discover", CAR, { bpp_id: "other.example" })).toContain("NOT_ADDRESSEE");
    for (const bap_uri of ["ftp://x", "nonsense", "file:///etc/passwd"]) {
      expect(await hall.refused("discover", CAR, { bap_uri })).toContain("REPLY_ADDRESS_INVALID");
    }
  });

  test("only its owner bids for a resource that has one", async () => {
    const hall = new MarketHall({ grid: { resources: [{ era: "ev-1", bapId: "owner.example" }] } });
    expect(await hall.refused("discover", CAR)).toContain("RESOURCE_UNKNOWN");
    await hall.ask("discover", CAR, { bap_id: "owner.example" });
  });
});

describe("what is no message", () => {
  test.each([
    ["no JSON", "{", "BODY_INVALID"],
    ["a key twice", '{"context":{},"context":{}}', "BODY_INVALID"],
    ["no context", "{}", "CONTEXT_INVALID"],
    ["null", "null", "BODY_INVALID"],
    ["an array", "[]", "BODY_INVALID"],
  ])("%s", async (_name, body, code) => {
    const hall = new MarketHall();
    const answer = await hall.inbox.receive({ body: Buffer.from(body), requireSignature: false });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).message.error.code).toBe(code);
  });

  test("a callback is not for a market, and the address has to be that of the action", async () => {
    const hall = new MarketHall();
    expect(await hall.refused("on_confirm", {})).toContain("ACTION_UNKNOWN");
    const answer = await hall.receive(hall.request("discover", CAR), { action: "confirm" });
    expect(answer.body.message.error?.code).toBe("ACTION_MISMATCH");
  });

  test("a curve that falls is refused with its place, and one in another currency", async () => {
    const hall = new MarketHall();
    const bidCurve = [
      { price: 0.08, powerKW: 0 },
      { price: 0.1, powerKW: -5 },
    ];
    const { body } = await hall.receive(hall.request("discover", { intent: { ...INTENT, bidCurve } }));
    expect(body.message.error).toMatchObject({ code: "MESSAGE_INVALID", paths: "message.intent.bidCurve[1].powerKW" });
    expect(await hall.refused("discover", { intent: { ...INTENT, currency: "EUR" } })).toContain("CURVE_INVALID");
  });
});

describe("what must not be lost", () => {
  test("a disk that fails: not acknowledged, nothing remembered, and taken when it comes again", async () => {
    const hall = await withOffer();
    const confirm = hall.request("confirm", { order: {} });
    hall.store.failure = new Error("disk full");
    expect((await hall.receive(confirm)).status).toBe(503);
    hall.store.failure = undefined;
    await hall.desk.ready();
    expect(hall.state()).toBe("OFFERED");
    expect((await hall.receive(confirm)).status).toBe(200);
    expect(hall.sent()).toHaveLength(1);
  });

  test("what was worked out on top of a failed commit fails with it", async () => {
    const hall = await withOffer();
    hall.store.failure = new Error("disk full");
    const both = Promise.all([
      hall.receive(hall.request("confirm", { order: {} })),
      hall.receive(hall.request("update", { order: {} })),
    ]);
    expect((await both).map((one) => one.status)).toEqual([503, 503]);
    hall.store.failure = undefined;
    await hall.desk.ready();
    expect(hall.state()).toBe("OFFERED");
  });

  test("a gate on a disk that fails closes when the disk is back", async () => {
    const hall = new MarketHall(GRID_AT_009);
    await hall.ask("discover", CAR);
    hall.store.failure = new Error("disk full");
    await hall.untilGate();
    expect(hall.sent()).toEqual([]);
    hall.store.failure = undefined;
    await hall.wait(1000);
    expect(hall.sent().map((one) => one.action)).toEqual(["on_discover"]);
  });

  test("a restart between offer and confirmation loses neither, and the gate is not closed twice", async () => {
    const hall = await withOffer();
    const later = new MarketHall(GRID_AT_009, hall);
    await later.wait(1000);
    expect(later.store.roundList).toHaveLength(1);
    await later.ask("confirm", { order: {} });
    expect(later.sent().map((one) => one.action)).toEqual(["on_confirm"]);
    await later.wait(60_000);
    expect(later.state()).toBe("ACTIVE");
  });
});

describe("everything has a bound", () => {
  test("more transactions than there is room for are put off", async () => {
    const hall = new MarketHall({ market: { maxTransactions: 1 } });
    await hall.ask("discover", CAR);
    const second = await hall.receive(hall.request("discover", CAR, { transaction_id: "t2" }));
    expect(second.status).toBe(503);
    await hall.ask("status", { order: {} });
  });

  test("a bid that nobody renews expires", async () => {
    const hall = new MarketHall({ market: { bidLifetime: "10m" } });
    await hall.ask("discover", CAR);
    await hall.wait(600_001);
    expect(hall.state()).toBe("EXPIRED");
  });

  test("a grid that can't keep its limits gives nobody anything, and the market goes on", async () => {
    const hall = new MarketHall({
      ...GRID_AT_009,
      grid: { nodes: [{ era: "root" }, { era: "n", parent: "root", maxForwardFlowKW: 1, uncontrolledKW: -5 }] },
    });
    await hall.ask("discover", CAR);
    await hall.untilGate();
    expect(hall.sent()).toEqual([]);
    expect(at(hall.store.roundList[0]?.result, "failure")).toContain("n");
    expect(hall.state()).toBe("DISCOVERED");
  });

  test("a bid that can't be cleared does not cost the others their round", async () => {
    const hall = new MarketHall(GRID_AT_009, undefined, (nodes, participants, rules) => {
      const odd = participants.find(({ curve }) => curve.points[0]?.powerKW === -13);
      if (odd !== undefined) throw new BidError(odd.era, "nobody can clear this");
      return clearGrid(nodes, participants, rules);
    });
    await hall.ask("discover", { intent: { era: "odd", bidCurve: [{ price: 0.09, powerKW: -13 }] } });
    await hall.ask("discover", CAR, { transaction_id: "t2" });
    await hall.untilGate();
    expect([hall.state("t1"), hall.state("t2")]).toEqual(["EXPIRED", "OFFERED"]);
    expect(hall.sent().map((one) => one.context["transaction_id"])).toEqual(["t2"]);
  });
});
