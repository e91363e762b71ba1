import type { Clock } from "../../../src/clock.ts";
import { definedOnly } from "../../../src/model/defined-only.ts";
import type { DeviceIdentity, FailsafeClass } from "../../../src/model/resource.ts";
import { SunSpecDevice } from "../sunspec/sunspec-device.ts";
import { bandOf, type DeviceOptions } from "./control-range.ts";
import { DumpPort, type RecordedWrite } from "./dump-port.ts";
import { ProfileControl } from "./profile-control.ts";
import { ProfileDevice } from "./profile-device.ts";
import { ProfileError } from "./profile-error.ts";
import { KIND_OF } from "./profile-of-device.ts";
import type { Measured } from "./profile-sample.ts";
import type { Profile, SunSpecQuirkPart } from "./profile-schema.ts";
import { sunSpecQuirksOf } from "./quirks.ts";
import type { RegisterDump } from "./register-dump.ts";

/** One point as the dump shows it. */
export interface TriedPoint {
  readonly name: string;
  readonly space: string;
  /** 0-based. */
  readonly address: number;
  readonly value?: number | string;
  /** What the value is called. */
  readonly label?: string;
  readonly unit?: string;
  readonly uncertain?: string;
}

/** What one power would have written. */
export interface TriedPower {
  readonly powerKW: number;
  readonly appliedKW?: number;
  readonly command?: string;
  readonly writes: readonly RecordedWrite[];
  /** What would have been written on release. */
  readonly release?: readonly RecordedWrite[];
  /** Why it would have been refused. */
  readonly fault?: string;
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
  readonly powers: readonly TriedPower[];
  readonly quirks?: SunSpecQuirkPart;
  readonly sunSpecModels?: readonly number[];
}

export interface TrialOptions extends DeviceOptions {
  /** kW, export positive; sample powers of the device's own range unless given. */
  readonly powers?: readonly number[];
}

/** Time that a trial arms a reversion timer for, s. */
const TRIAL_S = 60;

