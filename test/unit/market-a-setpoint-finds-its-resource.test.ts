import { describe, expect, test } from "vitest";
import type { ResourceDirectory } from "../../src/market/placement.ts";
import { SentSignatures } from "../../src/market/sent-signatures.ts";
import { signBody } from "../../src/market/signature.ts";
import type { Contract } from "../../src/store/control-store.ts";
import { Desk, MARKET, NOW_MS, onConfirm, plainContext } from "../support/market-desk.ts";

const noConfig: ResourceDirectory = {
  has: (era) => era === "EV-1",
  capability: () => undefined,
  byOrder: () => undefined,
  byTransaction: () => undefined,
};

const at = (offsetMs: number) => new Date(NOW_MS + offsetMs).toISOString();

describe("a setpoint from the market", () => {
  test("becomes one setpoint with an end, stored before it is handed on", async () => {
    const desk = new Desk();
    expect(await desk.receive(onConfirm())).toEqual({ status: 200, ack: { status: "ACK" } });
    expect(desk.setpoints).toEqual([
      {
        id: "bpp.market.example/message-1/0",
        era: "EV-1",
        powerKW: -4,
        validFromMs: NOW_MS,
        validUntilMs: NOW_MS + 900_000,
        receivedAtMs: NOW_MS,
        source: { kind: "market", transactionId: "transaction-1", messageId: "message-1", orderId: "order-1" },
        clearingPrice: { pricePerKWh: 0.09, currency: "INR" },
      },
    ]);
    expect([...desk.store.setpoints.values()]).toEqual(desk.setpoints);
    expect(desk.store.contracts.get("transaction-1")).toEqual({
      transactionId: "transaction-1",
      era: "EV-1",
      state: "ACTIVE",
      orderId: "order-1",
      bppId: "bpp.market.example",
      clearingPricePerKWh: 0.09,
      updatedAtMs: NOW_MS,
    });
  });

  test("is found by whatever the configuration names first", async () => {
    const contract: Contract = { transactionId: "transaction-1", era: "PV-1", state: "CONFIRMING", updatedAtMs: 0 };
    const message = onConfirm({ attributes: { setpointKW: 0, era: "EV-1" } });
    const eraFor = async (mapping: ("transaction" | "order" | "era")[]) => {
      const desk = new Desk({ mapping });
      await desk.store.commit({ contracts: [contract] });
      await desk.receive(message);
      return desk.setpoints[0]?.era;
    };
    expect(await eraFor(["transaction", "order", "era"])).toBe("PV-1");
    expect(await eraFor(["order", "transaction"])).toBe("EV-1");
    expect(await eraFor(["era", "transaction"])).toBe("EV-1");
  });

  test("for a resource that is not here does not move the one that the order had before", async () => {
    const desk = new Desk({ mapping: ["era", "transaction", "order"] });
    await desk.receive(onConfirm());
    const answer = await desk.receive(
      onConfirm({ context: { message_id: "m2", timestamp: at(1000) }, attributes: { era: "EV-9" } }),
    );
    expect(answer).toMatchObject({ status: 404, error: { code: "RESOURCE_UNKNOWN" } });
    expect(answer.error?.message).toContain("era EV-9");
    expect(desk.setpoints).toHaveLength(1);
  });

  test("is found by the order of an earlier message, after a restart too", async () => {
    const desk = new Desk({ mapping: ["order"] });
    await desk.receive(onConfirm({ context: { message_id: "m1" } }));
    const again = new Desk({ mapping: ["order"], directory: noConfig }, desk);
    const context = { ...plainContext("on_update"), message_id: "m2", transaction_id: "t2", timestamp: at(1000) };
    expect(await again.receive(onConfirm({ context }))).toMatchObject({ status: 200 });
    expect(again.setpoints).toMatchObject([{ era: "EV-1" }]);
  });

  test("for many resources at once goes to each by its own name", async () => {
    const desk = new Desk();
    const setpoints = [
      { era: "EV-1", setpointKW: -7 },
      { era: "PV-1", setpointKW: 3 },
    ];
    expect(await desk.receive(onConfirm({ order: { "beckn:orderAttributes": { setpoints } } }))).toMatchObject({
      status: 200,
    });
    expect(desk.setpoints.map(({ id, era, powerKW }) => [id, era, powerKW])).toEqual([
      ["bpp.market.example/message-1/0", "EV-1", -7],
      ["bpp.market.example/message-1/1", "PV-1", 3],
    ]);
  });

  test("for many resources is taken as a whole or not at all", async () => {
    const desk = new Desk();
    const setpoints = [
      { era: "EV-1", setpointKW: -7 },
      { era: "PV-1", setpointKW: -3 },
    ];
    const answer = await desk.receive(onConfirm({ order: { "beckn:orderAttributes": { setpoints } } }));
    expect(answer.error).toMatchObject({
      code: "SETPOINT_IMPOSSIBLE",
      paths: "message.order.beckn:orderAttributes.setpoints[1].setpointKW",
    });
    expect(desk.store.setpoints.size).toBe(0);
  });

  test("is taken while its device has not yet said what it can do", async () => {
    const desk = new Desk({ directory: { ...noConfig, has: () => true, byOrder: () => "EV-7" } });
    expect(await desk.receive(onConfirm({ attributes: { setpointKW: 4 } }))).toMatchObject({ status: 200 });
  });

  test("that ends a month from now is refused", async () => {
    const desk = new Desk();
    const answer = await desk.receive(onConfirm({ attributes: { validUntil: at(30 * 86_400_000) } }));
    expect(answer.error?.code).toBe("SETPOINT_TOO_FAR_AHEAD");
  });

  test("above the objective's highest price is taken and flagged", async () => {
    const desk = new Desk();
    const objectives = { maxPricePerKWh: 0.08 };
    await desk.receive(onConfirm({ attributes: { objectives } }));
    expect(desk.flags).toMatchObject([{ flag: "ABOVE_MAX_PRICE", setpointId: desk.setpoints[0]?.id }]);
    expect(desk.flags[0]?.detail).toContain("0.09 INR/kWh");
  });

  test("of a rounding error above zero is no wrong sign", async () => {
    const desk = new Desk();
    expect(await desk.receive(onConfirm({ attributes: { setpointKW: 1e-12 } }))).toMatchObject({ status: 200 });
  });
});

