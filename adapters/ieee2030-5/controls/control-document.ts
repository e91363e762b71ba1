import { element, type OutElement, tag } from "../xml/xml-write.ts";
import { type BaseWriting, controlBase } from "./control-base.ts";
import type { ControlEvent } from "./control-event.ts";

/** Bits of responseRequired: the device says that it received the event, and what it did with it. */
const RECEIVED_AND_SPECIFIC = "03";
/** String32: descriptions are cut to this. */
const DESCRIPTION_LENGTH = 32;

export interface ControlAddresses extends BaseWriting {
  readonly href?: string;
  /** Where Responses go; without it none is asked for. */
  readonly replyTo?: string;
  /** HexBinary32 of the kinds of device that it is for. */
  readonly deviceCategory?: string;
}

/** One DERControl with all that the schema demands, in schema order. */
export function controlDocument(event: ControlEvent, addresses: ControlAddresses): OutElement {
  const { potentiallySupersededS, randomization } = event;
  return tag(
    "DERControl",
    {
      href: addresses.href,
      replyTo: addresses.replyTo,
      responseRequired: addresses.replyTo === undefined ? undefined : RECEIVED_AND_SPECIFIC,
    },
    [
      element("mRID", event.mRID),
      element("description", event.setpointId.slice(0, DESCRIPTION_LENGTH)),
      element("version", 0),
      element("creationTime", event.creationTimeS),
      element("EventStatus", [
        element("currentStatus", event.status),
        element("dateTime", event.statusSinceS),
        element("potentiallySuperseded", potentiallySupersededS !== undefined),
        potentiallySupersededS === undefined ? undefined : element("potentiallySupersededTime", potentiallySupersededS),
      ]),
      element("interval", [element("duration", event.endS - event.startS), element("start", event.startS)]),
      element("randomizeDuration", randomization.durationS),
      element("randomizeStart", randomization.startS),
      controlBase(event.power, addresses),
      addresses.deviceCategory === undefined ? undefined : element("deviceCategory", addresses.deviceCategory),
    ],
  );
}
