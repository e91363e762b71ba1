import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Battery } from "../world/battery.ts";
import { createRng } from "../world/rng.ts";
import { SolarPanel } from "../world/solar-panel.ts";
import { Sun } from "../world/sun.ts";
import { InverterSimulator, type InverterSimulatorOptions } from "./inverter-simulator.ts";

export interface InverterProgramOptions {
  readonly kind: "solar" | "battery";
  readonly map: InverterSimulatorOptions["map"];
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly unit: number;
  readonly ratingKW: number;
  /** Of a battery; twice the rating in kWh unless told. */
  readonly capacityKWh?: number;
  /** State of charge of a battery at the start, percent; 50 unless told. */
  readonly soc?: number;
  readonly seed: number;
}

export interface InverterProgramContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called once when clients can connect. */
  onListening(address: { host: string; port: number }): void;
}

/**
 * One inverter as a program of its own; resolves after the signal aborted and everything is closed.
 * @throws Error when the port is taken
 */
export async function runInverterSimulator(
  options: InverterProgramOptions,
  context: InverterProgramContext,
): Promise<void> {
  const { clock, log, signal } = context;
  await using simulator = new InverterSimulator({
    kind: options.kind,
    map: options.map,
    unit: options.unit,
    clock,
    log,
    source: options.kind === "battery" ? battery(options, clock) : panels(options, clock),
    serial: `SIM-${options.seed}`,
  });
  const address = await simulator.listen(options.port, options.host);
  context.onListening(address);
  await aborted(signal);
}

function panels(options: InverterProgramOptions, clock: Clock): SolarPanel {
  return new SolarPanel(clock, new Sun(clock, createRng(options.seed).fork("sun")), { ratingKW: options.ratingKW });
}

function battery(options: InverterProgramOptions, clock: Clock): Battery {
  return new Battery(clock, {
    capacityKWh: options.capacityKWh ?? 2 * options.ratingKW,
    socPercent: options.soc ?? 50,
    maxChargeKW: options.ratingKW,
    maxDischargeKW: options.ratingKW,
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
