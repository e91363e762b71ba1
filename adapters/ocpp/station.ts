import type { WebSocket } from "ws";
import { repeatEvery } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { DeviceIdentity } from "../../src/model/resource.ts";
import type { AdapterContext } from "../kind.ts";
import { type OcppDevice, type OcppShared, versionWithoutSubprotocol } from "./config.ts";
import type { WireSetpoint } from "./control/v2g-setpoint.ts";
import { abortable } from "./link/abortable.ts";
import { CallFailure, type Urgency } from "./link/call-queue.ts";
import { ChargerLink } from "./link/charger-link.ts";
import type { JsonRecord } from "./link/json.ts";
import { createSession, type Session } from "./link/session.ts";
import type { Dialect, DialectContext, Request, Traits, V2gRequests } from "./messages/dialect.ts";
import { createDialect16 } from "./messages/dialect-1.6.ts";
import { createDialect201 } from "./messages/dialect-2.0.1.ts";
import { createDialect21 } from "./messages/dialect-2.1.ts";
import type { ChargerEvent, Handled } from "./messages/events.ts";
import { readTraits, setUp, trigger } from "./setup/charger-setup.ts";
import type { OcppVersion } from "./version.ts";

/** One connector of a station, as the station sees it. */
export interface StationPort {
  onLink(up: boolean, detail: string): void;
  /** The charger takes commands: it has just connected, or has just booted and may have forgotten everything. */
  onReady(): void;
  onIdentity(identity: DeviceIdentity): void;
  onEvent(event: Exclude<ChargerEvent, { kind: "booted" }>): void;
  /** True if a charging profile is in force, or is on its way. */
  hasTarget(): boolean;
  /** True if cars may give energy back here. */
  readonly mayDischarge: boolean;
  /** The setpoint of the profile with this id; absent if it is none of this connector, or not in force. */
  setpointOf(profileId: number): WireSetpoint | undefined;
}

/** A charger that says nothing so long after connecting did not boot: it only lost the line. */
const BOOT_GRACE_MS = 1500;

/** Time in which a living connection answers a ping. */
const PING_ANSWER_MS = 2000;

/** A charger that sends no meter values for three intervals, and no less than this, is asked for them. */
const LEAST_SILENCE_MS = 60_000;

const DIALECTS: Readonly<Record<OcppVersion, (context: DialectContext) => Dialect>> = {
  "ocpp1.6": createDialect16,
  "ocpp2.0.1": createDialect201,
  "ocpp2.1": createDialect21,
};

/** One charger: its connection, which comes and goes, and the connectors behind it. */
export class Station {
  readonly identity: string;
  readonly password: string | undefined;
  /** What the charger is taken to speak if it offers no subprotocol; absent: then it is refused. */
  readonly withoutSubprotocol: OcppVersion | undefined;
  readonly #shared: OcppShared;
  readonly #context: AdapterContext;
  readonly #log: Log;
  readonly #ports = new Map<number, StationPort>();
  readonly #dialects = new Map<OcppVersion, Dialect>();
  #session: Session | undefined;
  #arrivals: (() => void)[] = [];
  #traits: { readonly version: OcppVersion; readonly said: Traits } | undefined;
  #contested = false;

  constructor(device: OcppDevice, shared: OcppShared, context: AdapterContext) {
    const { identity, password } = device;
    this.identity = identity;
    this.password = password;
    this.withoutSubprotocol = versionWithoutSubprotocol(device, shared);
    this.#shared = shared;
    this.#context = context;
    this.#log = context.log.child({ charger: identity });
  }

  get version(): OcppVersion | undefined {
    return this.#session?.dialect.version;
  }

  /** What this version has for setpoints in both directions; absent where it has nothing, or while nobody is connected. */
  get v2g(): V2gRequests | undefined {
    return this.#session?.dialect.v2g;
  }

  /** What the charger says of its smart charging; empty as long as it said nothing. */
  get traits(): Traits {
    return this.#traits?.said ?? {};
  }

