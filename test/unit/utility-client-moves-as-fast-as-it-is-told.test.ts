import { describe, expect, test } from "vitest";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";
import { ControlRamp } from "../../adapters/ieee2030-5-client/control-ramp.ts";
import type { Mode } from "../../adapters/ieee2030-5-client/control-values.ts";
import { ratingsOf } from "../../adapters/ieee2030-5-client/der-ratings.ts";
import { EventSchedule } from "../../adapters/ieee2030-5-client/event-schedule.ts";
import { readDefault, readEvent } from "../../adapters/ieee2030-5-client/utility-event.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";
import { HandClock } from "../support/hand-clock.ts";

const ROOF: MeteredDevice = {
  era: "roof",
  kind: "solar",
  linkUp: true,
  powerKW: 8,
  capability: { settleMs: 1, sampleMs: 1, failsafe: "device", control: "limit", minPowerKW: 0, maxPowerKW: 10 },
};
/** 1 % of 10 kW each second. */
const GRADIENT = 100;

interface Moment {
  readonly value?: number;
  readonly rampS?: number;
  readonly gradient?: number;
  readonly device?: MeteredDevice;
}

function stage(mode: Mode = "opModExpLimW") {
  const clock = new HandClock();
  const ramp = new ControlRamp(clock);
  let shown: Moment = {};
  const look = (moment: Moment) => {
    shown = moment;
    const { value, rampS, gradient = GRADIENT, device } = moment;
    const devices = [device ?? ROOF];
    const held = new Map(value === undefined ? [] : [[mode, { value, primacy: 0, ...(rampS && { rampS }) }] as const]);
    return ramp.at(held, { gradient, ratings: ratingsOf(devices), devices }).get(mode)?.value;
  };
  const later = (seconds: number) => {
    clock.advance(seconds * 1000);
    return look(shown);
  };
  return { look, later };
}

describe("a limit", () => {
  test("comes down from what flows at the rate of the default, a step ahead of the line", () => {
    const { look, later } = stage();
    expect(look({ value: 3000 })).toBe(7500);
    expect(later(4)).toBe(7500);
    expect(later(1)).toBe(7000);
    expect(later(30)).toBe(4000);
    expect(later(15)).toBe(3000);
    expect(later(3600)).toBe(3000);
  });

  test("grows a step behind the line, and where it ends it grows until it binds nothing", () => {
    const { look, later } = stage();
    look({ value: 0, gradient: 0 });
    expect(look({ value: 2000 })).toBe(0);
    expect(later(5)).toBe(500);
    expect(later(60)).toBe(2000);
    expect(look({})).toBe(2000);
    expect(later(5)).toBe(2500);
    expect(later(70)).toBe(9500);
    expect(later(5)).toBeUndefined();
  });

  test("takes the time of its own event where that says one", () => {
    const { look, later } = stage();
    look({ value: 1000, gradient: 0 });
    expect(look({ value: 5000, rampS: 60 })).toBe(1000);
    expect(later(30)).toBe(3000);
    expect(later(30)).toBe(5000);
  });

  test("is there at once where nothing says how fast, where what flows is within it, and where nothing is measured", () => {
    expect(stage().look({ value: 3000, gradient: 0 })).toBe(3000);
    expect(stage().look({ value: 9000 })).toBe(9000);
    const { powerKW: _unknown, ...silent } = ROOF;
    expect(stage().look({ value: 3000, device: silent })).toBe(3000);
  });

  test("beyond all that is here to be limited has no way to go", () => {
    const { look, later } = stage();
    look({ value: 200_000 });
    expect(look({ value: 0 })).toBe(7500);
    expect(later(100)).toBe(0);
    look({ value: 200_000 });
    expect(later(99)).toBe(9500);
    expect(later(1)).toBe(200_000);
  });

  test("that changes on the way goes on from where it is", () => {
    const { look, later } = stage();
    look({ value: 0 });
    expect(later(20)).toBe(5500);
    expect(look({ value: 7000, device: { ...ROOF, powerKW: 5.5 } })).toBe(5500);
    expect(later(10)).toBe(6500);
  });

  test("takes no more than fifty steps", () => {
    const { look, later } = stage();
    const values = new Set([look({ value: 0, gradient: 10 })]);
    for (let second = 0; second < 1000; second++) values.add(later(1));
    expect(values.size).toBeLessThanOrEqual(50);
    expect(values.has(0)).toBe(true);
  });
});

describe("other controls", () => {
  test("an order goes from what flows to what is ordered, and ends at once", () => {
    const { look, later } = stage("opModTargetW");
    expect(look({ value: 2000 })).toBe(7500);
    expect(later(55)).toBe(2000);
    expect(look({ value: 4000 })).toBe(2000);
    expect(later(10)).toBe(3000);
    expect(look({})).toBeUndefined();
  });

  test("to disconnect has no ramp", () => {
    expect(stage("opModConnect").look({ value: 0 })).toBe(0);
  });
});

describe("what the server says of it", () => {
  const xml = (text: string) => parseXml(Buffer.from(text));
  const NS = 'xmlns="urn:ieee:std:2030.5:ns"';

  test("setGradW of the strongest default counts, and rampTms is in hundredths of a second", () => {
    const weak = readDefault(
      xml(`<DefaultDERControl ${NS}><mRID>01</mRID><setGradW>27</setGradW></DefaultDERControl>`),
      5,
    );
    const strong = readDefault(
      xml(
        `<DefaultDERControl ${NS}><DERControlBase><rampTms>250</rampTms></DERControlBase><setGradW>0</setGradW></DefaultDERControl>`,
      ),
      1,
    );
    expect(strong).toMatchObject({ gradient: 0, rampS: 2.5 });
    const schedule = new EventSchedule({ random: () => 0, onAnswer: () => {}, unsupportedStatus: 252 });
    expect(schedule.gradient).toBeUndefined();
    schedule.setDefaults([weak]);
    expect(schedule.gradient).toBe(27);
    schedule.setDefaults([weak, strong]);
    expect(schedule.gradient).toBe(0);
  });

  test("an event brings its own time", () => {
    const event = readEvent(
      xml(
        `<DERControl ${NS}><mRID>0A</mRID><creationTime>1</creationTime><EventStatus><currentStatus>0</currentStatus></EventStatus><interval><duration>60</duration><start>10</start></interval><DERControlBase><opModConnect>true</opModConnect><rampTms>6000</rampTms></DERControlBase></DERControl>`,
      ),
      { program: "/p", primacy: 1 },
    );
    const schedule = new EventSchedule({ random: () => 0, onAnswer: () => {}, unsupportedStatus: 252 });
    schedule.take([event], 0);
    expect(schedule.heldAt(10_000).get("opModConnect")).toMatchObject({ rampS: 60 });
  });
});
