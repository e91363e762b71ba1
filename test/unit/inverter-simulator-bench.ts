import modbusSerial from "modbus-serial";
import { InverterSimulator, type InverterSimulatorOptions } from "../../simulators/inverter/inverter-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import type { Sun } from "../../simulators/world/sun.ts";
import type { Clock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";

const ModbusClient = modbusSerial.default;

/** Time that moves only when told. */
export class HandClock implements Clock {
  #elapsedMs = 0;
  #sleepers: { dueMs: number; wake: () => void }[] = [];

  now(): number {
    return Date.UTC(2026, 5, 1, 12) + this.#elapsedMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) reject(signal.reason);
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const sleeper = { dueMs: this.#elapsedMs + ms, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", onAbort);
    });
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
    const due = this.#sleepers.filter(({ dueMs }) => dueMs <= this.#elapsedMs);
    this.#sleepers = this.#sleepers.filter(({ dueMs }) => dueMs > this.#elapsedMs);
    for (const { wake } of due) wake();
  }
}

/** A sky that a test sets by hand. */
export const sky = { share: 0.8 };

export interface Bench extends AsyncDisposable {
  readonly simulator: InverterSimulator;
  readonly clock: HandClock;
  readonly host: string;
  readonly port: number;
  readonly base: number;
  /** Registers of a model, from an offset counted from its ID, read by an independent client. */
  read(model: number, offset: number, count: number): Promise<number[]>;
  /** Function 16. */
  write(model: number, offset: number, values: number[]): Promise<void>;
  /** Function 6. */
  writeOne(model: number, offset: number, value: number): Promise<void>;
  client(): Promise<Client>;
  /** Long enough for the hardware to follow its last command. */
  settle(): void;
}

type Client = InstanceType<typeof ModbusClient>;

/** A 10 kW solar inverter under a sky of 80 %, or a 5 kW battery of 10 kWh at 50 %, with a client connected to it. */
export async function openBench(
  kind: "solar" | "battery",
  options: Partial<InverterSimulatorOptions> = {},
): Promise<Bench> {
  const clock = new HandClock();
  sky.share = 0.8;
  const source =
    kind === "solar"
      ? new SolarPanel(clock, { share: () => sky.share } as Sun, { ratingKW: 10 })
      : new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
  const simulator = new InverterSimulator({ kind, source, clock, log: silentLog, map: "legacy", ...options });
  const { host, port } = await simulator.listen();
  const base = options.base ?? 40_000;
  const clients: Client[] = [];
  const connect = async () => {
    const client = new ModbusClient();
    client.on("error", () => {});
    clients.push(client);
    await client.connectTCP(host, { port });
    client.setID(options.unit ?? 1);
    client.setTimeout(1000);
    return client;
  };
  const client = await connect();
  const addresses = new Map<number, number>();
  for (let address = base + 2; ; ) {
    const [id = 0xffff, length = 0] = (await client.readHoldingRegisters(address, 2)).data;
    if (id === 0xffff) break;
    addresses.set(id, address);
    address += 2 + length;
  }
  const place = (model: number, offset: number) => {
    const start = addresses.get(model);
    if (start === undefined) throw new Error(`the device has no model ${model}`);
    return start + offset;
  };
  return {
    simulator,
    clock,
    host,
    port,
    base,
    client: connect,
    read: async (model, offset, count) => (await client.readHoldingRegisters(place(model, offset), count)).data,
    write: async (model, offset, values) => {
      await client.writeRegisters(place(model, offset), values);
    },
    writeOne: async (model, offset, value) => {
      await client.writeRegister(place(model, offset), value);
    },
    settle: () => {
      // The dead time and the approach start when the hardware next looks at its command.
      simulator.powerKW();
      clock.advance(10_000);
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of clients) each.destroy(() => {});
      await simulator[Symbol.asyncDispose]();
    },
  };
}

/** A signed 16-bit number. */
export function signed(register: number | undefined): number {
  return new Int16Array([register ?? 0])[0] ?? 0;
}

/** The Modbus exception code that a call ended with, or undefined when it succeeded. */
export async function exceptionOf(call: Promise<unknown>): Promise<number | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const code = (error as { modbusCode?: number }).modbusCode;
    if (code === undefined) throw error;
    return code;
  }
}
