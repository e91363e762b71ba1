import { readFile } from "node:fs/promises";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Battery } from "../world/battery.ts";
import { ElectricCar } from "../world/electric-car.ts";
import { createRng, type Rng } from "../world/rng.ts";
import { SolarPanel } from "../world/solar-panel.ts";
import { Sun } from "../world/sun.ts";
import { DER_FAULTS, type DerFault } from "./behaviour.ts";
import type { ControlMode } from "./control-modes.ts";
import { DerSimulator } from "./der-simulator.ts";
import { sfdiOf } from "./identity.ts";
import type { DerKind } from "./kind.ts";

export interface RunDerOptions {
  /** Where the server's DeviceCapability is. */
  readonly url: string;
  /** PEM files. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly ratingKW: number;
  readonly kind: DerKind;
  /** What it says it can do; else all that its kind of hardware can. */
  readonly modes?: readonly ControlMode[];
  readonly fault?: DerFault;
  /** Port to listen on for notifications, 0 for a free one; absent: it only polls. */
  readonly notifyPort?: number;
  /** The same seed gives the same sun and the same state of charge. */
  readonly seed: number;
}

/**
 * Runs one simulated DER until the signal aborts.
 * @throws Error when a file can't be read or holds no certificate or key
 */
export async function runDerSimulator(
  options: RunDerOptions,
  context: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, log, signal } = context;
  const { url, certFile, keyFile, caFile, ratingKW, kind, seed, fault, notifyPort, modes } = options;
  const [cert, key, ca] = await Promise.all([certFile, keyFile, caFile].map((file) => readFile(file, "utf8")));
  if (cert === undefined || key === undefined || ca === undefined) throw new Error("a file is missing");
  const source = sourceOf(kind, ratingKW, clock, createRng(seed));
  const simulator = new DerSimulator({
    url,
    cert,
    key,
    ca,
    source,
    ratingKW,
    clock,
    log,
    ...(modes !== undefined && { modes }),
    ...(fault !== undefined && { behaviour: DER_FAULTS[fault] }),
    ...(notifyPort !== undefined && { notifications: { host: "127.0.0.1", port: notifyPort } }),
  });
  log.info("simulated DER", { kind, ratingKW, lfdi: simulator.lfdi, sfdi: sfdiOf(simulator.lfdi), url });
  await simulator.start();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await simulator[Symbol.asyncDispose]();
}

function sourceOf(kind: DerKind, ratingKW: number, clock: Clock, rng: Rng): SolarPanel | Battery {
  if (kind === "solar") return new SolarPanel(clock, new Sun(clock, rng.fork("sun")), { ratingKW });
  const socPercent = Math.round(rng.fork("battery").between(30, 70));
  if (kind === "evse") {
    return new ElectricCar(clock, { capacityKWh: 60, socPercent, maxChargeKW: ratingKW, maxDischargeKW: 0 });
  }
  return new Battery(clock, {
    capacityKWh: ratingKW * 2,
    socPercent,
    maxChargeKW: ratingKW,
    maxDischargeKW: ratingKW,
  });
}
