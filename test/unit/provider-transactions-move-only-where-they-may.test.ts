import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isLegal,
  isOver,
  stateAfter,
  type TransactionEvent,
  type TransactionState,
} from "../../src/market/provider/transaction.ts";

const STATES = ["DISCOVERED", "OFFERED", "CONFIRMED", "ACTIVE", "COMPLETED", "CANCELLED", "EXPIRED"] as const;
const EVENTS = ["discover", "offer", "lapse", "confirm", "begin", "end", "cancel", "expire"] as const;

function walked(...events: readonly TransactionEvent[]): TransactionState | undefined {
  let state: TransactionState | undefined;
  for (const event of events) {
    state = stateAfter(state, event);
    if (state === undefined) return undefined;
  }
  return state;
}

describe("the way of a transaction", () => {
  test("from a curve to its end", () => {
    expect(walked("discover")).toBe("DISCOVERED");
    expect(walked("discover", "offer")).toBe("OFFERED");
    expect(walked("discover", "offer", "confirm")).toBe("CONFIRMED");
    expect(walked("discover", "offer", "confirm", "begin")).toBe("ACTIVE");
    expect(walked("discover", "offer", "confirm", "begin", "end")).toBe("COMPLETED");
  });

  test("a standing bid is offered and confirmed again while its interval runs", () => {
    expect(walked("discover", "offer", "confirm", "begin", "offer", "confirm", "begin")).toBe("ACTIVE");
    expect(walked("discover", "offer", "confirm", "begin", "offer", "lapse")).toBe("ACTIVE");
  });

  test("an offer nobody confirms leaves the bid, until its time is over", () => {
    expect(walked("discover", "offer", "lapse")).toBe("DISCOVERED");
    expect(walked("discover", "offer", "lapse", "expire")).toBe("EXPIRED");
  });

  test("it can be cancelled as long as it is not over", () => {
    expect(walked("discover", "cancel")).toBe("CANCELLED");
    expect(walked("discover", "offer", "confirm", "begin", "cancel")).toBe("CANCELLED");
    expect(walked("discover", "offer", "confirm", "begin", "end", "cancel")).toBeUndefined();
    expect(walked("discover", "cancel", "cancel")).toBeUndefined();
  });

  test("what binds is not replaced by a new curve", () => {
    expect(walked("discover", "offer", "confirm", "discover")).toBeUndefined();
    expect(walked("offer")).toBeUndefined();
  });
});

test("whatever happens, nothing leaves an end, and nothing begins an interval that was not confirmed", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 }), (events) => {
      let state: TransactionState | undefined;
      let bound = false;
      for (const event of events) {
        const next = stateAfter(state, event);
        if (state !== undefined && isOver(state)) expect(next).toBeUndefined();
        if (next === undefined) continue;
        if (event === "confirm") bound = true;
        if (next === "ACTIVE") expect(bound).toBe(true);
        state = next;
      }
    }),
  );
});

test("which request is taken in which state", () => {
  const taken = (action: Parameters<typeof isLegal>[0]) => STATES.filter((state) => isLegal(action, state));
  expect(taken("discover")).toEqual(["DISCOVERED", "OFFERED", "ACTIVE"]);
  expect(taken("confirm")).toEqual(["DISCOVERED", "OFFERED", "ACTIVE"]);
  expect(taken("cancel")).toEqual(["DISCOVERED", "OFFERED", "CONFIRMED", "ACTIVE"]);
  expect(taken("update")).toEqual(["DISCOVERED", "OFFERED", "CONFIRMED", "ACTIVE", "COMPLETED"]);
  expect(taken("status")).toEqual([...STATES]);
  expect(taken("rate")).toEqual(["ACTIVE", "COMPLETED", "CANCELLED"]);
  expect(taken("support")).toEqual([...STATES]);
  expect(["cancel", "update", "status", "rate"].filter((one) => isLegal(one as "cancel", undefined))).toEqual([]);
});
