import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AskedProgram } from "./asked-program.ts";
import { startNode, stopChild } from "./child-program.ts";
import { DaemonProcess } from "./daemon-process.ts";
import { type BenchContext, type Benchmark, type Figure, figure, Skipped } from "./figure.ts";
import { Opened } from "./opened.ts";
import { simulatedInverter } from "./simulated-inverter.ts";
import { within } from "./within.ts";

const COMPILER = process.env["CC"] ?? "cc";
const CLIENT = "bench/modbus-client.js";

const ROUNDS = 40;
const REQUESTS = 2000;
const REGISTERS = 10;

const DEVICES = 50;
const WARM_S = 15;
const RUN_S = 20;
/** The kernel counts CPU time in ticks of 10 ms on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/**
 * Time of one read through the link, beside a libmodbus client in C on the same server, or beside bare sockets where there
 * is no compiler or no libmodbus. 0.7 times as many reads a second are 1 / 0.7 times as long for each.
 */
export const modbusReads: Benchmark = {
  figures: ["modbus_read_time"],
  run: async ({ folder, progress }) => {
    await using opened = new Opened();
    const own = opened.use(await AskedProgram.start(CLIENT));
    const floor = opened.use(await openFloor(folder, opened));
    // In turns, so that a busy moment of the machine meets both; the best of each, so that it counts for neither.
    let [floorUs, ownUs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 1; round <= ROUNDS; round++) {
      const reads = { port: floor.port, requests: REQUESTS, registers: REGISTERS };
      floorUs = Math.min(floorUs, ((await floor.reads(reads)) * 1000) / REQUESTS);
      ownUs = Math.min(ownUs, ((await own.ask<number>("linkReads", reads)) * 1000) / REQUESTS);
      if (round % 10 === 0) {
        progress(`round ${round} of ${ROUNDS}: ${ownUs.toFixed(1)} us, the floor ${floorUs.toFixed(1)} us`);
      }
    }
    return [
      figure({
        name: "modbus_read_time",
        value: ownUs / floorUs,
        unit: "x",
        target: 1.428,
        floor: floorUs,
        detail: `${REGISTERS} registers, one request at a time, best of ${ROUNDS} rounds; floor in us: ${floor.name}`,
      }),
    ];
  },
};

interface Floor extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  reads(reads: { port: number; requests: number; registers: number }): Promise<number>;
}

async function openFloor(folder: string, opened: Opened): Promise<Floor> {
  const program = compiledFloor(folder);
  if (program === undefined) {
    const server = opened.use(await AskedProgram.start(CLIENT));
    const client = await AskedProgram.start(CLIENT);
    return {
      name: "bare sockets (no C compiler with libmodbus here)",
      port: await server.ask<number>("serve"),
      reads: (reads) => client.ask("bareReads", reads),
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    };
  }
  const server: ChildProcess = spawn(program, ["server"], { stdio: ["ignore", "pipe", "inherit"] });
  const stop = () => void server.kill();
  process.once("exit", stop);
  const [line] = (await within(5000, "the server's port", once(server.stdout ?? server, "data"))) as [Buffer];
  return {
    name: "libmodbus in C",
    port: Number(String(line).trim()),
    reads: async ({ port, requests, registers }) => {
      const args = ["client", port, requests, registers].map(String);
      return Number(execFileSync(program, args, { encoding: "utf8" }));
    },
    [Symbol.asyncDispose]: async () => {
      process.off("exit", stop);
      stop();
    },
  };
}

/** The floor's program, or nothing where it can't be built. */
function compiledFloor(folder: string): string | undefined {
  const fromBuild = import.meta.url.endsWith(".ts") ? "modbus-floor.c" : "../../bench/modbus-floor.c";
  const source = fileURLToPath(new URL(fromBuild, import.meta.url));
  const program = join(folder, "modbus-floor");
  const args = ["-O2", "-I/usr/include/modbus", "-o", program, source, "-lmodbus"];
  return spawnSync(COMPILER, args, { stdio: "ignore" }).status === 0 ? program : undefined;
}

/** CPU of the daemon with 50 inverters that it reads every second, in hundredths of a core. */
export const modbusPollingCpu: Benchmark = { figures: ["modbus_50_devices_cpu"], run: measureCpu };

async function measureCpu({ folder, progress, profileFolder }: BenchContext): Promise<readonly Figure[]> {
  if (!existsSync("/proc/self/stat")) throw new Skipped("this system has no /proc to read a process's CPU time from");
  await using opened = new Opened();
  const devices: object[] = [];
  for (let index = 0; index < DEVICES; index++) {
    const { port } = await opened.use(simulatedInverter(index)).listen();
    const modbus = { host: "127.0.0.1", port, pollMs: 1000 };
    devices.push({ era: `inverter-${index}`, kind: "solar", modbus });
  }
  const daemon = opened.use(await DaemonProcess.start(folder, { site: { name: "Bench" }, devices }, profileFolder));
  const bare = startNode(["-e", "setInterval(() => {}, 1000)"], "ignore");
  try {
    await pause(WARM_S * 1000);
    const before = { daemon: cpuTicks(daemon.pid), bare: cpuTicks(bare.pid ?? 0), readings: await readings(daemon) };
    progress(`${WARM_S} s to warm up are over`);
    await pause(RUN_S * 1000);
    const percent = (ticks: number) => (ticks / TICKS_PER_S / RUN_S) * 100;
    const fresh = (await readings(daemon)) - before.readings;
    if (fresh < DEVICES * (RUN_S - 2)) {
      throw new Error(`${fresh} readings of ${DEVICES} devices in ${RUN_S} s are too few`);
    }
    return [
      figure({
        name: "modbus_50_devices_cpu",
        value: percent(cpuTicks(daemon.pid) - before.daemon),
        unit: "%",
        target: 5,
        floor: percent(cpuTicks(bare.pid ?? 0) - before.bare),
        detail: `of a core, ${(fresh / RUN_S).toFixed(1)} readings a second; floor in %: node with a timer`,
      }),
    ];
  } finally {
    await stopChild(bare);
  }
}

async function readings(daemon: DaemonProcess): Promise<number> {
  const { devices } = await daemon.status();
  return devices.reduce((sum, device) => sum + device.readings, 0);
}

/** User and system time of a process so far. */
function cpuTicks(pid: number): number {
  // The name of the program, in brackets, may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return user + system;
}
