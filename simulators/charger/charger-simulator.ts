import { type Clock, repeatEvery } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Battery } from "../world/battery.ts";
import { createRng } from "../world/rng.ts";
import { type ChargerBehaviour, GOOD_BEHAVIOUR } from "./behaviour.ts";
import { type Connector, createControls } from "./charger-controls.ts";
import type { ChargerEvent, OnChargerEvent } from "./charger-event.ts";
import { type ChargerSettings, defaultSettings } from "./charger-settings.ts";
import type { CallHandler, Dialect } from "./dialect.ts";
import { ChargerSocket, type SchemaFailure } from "./link/charger-socket.ts";
import type { ExtraFrame } from "./link/frame-sieve.ts";
import { Uplink } from "./link/uplink.ts";
import type { OcppVersion } from "./ocpp-version.ts";
import { createOcpp2 } from "./ocpp2/ocpp2.ts";
import { pullSchedule } from "./ocpp2/v2x.ts";
import { ocpp16 } from "./ocpp16/ocpp16.ts";
import { EnergyPath } from "./power/energy-path.ts";
import type { RateUnit } from "./profiles/charging-profile.ts";
import { DynamicProfiles } from "./profiles/dynamic-profiles.ts";
import type { Wiring } from "./profiles/effective-limit.ts";
import { ProfileStore } from "./profiles/profile-store.ts";
import { ChargingSession } from "./session/charging-session.ts";
import { LocalList } from "./session/local-list.ts";
import { Reservations } from "./session/reservations.ts";
import type { StopReason } from "./session/transaction.ts";

export type { ChargerBehaviour } from "./behaviour.ts";

export interface ChargerSimulatorOptions {
  readonly identity: string;
  /** `ws://127.0.0.1:9220/ocpp`; the identity is appended. */
  readonly url: string;
  readonly version: OcppVersion;
  /** Of a DC outlet 1. */
  readonly phases: 1 | 3;
  /** Per phase: what the cable and the fuse of the charger carry. */
  readonly maxA: number;
  /** Line to neutral, 230 if absent; of a DC outlet between its poles, 400 if absent. */
  readonly voltageV?: number;
  /** AC if absent. A DC outlet takes watts, no phases, and has no least current. */
  readonly current?: "AC" | "DC";
  /** The one at connector 1. With `maxDischargeKW` above 0, and OCPP 2.1, it gives back when it is told to. */
  readonly car: Battery;
  /** One more connector for each. */
  readonly otherCars?: readonly Battery[];
  readonly clock: Clock;
  readonly log: Log;
  /** Interval of meter values until the CSMS sets another, 1000 if absent. */
  readonly meterIntervalMs?: number;
  readonly idTag?: string;
  readonly behaviour?: Partial<ChargerBehaviour>;
  /** Units of a limit that the charger takes; if absent both, and watts alone at a DC outlet. */
  readonly rateUnits?: readonly RateUnit[];
  /** It can go from three phases to one; true if absent and there are three. */
  readonly switchesPhases?: boolean;
  /** How long no current flows while it does, 0 if absent. */
  readonly phaseSwitchMs?: number;
  /** How long a restart takes, 500 if absent. */
  readonly rebootMs?: number;
  /** Hears what happens, as it happens. */
  readonly onEvent?: OnChargerEvent;
}

/** A message of 2.1 that wants no answer, as it came from the CSMS. */
export interface ReceivedSend {
  readonly action: string;
  readonly payload: unknown;
}

const MOST_KEPT = 200;
const TICK_MS = 100;
const SETTLE_MS = 3_000;
const POLL_MS = 20;

/**
 * A charger with its connectors and a car at each, as a network program of its own. It is strict: it checks what it is
 * sent against the schemas and the rules of the protocol, and refuses what a careful charger refuses.
 */
export class ChargerSimulator implements AsyncDisposable {
  /** May be changed while it runs. */
  readonly behaviour: ChargerBehaviour;
  /** Every SetChargingProfile payload, newest last; only the last 200. */
  readonly profilesReceived: readonly unknown[];
  /** What did not pass the schemas, in either direction, newest last; only the last 200. */
  readonly violations: readonly string[];
  /** What the CSMS sent without wanting an answer (2.1), newest last; only the last 200. */
  readonly sendsReceived: readonly ReceivedSend[];
  /** What the CSMS said of answers that it could not use (CALLRESULTERROR of 2.1), newest last; only the last 200. */
  readonly resultErrors: readonly string[];
  readonly #received: unknown[] = [];
  readonly #violated: string[] = [];
  readonly #sends: ReceivedSend[] = [];
  readonly #resultErrors: string[] = [];
  readonly #options: ChargerSimulatorOptions;
  readonly #dialect: Dialect;
  readonly #settings: ChargerSettings;
  readonly #profiles: ProfileStore;
  readonly #dynamic: DynamicProfiles;
  readonly #reservations = new Reservations();
  readonly #localList = new LocalList();
  readonly #uplink: Uplink;
  readonly #connectors: readonly [Connector, ...Connector[]];
  readonly #handlers: Readonly<Record<string, CallHandler>>;
  readonly #bidirectional: boolean;
  readonly #stop = new AbortController();
  #ticking: Promise<void> | undefined;
  #rebooting: Promise<void> | undefined;
  #resetWhenIdle = false;

