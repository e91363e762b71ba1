import type { Clock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { definedOnly } from "../../../src/model/defined-only.ts";
import type { AdapterMemory } from "../../kind.ts";
import { samplePowers, type TriedPower } from "../../tried-power.ts";
import { WriteBudget } from "../../wear/write-budget.ts";
import { baselineMemory } from "../baseline/baseline-memory.ts";
import { DeviceControl } from "../sunspec/device-control.ts";
import { keptBaseline } from "../sunspec/kept-baseline.ts";
import { SunSpecDevice } from "../sunspec/sunspec-device.ts";
import { DumpPort, type RecordedWrite } from "./dump-port.ts";
import { KIND_OF } from "./profile-of-device.ts";
import type { Profile } from "./profile-schema.ts";
import { sunSpecQuirksOf } from "./quirks.ts";
import type { RegisterDump } from "./register-dump.ts";
import { TRIAL_S, type Trial, type TrialOptions } from "./trial.ts";

/** Runs a profile that leans on SunSpec against a dump, with the quirks of the device in it. */
export async function trySunSpec(
  profile: Profile,
  dump: () => RegisterDump,
  options: TrialOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Trial> {
  const base = { profile: profile.id, kind: profile.kind, points: [] };
  const over = () => tried(profile, dump(), options, clock);
  try {
    const { device, control } = over();
    const facts = await device.discover(signal);
    const range = facts.control?.control.range(facts.ratings);
    const powers: TriedPower<RecordedWrite>[] = [];
    for (const powerKW of options.powers ?? samplePowers(range)) powers.push(await tryPower(over(), powerKW, signal));
    return {
      ...base,
      identity: facts.identity,
      quirks: facts.quirks,
      sunSpecModels: facts.chain.models.map(({ id }) => id),
      readings: (await device.sample(signal)).values,
      powers,
      ...definedOnly({ control: facts.control?.control.model, failsafe: control.failsafe(facts).failsafe }),
      ...range,
    };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { ...base, fault: error.message, identity: {}, readings: {}, powers: [] };
  }
}

interface Tried {
  readonly port: DumpPort;
  readonly device: SunSpecDevice;
  readonly control: DeviceControl;
}

function tried(profile: Profile, dump: RegisterDump, options: TrialOptions, clock: Clock): Tried {
  const port = new DumpPort(dump);
  const device = new SunSpecDevice(port.registers(), {
    kind: KIND_OF[profile.kind],
    control: profile.kind === "meter" ? "none" : "auto",
    ratingKW: options.ratingKW,
    ...(profile.kind === "meter" && { instruments: { meter: { number: 1, positiveIs: "import" } } }),
    quirksOf: sunSpecQuirksOf(profile),
  });
  const memory = memoryOfTrial();
  const control = new DeviceControl({
    device,
    clock,
    log: silentLog,
    budget: new WriteBudget("trial", "register", { memory, clock, log: silentLog }),
    memory: baselineMemory(memory, "trial", keptBaseline),
    maxWritesPerDay: undefined,
    revertS: TRIAL_S,
    hasVendorFallback: false,
  });
  return { port, device, control };
}

async function tryPower(
  { device, control, port }: Tried,
  powerKW: number,
  signal: AbortSignal,
): Promise<TriedPower<RecordedWrite>> {
  try {
    await device.discover(signal);
    const order = await control.hold(powerKW, TRIAL_S, "order", signal);
    const writes = port.writes.splice(0);
    await control.restore(signal);
    return { powerKW, appliedKW: order.appliedKW, command: order.command, writes, release: port.writes };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { powerKW, writes: port.writes, fault: error.message };
  }
}

/** A memory that ends with the trial. */
function memoryOfTrial(): AdapterMemory {
  const values = new Map<string, unknown>();
  return {
    get: (key) => values.get(key),
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
    set: async (key, value) => void values.set(key, value),
    forget: async (key) => void values.delete(key),
  };
}

/** What a device that is not as expected gives, and no mistake of ours. */
function isFault(error: unknown): error is Error {
  return error instanceof Error && ["SunSpecError", "ModbusError", "RangeError"].includes(error.name);
}
