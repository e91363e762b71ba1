import { setTimeout as pause } from "node:timers/promises";
import { AskedProgram } from "./asked-program.ts";
import { type BenchContext, type Benchmark, type Figure, figure } from "./figure.ts";
import { percentile } from "./percentile.ts";

/** As the daemon runs (`src/cli/engine-flags.ts`); the floor too. */
const FLAGS = ["--expose-gc", "--semi-space-growth-factor=1", "--always-sparkplug", "--interrupt-budget=5000"];

const SERVER = "bench/ocpp-server.js";
const CLIENTS = "bench/ocpp-clients.js";

const METERED_CHARGERS = 1000;
/** Chargers send as fast as they are answered; the rate that one may have is not what is measured. */
const UNHINDERED_PER_S = 1000;
const ROUNDS = 9;
const MESSAGES_PER_CHARGER = 20;

/** Chargers that are there before, so that code and shapes are not counted as theirs. */
const WARM_CHARGERS = 300;
const IDLE_CHARGERS = 1000;
/** Until set-up after connecting is over and what it needed is let go. */
const SETTLE_MS = 8000;

const MANY_CHARGERS = 5000;

const COMMANDED_CHARGERS = 20;
const COMMANDING_MS = 3000;
const TURNS = 4;

/** CPU of the adapter for a MeterValues of seven samples, beside `ws` with JSON.parse that answers the same. */
export const ocppMessageCpu: Benchmark = {
  figures: ["ocpp_meter_values_cpu"],
  run: async ({ progress }) => {
    await using adapter = await Pair.start(["adapter", String(METERED_CHARGERS), String(UNHINDERED_PER_S)]);
    await using floor = await Pair.start(["floor"]);
    for (const pair of [adapter, floor]) await pair.dial(0, METERED_CHARGERS);
    await pause(SETTLE_MS);
    const ratios: number[] = [];
    const floorUs: number[] = [];
    // The first round only warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      const perMessageUs = { floor: await floor.meterUs(), adapter: await adapter.meterUs() };
      if (round === 0) continue;
      ratios.push(perMessageUs.adapter / perMessageUs.floor);
      floorUs.push(perMessageUs.floor);
      progress(
        `round ${round} of ${ROUNDS}: ${perMessageUs.adapter.toFixed(1)} to ${perMessageUs.floor.toFixed(1)} us`,
      );
    }
    const readings = await adapter.server.ask<number>("readings");
    const sent = (ROUNDS + 1) * METERED_CHARGERS * MESSAGES_PER_CHARGER;
    if (readings !== sent) throw new Error(`${sent} MeterValues became ${readings} readings`);
    return [
      figure({
        name: "ocpp_meter_values_cpu",
        value: percentile(ratios, 50),
        unit: "x",
        target: 1.5,
        floor: percentile(floorUs, 50),
        detail: `${METERED_CHARGERS} chargers, all at once, median of ${ROUNDS} rounds; floor in us: ws + JSON.parse`,
      }),
    ];
  },
};

/** Heap of one more charger that is connected, has booted and says nothing. */
export const ocppIdleHeap: Benchmark = {
  figures: ["ocpp_idle_charger_heap"],
  run: async () => {
    const adapterKB = await idleKB(["adapter", String(WARM_CHARGERS)]);
    const floorKB = await idleKB(["floor"]);
    return [
      figure({
        name: "ocpp_idle_charger_heap",
        value: adapterKB,
        unit: "kB",
        target: 6,
        floor: floorKB,
        detail: `each of ${IDLE_CHARGERS} more, with its config; floor in kB: ws alone`,
      }),
    ];
  },
};

async function idleKB(server: readonly string[]): Promise<number> {
  await using pair = await Pair.start(server);
  await pair.dial(0, WARM_CHARGERS);
  await pause(SETTLE_MS);
  const beforeBytes = await pair.server.ask<number>("heap");
  if (server[0] === "adapter") await pair.server.ask("add", IDLE_CHARGERS);
  await pair.dial(WARM_CHARGERS, IDLE_CHARGERS);
  await pause(SETTLE_MS);
  return ((await pair.server.ask<number>("heap")) - beforeBytes) / IDLE_CHARGERS / 1000;
}

