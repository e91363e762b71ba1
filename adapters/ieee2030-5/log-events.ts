import { BadDocument, childOf, integerOf, plainValues, requiredChild, type XmlElement } from "./xml/xml-element.ts";

/** What a device has noted about itself. */
export interface LogEvent {
  readonly id: number;
  readonly createdS: number;
  readonly document: XmlElement;
}

/** LogEvent.functionSet of distributed energy resources. */
const DER_FUNCTION_SET = 11;
const MOST_LETTERS = 32;
const MOST_EVENTS = 64;
const MOST_TIME_S = 253_402_300_799;

/** Faults of a DER by LogEvent.logEventCode; the number after each says that it is over. */
const FAULTS: ReadonlyMap<number, string> = new Map([
  [0, "over current"],
  [2, "over voltage"],
  [4, "under voltage"],
  [6, "over frequency"],
  [8, "under frequency"],
  [10, "voltage imbalance"],
  [12, "current imbalance"],
  [14, "emergency, on site"],
  [16, "emergency, remote"],
  [18, "low input power"],
  [20, "phase rotation"],
]);

/** The newest events of one device, and which of its faults last. */
export class LogEvents {
  #events: readonly LogEvent[] = [];
  readonly #faults = new Map<number, string>();
  #lastId = 0;

  /** Newest first, as the standard orders the list. */
  get events(): readonly LogEvent[] {
    return this.#events;
  }

  /** Faults that have come and not gone, for a person. */
  get faults(): readonly string[] {
    return [...this.#faults.values()];
  }

  /** @throws BadDocument when it is none, or one of its numbers is missing */
  add(document: XmlElement): LogEvent {
    if (document.name !== "LogEvent") throw new BadDocument(`${document.name} where a LogEvent was expected`);
    const number = (name: string, most: number) => {
      requiredChild(document, name);
      return integerOf(document, name, 0, most) ?? 0;
    };
    const createdS = number("createdDateTime", MOST_TIME_S);
    const functionSet = number("functionSet", 255);
    const code = number("logEventCode", 255);
    number("logEventID", 65_535);
    number("logEventPEN", 4_294_967_295);
    number("profileID", 255);
    this.#lastId += 1;
    const event = { id: this.#lastId, createdS, document: plainValues(document) };
    this.#events = [event, ...this.#events].sort((a, b) => b.createdS - a.createdS).slice(0, MOST_EVENTS);
    if (functionSet === DER_FUNCTION_SET) this.#note(code, createdS, childOf(document, "details")?.text);
    return event;
  }

  #note(code: number, createdS: number, details: string | undefined): void {
    const fault = FAULTS.get(code);
    if (fault === undefined) {
      this.#faults.delete(code - 1);
      return;
    }
    const said = details === undefined || details === "" ? "" : ` (${details.slice(0, MOST_LETTERS)})`;
    this.#faults.set(code, `reports ${fault}${said} since ${new Date(createdS * 1000).toISOString()}`);
  }
}
