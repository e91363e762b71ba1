import type { WebSocket } from "ws";
import type { Log } from "../../src/log.ts";
import type { DeviceIdentity } from "../../src/model/resource.ts";
import type { AdapterContext } from "../kind.ts";
import type { OcppShared } from "./config.ts";
import type { SecurityProfile, StationSecurity } from "./door/security-profile.ts";
import { abortable } from "./link/abortable.ts";
import { CallFailure, type Urgency } from "./link/call-queue.ts";
import { ChargerLink, type LinkSettings, type Misconduct } from "./link/charger-link.ts";
import { cutText, type JsonRecord } from "./link/json.ts";
import { Session, type SessionOwner } from "./link/session.ts";
import type { Dialect, DialectContext, Request, Traits } from "./messages/dialect.ts";
import { createDialect16 } from "./messages/dialect-1.6.ts";
import { createDialect201 } from "./messages/dialect-2.0.1.ts";
import type { ChargerEvent, Handled } from "./messages/events.ts";
import { readTraits, setUp, trigger } from "./setup/charger-setup.ts";
import type { Connection, StationReport } from "./station-report.ts";
import type { StationWatcher } from "./station-watcher.ts";
import type { OcppVersion } from "./version.ts";

/** One connector of a station, as the station sees it. */
export interface StationPort {
  onLink(up: boolean, detail: string): void;
  /** The charger takes commands: it has just connected, or has just booted and may have forgotten everything. */
  onReady(): void;
  onIdentity(identity: DeviceIdentity): void;
  onEvent(event: StationEvent): void;
}

/** What a connector hears of; a boot and what concerns the security of the station are its own business. */
export type StationEvent = Exclude<ChargerEvent, { kind: "booted" | "security" }>;

/** What all stations of a port have in common. */
export interface StationSurroundings {
  readonly shared: OcppShared;
  readonly context: AdapterContext;
  readonly links: LinkSettings;
  readonly watcher: StationWatcher;
}

/** A charger that says nothing so long after connecting did not boot: it only lost the line. */
const BOOT_GRACE_MS = 1500;

/** Time in which a living connection answers a ping. */
const PING_ANSWER_MS = 2000;

/** A charger that sends no meter values for three intervals, and no less than this, is asked for them. */
const LEAST_SILENCE_MS = 60_000;

/** The standards allow 50 at most. */
const MAX_IDENTITY_LETTERS = 100;

/** With a reason of ours `abort` makes no exception with its stack. */
const BEGUN_ANEW = "the charger booted";

/** One charger: its connection, which comes and goes, and the connectors behind it. */
export class Station implements SessionOwner {
  readonly identity: string;
  readonly security: StationSecurity;
  readonly #around: StationSurroundings;
  readonly #ports = new Map<number, StationPort>();
  /** One for each version that the charger has spoken: it may come back with another. */
  #dialects: readonly Dialect[] = [];
  #session: Session | undefined;
  #connection: Connection | undefined;
  #device: DeviceIdentity | undefined;
  #lastMessageMs: number | undefined;
  #clockSkewMs: number | undefined;
  #arrivals: (() => void)[] | undefined;
  #traits: { readonly version: OcppVersion; readonly said: Traits } | undefined;
  #contested = false;
  #highestProfile: SecurityProfile = 0;

  constructor(identity: string, security: StationSecurity, around: StationSurroundings) {
    this.identity = identity;
    this.security = security;
    this.#around = around;
  }

  get version(): OcppVersion | undefined {
    return this.#session?.dialect.version;
  }

  /** Made when a line is written: a charger has little to say, and there are many. */
  get log(): Log {
    return this.#around.context.log.child({ charger: this.identity });
  }

  /** What the charger says of its smart charging; empty as long as it said nothing. */
  get traits(): Traits {
    return this.#traits?.said ?? {};
  }

