import type { WebSocket } from "ws";
import type { Log } from "../../src/log.ts";
import type { Limit } from "../../src/model/limit.ts";
import type { DeviceIdentity } from "../../src/model/resource.ts";
import type { AcConnection } from "../../src/model/units.ts";
import type { AdapterContext } from "../kind.ts";
import type { OcppShared } from "./config.ts";
import { StationCap } from "./control/station-cap.ts";
import type { WireSetpoint } from "./control/v2g-setpoint.ts";
import type { SecurityProfile, StationSecurity } from "./door/security-profile.ts";
import { abortable } from "./link/abortable.ts";
import { CallFailure, type Urgency } from "./link/call-queue.ts";
import { ChargerLink, type LinkSettings, type Misconduct } from "./link/charger-link.ts";
import { cutText, type JsonRecord } from "./link/json.ts";
import { Session, type SessionOwner } from "./link/session.ts";
import type { Dialect, Request, V2gRequests } from "./messages/dialect.ts";
import { DIALECT_16 } from "./messages/dialect-1.6.ts";
import { DIALECT_201 } from "./messages/dialect-2.0.1.ts";
import { DIALECT_21 } from "./messages/dialect-2.1.ts";
import type { ChargerEvent, Handled, PlugEvent } from "./messages/events.ts";
import type { SessionCalls } from "./messages/session-calls.ts";
import { BackendProxy, type BackendStatus } from "./proxy/backend-proxy.ts";
import type { UpstreamConfig } from "./proxy/upstream-config.ts";
import { Admission, type AdmissionRule } from "./sessions/admission.ts";
import type { SessionRecord } from "./sessions/session-record.ts";
import { type BookSurroundings, hasSessions, TransactionBook } from "./sessions/transaction-book.ts";
import { ChargerClock, type TimeSaid, timeSaidIn } from "./setup/charger-clock.ts";
import { trigger } from "./setup/charger-setup.ts";
import { keepFacts, knownFacts, type StationFacts } from "./setup/known-stations.ts";
import { ModelMemory } from "./setup/model-memory.ts";
import { ReportDesk } from "./setup/report-desk.ts";
import type { Traits } from "./setup/traits.ts";
import { type WelcomedStation, welcome } from "./setup/welcome.ts";
import type { Connection, StationReport } from "./station-report.ts";
import type { StationWatcher } from "./station-watcher.ts";
import type { OcppVersion } from "./version.ts";

/** One connector of a station, as the station sees it. */
export interface StationPort {
  /** Its number at the charger (1.6), or that of its EVSE (2.x). */
  readonly connector: number;
  onLink(up: boolean, detail: string): void;
  /** The charger takes commands: it has just connected, or has just booted and may have forgotten everything. */
  onReady(): void;
  onIdentity(identity: DeviceIdentity): void;
  onEvent(event: PlugEvent): void;
  /** The charger took this interval between samples. */
  onSampleInterval(intervalS: number): void;
  /** Something a technician should know of the whole charger; absent when it is over. */
  onNotice(topic: string, text: string | undefined): void;
  /** The charger's clock is another than was thought: what was told by it is wrong. */
  onClock(): void;
  /** The set-up is done, and nothing more pressing is to be asked. */
  onSetUp(signal: AbortSignal): Promise<void>;
  /** What the charger's backend allows may be another power now. */
  onBackendLimit(): void;
  /** True if a charging profile is in force, or is on its way. */
  hasTarget(): boolean;
  /** True if cars may give energy back here. */
  readonly mayDischarge: boolean;
  /** The setpoint of the profile with this id; absent if it is none of this connector, or not in force. */
  setpointOf(profileId: number): WireSetpoint | undefined;
}

/** What the config says of a charger as a whole. */
export interface StationConfig {
  readonly identity: string;
  readonly security: StationSecurity;
  /** What the charger is taken to speak if it offers no subprotocol; absent: then it is refused. */
  readonly withoutSubprotocol: OcppVersion | undefined;
  /** The backend that it is passed on to; absent where it has none. */
  readonly upstream: UpstreamConfig | undefined;
  /** Who may charge here. */
  readonly admissionRule: AdmissionRule;
}

/** What all stations of a port have in common. */
export interface StationSurroundings {
  readonly shared: OcppShared;
  readonly context: AdapterContext;
  readonly links: LinkSettings;
  readonly books: BookSurroundings;
  readonly watcher: StationWatcher;
}

/** A charger's clock that turns out to be more wrong than this gets its times anew. */
const OTHER_CLOCK_MS = 5000;

/** Time in which a living connection answers a ping. */
const PING_ANSWER_MS = 2000;

