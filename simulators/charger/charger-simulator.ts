import { type Clock, repeatEvery } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Battery } from "../world/battery.ts";
import { createRng } from "../world/rng.ts";
import { createControls } from "./charger-controls.ts";
import { type ChargerSettings, defaultSettings } from "./charger-settings.ts";
import type { CallHandler, Dialect } from "./dialect.ts";
import { type ChargerBehaviour, ChargerSocket } from "./link/charger-socket.ts";
import { Uplink } from "./link/uplink.ts";
import { ocpp201 } from "./ocpp2/ocpp2.ts";
import { ocpp16 } from "./ocpp16/ocpp16.ts";
import { EnergyPath } from "./power/energy-path.ts";
import type { RateUnit } from "./profiles/charging-profile.ts";
import { ProfileStore } from "./profiles/profile-store.ts";
import { ChargingSession } from "./session/charging-session.ts";
import type { StopReason } from "./session/transaction.ts";

export type { ChargerBehaviour } from "./link/charger-socket.ts";

export interface ChargerSimulatorOptions {
  readonly identity: string;
  /** `ws://127.0.0.1:9220/ocpp`; the identity is appended. */
  readonly url: string;
  readonly version: "1.6" | "2.0.1";
  readonly phases: 1 | 3;
  /** Per phase: what the cable and the fuse of the charger carry. */
  readonly maxA: number;
  /** Line to neutral, 230 if absent. */
  readonly voltageV?: number;
  readonly car: Battery;
  readonly clock: Clock;
  readonly log: Log;
  /** Interval of meter values until the CSMS sets another, 1000 if absent. */
  readonly meterIntervalMs?: number;
  readonly idTag?: string;
  readonly behaviour?: Partial<ChargerBehaviour>;
  /** Units of a limit that the charger takes, both if absent. */
  readonly rateUnits?: readonly RateUnit[];
  /** How long a restart takes, 500 if absent. */
  readonly rebootMs?: number;
}

const MOST_KEPT = 200;
const TICK_MS = 100;
const SETTLE_MS = 3_000;
const POLL_MS = 20;

/**
 * A charger with one connector and a car at it, as a network program of its own. It is strict: it checks what it is sent
 * against the schemas and the rules of the protocol, and refuses what a careful charger refuses.
 */
export class ChargerSimulator implements AsyncDisposable {
  /** May be changed while it runs. */
  readonly behaviour: ChargerBehaviour;
  /** Every SetChargingProfile payload, newest last; only the last 200. */
  readonly profilesReceived: readonly unknown[];
  /** What did not pass the schemas, in either direction, newest last; only the last 200. */
  readonly violations: readonly string[];
  readonly #received: unknown[] = [];
  readonly #violated: string[] = [];
  readonly #options: ChargerSimulatorOptions;
  readonly #dialect: Dialect;
  readonly #settings: ChargerSettings;
  readonly #profiles: ProfileStore;
  readonly #path: EnergyPath;
  readonly #uplink: Uplink;
  readonly #session: ChargingSession;
  readonly #handlers: Readonly<Record<string, CallHandler>>;
  readonly #stop = new AbortController();
  #ticking: Promise<void> | undefined;
  #rebooting: Promise<void> | undefined;
  #resetWhenIdle = false;

