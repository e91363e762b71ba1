import { describe, expect, test } from "vitest";
import { chanceOf } from "../../fuzz/chance.ts";
import { MUTATION_NAMES, mutatedAnswer } from "../../fuzz/coap-answers.ts";
import {
  mutatedDevice,
  mutatedValueDocument,
  PROFILE_IDS,
  VALUE_PATHS,
  valueDocument,
} from "../../fuzz/coap-documents.ts";
import { CODE, type CoapMessage, decodeCoap, encodeCoap, OPTION, TYPE } from "../../fuzz/coap-message.ts";
import { runFuzz } from "../../fuzz/run-fuzz.ts";
import { targets } from "../../fuzz/targets.ts";

test("some thousands of wrong datagrams and payloads over real sockets: no crash, no hang, nothing untrue taken, no growth", async () => {
  let data = "";
  const exitCode = await runFuzz(["coap", "--count", "5000", "--seed", "7", "--no-time", "--json"], targets, {
    data: (text) => {
      data += text;
    },
    note: () => {},
  });
  const report = JSON.parse(data);
  expect(report.failures).toEqual([]);
  expect(report.sent).toBe(5000);
  // Many an answer is refused, and what is right in between is taken, or nothing would have been looked at.
  expect(report.figures.answers_refused).toBeGreaterThan(1000);
  expect(report.figures.values_taken).toBeGreaterThan(4000);
  expect(report.figures.writes_confirmed).toBeGreaterThan(300);
  expect(report.figures.devices_read).toBeGreaterThan(40);
  expect(exitCode).toBe(0);
});

const REQUEST: CoapMessage = {
  type: TYPE.confirmable,
  code: CODE.get,
  id: 4711,
  token: Buffer.alloc(8, 5),
  options: [
    [OPTION.uriPath, Buffer.from("v")],
    [OPTION.uriQuery, Buffer.alloc(300, "q")],
    [60, Buffer.alloc(20, 1)],
  ],
  payload: Buffer.from("payload"),
};

function answerTo(index: number, seed = 1) {
  const answer: CoapMessage = {
    ...REQUEST,
    type: TYPE.acknowledgement,
    code: CODE.content,
    options: [[OPTION.contentFormat, Buffer.alloc(0)]],
  };
  return mutatedAnswer({ request: REQUEST, answer, chance: chanceOf(seed, index), patienceMs: 40 });
}

describe("a wrong answer", () => {
  test("is the same for the same seed and number, whatever was made before", () => {
    const shown = (index: number, seed?: number) => JSON.stringify(answerTo(index, seed));
    const first = Array.from({ length: 300 }, (_, index) => shown(index));
    expect(Array.from({ length: 300 }, (_, index) => shown(299 - index)).reverse()).toEqual(first);
    expect(Array.from({ length: 300 }, (_, index) => shown(index, 2))).not.toEqual(first);
  });

  test("is of every kind", () => {
    const names = new Set(Array.from({ length: 2000 }, (_, index) => answerTo(index).name));
    expect(names).toEqual(MUTATION_NAMES);
  });
});

test("a message is read as it was written, with options of every length", () => {
  expect(decodeCoap(encodeCoap(REQUEST))).toEqual(REQUEST);
});

test.each(VALUE_PATHS)(
  "payloads at %s differ with what is wrong in them, and are the same for the same chance",
  (path) => {
    const bodies = (seed: number) =>
      Array.from({ length: 60 }, (_, index) =>
        mutatedValueDocument(path, 12, 30, chanceOf(seed, index)).body.toString("base64"),
      );
    expect(bodies(1)).toEqual(bodies(1));
    expect(new Set(bodies(1)).size).toBeGreaterThan(20);
    const right = valueDocument(path, 12, 30)?.body.toString("base64");
    expect(bodies(1).filter((body) => body === right).length).toBeLessThan(12);
  },
);

test.each(PROFILE_IDS)("a wrong device of %s has all that a right one has, and something else in it", (profile) => {
  const whole = (index: number) => JSON.stringify([...mutatedDevice(profile, chanceOf(1, index))]);
  expect(new Set(Array.from({ length: 30 }, (_, index) => whole(index))).size).toBeGreaterThan(15);
});