/** A charger that sends no meter values for three intervals, and no less than this, is asked for them. */
const LEAST_SILENCE_MS = 60_000;

/** The standards allow 50 at most. */
const MAX_IDENTITY_LETTERS = 100;

/** With a reason of ours `abort` makes no exception with its stack. */
const BEGUN_ANEW = "the charger booted";

const DIALECTS: Readonly<Record<OcppVersion, Dialect>> = {
  "ocpp1.6": DIALECT_16,
  "ocpp2.0.1": DIALECT_201,
  "ocpp2.1": DIALECT_21,
};

/** One charger: its connection, which comes and goes, and the connectors behind it. */
export class Station implements SessionOwner, WelcomedStation {
  readonly identity: string;
  readonly security: StationSecurity;
  /** What the charger is taken to speak if it offers no subprotocol; absent: then it is refused. */
  readonly withoutSubprotocol: OcppVersion | undefined;
  readonly upstream: UpstreamConfig | undefined;
  /** Who may charge here. */
  readonly admissionRule: AdmissionRule;
  #admission: Admission | undefined;
  #book: TransactionBook | undefined;
  readonly #around: StationSurroundings;
  /** Few, mostly one. */
  #ports: readonly StationPort[] = [];
  /** What worked with this model of charger. */
  readonly modelMemory: ModelMemory;
  #cap: StationCap | undefined;
  #chargerClock: ChargerClock | undefined;
  /** As the connectors were told of it. */
  #clockFault: string | undefined;
  #reports: ReportDesk | undefined;
  #life: AbortController | undefined;
  #session: Session | undefined;
  #connection: Connection | undefined;
  #lastMessageMs: number | undefined;
  #arrivals: (() => void)[] | undefined;
  /** What the charger said of itself, and the version in which it said that. */
  #saidIn: OcppVersion | undefined;
  #deviceIdentity: DeviceIdentity | undefined;
  #traits: Traits | undefined;
  #contested = false;
  #highestProfile: SecurityProfile = 0;
  #proxy: BackendProxy | undefined;

  constructor(
    { identity, security, withoutSubprotocol, upstream, admissionRule }: StationConfig,
    around: StationSurroundings,
  ) {
    const { memory } = around.context;
    this.identity = identity;
    this.security = security;
    this.withoutSubprotocol = withoutSubprotocol;
    this.upstream = upstream;
    this.admissionRule = admissionRule;
    this.#around = around;
    if (hasSessions(identity, around.books)) this.#book = new TransactionBook(identity, around.books);
    this.modelMemory = new ModelMemory(memory, this);
    const known = knownFacts(memory, identity);
    if (known !== undefined) this.#take(known);
    if (upstream !== undefined) this.#proxy = this.#proxyTo(upstream);
  }

  /** The bound that the charger's backend sets on a connector; absent where it sets none. */
  backendLimit(connector: number, connection: AcConnection): Limit | undefined {
    return this.#proxy?.limit(connector, connection, this.#ports.length);
  }

  /** How its backend is doing; absent where it has none. */
  get backend(): BackendStatus | undefined {
    return this.#proxy?.status;
  }

  /** Where reports are put together; made for the first that is asked for, which a 1.6 station never is. */
  get reports(): ReportDesk {
    this.#reports ??= new ReportDesk(this.#around.context.clock);
    return this.#reports;
  }

  /** Made for the first who wants to charge. */
  get admission(): Admission {
    this.#admission ??= new Admission(this.admissionRule, () => this.now());
    return this.#admission;
  }

  /** Where its sessions are written down; made with the first of them. */
  get book(): TransactionBook {
    this.#book ??= new TransactionBook(this.identity, this.#around.books);
    return this.#book;
  }

  /** Oldest first. */
  get sessionRecords(): readonly SessionRecord[] {
    return this.#book?.records ?? [];
  }

  /** The session that runs on a connector, as far as is known. */
  sessionOn(connector: number): SessionRecord | undefined {
    return this.#book?.openOn(connector);
  }

  /** The most of the whole station, which its connectors share. */
  get cap(): StationCap {
    this.#cap ??= new StationCap(this.#around.context.clock, this);
    return this.#cap;
  }

  /** Its clock as its messages show it; one that says no time has none. */
  get chargerClock(): ChargerClock {
    this.#chargerClock ??= new ChargerClock();
    return this.#chargerClock;
  }

  /** Aborts when the station is closed for good. */
  get life(): AbortSignal {
    return this.#ownLife().signal;
  }

