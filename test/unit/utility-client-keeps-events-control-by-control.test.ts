import { describe, expect, test } from "vitest";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";
import { type ControlValues, readControlValues } from "../../adapters/ieee2030-5-client/control-values.ts";
import { demandFromControls } from "../../adapters/ieee2030-5-client/demand-from-controls.ts";
import { EventSchedule } from "../../adapters/ieee2030-5-client/event-schedule.ts";
import type { KeptEvent } from "../../adapters/ieee2030-5-client/kept-events.ts";
import { pollIntervalMs } from "../../adapters/ieee2030-5-client/poll-rate.ts";
import { ServerClock } from "../../adapters/ieee2030-5-client/server-clock.ts";
import type { UtilityEvent } from "../../adapters/ieee2030-5-client/utility-event.ts";
import { HandClock } from "../support/hand-clock.ts";

const START_S = 1_800_000_000;
const at = (seconds: number) => (START_S + seconds) * 1000;

function event(name: string, values: ControlValues, changes: Partial<UtilityEvent> = {}): UtilityEvent {
  return {
    mRID: name,
    program: "/p",
    primacy: 1,
    creationTimeS: START_S - 100,
    startS: START_S,
    durationS: 100,
    status: 0,
    randomizeStartS: 0,
    randomizeDurationS: 0,
    values,
    replyTo: "/reply",
    responseRequired: 3,
    ...changes,
  };
}

function stage(random = () => 0.5) {
  const answers: string[] = [];
  const schedule = new EventSchedule({
    random,
    unsupportedStatus: 252,
    onAnswer: ({ event: { mRID }, status }) => answers.push(`${mRID} ${status}`),
  });
  const held = (seconds: number) =>
    Object.fromEntries([...schedule.heldAt(at(seconds))].map(([mode, { value }]) => [mode, value]));
  return { schedule, answers, held };
}

describe("which event holds", () => {
  test("less primacy goes first, control by control; what only the weaker one says goes on", () => {
    const { schedule, answers, held } = stage();
    schedule.take(
      [
        event("weak", { opModExpLimW: 5000, opModImpLimW: 4000 }, { primacy: 2, creationTimeS: START_S }),
        event("strong", { opModExpLimW: 1000 }, { startS: START_S + 10, durationS: 20 }),
      ],
      at(-5),
    );
    expect(held(-1)).toEqual({});
    expect(held(0)).toEqual({ opModExpLimW: 5000, opModImpLimW: 4000 });
    expect(held(10)).toEqual({ opModExpLimW: 1000, opModImpLimW: 4000 });
    expect(held(30)).toEqual({ opModImpLimW: 4000 });
    expect(held(100)).toEqual({});
    expect(answers).toEqual(["weak 1", "strong 1", "weak 2", "strong 2", "strong 3", "weak 3"]);
  });

  test("of equal primacy the later one supersedes, and the default fills what nobody says", () => {
    const { schedule, answers, held } = stage();
    schedule.setDefaults([
      { primacy: 9, values: { opModExpLimW: 99 } },
      { primacy: 1, values: { opModExpLimW: 1500, opModGenLimW: 7000 } },
    ]);
    schedule.take([event("old", { opModExpLimW: 5000 })], at(-5));
    expect(held(0)).toEqual({ opModExpLimW: 5000, opModGenLimW: 7000 });
    schedule.take(
      [
        event("old", { opModExpLimW: 5000 }, { status: 1 }),
        event("new", { opModExpLimW: 2000 }, { creationTimeS: START_S + 5, startS: START_S + 5, durationS: 10 }),
      ],
      at(5),
    );
    expect(held(5)).toEqual({ opModExpLimW: 2000, opModGenLimW: 7000 });
    expect(held(15)).toEqual({ opModExpLimW: 1500, opModGenLimW: 7000 });
    expect(answers).toEqual(["old 1", "old 2", "new 1", "old 7", "new 2", "new 3"]);
  });

  test("two that follow each other leave no moment for the default", () => {
    const { schedule, held } = stage();
    schedule.setDefaults([{ primacy: 1, values: { opModExpLimW: 0 } }]);
    schedule.take(
      [event("a", { opModExpLimW: 5000 }), event("b", { opModExpLimW: 4000 }, { startS: START_S + 100 })],
      at(0),
    );
    expect(held(99.999)).toEqual({ opModExpLimW: 5000 });
    expect(held(100)).toEqual({ opModExpLimW: 4000 });
    expect(schedule.nextChangeMs(at(100))).toBe(at(200));
  });
});