  addPort(connector: number, port: StationPort): void {
    if (this.#ports.has(connector))
      throw new Error(`charger ${this.identity}: connector ${connector} is configured twice`);
    this.#ports.set(connector, port);
  }

  removePort(connector: number): void {
    this.#ports.delete(connector);
  }

  /**
   * Whether a newcomer with this identity may take the place of the connection that is there. Who has shown a password
   * may. Without one the identity proves nothing, so a connection that still answers stays, and the newcomer, who may be
   * an impostor, goes; a dead one makes room.
   */
  async admits(): Promise<boolean> {
    const session = this.#session;
    if (session === undefined || this.password !== undefined) return true;
    if (this.#contested) return false;
    this.#contested = true;
    try {
      if (!(await session.link.answersPing(PING_ANSWER_MS))) return true;
      this.#log.warn("a second connection with this identity was refused: the first one is alive");
      return false;
    } finally {
      this.#contested = false;
    }
  }

  /** Takes over a connection whose handshake is done. */
  attach(socket: WebSocket, version: OcppVersion, from: string): void {
    const before = this.#session;
    if (before !== undefined) {
      this.#log.warn("the charger's connection was replaced by a new one", { from });
      before.link.drop("replaced by a new connection");
    }
    const dialect = this.#dialect(version);
    const link: ChargerLink = new ChargerLink(socket, {
      version,
      clock: this.#context.clock,
      log: this.#log,
      callTimeoutMs: this.#shared.callTimeoutMs,
      pingIntervalMs: this.#shared.pingIntervalS * 1000,
      onCall: (action, payload) => dialect.inbound(action, payload),
      // The one message of this kind, NotifyPeriodicEventStream, carries the values of monitors, and none was set here.
      onSend: (action) => this.#log.debug("a message that is not answered came and has no effect", { action }),
      onAnswered: (handled) => this.#onAnswered(session, handled),
      onClosed: (why) => this.#onClosed(session, why),
    });
    const session = createSession(link, dialect);
    this.#session = session;
    link.open();
    for (const port of this.#ports.values()) port.onLink(true, `${version} from ${from}`);
    for (const arrived of this.#arrivals.splice(0)) arrived();
    this.#beginWelcome(session);
    const silenceMs = Math.max(LEAST_SILENCE_MS, 3000 * this.#shared.meterIntervalS);
    repeatEvery(this.#context.clock, silenceMs, link.ended, () => this.#askIfSilent(session)).catch(() => {});
  }

  /** Waits until the charger is connected and takes commands. */
  async connected(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const session = this.#session;
      if (session === undefined) {
        await abortable(new Promise<void>((resolve) => this.#arrivals.push(resolve)), signal);
        continue;
      }
      await abortable(session.ready, signal);
      if (this.#session === session) return;
    }
  }

  /**
   * Calls the charger as soon as it takes commands.
   * @throws CallFailure, or the signal's reason when it aborts
   */
  async call(
    make: (dialect: Dialect) => Request,
    urgency: Urgency,
    signal: AbortSignal,
  ): Promise<{ answer: JsonRecord; dialect: Dialect }> {
    const session = this.#session;
    if (session === undefined) throw new CallFailure("unreachable", `charger ${this.identity} is not connected`);
    // A charger that is ready gets the call in this very moment, before anything else has its turn.
    if (!session.isReady()) await abortable(session.ready, signal);
    const answer = await session.link.call(make(session.dialect), urgency, signal);
    return { answer, dialect: session.dialect };
  }

  async close(): Promise<void> {
    await this.#session?.link.close(1001, "gateway stops");
  }

  #dialect(version: OcppVersion): Dialect {
    const known = this.#dialects.get(version);
    if (known !== undefined) return known;
    const context: DialectContext = {
      now: () => this.#context.clock.now(),
      heartbeatIntervalS: this.#shared.heartbeatIntervalS,
      onlyConnector: () => (this.#ports.size === 1 ? this.#ports.keys().next().value : undefined),
      hasTarget: (connector) => this.#ports.get(connector)?.hasTarget() ?? false,
      setpointOf: (profileId) => this.#setpointOf(profileId),
      v2gConnectors: () => [...this.#ports].flatMap(([connector, port]) => (port.mayDischarge ? [connector] : [])),
    };
    const dialect = DIALECTS[version](context);
    this.#dialects.set(version, dialect);
    return dialect;
  }

  #setpointOf(profileId: number): WireSetpoint | undefined {
    for (const port of this.#ports.values()) {
      const setpoint = port.setpointOf(profileId);
      if (setpoint !== undefined) return setpoint;
    }
    return undefined;
  }

  #onAnswered(session: Session, handled: Handled): void {
    if (this.#session !== session) return;
    session.markHeard();
    for (const event of handled.events) {
      if (event.kind === "booted") {
        session.booted = true;
        for (const port of this.#ports.values()) port.onIdentity(event.identity);
        this.#beginWelcome(session);
        continue;
      }
      if (event.kind === "state") session.stateHeard.add(event.connector);
      if (event.kind === "samples") session.samplesHeard = true;
      // Connector 0 is the whole station, and concerns each of them.
      for (const [connector, port] of this.#ports) {
        if (event.connector === connector || event.connector === 0) port.onEvent(event);
      }
    }
  }

  #onClosed(session: Session, why: string): void {
    session.welcome.abort();
    session.markHeard();
    session.markReady();
    if (this.#session !== session) return;
    this.#session = undefined;
    for (const port of this.#ports.values()) port.onLink(false, why);
  }

  #beginWelcome(session: Session): void {
    session.welcome.abort();
    session.welcome = new AbortController();
    const { signal } = session.welcome;
    this.#welcome(session, signal).catch((error: unknown) => {
      // The link ended, or a boot made this begin anew.
      if (signal.aborted) return;
      session.markReady();
      this.#log.info("the charger's set-up was left unfinished", { err: error });
    });
  }

  /** After connecting or booting: learn what the charger can do, give it its targets again, then set up its metering. */
  async #welcome(session: Session, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const grace = clock.sleep(BOOT_GRACE_MS, signal).catch(() => {});
    const silent = await Promise.race([session.heard.then(() => false), grace.then(() => true)]);
    signal.throwIfAborted();
    // With what an earlier boot told us the targets need not wait for the question.
    const known = this.#traits?.version === session.dialect.version;
    if (!known) await this.#learnTraits(session, signal);
    session.markReady();
    for (const port of this.#ports.values()) port.onReady();

    // It may have booted with new firmware.
    if (known && session.booted) await this.#learnTraits(session, signal);
    const setup = { session, connectors: [...this.#ports.keys()], log: this.#log, signal };
    await setUp({ ...setup, meterIntervalS: this.#shared.meterIntervalS, askForBoot: silent });
  }

  async #learnTraits(session: Session, signal: AbortSignal): Promise<void> {
    const said = await readTraits(session, this.#log, signal);
    if (said !== undefined) this.#traits = { version: session.dialect.version, said };
  }

  /** Asked too often some chargers break, so this stays far apart. */
  async #askIfSilent(session: Session): Promise<void> {
    const silent = !session.samplesHeard;
    session.samplesHeard = false;
    if (!silent || !session.asksMeter) return;
    for (const connector of this.#ports.keys()) {
      const asked = trigger(session, "MeterValues", connector, session.link.ended);
      session.asksMeter = await asked.catch(() => false);
    }
  }
}
