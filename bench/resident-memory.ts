import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { BenchCharger } from "./bench-charger.ts";
import { BenchMarket } from "./bench-market.ts";
import { startNode, stopChild } from "./child-program.ts";
import { DaemonProcess } from "./daemon-process.ts";
import { type BenchContext, type Benchmark, type Figure, figure, Skipped } from "./figure.ts";
import { Opened } from "./opened.ts";
import { PostConnection } from "./post-connection.ts";
import { simulatedInverter } from "./simulated-inverter.ts";
import { chargerNames, INVERTERS, inverterName, twentyDeviceConfig } from "./twenty-devices.ts";
import { within } from "./within.ts";

const RUN_S = 20;
/** The value is the highest of the last seconds, so that it does not hang on when rubbish was last collected. */
const LOOKED_AT_S = 5;
/** Readings that each device must have given by the end, or the run was not what it is meant to be. */
const LEAST_READINGS = 14;
const ANSWER_DEADLINE_MS = 10_000;

/** Resident memory of the daemon with 20 devices that report every second, each under a setpoint. */
export const residentMemory: Benchmark = {
  figures: ["resident_memory_20_devices"],
  run: measure,
};

async function measure({ folder, progress, profileFolder }: BenchContext): Promise<readonly Figure[]> {
  if (!existsSync("/proc/self/status")) throw new Skipped("this system has no /proc to read a process's memory from");

  await using opened = new Opened();
  const market = opened.use(await BenchMarket.open());
  const ports: number[] = [];
  for (let index = 0; index < INVERTERS; index++) {
    const inverter = opened.use(simulatedInverter(index));
    ports.push((await inverter.listen()).port);
  }
  const daemon = opened.use(await DaemonProcess.start(folder, twentyDeviceConfig(market, ports), profileFolder));
  const { ocpp, webhook } = (await daemon.status()).addresses;
  if (webhook === undefined || ocpp === undefined) throw new Error("the daemon has no webhook or no OCPP port");
  const chargers: BenchCharger[] = [];
  for (const name of chargerNames()) {
    const charger = opened.use(await BenchCharger.dial(`${ocpp}/${name}`));
    await charger.boot();
    chargers.push(charger);
  }
  await commandAll(market, new URL(webhook));

  const samplesMB: number[] = [];
  for (let second = 1; second <= RUN_S; second++) {
    await pause(1000);
    await Promise.all(chargers.map((charger) => charger.meter(1)));
    samplesMB.push(residentMB(daemon.pid, "VmRSS"));
    if (second % 5 === 0) progress(`${second} of ${RUN_S} s, ${samplesMB.at(-1)?.toFixed(1)} MB`);
  }
  await checkReadings(daemon);
  const valueMB = Math.max(...samplesMB.slice(-LOOKED_AT_S));
  const peakMB = residentMB(daemon.pid, "VmHWM");
  const floorMB = await bareNodeMB();
  return [
    figure({
      name: "resident_memory_20_devices",
      value: valueMB,
      unit: "MB",
      target: 120,
      floor: floorMB,
      detail: `VmRSS after ${RUN_S} s, peak since start ${peakMB.toFixed(1)} MB; bare Node ${floorMB.toFixed(1)} MB`,
    }),
  ];
}

/** A setpoint for every device, so that commands, schedules and verdicts take their memory too. */
async function commandAll(market: BenchMarket, door: URL): Promise<void> {
  using connection = await PostConnection.open(door.hostname, Number(door.port));
  const orders = [
    ...chargerNames().map((era) => ({ era, powerKW: -6 })),
    ...Array.from({ length: INVERTERS }, (_, index) => ({ era: inverterName(index), powerKW: 3 })),
  ];
  for (const { era, powerKW } of orders) {
    const { authorization, body } = market.onConfirm(era, powerKW);
    const answering = connection.post(`${door.pathname}/on_confirm`, authorization, body);
    const answer = await within(ANSWER_DEADLINE_MS, "the answer to on_confirm", answering);
    if (answer.status !== 200) throw new Error(`a setpoint for ${era} was answered ${answer.status}: ${answer.body}`);
  }
}

async function checkReadings(daemon: DaemonProcess): Promise<void> {
  const { devices } = await daemon.status();
  const silent = devices.filter(({ linkUp, readings }) => !linkUp || readings < LEAST_READINGS);
  if (silent.length === 0) return;
  const names = silent.map(({ era, linkDetail, readings }) => `${era} (${linkDetail}, ${readings} readings)`);
  throw new Error(`not all devices took part: ${names.join(", ")}`);
}

async function bareNodeMB(): Promise<number> {
  const bare = startNode(["-e", "setInterval(() => {}, 1e3)"], "ignore");
  try {
    await pause(1500);
    return residentMB(bare.pid ?? 0, "VmRSS");
  } finally {
    await stopChild(bare);
  }
}

/** A field of `/proc/PID/status`; the kernel counts in KiB and calls them kB. 1 MB is 1024 of them here, as in `top`. */
function residentMB(pid: number, field: "VmRSS" | "VmHWM"): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? Number.NaN);
  return kib / 1024;
}
