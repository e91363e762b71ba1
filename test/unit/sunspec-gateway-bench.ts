import type { AdapterMemory } from "../../adapters/kind.ts";
import { modbus } from "../../adapters/modbus/index.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Adapter, Report } from "../../src/model/adapter.ts";
import type { Reading } from "../../src/model/reading.ts";
import type { Capability, ResourceKind } from "../../src/model/resource.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

/** Time that runs ten times as fast, for both sides. */
const SPEED = 10;
const startedMs = systemClock.now();
export const fastClock: Clock = {
  now: () => startedMs + systemClock.elapsedMs() * SPEED,
  elapsedMs: () => systemClock.elapsedMs() * SPEED,
  sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal),
};

export const never = new AbortController().signal;

export interface Gateway extends AsyncDisposable {
  readonly adapter: Adapter;
  readonly reports: readonly Report[];
  /** The newest of each kind. */
  notices(): readonly string[];
  capability(): Capability | undefined;
  readings(): readonly Reading[];
  figures(): Readonly<Record<string, number | undefined>>;
}

/** A gateway with one SunSpec device, started, over a real socket. */
export async function startGateway(
  at: { readonly host: string; readonly port: number },
  options: {
    readonly kind?: ResourceKind;
    readonly memory?: AdapterMemory;
    readonly config?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<Gateway> {
  const { kind = "solar", memory = volatileMemory(), config = {} } = options;
  const host = modbus.createHost({}, { clock: fastClock, log, random: () => 0.5, memory });
  // A second of real time for an answer: the machine may be busy.
  const device = { host: at.host, port: at.port, pollMs: 500, revertS: 6, timeoutMs: 10_000, ...config };
  const adapter = host.adapter({ era: "IN*TEST*INV*1", kind }, modbus.deviceSchema.parse(device));
  const reports: Report[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const report of adapter.reports(stop.signal)) reports.push(report);
  })();
  const first = await adapter.start(never);
  return {
    adapter,
    reports,
    notices: () => reports.filter((report) => report.kind === "notices").at(-1)?.notices ?? [],
    capability: () => reports.filter((report) => report.kind === "capability").at(-1)?.capability ?? first,
    readings: () => reports.filter((report) => report.kind === "reading").map((report) => report.reading),
    figures: () =>
      Object.fromEntries((host.figures?.() ?? []).map(({ name, samples: [sample] }) => [name, sample?.value])),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await reading;
      await host[Symbol.asyncDispose]();
    },
  };
}

/** A target of ten minutes, on the fast clock. */
export function order(powerKW: number, holdMs = 600_000) {
  return { setpointId: "s1", powerKW, untilMs: fastClock.now() + holdMs };
}