  /** What a technician wants to know of it. */
  report(): StationReport {
    return {
      identity: this.identity,
      connectors: [...this.#ports.keys()].sort((a, b) => a - b),
      securityProfile: this.security.least,
      ...(this.#connection === undefined ? {} : { connection: this.#connection }),
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(this.#lastMessageMs === undefined ? {} : { lastMessageMs: this.#lastMessageMs }),
      ...(this.#clockSkewMs === undefined ? {} : { clockSkewMs: this.#clockSkewMs }),
    };
  }

  addPort(connector: number, port: StationPort): void {
    if (this.#ports.has(connector))
      throw new Error(`charger ${this.identity}: connector ${connector} is configured twice`);
    this.#ports.set(connector, port);
  }

  removePort(connector: number): void {
    this.#ports.delete(connector);
    if (this.#ports.size === 0) this.#around.watcher.onVacant(this);
  }

  /**
   * Whether a newcomer with this identity may take the place of the connection that is there; a dead one makes room.
   * Who has shown a password or a certificate may also replace a living one, and that is told, since one of the two may be
   * an impostor. Without a proof the living one stays.
   */
  async admits(hasProof: boolean, from: string): Promise<boolean> {
    const session = this.#session;
    if (session === undefined) return true;
    if (this.#contested) return false;
    this.#contested = true;
    try {
      if (!(await session.link.answersPing(PING_ANSWER_MS))) return true;
      this.#around.watcher.onContested(this.identity, { from, replaced: hasProof });
      return hasProof;
    } finally {
      this.#contested = false;
    }
  }

  /** Takes over a connection whose handshake is done. */
  attach(socket: WebSocket, connection: Connection): void {
    const { version } = connection;
    const { links, shared, context } = this.#around;
    this.#session?.link.drop("replaced by a new connection");
    this.#warnOfLowerProfile(connection);
    const session = new Session(this.#dialect(version), this);
    session.link = new ChargerLink(socket, version, links, session);
    session.askMeterAtMs = context.clock.elapsedMs() + silenceMs(shared);
    this.#session = session;
    this.#connection = connection;
    session.link.open();
    for (const port of this.#ports.values()) port.onLink(true, `${version} from ${connection.from}`);
    const arrivals = this.#arrivals ?? [];
    this.#arrivals = undefined;
    for (const arrived of arrivals) arrived();
    this.#beginWelcome(session);
  }

  /** Waits until the charger is connected and takes commands. */
  async connected(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const session = this.#session;
      if (session === undefined) {
        await abortable(this.#nextArrival(), signal);
        continue;
      }
      await abortable(session.whenReady(), signal);
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
    if (!session.isReady) await abortable(session.whenReady(), signal);
    const answer = await session.link.call(make(session.dialect), urgency, signal);
    return { answer, dialect: session.dialect };
  }

  async close(): Promise<void> {
    await this.#session?.link.close(1001, "gateway stops");
  }

  onAnswered(session: Session, handled: Handled): void {
    if (this.#session !== session) return;
    session.markHeard();
    this.#lastMessageMs = this.#around.context.clock.now();
    for (const event of handled.events) this.#onEvent(session, event);
  }

  onMisconduct(_session: Session, what: Misconduct): void {
    this.#around.watcher.onMisconduct(this.identity, what, this.#connection?.from);
  }

  onLook(session: Session, nowMs: number): void {
    if (nowMs < session.askMeterAtMs) return;
    session.askMeterAtMs = nowMs + silenceMs(this.#around.shared);
    this.#askIfSilent(session).catch(() => {});
  }

  onClosed(session: Session, why: string): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#connection = undefined;
    for (const port of this.#ports.values()) port.onLink(false, why);
  }

  #onEvent(session: Session, event: ChargerEvent): void {
    if (event.kind === "booted") {
      session.booted = true;
      const device = shortened(event.identity);
      this.#device = device;
      for (const port of this.#ports.values()) port.onIdentity(device);
      this.#beginWelcome(session);
      return;
    }
    if (event.kind === "security") {
      this.#around.watcher.onSecurityEvent(this.identity, event);
      return;
    }
    // Afterwards nobody asks whether they came.
    if (event.kind === "state" && session.welcome !== undefined) session.stateHeard.add(event.connector);
    if (event.kind === "samples") {
      session.samplesHeard = true;
      this.#noteSkew(event);
    }
    // Connector 0 is the whole station, and concerns each of them.
    for (const [connector, port] of this.#ports) {
      if (event.connector === connector || event.connector === 0) port.onEvent(event);
    }
  }

  /** A charger may come with more than it must, but to come with less than last time is worth a look. */
  #warnOfLowerProfile({ profile, from }: Connection): void {
    const before = this.#highestProfile;
    if (profile < before) this.#around.watcher.onLowerProfile(this.identity, { from, profile, before });
    else this.#highestProfile = profile;
  }

  #noteSkew(event: Extract<ChargerEvent, { kind: "samples" }>): void {
    const takenAtMs = event.sets.at(-1)?.takenAtMs;
    if (takenAtMs !== undefined && event.offline !== true) {
      this.#clockSkewMs = takenAtMs - this.#around.context.clock.now();
    }
  }

  #nextArrival(): Promise<void> {
    this.#arrivals ??= [];
    const arrivals = this.#arrivals;
    return new Promise((resolve) => arrivals.push(resolve));
  }

  #dialect(version: OcppVersion): Dialect {
    const known = this.#dialects.find((dialect) => dialect.version === version);
    if (known !== undefined) return known;
    const context: DialectContext = {
      now: () => this.#around.context.clock.now(),
      heartbeatIntervalS: this.#around.shared.heartbeatIntervalS,
      onlyConnector: () => (this.#ports.size === 1 ? this.#ports.keys().next().value : undefined),
    };
    const dialect = version === "ocpp1.6" ? createDialect16(context) : createDialect201(context);
    this.#dialects = this.#dialects.concat(dialect);
    return dialect;
  }

  #beginWelcome(session: Session): void {
    session.welcome?.abort(BEGUN_ANEW);
    const welcome = new AbortController();
    session.welcome = welcome;
    this.#welcome(session, welcome.signal)
      .catch((error: unknown) => {
        // The link ended, or a boot made this begin anew.
        if (welcome.signal.aborted) return;
        session.markReady();
        this.log.info("the charger's set-up was left unfinished", { err: error });
      })
      .finally(() => {
        if (session.welcome === welcome) session.endWelcome();
      });
  }

  /** After connecting or booting: learn what the charger can do, give it its targets again, then set up its metering. */
  async #welcome(session: Session, signal: AbortSignal): Promise<void> {
    const { clock } = this.#around.context;
    const grace = clock.sleep(BOOT_GRACE_MS, signal).catch(() => {});
    const silent = await Promise.race([session.whenHeard().then(() => false), grace.then(() => true)]);
    signal.throwIfAborted();
    // With what an earlier boot told us the targets need not wait for the question.
    const known = this.#traits?.version === session.dialect.version;
    if (!known) await this.#learnTraits(session, signal);
    session.markReady();
    for (const port of this.#ports.values()) port.onReady();

    // It may have booted with new firmware.
    if (known && session.booted) await this.#learnTraits(session, signal);
    const setup = { session, connectors: [...this.#ports.keys()], log: this.log, signal };
    await setUp({ ...setup, meterIntervalS: this.#around.shared.meterIntervalS, askForBoot: silent });
  }

  async #learnTraits(session: Session, signal: AbortSignal): Promise<void> {
    const said = await readTraits(session, this.log, signal);
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

/** What a charger says of itself is kept as long as we run. */
function shortened(identity: DeviceIdentity): DeviceIdentity {
  return Object.fromEntries(Object.entries(identity).map(([key, text]) => [key, cutText(text, MAX_IDENTITY_LETTERS)]));
}

function silenceMs({ meterIntervalS }: OcppShared): number {
  return Math.max(LEAST_SILENCE_MS, 3000 * meterIntervalS);
}
