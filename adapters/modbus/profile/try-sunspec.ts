import type { Clock } from "../../../src/clock.ts";
import { definedOnly } from "../../../src/model/defined-only.ts";
import { SunSpecDevice } from "../sunspec/sunspec-device.ts";
import { DumpPort } from "./dump-port.ts";
import { KIND_OF } from "./profile-of-device.ts";
import type { Profile } from "./profile-schema.ts";
import { type SunSpecQuirks, sunSpecQuirksOf } from "./quirks.ts";
import type { RegisterDump } from "./register-dump.ts";
import { samplePowers, TRIAL_S, type Trial, type TrialOptions, type TriedPower } from "./trial.ts";

/** Runs a profile that leans on SunSpec against a dump, with the quirks of the device in it. */
export async function trySunSpec(
  profile: Profile,
  dump: () => RegisterDump,
  options: TrialOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Trial> {
  const base = { profile: profile.id, kind: profile.kind, points: [] };
  const over = (quirks: SunSpecQuirks) => {
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
