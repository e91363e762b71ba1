import { expect, test } from "vitest";
import { readingsFrom } from "../../adapters/ieee2030-5/metering/meter-values.ts";
import { meterDocumentValues } from "../../adapters/ieee2030-5/push/push-meter.ts";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";

const NOW_MS = 1_795_473_100_000;
const context = { era: "der.1", receivedAtMs: NOW_MS, replayedAfterMs: 60_000, powerPhases: 0 };

/** Readings of a list of meter readings, each given as `[ReadingType elements, Reading elements]`. */
function readingsOf(meters: readonly [string, string][], powerPhases = 0) {
  const items = meters.map(
    ([type, reading]) =>
      `<MirrorMeterReading><mRID>01</mRID><Reading>${reading}</Reading><ReadingType>${type}</ReadingType></MirrorMeterReading>`,
  );
  const text = `<MirrorMeterReadingList xmlns="urn:ieee:std:2030.5:ns">${items.join("")}</MirrorMeterReadingList>`;
  return readingsFrom(meterDocumentValues(parseXml(new TextEncoder().encode(text))), { ...context, powerPhases });
}

const value = (number: number) => `<value>${number}</value>`;
const at = (startS: number, number: number) =>
  `<timePeriod><duration>60</duration><start>${startS}</start></timePeriod><value>${number}</value>`;
const FORWARD = "<flowDirection>1</flowDirection>";
const REVERSE = "<flowDirection>19</flowDirection>";
const phase = (code: number) => `<phase>${code}</phase>`;
const uom = (code: number) => `<uom>${code}</uom>`;

test("power, energy, voltage and frequency of one time are one reading", () => {
  const [reading, ...others] = readingsOf([
    [`${FORWARD}${uom(38)}`, value(-3481)],
    [
      `<accumulationBehaviour>9</accumulationBehaviour>${FORWARD}<powerOfTenMultiplier>3</powerOfTenMultiplier>${uom(72)}`,
      value(12),
    ],
    [`<accumulationBehaviour>9</accumulationBehaviour>${REVERSE}${uom(72)}`, value(4500)],
    [`<powerOfTenMultiplier>-1</powerOfTenMultiplier>${uom(29)}`, value(2301)],
    [`<powerOfTenMultiplier>-2</powerOfTenMultiplier>${uom(33)}`, value(4998)],
  ]);
  expect(others).toEqual([]);
  expect(reading).toEqual({
    era: "der.1",
    receivedAtMs: NOW_MS,
    powerKW: 3.481,
    importKWh: 12,
    exportKWh: 4.5,
    voltageV: 230.1,
    frequencyHz: 49.98,
  });
});

test("a device that counts each direction by itself gives their sum", () => {
  const readings = readingsOf([
    [`${FORWARD}${uom(38)}`, value(200)],
    [`${REVERSE}${uom(38)}`, value(1500)],
  ]);
  expect(readings).toMatchObject([{ powerKW: 1.3 }]);
});

test("reactive power turns its sign as the power does", () => {
  const readings = readingsOf([
    [`${FORWARD}${uom(38)}`, value(-3000)],
    [`${FORWARD}${uom(63)}`, value(-450)],
  ]);
  expect(readings).toMatchObject([{ powerKW: 3, reactivePowerKvar: 0.45 }]);
});

test("phases add up to the total only when none is missing; amps stay apart", () => {
  const all: [string, string][] = [
    [`${FORWARD}${phase(128)}${uom(38)}`, value(1000)],
    [`${FORWARD}${phase(64)}${uom(38)}`, value(2000)],
    [`${FORWARD}${phase(32)}${uom(38)}`, value(3000)],
    [`${phase(128)}${uom(5)}`, value(-4)],
    [`${phase(64)}${uom(5)}`, value(9)],
  ];
  expect(readingsOf(all, 3)).toMatchObject([{ powerKW: -6, currentA: [4, 9] }]);
  expect(readingsOf(all.slice(0, 2), 3)).toEqual([]);
});

test("what is no plain value of electricity gives no reading: a maximum, a gas meter, a difference of energy", () => {
  expect(
    readingsOf([
      [`<dataQualifier>8</dataQualifier>${FORWARD}${uom(38)}`, value(9000)],
      [`<commodity>7</commodity>${FORWARD}${uom(38)}`, value(9000)],
      [`<accumulationBehaviour>4</accumulationBehaviour>${FORWARD}${uom(72)}`, value(15)],
      [uom(72), value(15)],
      [`<flowDirection>20</flowDirection>${uom(38)}`, value(9000)],
      [`${phase(132)}${uom(29)}`, value(400)],
      [`${FORWARD}${uom(38)}`, ""],
    ]),
  ).toEqual([]);
});

test("values of other times come in order, and old ones are marked as replayed", () => {
  const nowS = NOW_MS / 1000;
  const type = `${FORWARD}${uom(38)}`;
  const readings = readingsOf([
    [type, at(nowS - 60, -2000)],
    [type, at(nowS - 3660, -1000)],
  ]);
  expect(readings).toMatchObject([
    { powerKW: 1, deviceTimeMs: NOW_MS - 3_600_000, replayed: true },
    { powerKW: 2, deviceTimeMs: NOW_MS },
  ]);
  expect(readings[1]).not.toHaveProperty("replayed");
});
