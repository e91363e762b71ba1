import { canonicalHex } from "../../simulators/der/values.ts";
import type { DerDocument, EndDevice } from "../../simulators/utility/device-book.ts";
import type { Series, UsagePoint } from "../../simulators/utility/mirror-book.ts";
import type { Utility } from "../../simulators/utility/utility.ts";
import type { ServedRequest } from "../../simulators/utility/utility-server.ts";
import { type Names, resolved } from "../expression.ts";
import { Failed, NotRun } from "../outcome.ts";
import type { Deed } from "../procedure-files.ts";
import { bitsIn, memberOf, numberIn } from "./der-contents.ts";
import { pollFault } from "./poll-timing.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** What a check looks at. */
export interface ClientEvidence {
  readonly utility: Utility;
  readonly requests: readonly ServedRequest[];
  readonly names: Names;
  /** Steps that are not done yet. */
  readonly openSteps: () => readonly string[];
}

/** @throws Failed that says what was found instead; NotRun for a check that does not exist here */
export function check(deed: Deed, evidence: ClientEvidence): void {
  const one = CHECKS[deed.type];
  if (one === undefined) throw new NotRun(`the check ${deed.type} is not supported`);
  one(evidence, deed.parameters);
}

export function isCheck(type: string): boolean {
  return CHECKS[type] !== undefined;
}

const SITE = { uses: (flags: number) => (flags & 0b10) !== 0, text: "the site" };
const DER = { uses: (flags: number) => (flags & 0b1000) !== 0, text: "the DER" };
const ANY = { uses: () => true, text: "the site or the DER" };

const CHECKS: Readonly<Record<string, (evidence: ClientEvidence, parameters: Parameters) => void>> = {
  "all-steps-complete": ({ openSteps }, { ignored_steps }) => {
    const ignored = Array.isArray(ignored_steps) ? ignored_steps : [];
    const open = openSteps().filter((step) => !ignored.includes(step));
    if (open.length > 0) throw new Failed(`steps not completed: ${open.join(", ")}`);
  },
  "end-device-contents": ({ utility }, parameters) => {
    const device = deviceOf(utility);
    const { has_connection_point_id, check_lfdi, deviceCategory_anyset } = parameters;
    if (has_connection_point_id === true && device.connectionPointId === undefined)
      throw new Failed("no ConnectionPoint id was sent");
    // The utility took the LFDI from the certificate, and refused another one or an SFDI that does not follow from it.
    if (check_lfdi === true && device.lfdi !== device.owner)
      throw new Failed("the LFDI is not that of the certificate");
    if (deviceCategory_anyset !== undefined) {
      const wanted = Number.parseInt(String(deviceCategory_anyset), 16);
      const found = Number.parseInt(device.deviceCategory ?? "0", 16);
      if ((wanted & found) === 0) throw new Failed(`deviceCategory is ${device.deviceCategory ?? "absent"}`);
    }
  },
  "end-device-count": ({ utility }, { minimum_count, maximum_count }) => {
    const count = utility.devices.devices.length;
    if (count < Number(minimum_count ?? 0) || count > Number(maximum_count ?? Number.POSITIVE_INFINITY))
      throw new Failed(`${count} devices are registered`);
  },
  "der-settings-contents": ({ utility, names }, parameters) => checkDocument(utility, "derg", parameters, names),
  "der-capability-contents": ({ utility, names }, parameters) => checkDocument(utility, "dercap", parameters, names),
  "der-status-contents": ({ utility, names }, parameters) => checkDocument(utility, "ders", parameters, names),
  "response-contents": ({ utility }, parameters) => checkResponses(utility, parameters),
  "subscription-contents": ({ utility }, { subscribed_resource }) => {
    const found = utility.subscriptions.subscriptions.some(({ resource }) => resource === subscribed_resource);
    if (!found) throw new Failed(`nobody subscribed to ${String(subscribed_resource)}`);
  },
  "all-notifications-transmitted": ({ utility }) => {
    const { transmissions } = utility.subscriptions;
    if (transmissions.length === 0) throw new Failed("no notification was due");
    const bad = transmissions.find(({ ok }) => !ok);
    if (bad !== undefined) throw new Failed(`a notification of ${bad.subscription.resource} failed: ${bad.detail}`);
  },
  "readings-site-active-power": (evidence, parameters) => checkReadings(evidence, parameters, SITE, 38),
  "readings-site-reactive-power": (evidence, parameters) => checkReadings(evidence, parameters, SITE, 63),
  "readings-der-active-power": (evidence, parameters) => checkReadings(evidence, parameters, DER, 38),
  "readings-der-reactive-power": (evidence, parameters) => checkReadings(evidence, parameters, DER, 63),
  "readings-der-stored-energy": (evidence, parameters) => checkReadings(evidence, parameters, DER, 72),
  "readings-voltage": (evidence, parameters) => checkReadings(evidence, parameters, ANY, 29),
  "all-polls-at-correct-time": ({ requests }, parameters) => {
    const { endpoints, poll_interval_seconds, request_type_str } = parameters;
    for (const endpoint of Array.isArray(endpoints) ? endpoints : []) {
      const fault = pollFault(requests, String(endpoint), String(request_type_str), Number(poll_interval_seconds));
      if (fault !== undefined) throw new Failed(fault);
    }
  },
};

