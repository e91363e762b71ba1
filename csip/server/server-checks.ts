import { sfdiOf } from "../../simulators/der/identity.ts";
import { canonicalHex } from "../../simulators/der/values.ts";
import type { XmlElement } from "../../simulators/der/xml-in.ts";
import { memberOf, numberIn } from "../client/der-contents.ts";
import { Failed, NotRun } from "../outcome.ts";
import type { Device } from "./device.ts";
import { documentOf } from "./device-client.ts";
import type { Found } from "./discovery-walk.ts";
import { roleFlagsOf, uomOf } from "./meter-documents.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** What the procedures' devices are registered with. */
export const PIN = 111_115;

/** How far the server's clock may be from ours, s, beside the time that the answer took. */
const CLOCK_TOLERANCE_S = 2;

/** @throws Failed that says what was found instead; NotRun for a check that does not exist here */
export function checkServer(type: string, parameters: Parameters, device: Device): void {
  const check = CHECKS[type];
  if (check === undefined) throw new NotRun(`the check ${type} is not supported`);
  check(device, parameters);
}

export function isServerCheck(type: string): boolean {
  return CHECKS[type] !== undefined;
}

const CHECKS: Readonly<Record<string, (device: Device, parameters: Parameters) => void>> = {
  discovered: ({ walk }, { resources, links }) => {
    for (const name of listOf(resources)) if (walk.all(name).length === 0) throw new Failed(`no ${name} was found`);
    for (const name of listOf(links)) {
      const isLinked = ["EndDevice", "DER"].some((parent) =>
        walk.all(parent).some(({ element }) => memberOf(element, `${name}Link`)?.attributes.has("href")),
      );
      if (!isLinked) throw new Failed(`there is no ${name}Link`);
    }
  },
  "end-device": ({ walk, lfdi }, { matches_client, matches_pin }) => {
    const own = walk
      .all("EndDevice")
      .concat(
        walk
          .all("EndDeviceList")
          .flatMap(({ element }) => element.children.map((child) => ({ href: "", element: child }))),
      )
      .find(({ element }) => walk.isOwn(element));
    if ((own !== undefined) !== (matches_client !== false))
      throw new Failed(`the device is ${own === undefined ? "not " : ""}in the EndDeviceList`);
    if (own !== undefined && (numberIn(own.element, "sFDI") ?? 0) !== Number(sfdiOf(lfdi)))
      throw new Failed("sFDI does not follow from the LFDI");
    if (matches_pin !== true) return;
    const pin = walk.all("Registration").map(({ element }) => numberIn(element, "pIN"))[0];
    if (pin !== PIN) throw new Failed(`pIN is ${pin ?? "absent"}, not ${PIN}`);
  },
  // One list that came several times is one list, as it was last.
  "end-device-list": (device, { minimum_count, maximum_count, poll_rate, sub_id }) => {
    const lists =
      sub_id === undefined
        ? device.walk.all("EndDeviceList").map(({ element }) => element)
        : device.collected(String(sub_id)).slice(-1);
    const rates = lists.map((list) => list.attributes.get("pollRate"));
    const matching = rates.filter((rate) => poll_rate === undefined || rate === String(poll_rate));
    const what = `EndDeviceList with pollRate ${String(poll_rate)}; there are: ${rates.join(", ") || "none"}`;
    checkCount(matching.length, { minimum_count, maximum_count }, what);
  },
  // A walk begins at the EndDevice that names the device, so that what it finds belongs to that.
  "function-set-assignment": (device, { minimum_count, maximum_count, matches_client_edev, sub_id }) => {
    const name = "FunctionSetAssignments";
    if (matches_client_edev === true && device.walk.all("EndDevice").length === 0)
      throw new Failed("the device is not in the EndDeviceList");
    const found = sub_id === undefined ? device.walk.all(name) : device.notified(String(sub_id), name);
    checkCount(found.length, { minimum_count, maximum_count }, name);
  },
  "der-program": ({ walk }, { minimum_count, maximum_count, primacy, fsa_index, sub_id }) => {
    if (sub_id !== undefined) throw new NotRun("programs that came as a notification are not told apart");
    const last = walk.all("FunctionSetAssignments").length - 1;
    const index = fsa_index === -1 ? last : fsa_index;
    const matching = walk
      .all("DERProgram")
      .filter(({ assignment }) => index === undefined || assignment === index)
      .filter(({ element }) => primacy === undefined || numberIn(element, "primacy") === primacy);
    const what = `DERProgram with primacy ${String(primacy)} in assignment ${String(index)}`;
    checkCount(matching.length, { minimum_count, maximum_count }, what);
  },
  "time-synced": ({ walk }) => {
    if (walk.time === undefined) throw new Failed("no Time was found");
    const { askedAtMs, answeredAtMs } = walk.time;
    const currentTime = numberIn(documentOf(walk.time), "currentTime") ?? 0;
    const isNear =
      currentTime >= askedAtMs / 1000 - CLOCK_TOLERANCE_S && currentTime <= answeredAtMs / 1000 + CLOCK_TOLERANCE_S;
    if (!isNear) throw new Failed(`currentTime is ${currentTime}, asked at ${Math.floor(askedAtMs / 1000)}`);
  },
  "der-control": (device, parameters) => countMatching(device, "DERControl", parameters),
  "default-der-control": (device, parameters) => countMatching(device, "DefaultDERControl", parameters),
  "der-control-responses": ({ sent }, { sent_response_type, ...counts }) => {
    checkCount(
      sent.filter(({ status }) => status === sent_response_type).length,
      counts,
      `Response ${String(sent_response_type)}`,
    );
  },
  "mirror-usage-point": ({ walk }, parameters) => {
    const points = walk.all("MirrorUsagePoint");
    if (parameters["matches"] === false) {
      if (points.length > 0) throw new Failed(`there are ${points.length} usage points`);
      return;
    }
    const faults = points.map(({ element }) => pointFault(element, parameters));
    if (!faults.includes(undefined)) throw new Failed(faults[0] ?? "there is no usage point");
  },
  "poll-rate": ({ walk }, { resource, poll_rate_seconds }) => {
    const [found] = walk.all(String(resource));
    const rate = found?.element.attributes.get("pollRate");
    if (rate !== String(poll_rate_seconds)) throw new Failed(`pollRate of ${String(resource)} is ${rate ?? "absent"}`);
  },
};