describe("how an event ends", () => {
  test("cancelled, it ends now; only its status may change; off the list, it goes on", () => {
    const { schedule, answers, held } = stage();
    schedule.take([event("a", { opModImpLimW: 4000 })], at(0));
    expect(held(0)).toEqual({ opModImpLimW: 4000 });
    schedule.take([event("a", { opModImpLimW: 9000 })], at(10));
    expect(held(10)).toEqual({ opModImpLimW: 4000 });
    schedule.take([], at(20));
    expect(held(20)).toEqual({ opModImpLimW: 4000 });
    schedule.take([event("a", { opModImpLimW: 4000 }, { status: 2 })], at(30));
    expect(held(30)).toEqual({});
    expect(answers).toEqual(["a 1", "a 2", "a 6"]);
  });

  test("cancelled with randomisation, it ends within its random time and not at once", () => {
    const { schedule, held } = stage(() => 0.5);
    const values = { opModImpLimW: 4000 };
    schedule.take([event("a", values, { randomizeDurationS: 20 })], at(0));
    expect(held(0)).toEqual(values);
    schedule.take([event("a", values, { status: 3, randomizeDurationS: 20 })], at(30));
    expect(held(39)).toEqual(values);
    expect(held(41)).toEqual({});
  });

  test("a cancelled one that has not begun never begins, and a program that is gone takes its events along", () => {
    const { schedule, answers, held } = stage();
    schedule.take([event("a", { opModImpLimW: 1 }), event("b", { opModExpLimW: 1 }, { program: "/q" })], at(-50));
    schedule.take([event("a", { opModImpLimW: 1 }, { status: 3 })], at(-40));
    schedule.keepPrograms(new Set(["/p"]));
    expect(held(10)).toEqual({});
    expect(answers).toEqual(["a 1", "b 1", "a 6"]);
  });

  test("random parts are drawn once, also negative ones", () => {
    let draws = 0;
    const { schedule, held } = stage(() => {
      draws += 1;
      return 0.5;
    });
    schedule.take([event("a", { opModImpLimW: 1 }, { randomizeStartS: -20 })], at(-60));
    const before = draws;
    schedule.take([event("a", { opModImpLimW: 1 }, { randomizeStartS: -20 })], at(-30));
    expect(draws).toBe(before);
    expect(held(-11)).toEqual({});
    expect(held(-10)).toEqual({ opModImpLimW: 1 });
  });
});

describe("what the server hears", () => {
  test("an event that is past when it is first seen is answered 254, one that nothing here can do 252", () => {
    const { schedule, answers } = stage();
    schedule.take([event("past", { opModImpLimW: 1 }, { startS: START_S - 500 }), event("curve", {})], at(0));
    expect(answers).toEqual(["past 254", "curve 1", "curve 252"]);
  });

  test("only what responseRequired asks for is told, and nothing without an address", () => {
    const { schedule, answers, held } = stage();
    const { replyTo: _none, ...mute } = event("mute", { opModImpLimW: 1 });
    schedule.take([mute, event("half", { opModExpLimW: 1 }, { responseRequired: 1 })], at(0));
    held(0);
    held(100);
    expect(answers).toEqual(["half 1"]);
  });

  test("a status of no known edition makes an event void", () => {
    const { schedule, answers, held } = stage();
    schedule.take([event("odd", { opModImpLimW: 1 }, { status: 77 })], at(0));
    expect(held(1)).toEqual({});
    expect(answers).toEqual(["odd 1", "odd 253"]);
  });
});