describe("messages that overtake each other", () => {
  test("an older order does not undo a newer one, and is acknowledged", async () => {
    const desk = new Desk();
    await desk.receive(onConfirm({ context: { message_id: "new", timestamp: at(0) }, attributes: { setpointKW: -7 } }));
    const old = onConfirm({ context: { message_id: "old", timestamp: at(-5000) } });
    expect(await desk.receive(old)).toMatchObject({ status: 200, ack: { status: "ACK" } });
    expect(await desk.receive(old)).toMatchObject({ status: 200 });
    expect(desk.setpoints.map((setpoint) => setpoint.powerKW)).toEqual([-7]);
    expect(desk.counted).toEqual(["on_confirm acked", "on_confirm outdated", "on_confirm repeated"]);
  });

  test("nor when both are in work at the same time", async () => {
    const desk = new Desk();
    const newer = onConfirm({ context: { message_id: "new", timestamp: at(0) }, attributes: { setpointKW: -7 } });
    const older = onConfirm({ context: { message_id: "old", timestamp: at(-5000) } });
    await Promise.all([desk.receive(newer), desk.receive(older)]);
    expect(desk.setpoints.map((setpoint) => setpoint.powerKW)).toEqual([-7]);
  });

  test("nor after a restart", async () => {
    const desk = new Desk();
    await desk.receive(onConfirm({ context: { message_id: "new" }, attributes: { setpointKW: -7 } }));
    const again = new Desk({}, desk);
    await again.receive(onConfirm({ context: { message_id: "old", timestamp: at(-5000) } }));
    expect(again.counted).toEqual(["on_confirm outdated"]);
  });

  test("another transaction has its own time", async () => {
    const desk = new Desk();
    await desk.receive(onConfirm({ context: { message_id: "m1" } }));
    await desk.receive(onConfirm({ context: { message_id: "m2", transaction_id: "t2", timestamp: at(-5000) } }));
    expect(desk.setpoints).toHaveLength(2);
  });
});

