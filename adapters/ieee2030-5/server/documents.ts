import { baseOf } from "../controls/control-base.ts";
import { EVENT_ACTIVE } from "../controls/control-event.ts";
import type { ControlName } from "../controls/control-names.ts";
import { type Lfdi, sfdiFromLfdi, stableMRID } from "../identity.ts";
import type { PolledDevice } from "../polled-device.ts";
import { type ActivePower, activePowerFromWatts } from "../xml/active-power.ts";
import { CSIPAUS_NAMESPACES } from "../xml/csipaus.ts";
import { element, type OutElement, tag } from "../xml/xml-write.ts";
import { DCAP, type DevicePaths, EDEV_LIST, MIRROR_LIST, RESPONSE_SETS, SELF, TIME } from "./paths.ts";
import { type Program, programsOf } from "./program.ts";

/** How often the clock is to be asked for; it does not drift so fast, whatever the poll rate. */
const TIME_POLL_RATE_S = 900;
/** Level of a clock that follows the network's time (2030.5-2018, Time.quality). */
const TIME_QUALITY = 4;

/** Where a device begins. */
export function deviceCapability(device: PolledDevice): OutElement {
  return tag("DeviceCapability", { href: DCAP, pollRate: device.rates.pollRateS("DeviceCapability") }, [
    device.registration.isDone ? tag("ResponseSetListLink", { href: RESPONSE_SETS, all: 1 }) : undefined,
    tag("TimeLink", { href: TIME }),
    tag("EndDeviceListLink", { href: EDEV_LIST, all: device.registration.isDone ? 1 : 0 }),
    tag("MirrorUsagePointListLink", { href: MIRROR_LIST, all: device.mirrors.ids.length }),
    tag("SelfDeviceLink", { href: SELF }),
  ]);
}

/** The server as a device among devices. */
export function selfDevice(lfdi: Lfdi): OutElement {
  return tag("SelfDevice", { href: SELF, pollRate: TIME_POLL_RATE_S }, [
    element("lFDI", lfdi),
    element("sFDI", sfdiFromLfdi(lfdi)),
  ]);
}

/** The one set that a device's Responses go to. */
export function responseSet(device: PolledDevice, paths: DevicePaths): OutElement {
  return tag("ResponseSet", { href: paths.responseSet }, [
    element("mRID", stableMRID(device.lfdi, "ResponseSet")),
    tag("ResponseListLink", { href: paths.responses, all: device.responses.length }),
  ]);
}

/** Our clock. UTC and no summer time, since no document here speaks of local time. */
export function timeDocument(nowMs: number): OutElement {
  return tag("Time", { href: TIME, pollRate: TIME_POLL_RATE_S }, [
    element("currentTime", Math.floor(nowMs / 1000)),
    element("dstEndTime", 0),
    element("dstOffset", 0),
    element("dstStartTime", 0),
    element("quality", TIME_QUALITY),
    element("tzOffset", 0),
  ]);
}

export function endDevice(device: PolledDevice, paths: DevicePaths): OutElement {
  const { csipaus } = device;
  const extension = csipaus === "none" ? {} : { "xmlns:csipaus": CSIPAUS_NAMESPACES[csipaus] };
  return tag("EndDevice", { ...extension, href: paths.edev, subscribable: 1 }, [
    tag("DERListLink", { href: paths.derList, all: 1 }),
    element("lFDI", device.lfdi),
    tag("LogEventListLink", { href: paths.logEvents, all: device.logEvents.events.length }),
    element("sFDI", sfdiFromLfdi(device.lfdi)),
    element("changedTime", Math.floor(device.knownSinceMs / 1000)),
    element("enabled", true),
    tag("FunctionSetAssignmentsListLink", { href: paths.fsaList, all: programsOf(device, paths).length }),
    element("postRate", device.rates.postRateS),
    tag("RegistrationLink", { href: paths.registration }),
    tag("SubscriptionListLink", { href: paths.subscriptions, all: device.subscriptions.items.length }),
    csipaus === "none" ? undefined : tag("csipaus:ConnectionPointLink", { href: paths.connectionPoint }),
  ]);
}

export function registration(device: PolledDevice, paths: DevicePaths): OutElement {
  return tag("Registration", { href: paths.registration, pollRate: TIME_POLL_RATE_S }, [
    element("dateTimeRegistered", Math.floor(device.knownSinceMs / 1000)),
    element("pIN", String(device.pin).padStart(6, "0")),
  ]);
}

export function functionSetAssignments(device: PolledDevice, { name, mark, paths }: Program): OutElement {
  return tag("FunctionSetAssignments", { href: paths.fsa, subscribable: 1 }, [
    tag("DERProgramListLink", { href: paths.programList, all: 1 }),
    tag("ResponseSetListLink", { href: RESPONSE_SETS, all: 1 }),
    tag("TimeLink", { href: TIME }),
    element("mRID", stableMRID(device.lfdi, `FunctionSetAssignments${mark}`)),
    element("description", name),
  ]);
}

export function derProgram(device: PolledDevice, program: Program): OutElement {
  const { name, mark, paths, primacy } = program;
  const controls = program.controls();
  const active = controls.filter(({ status }) => status === EVENT_ACTIVE);
  return tag("DERProgram", { href: paths.program, subscribable: 1 }, [
    element("mRID", stableMRID(device.lfdi, `DERProgram${mark}`)),
    element("description", name),
    tag("ActiveDERControlListLink", { href: paths.activeControlList, all: active.length }),
    tag("DefaultDERControlLink", { href: paths.defaultControl }),
    tag("DERControlListLink", { href: paths.controlList, all: controls.length }),
    element("primacy", primacy),
  ]);
}

/**
 * What holds when no control does: the bounds of the config or of an operator, or else none of ours. None is said in words where the device
 * knows them; a device that doesn't would refuse the whole document.
 */
export function defaultControl(device: PolledDevice, program: Program): OutElement {
  const { paths, mark, name } = program;
  const { maxPercent, generationKW, loadKW, exportKW, importKW, rampPercentPerS } = program.bounds();
  const controls = new Map<ControlName, number | ActivePower>();
  // The operator's program goes before the market's, so that "no bound" in it would take away the market's.
  const isUnbound = name === "market" && device.record.rating().modes.has("opModMaxLimW");
  const percent = maxPercent ?? (isUnbound ? 100 : undefined);
  if (percent !== undefined) controls.set("opModMaxLimW", Math.round(percent * 100));
  const bounds = { opModGenLimW: generationKW, opModLoadLimW: loadKW, opModExpLimW: exportKW, opModImpLimW: importKW };
  for (const [name, boundKW] of Object.entries(device.csipaus === "none" ? {} : bounds)) {
    if (boundKW !== undefined) controls.set(name as keyof typeof bounds, activePowerFromWatts(boundKW * 1000));
  }
  return tag("DefaultDERControl", { href: paths.defaultControl, subscribable: 1 }, [
    element("mRID", stableMRID(device.lfdi, `DefaultDERControl${mark}`)),
    baseOf(controls, { csipaus: device.writing.csipaus }),
    rampPercentPerS === undefined ? undefined : element("setGradW", Math.round(rampPercentPerS * 100)),
  ]);
}

export function der(paths: DevicePaths): OutElement {
  return tag("DER", { href: paths.der }, [
    tag("DERAvailabilityLink", { href: `${paths.der}/dera` }),
    tag("DERCapabilityLink", { href: `${paths.der}/dercap` }),
    tag("DERSettingsLink", { href: `${paths.der}/derg` }),
    tag("DERStatusLink", { href: `${paths.der}/ders` }),
  ]);
}