  /** Made when somebody waits for the end, which is rare. */
  #ownLife(): AbortController {
    this.#life ??= new AbortController();
    return this.#life;
  }

  /** What the charger said it is; absent as long as it said nothing. */
  get chargerIdentity(): DeviceIdentity | undefined {
    return this.#deviceIdentity;
  }

  get version(): OcppVersion | undefined {
    return this.#session?.dialect.version;
  }

  /** Made when a line is written: a charger has little to say, and there are many. */
  get log(): Log {
    return this.#around.context.log.child({ charger: this.identity });
  }

  /** The calls about sessions in the version that it speaks now; absent while it is not connected. */
  get sessionCalls(): SessionCalls | undefined {
    return this.#session?.dialect.sessions;
  }

  /** How it speaks now; absent while it is not connected. */
  get dialect(): Dialect | undefined {
    return this.#session?.dialect;
  }

  /** What this version has for setpoints in both directions; absent where it has nothing, or while nobody is connected. */
  get v2g(): V2gRequests | undefined {
    return this.#session?.dialect.v2g;
  }

  /** What the charger says of its smart charging; empty as long as it said nothing. */
  get traits(): Traits {
    return this.#traits ?? {};
  }

  /** What a technician wants to know of it. */
  report(): StationReport {
    const { backend } = this;
    return {
      identity: this.identity,
      connectors: this.#ports.map((port) => port.connector).sort((a, b) => a - b),
      securityProfile: this.security.least,
      ...(this.#connection === undefined ? {} : { connection: this.#connection }),
      ...(this.chargerIdentity === undefined ? {} : { device: this.chargerIdentity }),
      ...(this.#lastMessageMs === undefined
        ? {}
        : { lastMessageMs: this.#lastMessageMs, clockSkewMs: this.#chargerClock?.skewMs ?? 0 }),
      ...(backend === undefined ? {} : { backend }),
    };
  }

  /** Its connectors, as they were added. */
  get ports(): readonly StationPort[] {
    return this.#ports;
  }

  addPort(port: StationPort): void {
    const { connector } = port;
    if (this.#portOn(connector) !== undefined)
      throw new Error(`charger ${this.identity}: connector ${connector} is configured twice`);
    // A spread array would have room for 17.
    this.#ports = this.#ports.concat(port);
    port.onNotice("clock", this.#clockFault);
  }

  removePort(connector: number): void {
    this.#ports = this.#ports.filter((port) => port.connector !== connector);
    this.#cap?.forget(connector);
    if (this.#ports.length === 0) this.#around.watcher.onVacant(this);
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
    const { version, from } = connection;
    const { links, shared, context } = this.#around;
    this.#session?.link.drop("replaced by a new connection");
    this.#warnOfLowerProfile(connection);
    const session = new Session(DIALECTS[version], this);
    session.link = new ChargerLink(socket, version, links, session);
    session.askMeterAtMs = context.clock.elapsedMs() + silenceMs(shared);
    this.#session = session;
    this.#connection = connection;
    session.link.open();
    this.#proxy?.chargerUp(version);
    for (const port of this.#ports) port.onLink(true, `${version} from ${from}`);
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
    this.#ownLife().abort(new Error("the station is closed"));
    await this.#session?.link.close(1001, "gateway stops");
    await this.#proxy?.close();
  }

  #proxyTo(config: UpstreamConfig): BackendProxy {
    const { clock, random, memory } = this.#around.context;
    return new BackendProxy({
      identity: this.identity,
      config,
      clock,
      log: this.log.child({ backend: config.url }),
      random,
      memory,
      watch: this.#around.links.watch,
      callTimeoutMs: this.#around.shared.callTimeoutMs,
      callCharger: async (action, payload) => {
        const { answer } = await this.call(() => ({ action, payload }), "background", new AbortController().signal);
        return answer;
      },
      onLimits: () => {
        for (const port of this.#ports) port.onBackendLimit();
      },
    });
  }

  /** Our own answer, and the backend's where the charger has one and it has the say. */
  onCall({ dialect }: Session, action: string, payload: JsonRecord): Handled | Promise<Handled> {
    const handled = dialect.inbound(action, payload, this);
    const said = timeSaidIn(action, payload);
    if (said !== undefined) this.#noteTime(said);
    if (this.#proxy === undefined) return handled;
    this.#proxy.noteEvents(handled.events);
    const answer = this.#proxy.chargerCalled(action, payload, handled.answer);
    const withEvents = (given: JsonRecord): Handled => ({ answer: given, events: handled.events });
    return answer instanceof Promise ? answer.then(withEvents) : withEvents(answer);
  }

  now(): number {
    return this.#around.context.clock.now();
  }

  get heartbeatIntervalS(): number {
    return this.#around.shared.heartbeatIntervalS;
  }

  onlyConnector(): number | undefined {
    return this.#ports.length === 1 ? this.#ports[0]?.connector : undefined;
  }

  hasTarget(connector: number): boolean {
    return this.#portOn(connector)?.hasTarget() ?? false;
  }

  v2gConnectors(): readonly number[] {
    return this.#ports.filter((port) => port.mayDischarge).map((port) => port.connector);
  }

  setpointOf(profileId: number): WireSetpoint | undefined {
    for (const port of this.#ports) {
      const setpoint = port.setpointOf(profileId);
      if (setpoint !== undefined) return setpoint;
    }
    return undefined;
  }

  #portOn(connector: number): StationPort | undefined {
    return this.#ports.find((port) => port.connector === connector);
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
    this.#proxy?.chargerDown();
    for (const port of this.#ports) port.onLink(false, why);
  }

  #onEvent(session: Session, event: ChargerEvent): void {
    if (event.kind === "booted") {
      this.#chargerClock?.restart();
      const identity = shortened(event.identity);
      this.#learnIdentity(session, identity);
      for (const port of this.#ports) port.onIdentity(identity);
      this.#beginWelcome(session);
      return;
    }
    if (event.kind === "report") {
      this.#reports?.take(event);
      return;
    }
    if (event.kind === "security") {
      this.#around.watcher.onSecurityEvent(this.identity, event);
      return;
    }
    // Afterwards nobody asks whether they came.
    if (event.kind === "state" && session.welcome !== undefined) session.stateHeard.add(event.connector);
    if (event.kind === "samples") session.samplesHeard = true;
    // Connector 0 is the whole station, and concerns each of them.
    for (const port of this.#ports) {
      if (event.connector === port.connector || event.connector === 0) port.onEvent(event);
    }
  }

  /** A charger may come with more than it must, but to come with less than last time is worth a look. */
  #warnOfLowerProfile({ profile, from }: Connection): void {
    const before = this.#highestProfile;
    if (profile < before) this.#around.watcher.onLowerProfile(this.identity, { from, profile, before });
    else this.#highestProfile = profile;
  }

  #nextArrival(): Promise<void> {
    this.#arrivals ??= [];
    const arrivals = this.#arrivals;
    return new Promise((resolve) => arrivals.push(resolve));
  }

  #beginWelcome(session: Session): void {
    session.welcome?.abort(BEGUN_ANEW);
    const begun = new AbortController();
    session.welcome = begun;
    welcome(session, this, this.#around, begun.signal)
      .catch((error: unknown) => {
        // The link ended, or a boot made this begin anew.
        if (begun.signal.aborted) return;
        session.markReady();
        this.log.info("the charger's set-up was left unfinished", { err: error });
      })
      .finally(() => {
        if (session.welcome === begun) session.endWelcome();
      });
  }

  knowsTraits(version: OcppVersion): boolean {
    return this.#saidIn === version && this.#traits !== undefined;
  }

  /** What it said before in another version counts no more. */
  learnTraits(session: Session, traits: Traits): void {
    const { version } = session.dialect;
    this.#learn({ version, traits, identity: this.#saidIn === version ? this.#deviceIdentity : undefined });
  }

  #learnIdentity(session: Session, identity: DeviceIdentity): void {
    const { version } = session.dialect;
    this.#learn({ version, identity, traits: this.#saidIn === version ? this.#traits : undefined });
  }

  #learn(facts: StationFacts): void {
    this.#take(facts);
    keepFacts(this.#around.context.memory, this, facts);
  }

  #take({ version, identity, traits }: StationFacts): void {
    this.#saidIn = version;
    this.#deviceIdentity = identity;
    this.#traits = traits;
    if (identity !== undefined) this.modelMemory.identify(identity);
  }

  #noteTime(said: TimeSaid): void {
    const { clock } = this.#around.context;
    const before = this.chargerClock.skewMs;
    const wasSteady = this.chargerClock.isSteady;
    this.chargerClock.note(said, clock.now(), clock.elapsedMs());
    const { skewMs, isSteady, fault } = this.chargerClock;
    if (fault !== this.#clockFault) {
      this.#clockFault = fault;
      for (const port of this.#ports) port.onNotice("clock", fault);
    }
    // A clock that jumps about is not followed: its times are not used.
    const isOther = isSteady ? Math.abs(skewMs - before) >= OTHER_CLOCK_MS : wasSteady;
    if (!isOther) return;
    for (const port of this.#ports) port.onClock();
  }

  /** Asked too often some chargers break, so this stays far apart. */
  async #askIfSilent(session: Session): Promise<void> {
    const silent = !session.samplesHeard;
    session.samplesHeard = false;
    if (!silent || !session.asksMeter) return;
    for (const { connector } of this.#ports) {
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