describe("an order that is over", () => {
  const cancel = (more: Record<string, unknown> = {}) => ({
    context: { ...plainContext("on_cancel"), message_id: "cancel-1", timestamp: at(1000), ...more },
    message: { order: { "beckn:id": "order-1", "beckn:orderStatus": "CANCELLED" } },
  });

  test("releases its own setpoints and no others", async () => {
    const desk = new Desk();
    await desk.receive(onConfirm());
    await desk.receive(
      onConfirm({
        context: { message_id: "m2", transaction_id: "t2" },
        order: { "beckn:id": "order-2" },
        attributes: { era: "PV-1", setpointKW: 1 },
      }),
    );
    expect(await desk.receive(cancel())).toMatchObject({ status: 200 });
    expect(desk.releases).toEqual([
      {
        transactionId: "transaction-1",
        orderId: "order-1",
        setpointIds: ["bpp.market.example/message-1/0"],
        eras: ["EV-1"],
        reason: "on_cancel from bpp.market.example",
      },
    ]);
    expect(desk.store.contracts.get("transaction-1")?.state).toBe("ENDED");
  });

  test("may be known by its transaction alone", async () => {
    const desk = new Desk();
    await desk.receive(onConfirm());
    await desk.receive({ ...cancel(), message: { order: {} } });
    expect(desk.releases[0]?.eras).toEqual(["EV-1"]);
  });

  test("may also be said by on_update", async () => {
    const desk = new Desk();
    await desk.receive(onConfirm());
    await desk.receive(cancel({ action: "on_update" }));
    expect(desk.releases).toHaveLength(1);
  });

  test("is not brought back by a setpoint that was written before the end", async () => {
    const desk = new Desk();
    desk.clock.nowMs += 1000;
    await desk.receive(cancel());
    await desk.receive(onConfirm({ context: { timestamp: at(0) } }));
    expect(desk.setpoints).toEqual([]);
  });
});

test("every other callback is acknowledged, kept, and changes nothing", async () => {
  const desk = new Desk();
  for (const action of ["on_select", "on_init", "on_status", "on_track", "on_rating", "on_support", "on_update"]) {
    const context = { ...plainContext(action), message_id: action };
    expect(await desk.receive({ context, message: { order: {} } })).toMatchObject({ status: 200 });
  }
  expect(desk.store.received.size).toBe(7);
  expect([desk.setpoints, desk.releases, desk.offers]).toEqual([[], [], []]);
});

test("a fault in what comes after the commit does not take the acknowledgement back", async () => {
  const desk = new Desk({
    onSetpoints: () => {
      throw new Error("a bug further down");
    },
  });
  expect(await desk.receive(onConfirm())).toMatchObject({ status: 200, ack: { status: "ACK" } });
});

test("an answer may cover the signature of our request, if we know that", async () => {
  const sentSignatures = new SentSignatures();
  const desk = new Desk({ sentSignatures });
  const body = Buffer.from(JSON.stringify(onConfirm()));
  const signer = { subscriberId: MARKET, keyId: "key-1", privateKey: desk.key.privateKey };
  const ours = Buffer.alloc(64, 1).toString("base64");
  const { authorization } = signBody(signer, body, { nowMs: NOW_MS, lifetimeMs: 60_000 }, ours);
  const message = { body, authorization, requireSignature: true };
  expect((await desk.inbox.receive(message)).body).toContain("REQUEST_SIGNATURE_UNKNOWN");
  sentSignatures.remember({ messageId: "ours-1", transactionId: "transaction-1", action: "confirm" }, ours);
  expect((await desk.inbox.receive(message)).status).toBe(200);
});
