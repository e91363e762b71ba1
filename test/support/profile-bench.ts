import type { AdapterMemory, DeviceRole } from "../../adapters/kind.ts";
import { modbus } from "../../adapters/modbus/index.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Adapter, Report } from "../../src/model/adapter.ts";
import type { ModbusDevice } from "./modbus-device.ts";
import { volatileMemory } from "./volatile-memory.ts";

const ERA = "IN*TEST*BOX*1";

/** Time that runs `speed` times as fast. */
export function fastClock(speed: number): Clock {
  const startedMs = systemClock.now();
  return {
    now: () => startedMs + systemClock.elapsedMs() * speed,
    elapsedMs: () => systemClock.elapsedMs() * speed,
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  };
}

/** A gateway with one device of a profile, and what the device has reported so far. */
export interface ProfileBench extends AsyncDisposable {
  readonly adapter: Adapter;
  readonly reports: readonly Report[];
  readonly clock: Clock;
  /** A target that lasts `holdMs` of the bench's clock. */
  target(powerKW: number, holdMs?: number): { setpointId: string; powerKW: number; untilMs: number };
  /** Readings of one key, in order. */
  readings<K extends "powerKW" | "socPercent" | "importKWh" | "voltageV">(key: K): readonly number[];
}

/** Puts the real adapter in front of a device, as the config would. */
export async function profileBench(
  device: ModbusDevice,
  kind: DeviceRole["kind"],
  config: Readonly<Record<string, unknown>>,
  options: { readonly clock?: Clock; readonly memory?: AdapterMemory } = {},
): Promise<ProfileBench> {
  return benchAt(await device.listen(), kind, config, options);
}

/** As `profileBench`, for a device that listens already. */
export function benchAt(
  at: { readonly host: string; readonly port: number },
  kind: DeviceRole["kind"],
  config: Readonly<Record<string, unknown>>,
  options: { readonly clock?: Clock; readonly memory?: AdapterMemory } = {},
): ProfileBench {
  const clock = options.clock ?? systemClock;
  const memory = options.memory ?? volatileMemory();
  const host = modbus.createHost({}, { clock, log, random: () => 0.5, memory });
  const adapter = host.adapter({ era: ERA, kind }, modbus.deviceSchema.parse({ ...at, pollMs: 200, ...config }));
  const reports: Report[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const report of adapter.reports(stop.signal)) reports.push(report);
  })();
  return {
    adapter,
    reports,
    clock,
    target: (powerKW, holdMs = 600_000) => ({ setpointId: `s${powerKW}`, powerKW, untilMs: clock.now() + holdMs }),
    readings: (key) =>
      reports.flatMap((report) => {
        const value = report.kind === "reading" ? report.reading[key] : undefined;
        return value === undefined ? [] : [value];
      }),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await reading;
      await host[Symbol.asyncDispose]();
    },
  };
}
