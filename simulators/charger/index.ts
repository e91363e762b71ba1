import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { ElectricCar } from "../world/electric-car.ts";
import { createRng } from "../world/rng.ts";
import { type ChargerBehaviour, GOOD_BEHAVIOUR } from "./behaviour.ts";
import type { ChargerEvent } from "./charger-event.ts";
import { ChargerSimulator } from "./charger-simulator.ts";
import type { Login } from "./link/login.ts";
import { present } from "./link/wire-time.ts";
import type { OcppVersion } from "./ocpp-version.ts";
import { RUN_EXIT, RunOutcome } from "./run-outcome.ts";

export interface ChargerProgramOptions extends Login {
  /** `ws://127.0.0.1:9220/ocpp`; the identity is appended. */
  readonly url: string;
  /** With `count`, the first part of it: `-1`, `-2` and so on follow. */
  readonly identity: string;
  readonly version: OcppVersion;
  readonly phases: 1 | 3;
  /** Per phase. */
  readonly maxA: number;
  /** AC if absent. */
  readonly current?: "AC" | "DC";
  /** 1 if absent. */
  readonly connectors?: number;
  readonly switchesPhases?: boolean;
  readonly phaseSwitchMs?: number;
  /** State of charge of the car at the start, 0 to 100. */
  readonly soc: number;
  readonly capacityKWh: number;
  /** What the car gives back at most, kW magnitude; absent or 0 for a car that cannot. */
  readonly dischargeKW?: number;
  readonly reservePercent?: number;
  /** How long after the start the driver wants to leave. */
  readonly departureInMs?: number;
  readonly targetPercent?: number;
  readonly idTag?: string;
  readonly meterIntervalMs?: number;
  readonly behaviour?: Partial<ChargerBehaviour>;
  /** Accepts every profile and follows none. */
  readonly ignores?: boolean;
  /** How many chargers, 1 if absent. */
  readonly count?: number;
  /** Ends by itself after so long. */
  readonly forMs?: number;
  readonly seed: number;
}

/** What happens at one of the chargers. */
export type ProgramEvent = ChargerEvent & { readonly charger: string };

interface ProgramContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: ProgramEvent) => void;
}

/** What an on-board charger of today takes, kW, whatever the cable could carry. */
const CAR_KW = { 1: 7.4, 3: 11 } as const;
const DC_CAR_KW = 150;

/** Dials at the same time: a crowd that all comes at once is another test. */
const STARTS_AT_ONCE = 50;
/** A timer of Node holds no more than 24 days. */
const LONGEST_SLEEP_MS = 86_400_000;
/** From here on each charger looks at itself once a second only. */
const MANY = 10;
const SLOW_TICK_MS = 1_000;

/**
 * Simulated chargers as a program of their own: run until the signal aborts or their time is over, then close
 * everything. Resolves with an exit code, 0 where it was the signal.
 */
export async function runChargerSimulator(options: ChargerProgramOptions, context: ProgramContext): Promise<number> {
  const { clock, signal, onEvent = () => {} } = context;
  if (signal.aborted) return RUN_EXIT.ok;
  const { count = 1 } = options;
  const outcomes = Array.from({ length: count }, () => new RunOutcome());
  const chargers = outcomes.map((outcome, index) => {
    const charger = count === 1 ? options.identity : `${options.identity}-${index + 1}`;
    return createCharger(options, charger, context, (event) => {
      outcome.see(event);
      onEvent({ ...event, charger });
    });
  });
  const endsAtMs = clock.elapsedMs() + (options.forMs ?? Number.POSITIVE_INFINITY);
  const isOver = () => signal.aborted || clock.elapsedMs() >= endsAtMs;
  try {
    await startAll(chargers, isOver);
    if (await untilEnd(clock, endsAtMs, signal)) return RUN_EXIT.ok;
  } finally {
    await Promise.all(chargers.map((charger) => charger[Symbol.asyncDispose]()));
  }
  const boots = options.behaviour?.neverBoots !== true;
  return outcomes.map((outcome) => outcome.exitCode(boots)).find((code) => code !== RUN_EXIT.ok) ?? RUN_EXIT.ok;
}

function createCharger(
  options: ChargerProgramOptions,
  identity: string,
  { clock, log }: ProgramContext,
  onEvent: (event: ChargerEvent) => void,
): ChargerSimulator {
  const { connectors = 1, count = 1, current = "AC", departureInMs, ignores = false } = options;
  const rng = createRng(options.seed).fork(identity);
  const car = () =>
    new ElectricCar(clock, {
      capacityKWh: options.capacityKWh,
      socPercent: options.soc,
      maxChargeKW: current === "DC" ? DC_CAR_KW : CAR_KW[options.phases],
      maxDischargeKW: options.dischargeKW ?? 0,
      deadMs: rng.between(200, 600),
      tauMs: rng.between(400, 1_000),
      ...present("reservePercent", options.reservePercent),
      ...present("targetPercent", options.targetPercent),
      ...present("departureMs", departureInMs === undefined ? undefined : clock.now() + departureInMs),
    });
  return new ChargerSimulator({
    identity,
    url: options.url,
    version: options.version,
    phases: options.phases,
    maxA: options.maxA,
    current,
    car: car(),
    otherCars: Array.from({ length: connectors - 1 }, car),
    clock,
    log: log.child({ charger: identity }),
    behaviour: { ...GOOD_BEHAVIOUR, ...options.behaviour, ...(ignores ? { ignoresProfiles: true } : {}) },
    onEvent,
    ...present("switchesPhases", options.switchesPhases),
    ...present("phaseSwitchMs", options.phaseSwitchMs),
    ...present("idTag", options.idTag),
    ...present("meterIntervalMs", options.meterIntervalMs),
    ...present("password", options.password),
    ...present("ca", options.ca),
    ...present("cert", options.cert),
    ...present("key", options.key),
    ...present("tickMs", count > MANY ? SLOW_TICK_MS : undefined),
  });
}

async function startAll(chargers: readonly ChargerSimulator[], isOver: () => boolean): Promise<void> {
  const waiting = [...chargers];
  const startNext = async () => {
    for (let next = waiting.shift(); next !== undefined && !isOver(); next = waiting.shift()) await next.start();
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, startNext));
}

/** True if it was the signal that ended the wait. */
async function untilEnd(clock: Clock, endsAtMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    for (let restMs = endsAtMs - clock.elapsedMs(); restMs > 0; restMs = endsAtMs - clock.elapsedMs()) {
      await clock.sleep(Math.min(restMs, LONGEST_SLEEP_MS), signal);
    }
    return signal.aborted;
  } catch {
    return true;
  }
}