  constructor(options: ChargerSimulatorOptions) {
    const { clock, log, version, car, otherCars = [], phases, maxA, current = "AC" } = options;
    this.#options = options;
    this.profilesReceived = this.#received;
    this.violations = this.#violated;
    this.sendsReceived = this.#sends;
    this.resultErrors = this.#resultErrors;
    this.behaviour = { ...GOOD_BEHAVIOUR, ...options.behaviour };
    this.#dialect = version === "1.6" ? ocpp16 : createOcpp2(version);
    const cars = [car, ...otherCars];
    this.#bidirectional = version === "2.1" && cars.some(({ options: { maxDischargeKW } }) => maxDischargeKW > 0);
    this.#settings = defaultSettings(options.meterIntervalMs ?? 1000, version, this.#bidirectional);
    this.#profiles = new ProfileStore({
      units: options.rateUnits ?? (current === "DC" ? ["W"] : ["A", "W"]),
      maxStackLevel: 8,
      maxPeriods: 24,
      maxProfiles: 10,
      connectors: cars.length,
      current,
      phases: current === "DC" ? 1 : phases,
      switchesPhases: current === "AC" && phases === 3 && options.switchesPhases !== false,
    });
    this.#uplink = new Uplink({
      clock,
      log,
      random: createRng(1).fork(options.identity).next,
      open: () => this.#openSocket(),
      boot: async (call) => {
        const answer = await this.#dialect.boot(call, options.identity);
        if (answer.status === "Accepted" && answer.intervalMs > 0) this.#settings.heartbeatMs = answer.intervalMs;
        this.#tell({ event: "boot", status: answer.status });
        return answer;
      },
      heartbeatMs: () => this.#settings.heartbeatMs,
      ready: () => {
        for (const { session } of this.#connectors) session.sendStatus();
      },
    });
    const wiring: Wiring =
      current === "DC"
        ? { phases: 1, maxA, voltageV: options.voltageV ?? 400, current }
        : { phases, maxA, voltageV: options.voltageV ?? 230 };
    const [first, ...others] = cars;
    this.#connectors = [
      this.#connector(1, first ?? car, wiring),
      ...others.map((other, index) => this.#connector(index + 2, other, wiring)),
    ];
    const controls = createControls({
      version,
      identity: options.identity,
      clock,
      log,
      signal: this.#stop.signal,
      behaviour: this.behaviour,
      settings: this.#settings,
      dialect: this.#dialect,
      profiles: this.#profiles,
      connectors: this.#connectors,
      connectorsInUse: () => this.#connectorsInUse(),
      bidirectional: this.#bidirectional,
      reservations: this.#reservations,
      localList: this.#localList,
      uplink: this.#uplink,
      onEvent: (event) => this.#tell(event),
      restart: (when) => {
        if (when === "idle") this.#resetWhenIdle = true;
        else void this.#restart("Reboot");
      },
    });
    this.#handlers = this.#dialect.handlers(controls);
    this.#dynamic = new DynamicProfiles({
      clock,
      log,
      profiles: this.#profiles,
      pull: (id) => pullSchedule((action, payload) => this.#uplink.call(action, payload), id),
      update: controls.updateProfile,
    });
  }

  /**
   * Connects, boots, plugs the cars in and starts a transaction. Resolves when the cars may charge, and at the latest
   * when the first dial failed or after 3 s: it goes on trying by itself.
   */
  async start(): Promise<void> {
    this.#uplink.start();
    const tickMs = Math.min(TICK_MS, this.#settings.sampleIntervalMs || TICK_MS);
    this.#ticking ??= repeatEvery(this.#options.clock, tickMs, this.#stop.signal, () => this.#tick());
    for (const { session } of this.#connectors) session.plugIn(this.#idTag);
    this.#tick();
    await this.#untilCharging();
  }

  /** A car comes, and its driver wants to charge. Resolves as `start` does. @throws RangeError without such a connector */
  async plugIn(connectorId = 1): Promise<void> {
    const { session } = this.#at(connectorId);
    session.plugIn(this.#idTag);
    session.tick();
    await this.#untilCharging();
  }

  /**
   * The car leaves, and the transaction ends. Resolves when the CSMS knows, or cannot be told now.
   * @throws RangeError without such a connector
   */
  async unplug(connectorId = 1): Promise<void> {
    const { session } = this.#at(connectorId);
    session.unplug();
    session.tick();
    await this.#until(() => !this.#uplink.online || this.#uplink.waiting === 0);
  }

  /**
   * The supply fails and comes back: the link drops, the charger boots again, transaction profiles are gone. In 1.6 the
   * transaction ends with PowerLoss and a new one begins, in 2.x it goes on. Resolves as `start` does.
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

  /** Calls the CSMS by itself. @throws when there is no link, no answer, or an error as the answer */
  async call(action: string, payload: Record<string, unknown>): Promise<unknown> {
    return await this.#uplink.call(action, payload);
  }

  /** Sends a message that wants no answer (2.1). @throws when there is no link, or it does not pass the schema */
  send(action: string, payload: Record<string, unknown>): void {
    this.#uplink.send(action, payload);
  }

  /** kW, export positive; of the whole station unless a connector is named. */
  powerKW(connectorId?: number): number {
    if (connectorId !== undefined) return this.#at(connectorId).path.powerKW();
    return this.#connectors.reduce((sumKW, { path }) => sumKW + path.powerKW(), 0);
  }

  /** Current per phase that binds now, A, whether or not a car draws it. */
  limitA(connectorId = 1): number {
    return this.#at(connectorId).path.limit().limitA;
  }

  /** True while a profile is installed that has not ended. */
  hasProfile(): boolean {
    this.#profiles.forgetEnded(this.#connectors[0].path.moment());
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

  get #idTag(): string {
    return this.#options.idTag ?? "04A1B2C3";
  }

  #connector(id: number, car: Battery, wiring: Wiring): Connector {
    const { clock, log, version, phaseSwitchMs = 0 } = this.#options;
    const path = new EnergyPath({
      clock,
      car,
      wiring,
      profiles: () => (this.behaviour.ignoresProfiles ? [] : this.#profiles.applyingTo(id)),
      offlineMs: () => this.#uplink.offlineMs,
      connectorsInUse: () => this.#connectorsInUse(),
      mayDischarge: () => session.transaction?.mayDischarge === true,
      spoil: (limit) => limit,
      phaseSwitchMs,
    });
    const session: ChargingSession = new ChargingSession({
      connectorId: id,
      version,
      clock,
      log,
      dialect: this.#dialect,
      uplink: this.#uplink,
      path,
      profiles: this.#profiles,
      settings: this.#settings,
      reservations: this.#reservations,
      localList: this.#localList,
      bidirectional: this.#bidirectional,
      onEvent: (event) => this.#tell(event),
    });
    return { id, path, session };
  }

  #at(connectorId: number): Connector {
    const connector = this.#connectors.find(({ id }) => id === connectorId);
    if (connector === undefined) throw new RangeError(`the charger has no connector ${connectorId}`);
    return connector;
  }

  #connectorsInUse(): number {
    return Math.max(1, this.#connectors.filter(({ path }) => path.closed).length);
  }

  #tell(event: ChargerEvent): void {
    this.#options.onEvent?.(event);
  }

  #tick(): void {
    try {
      this.#expireReservations();
      for (const { session } of this.#connectors) session.tick();
      this.#dynamic.tick();
      if (!this.#resetWhenIdle || this.#connectors.some(({ session }) => session.transaction !== undefined)) return;
      this.#resetWhenIdle = false;
      void this.#restart("Reboot");
    } catch (error) {
      this.#options.log.error("the charger's own logic failed", { err: error });
    }
  }

  #expireReservations(): void {
    for (const reservation of this.#reservations.expire(this.#options.clock.now())) {
      void this.#at(reservation.connectorId).session.note(this.#dialect.reservationExpired?.(reservation));
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
    for (const { session } of this.#connectors) session.powerDown(reason);
    await linkGone;
    await this.#options.clock.sleep(this.#options.rebootMs ?? 500, this.#stop.signal).catch(() => {});
    for (const { session } of this.#connectors) session.powerUp();
    this.#uplink.resume();
  }

  async #untilCharging(): Promise<void> {
    const failures = this.#uplink.failures;
    await this.#until(() => {
      const reported = this.#uplink.online && !this.#connectors.some(({ session }) => session.starting);
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
    const { url, identity, version } = this.#options;
    const socket = new ChargerSocket({ endpoint: url, identity, version, behaviour: this.behaviour });
    for (const [action, handler] of Object.entries(this.#handlers)) {
      socket.handle(action, async ({ params }) => {
        if (action === "SetChargingProfile") keep(this.#received, params);
        return handler(params);
      });
    }
    this.#listenTo(socket);
    return socket;
  }

  #listenTo(socket: ChargerSocket): void {
    const { log } = this.#options;
    socket.on("open", () => this.#tell({ event: "connected" }));
    socket.on("strictValidationFailure", ({ method, outbound, error }: SchemaFailure) => {
      const text = `${method} ${outbound ? "out" : "in"}: ${error.message}`;
      keep(this.#violated, text);
      this.#tell({ event: "violation", by: outbound ? "charger" : "csms", text });
      log.warn("a message does not pass the schema", { text });
    });
    socket.on("badMessage", ({ error }: { error: Error }) => {
      log.debug("a frame cannot be read", { text: error.message });
    });
    socket.on("extraFrame", (frame: ExtraFrame) => {
      if (frame.kind === "send") keep(this.#sends, { action: frame.action, payload: frame.payload });
      else {
        keep(this.#resultErrors, `${frame.code}: ${frame.text}`);
        log.warn("the CSMS cannot use an answer", { code: frame.code, text: frame.text });
      }
    });
  }
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MOST_KEPT) list.shift();
}
