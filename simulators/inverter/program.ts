import { behaviourWith, faultsGiven } from "../fault-option.ts";
import { addressOf, serve, writeEvents } from "../modbus/transport.ts";
import { numberOf, oneOf, optionalNumberOf, type SimContext, type SimOptions, textOf, wrong } from "../sim-options.ts";
import { Battery } from "../world/battery.ts";
import { House } from "../world/house.ts";
import { createRng, type Rng } from "../world/rng.ts";
import { SiteConnection } from "../world/site-connection.ts";
import { SolarPanel } from "../world/solar-panel.ts";
import { Sun } from "../world/sun.ts";
import { InverterSimulator } from "./inverter-simulator.ts";
import { MeterSimulator } from "./meter-simulator.ts";
import type { ModelSpec } from "./model-catalogue.ts";
import { parseModels } from "./model-list.ts";
import { SUNSPEC_FAULTS } from "./sunspec-faults.ts";
import { GOOD_SUNSPEC_BEHAVIOUR, type SunSpecSimulatorOptions } from "./sunspec-simulator.ts";

/** One inverter as a program of its own; resolves after the signal aborted and everything is closed. @throws CliError */
export async function runInverter(options: SimOptions, context: SimContext): Promise<void> {
  const { clock } = context;
  const kind = oneOf(options, "kind", ["solar", "battery"]);
  const ratingKW = numberOf(options, "rating", 0.1, 1_000_000);
  const source = kind === "solar" ? roof(ratingKW, options, context) : new Battery(clock, batteryOf(options, ratingKW));
  const models = options["models"] === undefined ? undefined : modelsOf(options);
  await using simulator = made(
    () =>
      new InverterSimulator({
        ...commonOf(options, context),
        kind,
        source,
        map: oneOf(options, "map", ["legacy", "float", "der"]),
        idleKW: numberOf(options, "idle", -ratingKW, ratingKW),
        reversion: options["reversion"] !== false,
        meterSign: meterSignOf(options),
        ...(models === undefined ? {} : { models }),
      }),
  );
  await serve(simulator, options, context);
}

/** One meter as a program of its own. @throws CliError */
export async function runMeter(options: SimOptions, context: SimContext): Promise<void> {
  const { clock } = context;
  const roofKW = numberOf(options, "roof", 0, 1_000_000);
  const house = new House(clock, rngOf(options).fork("house"), { baseKW: numberOf(options, "baseLoad", 0, 100_000) });
  const connection = new SiteConnection(clock, roofKW === 0 ? [house] : [house, roof(roofKW, options, context)]);
  await using simulator = made(
    () =>
      new MeterSimulator({
        ...commonOf(options, context),
        connection,
        models: modelsOf(options),
        meterSign: meterSignOf(options),
      }),
  );
  await serve(simulator, options, context);
}

function commonOf(options: SimOptions, context: SimContext): SunSpecSimulatorOptions {
  const { clock, log } = context;
  const { unit, otherUnit, maxConnections } = addressOf(options);
  const rng = rngOf(options).fork("faults");
  const behaviour = faultsGiven(options["fault"], (names) =>
    behaviourWith(SUNSPEC_FAULTS, GOOD_SUNSPEC_BEHAVIOUR, names),
  );
  return {
    clock,
    log,
    unit,
    otherUnit,
    base: BASES[oneOf(options, "base", ["40000", "0", "50000"])],
    manufacturer: textOf(options, "manufacturer"),
    serial: `SIM-${textOf(options, "seed")}`,
    behaviour: { ...behaviour, maxConnections },
    random: () => rng.next(),
    onWrite: writeEvents(context),
    ...(options["model"] === undefined ? {} : { model: textOf(options, "model") }),
  };
}

const BASES = { "40000": 40_000, "0": 0, "50000": 50_000 } as const;

function batteryOf(options: SimOptions, ratingKW: number) {
  return {
    capacityKWh: optionalNumberOf(options, "capacity", 0.1, 10_000_000) ?? 2 * ratingKW,
    socPercent: numberOf(options, "soc", 0, 100),
    maxChargeKW: ratingKW,
    maxDischargeKW: ratingKW,
  };
}

function roof(ratingKW: number, options: SimOptions, { clock }: SimContext): SolarPanel {
  const sun = new Sun(clock, rngOf(options).fork("sun"), {
    startHour: numberOf(options, "hour", 0, 24),
    speed: numberOf(options, "daySpeed", 0, 100_000),
  });
  return new SolarPanel(clock, sun, { ratingKW });
}

function rngOf(options: SimOptions): Rng {
  return createRng(numberOf(options, "seed"));
}

function meterSignOf(options: SimOptions): 1 | -1 {
  return oneOf(options, "meterSign", ["import", "export"]) === "import" ? 1 : -1;
}

function modelsOf(options: SimOptions): readonly ModelSpec[] {
  return made(() => parseModels(textOf(options, "models")));
}

/** What the options of a person made impossible is said to the person. */
function made<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw wrong(`--models: ${error.message}`, { cause: error });
    throw error;
  }
}
