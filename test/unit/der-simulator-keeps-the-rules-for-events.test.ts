import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { DerControl } from "../../simulators/der/control.ts";
import type { ControlModes } from "../../simulators/der/control-modes.ts";
import { type Answer, EventEngine } from "../../simulators/der/event-engine.ts";

const NOW_S = 1_000_000;

interface Given extends Partial<Omit<DerControl, "id" | "addressee">> {
  readonly id?: string;
}

function control({ id = "A", ...given }: Given = {}): DerControl {
  const modes: ControlModes = given.modes ?? { fixedW: 5000 };
  return {
    id,
    addressee: { mRID: id, replyTo: "/r", wanted: 3 },
    creationTimeS: NOW_S - 10,
    status: (given.startS ?? NOW_S) > NOW_S ? 0 : 1,
    statusTimeS: NOW_S - 10,
    startS: NOW_S,
    durationS: 100,
    randomizeStartS: 0,
    randomizeDurationS: 0,
    fingerprint: `${JSON.stringify(modes)}${given.startS ?? NOW_S}${given.durationS ?? 100}`,
    ...given,
    modes,
  };
}

describe("DERControl events", () => {
  let engine: EventEngine;
  let random: number;
  let objection: string | undefined;

  beforeEach(() => {
    random = 0;
    objection = undefined;
    engine = new EventEngine({ random: () => random, objection: () => objection });
  });

  const brief = (answers: readonly Answer[]) => answers.map(({ to, status }) => `${to.mRID}:${status}`);
  const see = (nowS: number, ...controls: DerControl[]) =>
    brief(
      engine.see(
        controls.map((one) => ({ primacy: 1, control: one })),
        nowS,
      ),
    );
  const tick = (nowS: number) => brief(engine.tick(nowS));
  const running = () => engine.running().map(({ id }) => id);

  test("an event runs from its start until just before its end", () => {
    const event = control({ startS: NOW_S + 10, durationS: 60 });
    expect(see(NOW_S, event)).toEqual(["A:1"]);
    expect(tick(NOW_S + 9.9)).toEqual([]);
    expect(tick(NOW_S + 10)).toEqual(["A:2"]);
    expect(tick(NOW_S + 69.9)).toEqual([]);
    expect(running()).toEqual(["A"]);
    expect(tick(NOW_S + 70)).toEqual(["A:3"]);
    expect(running()).toEqual([]);
    expect(see(NOW_S + 71, { ...event, status: 1 })).toEqual([]);
    expect(engine.modes()).toBeUndefined();
  });

  test("one event hands over to the next without a gap", () => {
    see(NOW_S, control({ id: "A", durationS: 50 }), control({ id: "B", startS: NOW_S + 50, modes: { fixedW: 1 } }));
    expect(tick(NOW_S + 50)).toEqual(["A:3", "B:2"]);
    expect(engine.modes()).toEqual({ fixedW: 1 });
  });

  test("the later creation supersedes, whichever order the list has, and only from its own start on", () => {
    const early = control({ id: "A", creationTimeS: NOW_S - 20 });
    const late = control({ id: "B", creationTimeS: NOW_S - 10, startS: NOW_S + 30, modes: { targetW: 1 } });
    expect(see(NOW_S, late, early)).toEqual(["B:1", "A:1", "A:2"]);
    expect(tick(NOW_S + 29)).toEqual([]);
    expect(tick(NOW_S + 30)).toEqual(["A:7", "B:2"]);
    // What was superseded does not come back.
    expect(see(NOW_S + 40, { ...late, status: 2 }, early)).toEqual(["B:6"]);
    expect(running()).toEqual([]);
  });

  test("an event that was created in the same second does not supersede", () => {
    see(NOW_S, control({ id: "A" }));
    expect(see(NOW_S + 1, control({ id: "A" }), control({ id: "B", modes: { fixedW: 1 } }))).toEqual(["B:1", "B:7"]);
    expect(running()).toEqual(["A"]);
  });

  test("a program with lower primacy wins over a later creation", () => {
    const listed = [
      { primacy: 1, control: control({ id: "A", creationTimeS: NOW_S }) },
      { primacy: 0, control: control({ id: "B", creationTimeS: 0 }) },
    ];
    expect(brief(engine.see(listed, NOW_S))).toEqual(["A:1", "B:1", "A:7", "B:2"]);
  });

  test("controls of different kinds hold side by side", () => {
    see(NOW_S, control({ id: "A", modes: { maxLimW: 3000 } }), control({ id: "B", creationTimeS: NOW_S }));
    expect(running().sort()).toEqual(["A", "B"]);
    expect(engine.modes()).toEqual({ maxLimW: 3000, fixedW: 5000 });
  });

  test("a cancelled event ends at once, one that is missing from the list does not", () => {
    see(NOW_S, control());
    expect(see(NOW_S + 1)).toEqual([]);
    expect(running()).toEqual(["A"]);
    expect(see(NOW_S + 2, control({ status: 2 }))).toEqual(["A:6"]);
    expect(see(NOW_S + 3, control({ status: 2 }))).toEqual([]);
  });

  test("a cancellation at random waits at most the larger of the two spreads", () => {
    const event = control({ randomizeStartS: -20, randomizeDurationS: 30 });
    see(NOW_S, event);
    random = 0.5;
    expect(see(NOW_S + 1, { ...event, status: 3 })).toEqual([]);
    expect(running()).toEqual(["A"]);
    expect(see(NOW_S + 10, { ...event, status: 3 })).toEqual([]);
    expect(tick(NOW_S + 15.9)).toEqual([]);
    expect(tick(NOW_S + 16)).toEqual(["A:6"]);
  });

  test("start and duration are spread once, within their bounds", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3600, max: 3600 }),
        fc.integer({ min: -3600, max: 3600 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (randomizeStartS, randomizeDurationS, chance) => {
          const spread = new EventEngine({ random: () => chance, objection: () => undefined });
          const startS = NOW_S + 4000;
          const event = control({ startS, durationS: 9000, randomizeStartS, randomizeDurationS });
          spread.see([{ primacy: 1, control: event }], NOW_S);
          const from = startS + Math.min(0, randomizeStartS);
          const until = startS + Math.max(0, randomizeStartS);
          expect(brief(spread.tick(from - 1))).toEqual([]);
          expect(brief(spread.tick(until))).toEqual(["A:2"]);
          expect(brief(spread.tick(from + 9000 + Math.min(0, randomizeDurationS) - 1))).toEqual([]);
          expect(brief(spread.tick(until + 9000 + Math.max(0, randomizeDurationS)))).toEqual(["A:3"]);
        },
      ),
    );
  });

  test("an event that had ended before it was first seen is only told to be late", () => {
    expect(see(NOW_S + 100, control())).toEqual(["A:254"]);
    expect(see(NOW_S + 101, control())).toEqual([]);
    expect(running()).toEqual([]);
  });

  test.each([
    ["scheduled though it has begun", control({ status: 0, startS: NOW_S - 10 })],
    ["active though it has not begun", control({ status: 1, startS: NOW_S + 10 })],
    ["changed in the future", control({ statusTimeS: NOW_S + 60 })],
  ])("an event whose status is %s is refused, once", (_what, event) => {
    expect(see(NOW_S, event)).toEqual(["A:253"]);
    expect(see(NOW_S + 1, event)).toEqual([]);
    expect(tick(NOW_S + 20)).toEqual([]);
    expect(running()).toEqual([]);
  });

  test("an event that changes under its mRID is refused, and the one that was taken goes on", () => {
    see(NOW_S, control());
    expect(see(NOW_S + 1, control({ modes: { fixedW: 9000 } }))).toEqual(["A:253"]);
    expect(see(NOW_S + 2, control({ modes: { fixedW: 9000 } }))).toEqual([]);
    expect(engine.modes()).toEqual({ fixedW: 5000 });
  });

  test("a status of a later edition leaves the event alone", () => {
    expect(see(NOW_S, control({ status: 5 }), control({ id: "B", status: 99 }))).toEqual([]);
    expect(running()).toEqual([]);
  });

  test("what the device objects to is answered with 252 and never runs", () => {
    objection = "no";
    expect(see(NOW_S, control())).toEqual(["A:252"]);
    objection = undefined;
    expect(see(NOW_S + 1, control())).toEqual([]);
    expect(running()).toEqual([]);
  });

  test("it remembers a bounded number of events", () => {
    for (let index = 0; index < 2000; index++) see(NOW_S, control({ id: `E${index}`, status: 2 }));
    expect(engine.find("E1999")).toBeDefined();
    expect(engine.find("E0")).toBeUndefined();
  });
});
