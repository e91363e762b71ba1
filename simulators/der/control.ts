import { type ControlMode, type ControlModes, isEmpty, readModes, UnsupportedMode } from "./control-modes.ts";
import { type Addressee, RESPONSE } from "./responses.ts";
import { checkShape } from "./schema.ts";
import { checkBoolean, hexOf, optionalNumber, required, timeOf, uint32Of, wholeNumber } from "./values.ts";
import { childOf, type XmlElement, XmlFault } from "./xml-in.ts";

/** A DERControl event that is sound in itself. Instants are seconds since 1970 by the server's clock. */
export interface DerControl {
  /** The mRID in the form in which it is compared. */
  readonly id: string;
  readonly addressee: Addressee;
  readonly creationTimeS: number;
  /** EventStatus.currentStatus. */
  readonly status: number;
  readonly statusTimeS: number;
  readonly startS: number;
  readonly durationS: number;
  readonly randomizeStartS: number;
  readonly randomizeDurationS: number;
  readonly modes: ControlModes;
  /** Everything that may never change under one mRID: all but the status. */
  readonly fingerprint: string;
}

/** A DERControl that the device does not take, and what it answers. */
export interface RefusedControl {
  readonly addressee: Addressee;
  readonly status: typeof RESPONSE.notApplicable | typeof RESPONSE.invalid;
  readonly reason: string;
}

/** Reads one DERControl by the 2018 schema. Never throws: what is wrong with it becomes a refusal. */
export function readControl(element: XmlElement, supported: readonly ControlMode[]): DerControl | RefusedControl {
  const addressee = addresseeOf(element);
  try {
    if (element.name !== "DERControl") throw new XmlFault(`${element.name} is no DERControl`);
    checkShape(element);
    return soundControl(element, addressee, supported);
  } catch (error) {
    if (error instanceof UnsupportedMode) {
      return { addressee, status: RESPONSE.notApplicable, reason: error.message };
    }
    if (error instanceof XmlFault) return { addressee, status: RESPONSE.invalid, reason: error.message };
    throw error;
  }
}

function soundControl(element: XmlElement, addressee: Addressee, supported: readonly ControlMode[]): DerControl {
  const id = hexOf(required(element, "mRID"), 16);
  const status = required(element, "EventStatus");
  const interval = required(element, "interval");
  checkBoolean(required(status, "potentiallySuperseded"));
  const category = childOf(element, "deviceCategory");
  if (category !== undefined) hexOf(category, 4);
  const responseRequired = element.attributes.get("responseRequired") ?? "00";
  if (!/^[0-9A-Fa-f]{2}$/.test(responseRequired))
    throw new XmlFault(`responseRequired is "${responseRequired}", not one byte`);
  const durationS = uint32Of(required(interval, "duration"));
  if (durationS === 0) throw new XmlFault("the interval lasts 0 s");
  const modes = readModes(required(element, "DERControlBase"), supported);
  if (isEmpty(modes)) throw new UnsupportedMode("DERControlBase holds no control");
  return {
    id,
    addressee,
    creationTimeS: timeOf(required(element, "creationTime")),
    status: wholeNumber(required(status, "currentStatus"), 0, 255),
    statusTimeS: timeOf(required(status, "dateTime")),
    startS: timeOf(required(interval, "start")),
    durationS,
    randomizeStartS: optionalNumber(element, "randomizeStart", -3600, 3600) ?? 0,
    randomizeDurationS: optionalNumber(element, "randomizeDuration", -3600, 3600) ?? 0,
    modes,
    fingerprint: element.children
      .filter((child) => child.name !== "EventStatus")
      .map(printed)
      .join(),
  };
}

/** As much as can be said of the sender's wishes even if the rest is broken. */
function addresseeOf(element: XmlElement): Addressee {
  const replyTo = element.attributes.get("replyTo");
  const wanted = Number.parseInt(element.attributes.get("responseRequired") ?? "00", 16);
  return {
    mRID: childOf(element, "mRID")?.text ?? "",
    wanted: Number.isNaN(wanted) ? 0 : wanted,
    ...(replyTo !== undefined && replyTo !== "" && { replyTo }),
  };
}

function printed(element: XmlElement): string {
  return `<${element.name}>${element.text}${element.children.map(printed).join("")}`;
}
