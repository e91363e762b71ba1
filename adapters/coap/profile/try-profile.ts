import { definedOnly } from "../../../src/model/defined-only.ts";
import { type DeviceIdentity, directionFault, type FailsafeClass } from "../../../src/model/resource.ts";
import { samplePowers, type TriedPower } from "../../tried-power.ts";
import { CoapError } from "../link/coap-error.ts";
import type { ControlRange } from "./control-range.ts";
import { heldPoints } from "./held-points.ts";
import type { Measured } from "./measured.ts";
import type { PointValue } from "./point-value.ts";
import { type PlannedWrite, planBaseline, planPower, planRelease } from "./power-plan.ts";
import { type ChosenControl, ProfileDevice } from "./profile-device.ts";
import type { Profile } from "./profile-schema.ts";
import { DumpedDevice, type ResourceDump } from "./resource-dump.ts";
import { writeRequest, writeText } from "./write-request.ts";

/** One point as the dump shows it. */
export interface TriedPoint {
  readonly name: string;
  readonly path: string;
  /** Where in the payload; absent where the payload is the value. */
  readonly at?: string;
  readonly value?: PointValue;
  /** What the value is called. */
  readonly label?: string;
  readonly unit?: string;
  readonly uncertain?: string;
}

/** One request that would have gone out. */
export interface TriedWrite {
  readonly method: string;
  readonly path: string;
  readonly contentFormat: number;
  /** As text, or in hexadecimal digits after `hex:` where it is none. */
  readonly payload: string;
}

/** What a profile makes of a dump. */
export interface Trial {
  readonly profile: string;
  readonly kind: string;
  /** Why the device in the dump is not the profile's; absent where it is. */
  readonly fault?: string;
  readonly identity: DeviceIdentity;
  readonly points: readonly TriedPoint[];
  readonly readings: Measured;
  readonly control?: string;
  readonly failsafe?: FailsafeClass;
  readonly minPowerKW?: number;
  readonly maxPowerKW?: number;
  readonly powers: readonly TriedPower<TriedWrite>[];
}

export interface TrialOptions {
  /** kW, export positive; sample powers of the device's own range unless given. */
  readonly powers?: readonly number[];
  readonly ratingKW?: number | undefined;
}

/** Time that a trial arms a device's own timer for, where the profile has none, s. */
const TRIAL_S = 60;

/** Runs a profile against a dump: identity, points, and what powers would write. Opens nothing. */
export async function tryProfile(
  profile: Profile,
  dump: ResourceDump,
  { powers, ratingKW }: TrialOptions,
  signal: AbortSignal,
): Promise<Trial> {
  const device = new ProfileDevice(new DumpedDevice(dump), profile, ratingKW);
  const base = { profile: profile.id, kind: profile.kind };
  try {
    const { identity, control } = await device.discover(signal);
    await readTheRest(device, signal);
    const band = control && bandOf(control.range);
    const tried: TriedPower<TriedWrite>[] = [];
    for (const powerKW of powers ?? samplePowers(band)) tried.push(await tryPower(device, control, powerKW, signal));
    return {
      ...base,
      identity,
      points: triedPoints(device),
      readings: device.measured(),
      powers: tried,
      ...definedOnly({ control: control?.name, failsafe: control?.spec.failsafe }),
      ...band,
    };
  } catch (error) {
    if (!(error instanceof CoapError)) throw error;
    return { ...base, fault: error.message, identity: {}, points: triedPoints(device), readings: {}, powers: [] };
  }
}

/** What is never polled, for a person who looks at the device; some of it can only be written. */
async function readTheRest({ profile, reader }: ProfileDevice, signal: AbortSignal): Promise<void> {
  for (const [name, { poll }] of Object.entries(profile.resources)) {
    if (poll !== "never") continue;
    await reader.readResources([name], signal).catch((error: unknown) => {
      if (!(error instanceof CoapError)) throw error;
    });
  }
}

async function tryPower(
  device: ProfileDevice,
  control: ChosenControl | undefined,
  powerKW: number,
  signal: AbortSignal,
): Promise<TriedPower<TriedWrite>> {
  if (control === undefined) return { powerKW, writes: [], fault: "this device is only measured" };
  const { spec, range } = control;
  const { profile } = device;
  const fault = directionFault(powerKW, "the device", bandOf(range));
  if (fault !== undefined) return { powerKW, writes: [], fault };
  const plan = planPower(spec, powerKW, spec.reversion?.seconds ?? TRIAL_S, range, profile.points);
  const release =
    spec.release === "baseline"
      ? planBaseline(await heldPoints(spec, device, signal), profile.points)
      : planRelease(spec.release.writes, range, profile.points);
  return {
    powerKW,
    appliedKW: plan.appliedKW,
    command: plan.writes.map((write) => writeText(write, profile)).join(", "),
    writes: await triedWrites(plan.writes, profile),
    release: await triedWrites(release, profile),
  };
}

async function triedWrites(writes: readonly PlannedWrite[], profile: Profile): Promise<readonly TriedWrite[]> {
  const requests = await Promise.all(writes.map((write) => writeRequest(write, profile)));
  return requests.flatMap((request) => {
    if (request === undefined) return [];
    const { method, path, contentFormat = 0, payload = new Uint8Array() } = request;
    const bytes = Buffer.from(payload);
    const text = bytes.toString("utf8");
    const isText = Buffer.from(text).equals(bytes) && !/\p{Cc}/u.test(text);
    return [{ method, path, contentFormat, payload: isText ? text : `hex:${bytes.toString("hex")}` }];
  });
}

function triedPoints({ profile, reader }: ProfileDevice): readonly TriedPoint[] {
  return Object.entries(profile.points).map(([name, { resource, at, row, values, unit, uncertain }]) => {
    const value = reader.look(name);
    const label = value === undefined ? undefined : values?.[String(value)];
    const place = at ?? (row && `${row.list} ${JSON.stringify(row.where)} ${row.take}`);
    const path = profile.resources[resource]?.path ?? resource;
    return { name, path, ...definedOnly({ at: place, value, label, unit, uncertain }) };
  });
}

function bandOf({ generationW, consumptionW }: ControlRange) {
  return { minPowerKW: 0 - consumptionW / 1000, maxPowerKW: generationW / 1000 };
}
