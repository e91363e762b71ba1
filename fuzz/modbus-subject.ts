import { setMaxListeners } from "node:events";
import type { AdapterMemory } from "../adapters/kind.ts";
import { modbus } from "../adapters/modbus/index.ts";
import { ModbusError } from "../adapters/modbus/link/modbus-error.ts";
import { ModbusLink } from "../adapters/modbus/link/modbus-link.ts";
import { answerQuestions } from "../bench/asked-program.ts";
import { silentLog } from "../src/log.ts";
import { DeviceError } from "../src/model/adapter.ts";
import type { Reading } from "../src/model/reading.ts";
import { hastyClock } from "./hasty-clock.ts";
import type { ModbusAsk, ModbusOutcome } from "./modbus-truth.ts";

// The link and the adapter in a process of their own: a crash is seen from outside, and the memory is their own.

const clock = hastyClock(Number(process.argv[2]));
const TIMEOUT_MS = Number(process.argv[3]);
const DEVICE_PATIENCE_MS = 20_000;

const memory: AdapterMemory = {
  get: () => undefined,
  keys: () => [],
  set: () => Promise.resolve(),
  forget: () => Promise.resolve(),
};
const context = { clock, log: silentLog, random: Math.random, memory };
const links = new Map<number, ModbusLink>();
const forever = new AbortController().signal;
setMaxListeners(0, forever);

async function carriedOut(link: ModbusLink, ask: ModbusAsk): Promise<ModbusOutcome> {
  const manners = { unit: ask.unit, timeoutMs: TIMEOUT_MS, gapMs: 0 };
  if (ask.kind === "read") {
    return { kind: "values", values: [...(await link.read(manners, ask.address, ask.count, forever))] };
  }
  await link.write(manners, ask.address, ask.values, { mayTear: ask.mayTear }, forever);
  return { kind: "written" };
}

function failed(error: unknown): ModbusOutcome {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const fault = error instanceof ModbusError || error instanceof DeviceError ? error.fault : undefined;
  return fault === undefined ? { kind: "error", message } : { kind: "error", fault, message };
}

/** Starts the whole adapter on a device and takes its first reading. */
async function readDevice({ port }: { port: number }): Promise<{ reading?: Reading } | ModbusOutcome> {
  const stop = new AbortController();
  const host = modbus.createHost({}, context);
  const device = modbus.deviceSchema.parse({ host: "127.0.0.1", port, timeoutMs: TIMEOUT_MS, pollMs: 100 });
  const adapter = host.adapter({ era: "fuzz", kind: "battery" }, device);
  const giveUp = clock.sleep(DEVICE_PATIENCE_MS, stop.signal).then(
    () => stop.abort(new DeviceError("timeout", "fuzz", "nothing was read in time")),
    () => {},
  );
  try {
    await adapter.start(stop.signal);
    for await (const report of adapter.reports(stop.signal)) {
      if (report.kind === "reading") return { reading: report.reading };
      if (report.kind === "link" && !report.up) return {};
    }
    return {};
  } catch (error) {
    return failed(error);
  } finally {
    stop.abort(new DeviceError("timeout", "fuzz", "over"));
    await giveUp;
    await host[Symbol.asyncDispose]();
  }
}

answerQuestions({
  open: ({ worker, port, framing }: { worker: number; port: number; framing: "tcp" | "rtu" }) => {
    const endpoint = { host: "127.0.0.1", port, ...(framing === "rtu" ? { framing } : {}) };
    links.set(worker, new ModbusLink(endpoint, context));
    return true;
  },
  ask: async ({ worker, ask }: { worker: number; ask: ModbusAsk }) => {
    const link = links.get(worker);
    if (link === undefined) throw new Error("no link");
    return await carriedOut(link, ask).catch(failed);
  },
  device: readDevice,
  close: async () => {
    await Promise.all([...links.values()].map((link) => link[Symbol.asyncDispose]()));
    links.clear();
    return true;
  },
  heap: () => {
    const { gc } = globalThis as { gc?: () => void };
    for (let round = 0; round < 4; round++) gc?.();
    return process.memoryUsage().heapUsed;
  },
});
