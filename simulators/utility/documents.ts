import { group, leaf, type XmlNode } from "../der/xml-out.ts";
import { controlBase } from "./control-values.ts";
import type { EndDevice } from "./device-book.ts";
import { eventStatus } from "./event-status.ts";
import type { Control, Program } from "./program-book.ts";
import { serverMrid } from "./server-mrid.ts";
import type { Rates } from "./utility.ts";

/** Attributes of an element; absent ones are left out. */
type Attributes = Readonly<Record<string, string | number | undefined>>;

export function link(name: string, href: string, all?: number): XmlNode {
  return withAttributes(group(name), { href, all });
}

export function withAttributes(node: XmlNode, attributes: Attributes): XmlNode {
  const present = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return { ...node, attributes: Object.fromEntries(present.map(([name, value]) => [name, String(value)])) };
}

export function timeDocument(nowS: number): XmlNode {
  return group(
    "Time",
    leaf("currentTime", nowS),
    leaf("dstEndTime", 0),
    leaf("dstOffset", 0),
    leaf("dstStartTime", 0),
    leaf("quality", 4),
    leaf("tzOffset", 0),
  );
}

export function capabilityDocument(rates: Rates, counts: { devices: number; mirrors: number }): XmlNode {
  return withAttributes(
    group(
      "DeviceCapability",
      link("TimeLink", "/tm"),
      link("EndDeviceListLink", "/edev", counts.devices),
      link("MirrorUsagePointListLink", "/mup", counts.mirrors),
    ),
    { href: "/dcap", pollRate: rates.dcapS },
  );
}

export function endDeviceDocument(
  device: EndDevice,
  options: { readonly postRateS: number; readonly assignments: number; readonly hasRegistrationLink: boolean },
): XmlNode {
  const own = `/edev/${device.id}`;
  return withAttributes(
    group(
      "EndDevice",
      link("DERListLink", `${own}/der`, 1),
      device.deviceCategory === undefined ? undefined : leaf("deviceCategory", device.deviceCategory),
      leaf("lFDI", device.lfdi),
      link("LogEventListLink", `${own}/lel`, device.logEvents.length),
      leaf("sFDI", device.sfdi),
      leaf("changedTime", device.registeredAtS),
      leaf("enabled", "true"),
      link("FunctionSetAssignmentsListLink", `${own}/fsa`, options.assignments),
      leaf("postRate", options.postRateS),
      options.hasRegistrationLink ? link("RegistrationLink", `${own}/rg`) : undefined,
      link("SubscriptionListLink", SUBSCRIPTIONS),
      link("csipaus:ConnectionPointLink", `${own}/cp`),
    ),
    { href: own, subscribable: 0 },
  );
}

/** Subscriptions belong to the client that came with its certificate and not to one device of it. */
export const SUBSCRIPTIONS = "/edev/0/sub";

export function registrationDocument(device: EndDevice, pollRateS: number): XmlNode {
  return withAttributes(
    group("Registration", leaf("dateTimeRegistered", device.registeredAtS), leaf("pIN", device.pin)),
    { href: `/edev/${device.id}/rg`, pollRate: pollRateS },
  );
}

export function derDocument(device: EndDevice): XmlNode {
  const own = `/edev/${device.id}/der/1`;
  return withAttributes(
    group(
      "DER",
      link("DERAvailabilityLink", `${own}/dera`),
      link("DERCapabilityLink", `${own}/dercap`),
      link("DERSettingsLink", `${own}/derg`),
      link("DERStatusLink", `${own}/ders`),
    ),
    { href: own },
  );
}

export function assignmentDocument(device: EndDevice, fsaId: number, programs: number): XmlNode {
  const own = `/edev/${device.id}/fsa/${fsaId}`;
  return withAttributes(
    group(
      "FunctionSetAssignments",
      link("DERProgramListLink", `${own}/derp`, programs),
      link("TimeLink", "/tm"),
      leaf("mRID", serverMrid("fsa", fsaId)),
    ),
    { href: own, subscribable: 0 },
  );
}

export function programDocument(device: EndDevice, program: Program, controls: number): XmlNode {
  const own = `/edev/${device.id}/derp/${program.id}`;
  return withAttributes(
    group(
      "DERProgram",
      leaf("mRID", program.mRID),
      leaf("description", program.tag ?? `program ${program.id}`),
      link("ActiveDERControlListLink", `${own}/actderc`),
      program.default === undefined ? undefined : link("DefaultDERControlLink", `${own}/dderc`),
      link("DERControlListLink", `${own}/derc`, controls),
      leaf("primacy", program.primacy),
    ),
    { href: own, subscribable: 0 },
  );
}

export function defaultDocument(device: EndDevice, program: Program): XmlNode {
  const { setGradW } = program.default ?? {};
  return withAttributes(
    group(
      "DefaultDERControl",
      leaf("mRID", serverMrid("default", program.id)),
      controlBase(program.default ?? {}),
      setGradW === undefined ? undefined : leaf("setGradW", setGradW),
    ),
    { href: `/edev/${device.id}/derp/${program.id}/dderc`, subscribable: 1 },
  );
}

export function controlDocument(device: EndDevice, program: Program, control: Control, nowS: number): XmlNode {
  const { status, sinceS } = eventStatus(control, nowS);
  const { contestedAtS, randomizeDurationS, randomizeStartS } = control;
  return withAttributes(
    group(
      "DERControl",
      leaf("mRID", control.mRID),
      leaf("description", control.tag ?? `control ${control.id}`),
      leaf("creationTime", control.creationTimeS),
      group(
        "EventStatus",
        leaf("currentStatus", status),
        leaf("dateTime", sinceS),
        leaf("potentiallySuperseded", String(contestedAtS !== undefined)),
        contestedAtS === undefined ? undefined : leaf("potentiallySupersededTime", contestedAtS),
      ),
      group("interval", leaf("duration", control.durationS), leaf("start", control.startS)),
      randomizeDurationS === undefined ? undefined : leaf("randomizeDuration", randomizeDurationS),
      randomizeStartS === undefined ? undefined : leaf("randomizeStart", randomizeStartS),
      controlBase(control.values, control.multiplier),
    ),
    {
      href: `/edev/${device.id}/derp/${program.id}/derc/${control.id}`,
      replyTo: `/edev/${device.id}/rsps/site_control/rsp`,
      responseRequired: "03",
      subscribable: 0,
    },
  );
}
