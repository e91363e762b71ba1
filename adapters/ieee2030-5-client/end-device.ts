import type { Era } from "../../src/model/resource.ts";
import type { MeteredDevice, UtilityDemand } from "../../src/model/utility.ts";
import { canonicalLfdi, type Lfdi, sfdiFromLfdi } from "../ieee2030-5/identity.ts";
import { hexOf, integerOf, type XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import type { ControlRamp } from "./control-ramp.ts";
import { demandFromControls } from "./demand-from-controls.ts";
import { ratingsOf } from "./der-ratings.ts";
import type { DerReporter } from "./der-reporter.ts";
import type { EventSchedule, HeldControls } from "./event-schedule.ts";
import type { MirrorMetering } from "./mirror-metering.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** The site, or one device of it, as the utility's server has it. */
export interface EndDevice {
  /** Absent: the whole site. */
  readonly era?: Era;
  readonly lfdi: Lfdi;
  readonly schedule: EventSchedule;
  readonly ramp: ControlRamp;
  readonly reporter: DerReporter;
  readonly metering: readonly MirrorMetering[];
  readonly subscriptions: Subscriptions;
  readonly devices: () => readonly MeteredDevice[];
  /** The DERs of its list, as they were read last. */
  ders: readonly XmlElement[];
  /** What held at the last look. */
  held: HeldControls;
  postRateS?: number;
  /** True once a default is known: from the server, or from before a restart. */
  hasDefaults: boolean;
}

/** What the utility demands of an EndDevice at a server time, epoch ms; nothing where nothing holds. */
export function demandOf(endDevice: EndDevice, nowMs: number): UtilityDemand | undefined {
  const { era, schedule, ramp, devices } = endDevice;
  endDevice.held = schedule.heldAt(nowMs);
  const behind = devices();
  const ratings = ratingsOf(behind);
  const inForce = ramp.at(endDevice.held, { gradient: schedule.gradient, ratings, devices: behind });
  const demand = demandFromControls(inForce, ratings, endDevice.held);
  return demand && (era === undefined ? demand : { ...demand, era });
}

/** The EndDevice of this LFDI in a list; a server that shows only the short form is taken by that. */
export function findEndDevice(list: XmlElement, lfdi: Lfdi): XmlElement | undefined {
  return list.children.find((device) => {
    if (device.name !== "EndDevice") return false;
    const shown = hexOf(device, "lFDI", 40);
    if (shown !== undefined) return canonicalLfdi(shown) === canonicalLfdi(lfdi);
    return integerOf(device, "sFDI", 0, Number.MAX_SAFE_INTEGER) === sfdiFromLfdi(lfdi);
  });
}