/** Runs a profile against a dump: identity, points, and what powers would write. Opens nothing. */
export function tryProfile(
  profile: Profile,
  dump: () => RegisterDump,
  options: TrialOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Trial> {
  return profile.sunspec === undefined
    ? tryRegisters(profile, dump, options, clock, signal)
    : trySunSpec(profile, dump, options, clock, signal);
}

async function tryRegisters(
  profile: Profile,
  dump: () => RegisterDump,
  options: TrialOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Trial> {
  const { device } = deviceOver(profile, dump(), options, clock);
  const base = { profile: profile.id, kind: profile.kind };
  try {
    const facts = await device.discover(signal);
    await device.readEverything(signal);
    const band = facts.control && bandOf(facts.control.range);
    const powers: TriedPower[] = [];
    for (const powerKW of options.powers ?? samplePowers(band)) {
      powers.push(await tryPower(profile, powerKW, dump(), options, clock, signal));
    }
    return {
      ...base,
      identity: facts.identity,
      points: triedPoints(device),
      readings: device.measured(),
      powers,
      ...definedOnly({ control: facts.control?.name, failsafe: facts.control?.failsafe }),
      ...band,
    };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return { ...base, fault: error.message, identity: {}, points: triedPoints(device), readings: {}, powers: [] };
  }
}

async function tryPower(
  profile: Profile,
  powerKW: number,
  dump: RegisterDump,
  options: DeviceOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<TriedPower> {
  const { device, control, port } = deviceOver(profile, dump, options, clock);
  const chosen = (await device.discover(signal)).control;
  if (chosen === undefined) return { powerKW, writes: [], fault: "this device is only measured" };
  try {
    const seconds = chosen.spec.reversion?.seconds ?? TRIAL_S;
    const order = await control.hold(powerKW, seconds, "refresh", signal);
    const writes = port.writes.splice(0);
    await control.restore(signal);
    return { powerKW, appliedKW: order.appliedKW, command: order.command, writes, release: port.writes };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return { powerKW, writes: port.writes, fault: error.message };
  }
}

function deviceOver(profile: Profile, dump: RegisterDump, options: DeviceOptions, clock: Clock) {
  const port = new DumpPort(dump);
  const keeping = { clock, budget: { spend: () => ({ ok: true }) as const }, baseline: baselineOfTrial() };
  const device = new ProfileDevice(port, profile, options);
  return { port, device, control: new ProfileControl(port, device, keeping) };
}

function baselineOfTrial() {
  type Ranges = readonly { readonly address: number; readonly values: readonly number[] }[];
  let kept: Ranges | undefined;
  return {
    get: () => kept,
    keep: async (ranges: Ranges) => {
      kept = ranges;
    },
    forget: async () => {
      kept = undefined;
    },
  };
}

function triedPoints(device: ProfileDevice): readonly TriedPoint[] {
  const points = device.facts?.points ?? new Map();
  return [...device.values()].map(([name, value]) => {
    const point = points.get(name);
    const label = value === undefined ? undefined : point?.values?.[String(value)];
    const { space = "", address = 0, unit, uncertain } = point ?? {};
    return { name, space, address, ...definedOnly({ value, label, unit, uncertain }) };
  });
}

/** Half of each way that the device can go, and nothing. */
function samplePowers(band: { minPowerKW: number; maxPowerKW: number } | undefined): readonly number[] {
  if (band === undefined) return [];
  const ways = [band.minPowerKW / 2, 0, band.maxPowerKW / 2].map((kW) => Number(kW.toFixed(3)) + 0);
  return [...new Set(ways)];
}

async function trySunSpec(
  profile: Profile,
  dump: () => RegisterDump,
  options: TrialOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Trial> {
  const base = { profile: profile.id, kind: profile.kind, points: [] };
  const over = (quirks: SunSpecQuirkPart) => {
    const port = new DumpPort(dump());
    const device = new SunSpecDevice(port.registers(), clock, {
      kind: KIND_OF[profile.kind],
      control: quirks.control ?? "auto",
      minPercent: quirks.minPercent ?? 1,
      ratingKW: options.ratingKW,
    });
    return { port, device };
  };
  try {
    const first = over({});
    const { identity, chain } = await first.device.discover(signal);
    const { vendor: manufacturer, model, firmware: version } = identity;
    const quirks = sunSpecQuirksOf(profile)({ manufacturer, model, version });
    const { device } = over(quirks);
    const facts = await device.discover(signal);
    const range = facts.control?.control.range(facts.ratings);
    const powers: TriedPower[] = [];
    for (const powerKW of options.powers ?? samplePowers(range)) {
      powers.push(await trySunSpecPower(over(quirks), powerKW, signal));
    }
    return {
      ...base,
      identity,
      quirks,
      sunSpecModels: chain.models.map(({ id }) => id),
      readings: (await device.sample(signal)).values,
      powers,
      ...definedOnly({ control: facts.control?.control.model, failsafe: quirks.failsafe }),
      ...range,
    };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { ...base, fault: error.message, identity: {}, readings: {}, powers: [] };
  }
}

async function trySunSpecPower(
  { device, port }: { device: SunSpecDevice; port: DumpPort },
  powerKW: number,
  signal: AbortSignal,
): Promise<TriedPower> {
  try {
    await device.discover(signal);
    const order = await device.hold(powerKW, TRIAL_S, false, signal);
    const writes = port.writes.splice(0);
    await device.restore(signal);
    return { powerKW, appliedKW: order.appliedKW, command: order.command, writes, release: port.writes };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { powerKW, writes: port.writes, fault: error.message };
  }
}

/** What a device that is not as expected gives, and no mistake of ours. */
function isFault(error: unknown): error is Error {
  return error instanceof Error && ["SunSpecError", "ModbusError", "RangeError"].includes(error.name);
}
