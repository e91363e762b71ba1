import type { Clock } from "../../../src/clock.ts";
import { definedOnly } from "../../../src/model/defined-only.ts";
import { samplePowers, type TriedPower } from "../../tried-power.ts";
import { bandOf, type DeviceOptions } from "./control-range.ts";
import { DumpPort, type RecordedWrite } from "./dump-port.ts";
import { ProfileControl } from "./profile-control.ts";
import { ProfileDevice } from "./profile-device.ts";
import { ProfileError } from "./profile-error.ts";
import type { Profile } from "./profile-schema.ts";
import type { RegisterDump } from "./register-dump.ts";
import { TRIAL_S, type Trial, type TrialOptions, type TriedPoint } from "./trial.ts";
import { trySunSpec } from "./try-sunspec.ts";

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
    const powers: TriedPower<RecordedWrite>[] = [];
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
): Promise<TriedPower<RecordedWrite>> {
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