describe("what a control means in kW", () => {
  const ratings = {
    maxKW: 10,
    maxChargeKW: 5,
    maxDischargeKW: 4,
    capacityKWh: 12,
    hasSolar: true,
    reactiveRating: {},
    reactiveSetting: {},
  };
  const demand = (values: ControlValues) => {
    const { schedule } = stage();
    schedule.setDefaults([{ primacy: 1, values }]);
    const { detail: _text, ...rest } = demandFromControls(schedule.heldAt(0), ratings) ?? { detail: "" };
    return rest;
  };

  test.each<[ControlValues, object]>([
    [
      { opModImpLimW: 0, opModExpLimW: 1500 },
      { importKW: 0, exportKW: 1.5 },
    ],
    [
      { opModLoadLimW: 2000, opModGenLimW: 3000 },
      { loadKW: 2, generationKW: 3 },
    ],
    [{ opModMaxLimW: 2500, opModGenLimW: 3000 }, { generationKW: 2.5 }],
    [{ opModFixedW: 7000 }, { orders: [{ of: "der", powerKW: 7 }] }],
    [{ opModFixedW: -7000 }, { orders: [{ of: "der", powerKW: -3.5 }] }],
    [{ opModTargetW: -1200 }, { orders: [{ of: "der", powerKW: -1.2 }] }],
    [{ opModStorageTargetW: 3000 }, { orders: [{ of: "storage", powerKW: 3 }] }],
    [{ opModConnect: 0 }, { generationKW: 0, orders: [{ of: "der", powerKW: 0 }] }],
    [{ opModEnergize: 1 }, {}],
  ])("%j", (values, expected) => {
    expect(demand(values)).toEqual(expected);
  });

  test("storage alone counts a positive share of its discharge rate", () => {
    const { schedule } = stage();
    schedule.setDefaults([{ primacy: 1, values: { opModFixedW: 5000 } }]);
    expect(demandFromControls(schedule.heldAt(0), { ...ratings, hasSolar: false })?.orders).toEqual([
      { of: "der", powerKW: 2 },
    ]);
  });
});

describe("how a DERControlBase is read", () => {
  const read = (content: string) =>
    readControlValues(
      parseXml(
        Buffer.from(
          `<DERControlBase xmlns="urn:ieee:std:2030.5:ns" xmlns:c="https://csipaus.org/ns" xmlns:d="https://csipaus.org/ns/v1.3" xmlns:v="urn:vendor">${content}</DERControlBase>`,
        ),
      ),
    );

  test("controls of the standard and of every edition of CSIP-AUS, each in its own namespace; others are left out", () => {
    const values = read(
      "<opModConnect>true</opModConnect><opModFixedW>-7000</opModFixedW><opModVoltVar href='/x'/><rampTms>5</rampTms>" +
        "<c:opModExpLimW><multiplier>1</multiplier><value>500</value></c:opModExpLimW>" +
        "<d:opModStorageTargetW><multiplier>0</multiplier><value>-300</value></d:opModStorageTargetW>" +
        "<v:opModImpLimW><multiplier>0</multiplier><value>1</value></v:opModImpLimW>",
    );
    expect(values).toEqual({ opModConnect: 1, opModFixedW: -7000, opModExpLimW: 5000, opModStorageTargetW: -300 });
  });

  test.each([
    ["<opModMaxLimW>12000</opModMaxLimW>", "opModMaxLimW"],
    ["<opModFixedW>-10001</opModFixedW>", "opModFixedW"],
    ["<opModConnect>perhaps</opModConnect>", "opModConnect"],
    ["<c:opModImpLimW><multiplier>0</multiplier><value>-5</value></c:opModImpLimW>", "opModImpLimW"],
    ["<c:opModImpLimW><multiplier>0</multiplier></c:opModImpLimW>", "opModImpLimW"],
    ["<opModMaxLimW>1</opModMaxLimW><opModMaxLimW>2</opModMaxLimW>", "twice"],
  ])("%s is refused", (content, reason) => {
    expect(() => read(content)).toThrow(reason);
  });
});