/** Chargers that are lost when 5,000 dial in, boot, and send their meter values. */
export const ocppManyChargers: Benchmark = {
  figures: ["ocpp_lost_of_5000_chargers"],
  run: async () => {
    await using pair = await Pair.start(["adapter", String(MANY_CHARGERS)]);
    const beganMs = performance.now();
    await pair.dial(0, MANY_CHARGERS);
    const tookS = (performance.now() - beganMs) / 1000;
    await pair.clients.ask("meter", { messages: MANY_CHARGERS, inFlight: 200 });
    await pause(SETTLE_MS);
    const connected = await pair.server.ask<number>("connected");
    const readings = await pair.server.ask<number>("readings");
    return [
      figure({
        name: "ocpp_lost_of_5000_chargers",
        value: MANY_CHARGERS - Math.min(connected, readings),
        unit: "chargers",
        target: 0,
        floor: 0,
        detail: `${connected} connected and booted within ${tookS.toFixed(1)} s, ${readings} readings; floor: none`,
      }),
    ];
  },
};

/** How much longer setpoints of others take while one charger sends garbage as fast as it can. */
export const ocppGarbage: Benchmark = {
  figures: ["ocpp_setpoint_beside_garbage"],
  run: async ({ progress }: BenchContext): Promise<readonly Figure[]> => {
    await using pair = await Pair.start(["adapter", String(COMMANDED_CHARGERS + 1)]);
    await using vandal = await AskedProgram.start("bench/ocpp-vandal.js");
    await pair.dial(0, COMMANDED_CHARGERS);
    await pause(SETTLE_MS);
    const command = () => pair.server.ask<number>("setpoints", { chargers: COMMANDED_CHARGERS, forMs: COMMANDING_MS });
    await command();
    const ratios: number[] = [];
    const quietMs: number[] = [];
    let frames = 0;
    for (let turn = 1; turn <= TURNS; turn++) {
      const alone = await command();
      await vandal.ask("begin", `${pair.url}/CP-${COMMANDED_CHARGERS}`);
      const beside = await command();
      frames = await vandal.ask<number>("end");
      ratios.push(beside / alone);
      quietMs.push(alone);
      progress(`turn ${turn} of ${TURNS}: ${beside.toFixed(3)} ms to ${alone.toFixed(3)} ms`);
    }
    if (frames === 0) throw new Error("no garbage was sent");
    return [
      figure({
        name: "ocpp_setpoint_beside_garbage",
        value: percentile(ratios, 50),
        unit: "x",
        target: 1.2,
        floor: percentile(quietMs, 50),
        detail: `median setpoint, ${frames} frames of garbage from one charger; floor in ms: without it`,
      }),
    ];
  },
};

/** A server and the chargers that dial in to it, each a process of its own. */
class Pair implements AsyncDisposable {
  readonly server: AskedProgram;
  readonly clients: AskedProgram;
  readonly url: string;

  private constructor(server: AskedProgram, clients: AskedProgram, url: string) {
    this.server = server;
    this.clients = clients;
    this.url = url;
  }

  static async start(server: readonly string[]): Promise<Pair> {
    const serving = await AskedProgram.start(SERVER, server, FLAGS);
    const clients = await AskedProgram.start(CLIENTS);
    return new Pair(serving, clients, await serving.ask<string>("url"));
  }

  async dial(from: number, count: number): Promise<void> {
    await this.clients.ask("dial", { url: this.url, from, count });
  }

  /** CPU for one message, user and system, us. */
  async meterUs(): Promise<number> {
    const beforeUs = await this.server.ask<number>("cpuUs");
    for (let round = 0; round < MESSAGES_PER_CHARGER; round++) {
      await this.clients.ask("meter", { messages: METERED_CHARGERS, inFlight: METERED_CHARGERS });
    }
    return ((await this.server.ask<number>("cpuUs")) - beforeUs) / (METERED_CHARGERS * MESSAGES_PER_CHARGER);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clients[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}
