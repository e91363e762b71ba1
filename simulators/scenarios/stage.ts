import { generateKeyPairSync } from "node:crypto";
import { setMaxListeners } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type {
  Check,
  GatewayHandle,
  ProviderHandle,
  ScenarioContext,
  ScenarioReport,
  ScenarioTable,
} from "../../src/cli/scenario-parts.ts";
import type { Clock } from "../../src/clock.ts";
import { fastClock } from "../../src/fast-clock.ts";
import { createRng, type Rng } from "../world/rng.ts";

const POLL_REAL_MS = 20;

/** An Ed25519 key with the name under which the network knows it. */
export interface Party {
  readonly subscriberId: string;
  readonly keyId: string;
  /** Base64 of 32 bytes, as Beckn writes keys. */
  readonly publicKey: string;
  readonly privateKeyFile: string;
}

/** What a scenario stands on: its clock, what it opened, what it tells and what it checked. */
export class Stage implements AsyncDisposable {
  /** Model time. */
  readonly clock: Clock;
  readonly rng: Rng;
  readonly context: ScenarioContext;
  readonly #story: { at: string; text: string }[] = [];
  readonly #tables: ScenarioTable[] = [];
  readonly #checks: Check[] = [];
  readonly #opened: AsyncDisposable[] = [];

  /**
   * @param options.speed model time per real time
   * @param options.startAtMs model time of the start, epoch ms
   */
  constructor(context: ScenarioContext, options: { readonly speed: number; readonly startAtMs: number }) {
    this.context = context;
    // Every wait of a scenario listens for the stop; Node takes more than ten for a leak.
    setMaxListeners(0, context.signal);
    this.clock = fastClock(context.clock, options.speed, options.startAtMs);
    this.rng = createRng(context.seed);
  }

  /** Closes it when the stage closes, in reverse order. */
  use<T extends AsyncDisposable>(thing: T): T {
    this.#opened.push(thing);
    return thing;
  }

  /** A sentence of the story, with the model's time. */
  say(text: string): void {
    const at = timeText(this.clock.now());
    this.#story.push({ at, text });
    this.context.onStory(at, text);
  }

  table(title: string, columns: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    this.#tables.push({ title, columns, rows });
  }

  /** Something that has to hold; `detail` has the numbers. */
  check(name: string, ok: boolean, detail: string): void {
    this.#checks.push({ name, ok, detail });
  }

  /** Two numbers that have to agree to within `tolerance`. */
  checkEqual(name: string, actual: number, expected: number, tolerance: number, unit: string): void {
    const ok = Math.abs(actual - expected) <= tolerance;
    this.check(name, ok, `${rounded(actual)} ${unit}, expected ${rounded(expected)} ± ${tolerance}`);
  }

  folder(name: string): string {
    const folder = join(this.context.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** A new key, its private half in a file of mode 0600. */
  party(subscriberId: string): Party {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const privateKeyFile = join(this.folder("keys"), `${subscriberId}.key`);
    const bare = (key: Buffer) => key.subarray(-32).toString("base64");
    writeFileSync(privateKeyFile, bare(privateKey.export({ format: "der", type: "pkcs8" })), { mode: 0o600 });
    return {
      subscriberId,
      keyId: "k1",
      publicKey: bare(publicKey.export({ format: "der", type: "spki" })),
      privateKeyFile,
    };
  }

  async gateway(name: string, config: object): Promise<GatewayHandle> {
    const { host, log } = this.context;
    return this.use(await host.startGateway({ config, folder: this.folder(name), clock: this.clock, log }));
  }

  async provider(name: string, config: object): Promise<ProviderHandle> {
    const { host, log } = this.context;
    return this.use(await host.startProvider({ config, folder: this.folder(name), clock: this.clock, log }));
  }

  /** Waits until something is so. @throws Error naming it when it takes longer than `forMs` of model time */
  async until(what: string, forMs: number, isSo: () => boolean): Promise<void> {
    const { clock, signal } = this.context;
    const giveUpAtMs = this.clock.elapsedMs() + forMs;
    while (!isSo()) {
      signal.throwIfAborted();
      if (this.clock.elapsedMs() > giveUpAtMs) {
        throw new Error(`waited ${Math.round(forMs / 1000)} s of model time for ${what}`);
      }
      await clock.sleep(POLL_REAL_MS, signal);
    }
  }

  /** Lets model time pass. */
  async pass(ms: number): Promise<void> {
    await this.clock.sleep(ms, this.context.signal);
  }

  report(scenario: string, title: string): ScenarioReport {
    return {
      schemaVersion: 1,
      scenario,
      title,
      story: this.#story,
      tables: this.#tables,
      checks: this.#checks,
      ok: this.#checks.length > 0 && this.#checks.every((check) => check.ok),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thing of this.#opened.splice(0).reverse()) await thing[Symbol.asyncDispose]();
  }
}

/** 14:05:30 in UTC. */
export function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 19);
}

function rounded(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}
