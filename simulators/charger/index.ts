import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Battery } from "../world/battery.ts";
import { createRng } from "../world/rng.ts";
import { ChargerSimulator } from "./charger-simulator.ts";
import type { OcppVersion } from "./ocpp-version.ts";

export interface ChargerProgramOptions {
  /** `ws://127.0.0.1:9220/ocpp`; the identity is appended. */
  readonly url: string;
  readonly identity: string;
  readonly version: OcppVersion;
  readonly phases: 1 | 3;
  /** Per phase. */
  readonly maxA: number;
  /** State of charge of the car at the start, 0 to 100. */
  readonly soc: number;
  readonly capacityKWh: number;
  /** Accepts every profile and follows none. */
  readonly ignores?: boolean;
  readonly seed: number;
}

/** What an on-board charger of today takes, kW, whatever the cable could carry. */
const CAR_KW = { 1: 7.4, 3: 11 } as const;

/** A simulated charger as a program of its own: runs until the signal aborts, then closes everything. */
export async function runChargerSimulator(
  options: ChargerProgramOptions,
  context: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  const { clock, log, signal } = context;
  if (signal.aborted) return;
  const rng = createRng(options.seed).fork(options.identity);
  const car = new Battery(clock, {
    capacityKWh: options.capacityKWh,
    socPercent: options.soc,
    maxChargeKW: CAR_KW[options.phases],
    maxDischargeKW: 0,
    deadMs: rng.between(200, 600),
    tauMs: rng.between(400, 1_000),
  });
  await using charger = new ChargerSimulator({
    identity: options.identity,
    url: options.url,
    version: options.version,
    phases: options.phases,
    maxA: options.maxA,
    car,
    clock,
    log: log.child({ charger: options.identity }),
    behaviour: { ignoresProfiles: options.ignores ?? false },
  });
  await charger.start();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