describe("time", () => {
  test("events go by the server's clock, which no jump of ours moves", () => {
    const clock = new HandClock();
    const server = new ServerClock(clock);
    expect(server.now()).toBe(clock.now());
    const askedAtMs = clock.elapsedMs();
    clock.advance(200);
    server.said(START_S, askedAtMs);
    expect(server.now()).toBe(at(0.6));
    clock.jumpWall(3_600_000);
    clock.advance(1000);
    expect(server.now()).toBe(at(1.6));
  });

  test.each([
    [60, undefined, 60],
    [1, undefined, 10],
    [99_999, undefined, 7200],
    [0, undefined, 900],
    [undefined, 60, 60],
    [undefined, undefined, 900],
  ])("a pollRate of %s, with %s from above, is %s s", (said, inherited, seconds) => {
    expect(pollIntervalMs({ leastPollRateS: 10 }, said, inherited)).toBe(seconds * 1000);
  });

  test("the config's rate goes before the server's", () => {
    expect(pollIntervalMs({ pollRateS: 30, leastPollRateS: 10 }, 60)).toBe(30_000);
  });
});

describe("over a restart", () => {
  function restartable() {
    const kept = new Map<string, KeptEvent>();
    const answers: string[] = [];
    const started = (random: number) =>
      new EventSchedule({
        random: () => random,
        unsupportedStatus: 252,
        onAnswer: ({ event: { mRID }, status }) => answers.push(`${mRID} ${status}`),
        memory: {
          get: (mRID) => kept.get(mRID),
          put: (mRID, one) => kept.set(mRID, one),
          forget: (mRID) => kept.delete(mRID),
        },
      });
    return { kept, answers, started };
  }

  test("an event keeps the random times that were drawn for it, and is answered once", () => {
    const { answers, started } = restartable();
    const random = event("r", { opModExpLimW: 1 }, { randomizeStartS: 40 });
    const before = started(0.5);
    before.take([random], at(-5));
    before.heldAt(at(21));
    const after = started(0);
    after.take([random], at(22));
    expect(after.heldAt(at(22)).get("opModExpLimW")?.untilMs).toBe(at(120));
    after.heldAt(at(120));
    expect(answers).toEqual(["r 1", "r 2", "r 3"]);
  });

  test("what was over stays over, and what ended meanwhile is not said to have come late", () => {
    const { answers, started } = restartable();
    const cancelled = event("c", { opModExpLimW: 1 }, { durationS: 1000 });
    const short = event("s", { opModImpLimW: 1 });
    const before = started(0);
    before.take([cancelled, short], at(0));
    before.heldAt(at(1));
    before.take([{ ...cancelled, status: 2 }], at(2));
    before.heldAt(at(3));
    const after = started(0);
    after.take([cancelled, short], at(200));
    expect([...after.heldAt(at(200))]).toEqual([]);
    expect(answers).toEqual(["c 1", "s 1", "c 2", "s 2", "c 6"]);
  });

  test("a control that was lost to another event does not come back", () => {
    const { started } = restartable();
    const weak = event("weak", { opModExpLimW: 5000, opModImpLimW: 4000 }, { primacy: 2 });
    const strong = event("strong", { opModExpLimW: 1000 }, { durationS: 20 });
    const before = started(0);
    before.take([weak, strong], at(0));
    before.heldAt(at(1));
    const after = started(0);
    after.take([weak, strong], at(50));
    expect([...after.heldAt(at(50)).keys()]).toEqual(["opModImpLimW"]);
  });

  test("a day after its end an event is forgotten", () => {
    const { kept, started } = restartable();
    const schedule = started(0);
    schedule.take([event("old", { opModExpLimW: 1 })], at(0));
    schedule.heldAt(at(100));
    expect(kept.size).toBe(1);
    schedule.take([], at(90_000));
    expect(kept.size).toBe(0);
  });
});
