import { behaviourWith, faultsGiven } from "../fault-option.ts";
import { numberOf, oneOf, optionalNumberOf, type SimContext, type SimOptions, textOf, wrong } from "../sim-options.ts";
import { createRng } from "../world/rng.ts";
import { Sun } from "../world/sun.ts";
import { GOOD_MODBUS_BEHAVIOUR } from "./behaviour.ts";
import { DumpSimulator } from "./dump/dump-simulator.ts";
import { DumpError, loadDump } from "./dump/register-dump.ts";
import { MODBUS_FAULTS } from "./fault-list.ts";
import { loadProfile, ProfileFileError } from "./profile/profile-file.ts";
import { hardwareFor } from "./profile/profile-hardware.ts";
import type { ProfileShape } from "./profile/profile-shape.ts";
import { ProfileSimulator } from "./profile/profile-simulator.ts";
import { addressOf, serve, writeEvents } from "./transport.ts";

const NOMINAL_VOLTS = 230;
const CHARGER_KW = 11;
const OTHER_KW = 5;
const CAR_KWH = 60;

/** A device by its profile or by a dump, as a program of its own; ends with the signal. @throws CliError */
export async function runModbus(options: SimOptions, context: SimContext): Promise<void> {
  const { profile, dump } = options;
  if ((profile === undefined) === (dump === undefined)) throw wrong("give either --profile or --dump");
  if (dump !== undefined) await runDump(options, context);
  else
    await runProfile(
      loaded(() => loadProfile(textOf(options, "profile"))),
      options,
      context,
    );
}

async function runDump(given: SimOptions, context: SimContext): Promise<void> {
  const dump = loaded(() => loadDump(textOf(given, "dump")));
  const options = withDefaults(given, dump.unit, undefined);
  await using simulator = new DumpSimulator({ ...commonOf(options, context), dump });
  await serve(simulator, options, context);
}

async function runProfile(profile: ProfileShape, given: SimOptions, context: SimContext): Promise<void> {
  const options = withDefaults(given, profile.transport.unit, profile.transport.maxClients);
  if (profile.sunspec !== undefined) {
    await runSunSpec(profile, options, context);
    return;
  }
  const ratingKW =
    optionalNumberOf(options, "rating", 0.1, 1_000_000) ?? (profile.kind === "charger" ? CHARGER_KW : OTHER_KW);
  const rng = createRng(numberOf(options, "seed"));
  const ratings = {
    ratingKW,
    phases: Number(oneOf(options, "phases", ["1", "3"])),
    volts: NOMINAL_VOLTS,
    capacityKWh:
      optionalNumberOf(options, "capacity", 0.1, 10_000_000) ?? (profile.kind === "charger" ? CAR_KWH : 2 * ratingKW),
    serial: `SIM-${textOf(options, "seed")}`,
  };
  const hardware = hardwareFor(profile.kind, {
    clock: context.clock,
    rng,
    ratings,
    sun: new Sun(context.clock, rng.fork("sun"), {
      startHour: numberOf(options, "hour", 0, 24),
      speed: numberOf(options, "daySpeed", 0, 100_000),
    }),
    socPercent: numberOf(options, "soc", 0, 100),
  });
  await using simulator = new ProfileSimulator({ ...commonOf(options, context), profile, hardware, ratings });
  await serve(simulator, options, context);
}

/** The models say where the points are; the profile only says who the device is. */
async function runSunSpec({ kind, vendor, models }: ProfileShape, options: SimOptions, context: SimContext) {
  if (kind === "charger") throw wrong("there is no SunSpec charger to simulate");
  const { runInverter, runMeter } = await import("../inverter/program.ts");
  const common = { ...options, manufacturer: vendor, base: "40000", meterSign: "import", model: models[0] ?? vendor };
  if (kind === "meter") await runMeter({ ...common, models: "1,203", baseLoad: "0.8", roof: "5" }, context);
  else {
    const device = { ...common, kind: kind === "battery" ? "battery" : "solar", map: "legacy", idle: "0.3" };
    await runInverter({ ...device, rating: options["rating"] ?? String(OTHER_KW) }, context);
  }
}

function commonOf(options: SimOptions, context: SimContext) {
  const { clock, log } = context;
  const { unit, otherUnit, maxConnections } = addressOf(options);
  const rng = createRng(numberOf(options, "seed")).fork("faults");
  const behaviour = faultsGiven(options["fault"], (names) =>
    behaviourWith(MODBUS_FAULTS, GOOD_MODBUS_BEHAVIOUR, names),
  );
  return {
    clock,
    log,
    unit,
    otherUnit,
    behaviour: { ...behaviour, maxConnections },
    random: () => rng.next(),
    onWrite: writeEvents(context),
  };
}

function withDefaults(options: SimOptions, unit: number | undefined, maxClients: number | undefined): SimOptions {
  return {
    ...options,
    unit: options["unit"] ?? String(unit ?? 1),
    maxClients: options["maxClients"] ?? String(maxClients ?? GOOD_MODBUS_BEHAVIOUR.maxConnections),
  };
}

/** What is wrong with a file of a person is said to the person. */
function loaded<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof ProfileFileError || error instanceof DumpError) throw wrong(error.message, { cause: error });
    throw error;
  }
}