function deviceOf(utility: Utility): EndDevice {
  const device = utility.devices.devices[0];
  if (device === undefined) throw new Failed("no EndDevice is registered");
  return device;
}

function checkDocument(utility: Utility, kind: DerDocument, parameters: Parameters, names: Names): void {
  const document = deviceOf(utility).der.get(kind);
  if (document === undefined) throw new Failed(`no ${kind} was sent`);
  for (const [key, value] of Object.entries(parameters)) {
    const [, name = key, suffix] = /^(.*?)_(set|unset|bit\d+)$/.exec(key) ?? [];
    const wrong = (found: unknown) => new Failed(`${name} is ${found === undefined ? "absent" : String(found)}`);
    if (suffix === undefined) {
      const isBitmap = name === "genConnectStatus" || name === "alarmStatus";
      const number = isBitmap ? bitsIn(document, name) : numberIn(document, name);
      if (!isAsWanted(value, number, memberOf(document, name) !== undefined, names)) throw wrong(number);
      continue;
    }
    const bits = bitsIn(document, name);
    if (bits === undefined) throw wrong(undefined);
    if (suffix.startsWith("bit")) {
      const isSet = Math.floor(bits / 2 ** Number(suffix.slice(3))) % 2 === 1;
      if (isSet !== value) throw wrong(`${bits.toString(16)} (hexadecimal)`);
      continue;
    }
    const mask = Number.parseInt(String(value), 16);
    if ((bits & mask) !== (suffix === "set" ? mask : 0)) throw wrong(`${bits.toString(16)} (hexadecimal)`);
  }
}

/** True means that it must be there, false that it must not; an expression must hold, and a number must be equal. */
function isAsWanted(value: unknown, number: number | undefined, isPresent: boolean, names: Names): boolean {
  if (typeof value === "boolean") return isPresent === value;
  const wanted = resolved(value, (one) => (one === "this" ? (number ?? Number.NaN) : names(one)));
  return wanted === true || wanted === number;
}

function checkResponses(utility: Utility, { latest, status, all, exists, subject_tag }: Parameters): void {
  const controls = utility.book.programs.flatMap((program) => program.controls);
  const { responses } = utility.devices;
  const idOf = ({ mRID }: { mRID: string }) => canonicalHex(mRID);
  if (all === true) {
    const missing = controls.find(
      (control) => !responses.some((one) => one.subject === idOf(control) && one.status === status),
    );
    if (missing !== undefined)
      throw new Failed(`no Response ${String(status)} for control ${missing.tag ?? missing.id}`);
    return;
  }
  const tagged = controls.filter(({ tag }) => tag === subject_tag).map(idOf);
  const candidates = latest === true ? responses.slice(-1) : responses;
  const found = candidates.some(
    (one) =>
      (status === undefined || one.status === status) && (subject_tag === undefined || tagged.includes(one.subject)),
  );
  if (found !== (exists !== false)) throw new Failed(`Response ${String(status)} ${found ? "came" : "did not come"}`);
}

function checkReadings(
  { utility }: ClientEvidence,
  { minimum_count, minimum_level, maximum_level, window_seconds }: Parameters,
  where: { uses: (flags: number) => boolean; text: string },
  uom: number,
): void {
  const sinceS = window_seconds === undefined ? 0 : utility.nowS() - Number(window_seconds);
  const series = utility.mirrors.points
    .filter((point: UsagePoint) => where.uses(point.roleFlags))
    .flatMap((point) => [...point.series.values()])
    .filter(({ type }: Series) => type.uom === uom);
  const counts = series.map(({ readings }) => readings.filter(({ atS }) => atS >= sinceS));
  const best = Math.max(0, ...counts.map(({ length }) => length));
  const least = Number(minimum_count ?? 1);
  const what = `readings of unit ${uom} of ${where.text}`;
  if (best < least) throw new Failed(`${best} ${what}, ${least} wanted`);
  for (const { value } of counts.flat()) {
    if (
      value < Number(minimum_level ?? Number.NEGATIVE_INFINITY) ||
      value > Number(maximum_level ?? Number.POSITIVE_INFINITY)
    )
      throw new Failed(`${what}: ${value}`);
  }
}
