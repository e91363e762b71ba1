import { z } from "zod";
import type { AdapterHost, AdapterMemory } from "../../adapters/kind.ts";
import type { AnyAdapterKind } from "../../src/cli/parts.ts";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Adapter, Target } from "../../src/model/adapter.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { NotRun } from "../outcome.ts";

/** A device as the site's config has it. */
export interface ConfiguredDevice {
  readonly era: string;
  readonly kind: ResourceKind;
  /** Its part under the protocol's name. */
  readonly part: Readonly<Record<string, unknown>>;
}

export interface ServerOptions {
  readonly kind: AnyAdapterKind;
  /** The part of the config that all devices share. */
  readonly shared: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A power to be held later. */
export interface Planned extends Target {
  readonly fromMs: number;
}

const START_AGAIN_MS = 5000;

/** What an adapter may have beyond what every adapter has: to be told what comes next. */
interface PlanningAdapter extends Adapter {
  plan?(targets: readonly Planned[]): void;
}

/** The gateway's server with its devices, and the hands of its operator: config, orders, restarts. */
export class ServerUnderTest implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #stop = new AbortController();
  readonly #adapters = new Map<string, PlanningAdapter>();
  readonly #planned = new Map<string, Planned[]>();
  #host: AdapterHost<unknown> | undefined;
  #starting: Promise<void>[] = [];
  #orders = 0;
  #origin = "";
  /** What came of the last order that was not accepted. */
  refusal: string | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get origin(): string {
    return this.#origin;
  }

  /** Starts it with these devices; once more restarts it at the same address. @throws NotRun for a key that it does not have */
  async open(devices: readonly ConfiguredDevice[]): Promise<void> {
    const { kind, clock, log } = this.#options;
    await this.#close();
    const port = this.#origin === "" ? 0 : Number(new URL(this.#origin).port);
    const shared = known(kind.sharedSchema.safeParse({ ...this.#options.shared, port }), "the server's config");
    const host = await kind.createHost(shared, { clock, log, random: Math.random, memory: emptyMemory() });
    this.#host = host;
    for (const { era, kind: role, part } of devices) {
      const parsed = known(kind.deviceSchema.safeParse(part), "a device's config");
      this.#adapters.set(era, host.adapter({ era, kind: role }, parsed));
    }
    await host.start(this.#stop.signal);
    for (const adapter of this.#adapters.values()) this.#starting.push(this.#start(adapter));
    const [address] = Object.values(host.addresses());
    if (address === undefined) throw new NotRun("the server does not listen without a device");
    this.#origin = new URL(address).origin;
  }

  /** Orders a power from now on; whether the device takes it is seen at the device. @param powerKW export positive */
  order(era: string, powerKW: number, untilMs: number): void {
    const target = { setpointId: `order-${++this.#orders}`, powerKW, untilMs };
    this.#adapter(era)
      .apply(target, this.#stop.signal)
      .catch((error: unknown) => {
        this.refusal = error instanceof Error ? error.message : String(error);
      });
  }

  /** Orders a power for later. @throws NotRun where the server publishes nothing ahead */
  orderAhead(era: string, powerKW: number, fromMs: number, untilMs: number): void {
    const adapter = this.#adapter(era);
    if (adapter.plan === undefined) throw new NotRun("the server publishes nothing ahead of its start");
    const nowMs = this.#options.clock.now();
    const open = (this.#planned.get(era) ?? []).filter((one) => one.untilMs > nowMs);
    const planned = [...open, { setpointId: `order-${++this.#orders}`, powerKW, fromMs, untilMs }];
    this.#planned.set(era, planned);
    adapter.plan(planned.toSorted((one, other) => one.fromMs - other.fromMs));
  }

  /** Asks the running server what `setpointd 2030.5 OPERATION` asks it. @throws NotRun where it knows nothing of it */
  async operate(operation: string, input: unknown): Promise<void> {
    const run = this.#host?.operations?.[operation];
    if (run === undefined) throw new NotRun(`the server has no operation "${operation}"`);
    await run(input, this.#stop.signal);
  }

  /** Takes everything back that was ordered. */
  cancelAll(era: string): void {
    this.#planned.delete(era);
    const adapter = this.#adapter(era);
    adapter.plan?.([]);
    adapter.release(this.#stop.signal).catch((error: unknown) => {
      this.refusal = error instanceof Error ? error.message : String(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the procedure is over"));
    await this.#close();
  }

  #adapter(era: string): PlanningAdapter {
    const adapter = this.#adapters.get(era);
    if (adapter === undefined) throw new NotRun(`${era} is not in the config`);
    return adapter;
  }

  /** As the gateway does: again and again, until the device is there or the adapter is closed. */
  async #start(adapter: Adapter): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && [...this.#adapters.values()].includes(adapter)) {
      try {
        await adapter.start(signal);
        return;
      } catch {
        await this.#options.clock.sleep(START_AGAIN_MS, signal).catch(() => {});
      }
    }
  }

  async #close(): Promise<void> {
    const adapters = [...this.#adapters.values()];
    this.#adapters.clear();
    for (const adapter of adapters) await adapter[Symbol.asyncDispose]();
    await Promise.all(this.#starting.splice(0));
    await this.#host?.[Symbol.asyncDispose]();
    this.#host = undefined;
  }
}

function known(parsed: z.ZodSafeParseResult<unknown>, what: string): unknown {
  if (parsed.success) return parsed.data;
  const fault = z.prettifyError(parsed.error).replaceAll(/\s+/g, " ").replace("✖ ", "");
  throw new NotRun(`${what} does not have what it needs: ${fault}`);
}

/** Nothing is known from before. */
function emptyMemory(): AdapterMemory {
  const values = new Map<string, unknown>();
  return {
    get: (key) => values.get(key),
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
    set: async (key, value) => void values.set(key, value),
    forget: async (key) => void values.delete(key),
  };
}
