import { canonicalMRID } from "../ieee2030-5/identity.ts";
import {
  BadDocument,
  childOf,
  hexOf,
  integerOf,
  requiredChild,
  type XmlElement,
} from "../ieee2030-5/xml/xml-element.ts";
import { type ControlValues, readControlValues, readRampS } from "./control-values.ts";

/** EventStatus.currentStatus; others are of no edition that is known here. */
export const STATUS = {
  scheduled: 0,
  active: 1,
  cancelled: 2,
  cancelledRandomised: 3,
  superseded: 4,
  completed: 5,
} as const;

/** One DERControl as the server has it. Times are the server's, epoch seconds. */
export interface UtilityEvent {
  readonly mRID: string;
  /** Link of the DERProgram that it belongs to. */
  readonly program: string;
  /** Less is stronger (2030.5-2018, 12.5.3): of the program that it belongs to. */
  readonly primacy: number;
  readonly creationTimeS: number;
  readonly startS: number;
  readonly durationS: number;
  readonly status: number;
  /** -3600..3600, seconds. */
  readonly randomizeStartS: number;
  readonly randomizeDurationS: number;
  readonly values: ControlValues;
  /** rampTms, s: time in which its controls are to be reached. */
  readonly rampS?: number;
  /** Where Responses go; absent: nobody wants any. */
  readonly replyTo?: string;
  /** Bits: 0 received, 1 what became of it, 2 what a person decided. */
  readonly responseRequired: number;
}

/** What holds where no event says anything. */
export interface DefaultControl {
  readonly primacy: number;
  readonly values: ControlValues;
  readonly rampS?: number;
  /** setGradW: hundredths of a percent of setMaxW per second by which powers change; 0: no limit. */
  readonly gradient?: number;
}

const LATEST_S = 4_294_967_295;
const MOST_RANDOM_S = 3600;
const MOST_GRADIENT = 65_535;

/** @throws BadDocument where it is no whole DERControl */
export function readEvent(
  control: XmlElement,
  { program, primacy }: Pick<UtilityEvent, "program" | "primacy">,
): UtilityEvent {
  const interval = requiredChild(control, "interval");
  const mRID = hexOf(control, "mRID", 32);
  if (mRID === undefined) throw new BadDocument("DERControl has no mRID");
  const required = (parent: XmlElement, name: string, most: number) => {
    const value = integerOf(parent, name, 0, most);
    if (value === undefined) throw new BadDocument(`${parent.name} has no ${name}`);
    return value;
  };
  const random = (name: string) => integerOf(control, name, -MOST_RANDOM_S, MOST_RANDOM_S) ?? 0;
  const base = requiredChild(control, "DERControlBase");
  const rampS = readRampS(base);
  const replyTo = control.attributes.get("replyTo");
  const bits = control.attributes.get("responseRequired") ?? "00";
  return {
    mRID: canonicalMRID(mRID),
    program,
    primacy,
    creationTimeS: required(control, "creationTime", Number.MAX_SAFE_INTEGER),
    startS: required(interval, "start", Number.MAX_SAFE_INTEGER),
    durationS: required(interval, "duration", LATEST_S),
    status: required(requiredChild(control, "EventStatus"), "currentStatus", 255),
    randomizeStartS: random("randomizeStart"),
    randomizeDurationS: random("randomizeDuration"),
    values: readControlValues(base),
    ...(rampS !== undefined && { rampS }),
    ...(replyTo !== undefined && replyTo !== "" && { replyTo }),
    responseRequired: /^[0-9A-Fa-f]{1,2}$/.test(bits) ? Number.parseInt(bits, 16) : 0,
  };
}

/** @throws BadDocument where it is no DefaultDERControl */
export function readDefault(control: XmlElement, primacy: number): DefaultControl {
  const base = childOf(control, "DERControlBase");
  const rampS = base === undefined ? undefined : readRampS(base);
  const gradient = integerOf(control, "setGradW", 0, MOST_GRADIENT);
  return {
    primacy,
    values: base === undefined ? {} : readControlValues(base),
    ...(rampS !== undefined && { rampS }),
    ...(gradient !== undefined && { gradient }),
  };
}
