import { setMaxListeners } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { AdapterHost, AdapterMemory } from "../adapters/kind.ts";
import { type OcppDevice, ocpp } from "../adapters/ocpp/index.ts";
import { systemClock } from "../src/clock.ts";
import { createLog } from "../src/log.ts";
import type { Adapter, Report } from "../src/model/adapter.ts";
import { answerQuestions } from "./asked-program.ts";
import { percentile } from "./percentile.ts";

// One of the two servers of the OCPP figures: the adapter, or the floor, which is `ws` and JSON.parse and nothing else.

const SETPOINT_EVERY_MS = 2;

const stop = new AbortController();
let connected = 0;
let readings = 0;
let url = "";
const adapters: Adapter[] = [];
let host: AdapterHost<OcppDevice> | undefined;

/** Nothing of these runs is to be kept. */
const forgetfulMemory: AdapterMemory = {
  get: () => undefined,
  keys: () => [],
  set: () => Promise.resolve(),
  forget: () => Promise.resolve(),
};

function heapUsed(): number {
  const { gc } = globalThis as { gc?: () => void };
  for (let round = 0; round < 4; round++) gc?.();
  return process.memoryUsage().heapUsed;
}

/** Reads what an adapter reports, with as little of its own for each as can be: it is the adapter that is measured. */
function drain(adapter: Adapter): void {
  const reports = adapter.reports(stop.signal)[Symbol.asyncIterator]();
  const onReport = ({ value }: IteratorResult<Report>) => {
    if (value?.kind === "link") connected += value.up ? 1 : -1;
    else if (value?.kind === "reading") readings += 1;
    if (value !== undefined) void reports.next().then(onReport);
  };
  void reports.next().then(onReport);
}

/** More chargers that may dial in. */
function add(stations: number): void {
  for (let index = adapters.length, end = index + stations; index < end; index++) {
    const device = ocpp.deviceSchema.parse({ identity: `CP-${index}`, phases: 3, maxA: 32 });
    const adapter = host?.adapter({ era: `CP-${index}`, kind: "charger" }, device);
    if (adapter === undefined) throw new Error("the floor takes everyone");
    adapters.push(adapter);
    drain(adapter);
  }
}

async function startAdapter(stations: number, maxMessagesPerS?: number): Promise<void> {
  const shared = ocpp.sharedSchema.parse({ port: 0, maxMessagesPerS });
  const context = { clock: systemClock, log: createLog("warn"), random: Math.random, memory: forgetfulMemory };
  setMaxListeners(0, stop.signal);
  host = ocpp.createHost(shared, context);
  add(stations);
  await host.start(stop.signal);
  url = host.addresses()["ocpp"] ?? "";
}

async function startFloor(): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 65_536, perMessageDeflate: false });
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("connection", (socket: WebSocket) => {
    connected += 1;
    socket.on("close", () => {
      connected -= 1;
    });
    socket.on("message", (data) => {
      const [, id, action] = JSON.parse(data.toString()) as [number, string, string];
      if (action === "MeterValues") readings += 1;
      socket.send(JSON.stringify([3, id, {}]));
    });
  });
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Gives setpoints to chargers in turn for so long, one at a time. @returns the time of the middle one, ms */
async function setpoints({ chargers, forMs }: { chargers: number; forMs: number }): Promise<number> {
  const tookMs: number[] = [];
  const untilMs = systemClock.elapsedMs() + forMs;
  for (let count = 0; systemClock.elapsedMs() < untilMs; count++) {
    const adapter = adapters[count % chargers];
    const beganMs = systemClock.elapsedMs();
    // A power of its own each time, so that it is never the same order twice.
    const powerKW = -5 - (count % 100) / 20;
    await adapter?.apply({ setpointId: String(count), powerKW, untilMs: Date.now() + 600_000 }, stop.signal);
    tookMs.push(systemClock.elapsedMs() - beganMs);
    await systemClock.sleep(SETPOINT_EVERY_MS);
  }
  return percentile(tookMs, 50);
}

const [kind, stations = "0", maxMessagesPerS] = process.argv.slice(2);
if (kind === "adapter")
  await startAdapter(Number(stations), maxMessagesPerS === undefined ? undefined : Number(maxMessagesPerS));
else await startFloor();

answerQuestions({
  url: () => url,
  connected: () => connected,
  readings: () => readings,
  add,
  /** Bytes that are in use. */
  heap: heapUsed,
  cpuUs: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  snapshot: async (file: string) => {
    const { writeHeapSnapshot } = await import("node:v8");
    return writeHeapSnapshot(file);
  },
  setpoints,
});
