import { beforeEach, expect, test } from "vitest";
import { ControlAnswers } from "../../adapters/ieee2030-5/controls/control-answers.ts";

const TIMING = { deadlineMs: 6000, quietMs: 4000, nextPollMs: 500, graceMs: 2000 };
const EVENT = "00000000000000000000000A";
const ASKED = 10_000;

let answers: ControlAnswers;
beforeEach(() => {
  answers = new ControlAnswers(TIMING);
});

const at = (nowMs: number, polledAtMs: number | undefined = undefined) =>
  answers.outcome(EVENT, ASKED, polledAtMs, nowMs);

test("started is accepted at once", () => {
  answers.fetched(EVENT, ASKED + 100);
  answers.responded("a", 1, ASKED + 110);
  answers.responded("A", 2, ASKED + 120);
  expect(at(ASKED + 120)).toEqual({ kind: "accepted", how: "Response 2, started" });
});

test("received waits a moment for a refusal, then is accepted", () => {
  answers.responded(EVENT, 1, ASKED + 100);
  expect(at(ASKED + 100)).toEqual({ kind: "waiting", forMs: 2000 });
  expect(at(ASKED + 2100)).toMatchObject({ kind: "accepted" });
});

test("received and then refused is refused", () => {
  answers.responded(EVENT, 1, ASKED + 100);
  answers.responded(EVENT, 253, ASKED + 200);
  expect(at(ASKED + 200)).toMatchObject({ kind: "failed", fault: "refused" });
});

test("an order that the user opted out of after its start is no longer accepted", () => {
  answers.responded(EVENT, 2, ASKED + 100);
  answers.responded(EVENT, 1, ASKED + 200);
  expect(at(ASKED + 200)).toMatchObject({ kind: "accepted" });
  answers.responded(EVENT, 4, ASKED + 300);
  expect(at(ASKED + 300)).toMatchObject({ kind: "failed", fault: "refused" });
});

test.each([4, 7, 8, 10, 251, 252, 253, 254])("Response %i is a refusal", (status) => {
  answers.responded(EVENT, status, ASKED + 100);
  expect(at(ASKED + 100)).toMatchObject({ kind: "failed", fault: "refused" });
  expect(answers.wasRefused(EVENT)).toBe(true);
});

test("a device that goes on polling and answers nothing has accepted", () => {
  answers.fetched(EVENT, ASKED + 500);
  expect(at(ASKED + 1500, ASKED + 1500)).toEqual({ kind: "waiting", forMs: 3000 });
  expect(at(ASKED + 4500, ASKED + 4400)).toMatchObject({ kind: "accepted" });
});

test("a device that fetches and is never seen again has accepted nothing", () => {
  answers.fetched(EVENT, ASKED + 500);
  // The rest of the round in which it fetched is no sign of life.
  expect(at(ASKED + 5000, ASKED + 520)).toMatchObject({ kind: "waiting" });
  expect(at(ASKED + 6000, ASKED + 520)).toMatchObject({ kind: "failed", fault: "timeout" });
});

test("a device that polls other things only is late; one that does not poll is not there", () => {
  expect(at(ASKED + 5999)).toEqual({ kind: "waiting", forMs: 1 });
  expect(at(ASKED + 6000, ASKED + 5000)).toMatchObject({ kind: "failed", fault: "timeout" });
  expect(at(ASKED + 6000, ASKED - 1)).toMatchObject({ kind: "failed", fault: "unreachable" });
  expect(at(ASKED + 6000)).toMatchObject({ kind: "failed", fault: "unreachable" });
});

test("a Response that can't be read ends the wait; other nonsense only spoils a silent acceptance", () => {
  answers.fetched(EVENT, ASKED + 500);
  answers.garbled(false, ASKED + 600);
  expect(at(ASKED + 1500, ASKED + 1500)).toMatchObject({ kind: "waiting" });
  expect(at(ASKED + 4500, ASKED + 4400)).toMatchObject({ kind: "failed", fault: "protocol" });
  answers.responded(EVENT, 2, ASKED + 4600);
  expect(at(ASKED + 4600)).toMatchObject({ kind: "accepted" });
});

test("nonsense from before the order does not count against it", () => {
  answers.garbled(true, ASKED - 1);
  expect(at(ASKED + 10)).toMatchObject({ kind: "waiting" });
  answers.garbled(true, ASKED + 20);
  expect(at(ASKED + 20)).toMatchObject({ kind: "failed", fault: "protocol" });
});

test.each([
  ["2018", 12, "waiting"],
  ["2018", 13, "failed"],
  ["2018", 14, "failed"],
  ["2023", 12, "failed"],
  ["2023", 13, "failed"],
  ["2023", 14, "accepted"],
] as const)("by the edition of %s, Response %i leaves the order %s", (edition, status, kind) => {
  const read = new ControlAnswers(TIMING, edition);
  read.responded(EVENT, status, ASKED + 100);
  expect(read.outcome(EVENT, ASKED, undefined, ASKED + 100)).toMatchObject({ kind });
});

test("what was received long before its start has its moment of grace when the order comes", () => {
  answers.responded(EVENT, 1, ASKED - 60_000);
  expect(at(ASKED)).toEqual({ kind: "waiting", forMs: 2000 });
});

test("what it answered can be told", () => {
  expect(answers.told(EVENT)).toBe("it has not fetched it");
  answers.fetched(EVENT, ASKED);
  expect(answers.told(EVENT)).toBe("it fetched it and sent no Response");
  for (const status of [1, 2, 6]) answers.responded(EVENT, status, ASKED);
  expect(answers.told(EVENT)).toBe("Responses 1 (received), 2 (started), 6 (cancelled)");
});
