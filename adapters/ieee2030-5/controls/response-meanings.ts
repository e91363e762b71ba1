/** Edition of the standard that a device's Responses follow. */
export type ResponseEdition = "2018" | "2023";

/** What the values of Response.status mean for an order. */
export interface ResponseMeanings {
  /** The event takes effect, or took it. */
  readonly started: readonly number[];
  /** The device has it, and has not said yet what it does. */
  readonly received: readonly number[];
  /** It does not take effect, or no longer, and why. */
  readonly refusals: ReadonlyMap<number, string>;
  /** For a person. */
  text(status: number): string;
}

const RECEIVED: ReadonlyMap<number, string> = new Map([
  [1, "received"],
  [5, "the user opted in"],
  [9, "the user opted in in part"],
]);

const STARTED: ReadonlyMap<number, string> = new Map([
  [2, "started"],
  [3, "completed"],
]);

const REFUSALS: ReadonlyMap<number, string> = new Map([
  [4, "the user opted out"],
  [7, "another program's event goes before it"],
  [8, "the user opted out in part"],
  [10, "completed without taking part"],
  [251, "a control in it is not supported"],
  [252, "a parameter does not apply to the device"],
  [253, "it is invalid for the device"],
  [254, "it came too late"],
]);

/** It ends as we told the device, which is neither taking an order nor refusing it. */
const ENDED: ReadonlyMap<number, string> = new Map([[6, "cancelled"]]);

const OTHER_SERVER = "given up for another server";
const OTHER_PROGRAM = "given up for another program";

/** 11 to 14: table 27 of 2018 and table 31 of 2023 number them differently. What is not here decides nothing. */
const BY_EDITION = {
  "2018": {
    received: new Map([[11, "acknowledged"]]),
    started: new Map<number, string>(),
    refusals: new Map([
      [13, OTHER_SERVER],
      [14, OTHER_PROGRAM],
    ]),
  },
  "2023": {
    received: new Map([[11, "acknowledged"]]),
    started: new Map([[14, "resumed"]]),
    refusals: new Map([
      [12, OTHER_SERVER],
      [13, OTHER_PROGRAM],
    ]),
  },
} as const;

export function responseMeanings(edition: ResponseEdition): ResponseMeanings {
  const own = BY_EDITION[edition];
  const received = new Map([...RECEIVED, ...own.received]);
  const started = new Map([...STARTED, ...own.started]);
  const refusals = new Map([...REFUSALS, ...own.refusals]);
  const all = new Map([...received, ...started, ...refusals, ...ENDED]);
  return {
    received: [...received.keys()],
    started: [...started.keys()],
    refusals,
    text: (status) => all.get(status) ?? "no meaning here",
  };
}