  constructor(options: ChargerSimulatorOptions) {
    const { clock, log, version, car, phases, maxA, voltageV = 230 } = options;
    this.#options = options;
    this.profilesReceived = this.#received;
    this.violations = this.#violated;
    this.behaviour = {
      ignoresProfiles: false,
      rejectsProfiles: false,
      silent: false,
      talksNonsense: false,
      ...options.behaviour,
    };
    this.#dialect = version === "1.6" ? ocpp16 : ocpp201;
    this.#settings = defaultSettings(options.meterIntervalMs ?? 1000);
    this.#profiles = new ProfileStore({
      units: options.rateUnits ?? ["A", "W"],
      maxStackLevel: 8,
      maxPeriods: 24,
      maxProfiles: 10,
      connectors: 1,
    });
    this.#path = new EnergyPath({
      clock,
      car,
      wiring: { phases, maxA, voltageV },
      profiles: this.#profiles,
      heedsProfiles: () => !this.behaviour.ignoresProfiles,
    });
    this.#uplink = new Uplink({
      clock,
      log,
      random: createRng(1).fork(options.identity).next,
      open: () => this.#openSocket(),
      boot: async (call) => {
        const answer = await this.#dialect.boot(call, options.identity);
        if (answer.status === "Accepted" && answer.intervalMs > 0) this.#settings.heartbeatMs = answer.intervalMs;
        return answer;
      },
      heartbeatMs: () => this.#settings.heartbeatMs,
      ready: () => this.#session.sendStatus(),
    });
    this.#session = new ChargingSession({
      version,
      clock,
      log,
      dialect: this.#dialect,
      uplink: this.#uplink,
      path: this.#path,
      profiles: this.#profiles,
      settings: this.#settings,
    });
    this.#handlers = this.#dialect.handlers(
      createControls({
        version,
        identity: options.identity,
        clock,
        log,
        signal: this.#stop.signal,
        behaviour: this.behaviour,
        settings: this.#settings,
        profiles: this.#profiles,
        path: this.#path,
        uplink: this.#uplink,
        session: this.#session,
        restart: (when) => {
          if (when === "idle") this.#resetWhenIdle = true;
          else void this.#restart("Reboot");
        },
      }),
    );
  }

  /**
   * Connects, boots, plugs the car in and starts a transaction. Resolves when the car may charge, and at the latest when
   * the first dial failed or after 3 s: it goes on trying by itself.
   */
  async start(): Promise<void> {
    this.#uplink.start();
    const tickMs = Math.min(TICK_MS, this.#settings.sampleIntervalMs || TICK_MS);
    this.#ticking ??= repeatEvery(this.#options.clock, tickMs, this.#stop.signal, () => this.#tick());
    await this.plugIn();
  }

  /** A car comes, and its driver wants to charge. Resolves as `start` does. */
  async plugIn(): Promise<void> {
    this.#session.plugIn(this.#options.idTag ?? "04A1B2C3");
    this.#session.tick();
    await this.#untilCharging();
  }

  /** The car leaves, and the transaction ends. Resolves when the CSMS knows, or cannot be told now. */
  async unplug(): Promise<void> {
    this.#session.unplug();
    this.#session.tick();
    await this.#until(() => !this.#uplink.online || this.#uplink.waiting === 0);
  }

  /**
   * The supply fails and comes back: the link drops, the charger boots again, transaction profiles are gone. In 1.6 the
   * transaction ends with PowerLoss and a new one begins, in 2.0.1 it goes on. Resolves as `start` does.
   *
   * @param options.forgetsProfiles true for a charger that keeps no profile over a restart
   */
  async reboot(options: { forgetsProfiles?: boolean } = {}): Promise<void> {
    if (options.forgetsProfiles) this.#profiles.forgetAll();
    await this.#restart(this.#options.version === "1.6" ? "PowerLoss" : undefined);
  }

  /** The link breaks and stays down; the car charges on. */
  async disconnect(): Promise<void> {
    await this.#uplink.pause();
  }

  /** The link may come back. Resolves when it has, or as `start` does. */
  async reconnect(): Promise<void> {
    const failures = this.#uplink.failures;
    this.#uplink.resume();
    await this.#until(() => this.#uplink.online || this.#uplink.failures > failures);
  }

  /** kW, export positive: 0 or less. */
  powerKW(): number {
    return this.#path.powerKW();
  }

  /** Current per phase that binds now, A, whether or not a car draws it. */
  limitA(): number {
    return this.#path.limit().limitA;
  }

  /** True while a profile is installed that has not ended. */
  hasProfile(): boolean {
    this.#profiles.forgetEnded(this.#path.moment());
    return this.#profiles.all.length > 0;
  }

  /** The link is up and the CSMS accepted the boot. */
  online(): boolean {
    return this.#uplink.online;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the charger is switched off"));
    await this.#uplink[Symbol.asyncDispose]();
    await this.#ticking;
    await this.#rebooting;
  }

  #tick(): void {
    try {
      this.#session.tick();
      if (!this.#resetWhenIdle || this.#session.transaction !== undefined) return;
      this.#resetWhenIdle = false;
      void this.#restart("Reboot");
    } catch (error) {
      this.#options.log.error("the charger's own logic failed", { err: error });
    }
  }

  async #restart(reason: StopReason | undefined): Promise<void> {
    this.#rebooting ??= this.#powerCycle(reason).finally(() => {
      this.#rebooting = undefined;
    });
    await this.#rebooting;
    await this.#untilCharging();
  }

  async #powerCycle(reason: StopReason | undefined): Promise<void> {
    this.#uplink.forgetBoot();
    // The link goes first: a charger without supply says nothing more, and tells of the stop when it is back.
    const linkGone = this.#uplink.pause();
    this.#session.powerDown(reason);
    await linkGone;
    await this.#options.clock.sleep(this.#options.rebootMs ?? 500, this.#stop.signal).catch(() => {});
    this.#session.powerUp();
    this.#uplink.resume();
  }

  async #untilCharging(): Promise<void> {
    const failures = this.#uplink.failures;
    await this.#until(() => {
      const reported = this.#uplink.online && !this.#session.starting;
      return reported || this.#uplink.failures > failures;
    });
  }

  /** Waits for a condition, but never long: the simulator goes on by itself. */
  async #until(holds: () => boolean): Promise<void> {
    const { clock } = this.#options;
    const giveUpAtMs = clock.elapsedMs() + SETTLE_MS;
    try {
      while (!holds() && clock.elapsedMs() < giveUpAtMs) await clock.sleep(POLL_MS, this.#stop.signal);
    } catch {
      // Switched off meanwhile.
    }
  }

  #openSocket(): ChargerSocket {
    const { url, identity, log } = this.#options;
    const socket = new ChargerSocket({
      endpoint: url,
      identity,
      subprotocol: this.#dialect.subprotocol,
      behaviour: this.behaviour,
    });
    for (const [action, handler] of Object.entries(this.#handlers)) {
      socket.handle(action, async ({ params }) => {
        if (action === "SetChargingProfile") keep(this.#received, params);
        return handler(params);
      });
    }
    socket.on("strictValidationFailure", ({ method, outbound, error }: SchemaFailure) => {
      const text = `${method} ${outbound ? "out" : "in"}: ${error.message}`;
      keep(this.#violated, text);
      log.warn("a message does not pass the schema", { text });
    });
    socket.on("badMessage", ({ error }: { error: Error }) => {
      log.debug("a frame cannot be read", { text: error.message });
    });
    return socket;
  }
}

interface SchemaFailure {
  readonly method: string;
  readonly outbound: boolean;
  readonly error: Error;
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MOST_KEPT) list.shift();
}
