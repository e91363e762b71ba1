import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { Battery } from "../world/battery.ts";
import { House } from "../world/house.ts";
import { createRng } from "../world/rng.ts";
import { CoapSimulator } from "./coap-simulator.ts";
import { DimmableLoad } from "./dimmable-load.ts";
import { PlainBattery } from "./plain-battery.ts";
import type { SimDevice } from "./resource.ts";
import { ShellyMeter } from "./shelly-meter.ts";
import { StatusAnnouncer } from "./status-announcer.ts";

export interface CoapProgramOptions {
  readonly kind: "load" | "meter" | "battery" | "shelly-em" | "shelly-3em";
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly ratingKW: number;
  readonly seed: number;
  /** Where a Shelly sends its status unasked; absent: nowhere. */
  readonly announceTo?: { readonly host: string; readonly port: number };
}

export interface CoapProgramContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called once when clients can reach it. */
  onListening(address: { host: string; port: number }): void;
}

/**
 * One CoAP device as a program of its own; resolves after the signal aborted and everything is closed.
 * @throws Error when the port is taken
 */
export async function runCoapSimulator(options: CoapProgramOptions, context: CoapProgramContext): Promise<void> {
  const { clock, log, signal } = context;
  const device = deviceOf(options, clock);
  await using simulator = new CoapSimulator(device, { clock, log });
  const { announceTo: to, host: from, kind, seed } = options;
  const deviceId = `${kind === "shelly-3em" ? "SHEM-3" : "SHEM"}#${seed.toString(16).toUpperCase().padStart(6, "0")}#2`;
  await using announcer = to && new StatusAnnouncer(device, clock, { from, to, deviceId });
  await announcer?.start();
  context.onListening(await simulator.listen(options.port, options.host));
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function deviceOf({ kind, ratingKW, seed }: CoapProgramOptions, clock: Clock): SimDevice {
  const serial = `SIM-${seed}`;
  switch (kind) {
    case "load":
      return new DimmableLoad(clock, { ratingKW, serial });
    case "meter":
      return new DimmableLoad(clock, { ratingKW, serial, meterOnly: true });
    case "battery": {
      const battery = { capacityKWh: 2 * ratingKW, socPercent: 50, maxChargeKW: ratingKW, maxDischargeKW: ratingKW };
      return new PlainBattery(clock, new Battery(clock, battery), serial);
    }
    case "shelly-em":
    case "shelly-3em": {
      const house = new House(clock, createRng(seed).fork("house"));
      return new ShellyMeter(clock, { channels: kind === "shelly-em" ? 1 : 3, powerKW: () => house.powerKW() });
    }
  }
}