function countMatching(device: Device, name: string, parameters: Parameters): void {
  const { minimum_count, maximum_count, sub_id, derp_primacy, ...wanted } = parameters;
  const found = sub_id === undefined ? device.walk.all(name) : device.notified(String(sub_id), name);
  const matching = found
    .filter(({ primacy }) => derp_primacy === undefined || primacy === derp_primacy)
    .filter(({ element }) =>
      Object.entries(wanted).every(([key, value]) => controlValue(element, key) === (value ?? undefined)),
    );
  const what = `${name} with ${JSON.stringify(wanted)}; there are: ${found.map(summary).join(", ") || "none"}`;
  checkCount(matching.length, { minimum_count, maximum_count }, what);
}

function checkCount(count: number, { minimum_count, maximum_count }: Parameters, what: string): void {
  const least = Number(minimum_count ?? 0);
  const most = Number(maximum_count ?? Number.POSITIVE_INFINITY);
  if (count < least || count > most) throw new Failed(`${count} ${what}`);
}

/** A value of a control by the name that a procedure gives it. */
function controlValue(control: XmlElement, key: string): unknown {
  const base = memberOf(control, "DERControlBase");
  switch (key) {
    case "event_status": {
      const status = memberOf(control, "EventStatus");
      return status === undefined ? undefined : numberIn(status, "currentStatus");
    }
    case "duration": {
      const interval = memberOf(control, "interval");
      return interval === undefined ? undefined : numberIn(interval, "duration");
    }
    case "responseRequired":
      return Number.parseInt(control.attributes.get("responseRequired") ?? "0", 16);
    case "randomizeStart":
    case "setGradW":
      return numberIn(control, key);
    default: {
      const text = base === undefined ? undefined : memberOf(base, key)?.text;
      if (text === "true" || text === "false") return text === "true";
      return numberIn(base, key);
    }
  }
}

function pointFault(point: XmlElement, parameters: Parameters): string | undefined {
  const { location, reading_types, mmr_mrids, check_mup_mrid, post_rate_seconds } = parameters;
  const flags = memberOf(point, "roleFlags")?.text ?? "";
  if (location !== undefined && canonicalHex(flags) !== canonicalHex(roleFlagsOf(String(location))))
    return `roleFlags of the usage point are ${flags}`;
  const mRID = memberOf(point, "mRID")?.text ?? "";
  if (check_mup_mrid !== undefined && canonicalHex(mRID) !== canonicalHex(String(check_mup_mrid)))
    return `mRID of the usage point is ${mRID}`;
  const series = point.children.filter(({ name }) => name === "MirrorMeterReading");
  const uoms = series.map((one) => numberIn(memberOf(one, "ReadingType") ?? one, "uom"));
  const wanted = listOf(reading_types);
  const missing = wanted.find((name) => !uoms.includes(uomOf(name)));
  if (missing !== undefined) return `the usage point has no series of ${missing}`;
  if (wanted.length > 0 && series.length > wanted.length) return `the usage point has ${series.length} series`;
  const mRIDs = series.map((one) => canonicalHex(memberOf(one, "mRID")?.text ?? ""));
  const lost = listOf(mmr_mrids).find((one) => !mRIDs.includes(canonicalHex(one)));
  if (lost !== undefined) return `the usage point has no series ${lost}`;
  const postRate = numberIn(point, "postRate");
  if (post_rate_seconds !== undefined && postRate !== post_rate_seconds) return `postRate is ${postRate ?? "absent"}`;
  return undefined;
}

function summary({ element }: Found): string {
  const base = memberOf(element, "DERControlBase")?.children.map(({ name }) => name) ?? [];
  const values = base.map((name) => `${name} ${String(controlValue(element, name))}`);
  const status = controlValue(element, "event_status");
  return `${values.join(" ")}${status === undefined ? "" : ` status ${String(status)}`}`;
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
