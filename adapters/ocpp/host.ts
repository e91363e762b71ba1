import { isLoopback } from "../../src/config/loopback.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, AdapterOperation, DeviceRole, HostFigure, Stranger } from "../kind.ts";
import { type OcppDevice, type OcppShared, versionWithoutSubprotocol } from "./config.ts";
import { OcppConnector } from "./connector.ts";
import { profileOperations } from "./control/profile-operations.ts";
import { Acceptance } from "./door/acceptance.ts";
import { ConnectionCount } from "./door/connection-count.ts";
import { credentialFrom, sameCredential } from "./door/credential.ts";
import { DialInPort } from "./door/dial-in-port.ts";
import { DoorCounters } from "./door/door-counters.ts";
import { Doorkeeper } from "./door/doorkeeper.ts";
import { profileChoice } from "./door/security-config.ts";
import { SecurityLog } from "./door/security-log.ts";
import { leastProfile, NEEDS, type SecurityProfile, type StationSecurity } from "./door/security-profile.ts";
import { StrangerList } from "./door/stranger-list.ts";
import { TlsFiles } from "./door/tls-files.ts";
import { AnswerBatch } from "./link/answer-batch.ts";
import type { LinkSettings, Misconduct } from "./link/charger-link.ts";
import { LinkWatch } from "./link/link-watch.ts";
import { type AdmissionMode, AdmissionRule } from "./sessions/admission.ts";
import { sessionOperations } from "./sessions/session-operations.ts";
import { TokenHash } from "./sessions/token-hash.ts";
import type { BookSurroundings } from "./sessions/transaction-book.ts";
import { Station, type StationSurroundings } from "./station.ts";
import type { StationWatcher } from "./station-watcher.ts";

/** After these the charger is hung up on, and has to wait before it may come again. */
const HUNG_UP: ReadonlySet<Misconduct> = new Set(["flood", "nonsense", "oversized", "unread"]);

/** One for all stations that show none. */
const WITHOUT_CREDENTIAL: Readonly<Record<SecurityProfile, StationSecurity>> = {
  0: { least: 0 },
  1: { least: 1 },
  2: { least: 2 },
  3: { least: 3 },
};

/** All chargers behind the ports. */
export class OcppHost implements AdapterHost<OcppDevice>, StationWatcher {
  readonly operations: Readonly<Record<string, AdapterOperation>>;
  readonly #shared: OcppShared;
  readonly #context: AdapterContext;
  readonly #stations = new Map<string, Station>();
  readonly #strangers: StrangerList;
  readonly #watch = new LinkWatch();
  readonly #surroundings: StationSurroundings;
  readonly #counters = new DoorCounters();
  readonly #securityLog: SecurityLog;
  readonly #count = new ConnectionCount(() => this.#stations.size);
  readonly #doorkeeper: Doorkeeper;
  readonly #ended = new AbortController();
  readonly #closing = new Set<Promise<void>>();
  /** Those of stations without a list of their own. */
  readonly #sharedRules = new Map<AdmissionMode, AdmissionRule>();
  #plain: DialInPort | undefined;
  #tls: DialInPort | undefined;

  constructor(shared: OcppShared, context: AdapterContext) {
    const { clock, log, random, memory } = context;
    this.#shared = shared;
    this.#context = context;
    this.#strangers = new StrangerList(clock);
    this.#securityLog = new SecurityLog(memory, clock, log);
    this.#watch.add(this.#securityLog);
    const links: LinkSettings = {
      clock,
      random,
      watch: this.#watch,
      answers: new AnswerBatch(),
      callTimeoutMs: shared.callTimeoutMs,
      pingIntervalMs: shared.pingIntervalS * 1000,
      bootTimeoutMs: shared.bootTimeoutS * 1000,
      maxMessagesPerS: shared.maxMessagesPerS,
    };
    const books: BookSurroundings = {
      memory,
      hash: new TokenHash(memory),
      onUnkept: (charger, error) => log.error("a charging session could not be kept", { charger, err: error }),
    };
    this.#surroundings = { shared, context, links, books, watcher: this };
    const acceptance = new Acceptance({
      shared,
      context,
      strangers: this.#strangers,
      securityLog: this.#securityLog,
      stations: () => [...this.#stations.values()],
    });
    this.operations = {
      ...acceptance.operations,
      ...sessionOperations(() => this.#connectors()),
      ...profileOperations(() => this.#connectors()),
    };
    this.#doorkeeper = new Doorkeeper({
      path: shared.path,
      clock,
      log,
      strangers: this.#strangers,
      station: (identity) => this.#stations.get(identity),
      isRejected: (identity) => acceptance.isRejected(identity),
      onWrongCredentials: (identity, { from, waitMs }) => {
        // Each wrong one is counted as a refusal; what is worth keeping is that somebody goes on trying.
        if (waitMs > 0) this.#note(identity, "FailedLogins", `from ${from}`);
      },
    });
  }

  /** @throws Error when two devices are the same connector, say two things of one charger, or want of it what cannot be */
  adapter(role: DeviceRole, device: OcppDevice): Adapter {
    const { identity } = device;
    const station = this.#stations.get(identity) ?? this.#newStation(device);
    const other = this.#contradiction(station, device);
    if (other !== undefined) throw new Error(`charger ${identity}: all its connectors must have the same ${other}`);
    const connector = new OcppConnector(role, device, station, this.#shared.meterIntervalS * 1000, this.#context);
    station.addPort(connector);
    this.#stations.set(identity, station);
    return connector;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { tls, host, port, securityProfile = 0 } = this.#shared;
    const { clock, log } = this.#context;
    const stations = [...this.#stations.values()];
    if (tls !== undefined) {
      const files = new TlsFiles(tls, clock, log);
      this.#tls = this.#port(tls.host ?? host, tls.port, files);
    }
    if (securityProfile < 2 || stations.some(({ security }) => security.least < 2)) {
      this.#plain = this.#port(host, port);
    }
    await this.#plain?.listen();
    await this.#tls?.listen();
    this.#watch.run(clock, this.#ended.signal).catch(() => {});
    const open = stations.filter(({ security }) => security.least === 0);
    if (open.length > 0 && !isLoopback(host)) {
      log.warn("chargers without a password are taken by their identity alone", {
        chargers: open.map((station) => station.identity),
      });
    }
  }

  addresses(): Readonly<Record<string, string>> {
    const [plain, tls] = [this.#plain?.url, this.#tls?.url];
    return { ...(plain !== undefined && { ocpp: plain }), ...(tls !== undefined && { ocppTls: tls }) };
  }

  strangers(): readonly Stranger[] {
    return this.#strangers.list();
  }

  figures(): readonly HostFigure[] {
    const connected = [...this.#stations.values()].filter((station) => station.version !== undefined);
    return this.#counters.figures({ stations: connected.length, open: this.#count.total });
  }

  onSecurityEvent(identity: string, event: Parameters<StationWatcher["onSecurityEvent"]>[1]): void {
    this.#counters.securityEvent("charger");
    const { kind: _, ...told } = event;
    const isNews = this.#securityLog.note(identity, { source: "charger", ...told });
    if (isNews) this.#context.log.warn("a charger told of a security event", { charger: identity, type: event.type });
  }

  onContested(identity: string, { from, replaced }: { from: string; replaced: boolean }): void {
    this.#note(identity, replaced ? "ConnectionReplaced" : "SecondConnectionRefused", `from ${from}`);
  }

  onLowerProfile(identity: string, what: Parameters<StationWatcher["onLowerProfile"]>[1]): void {
    const { from, profile, before } = what;
    this.#note(identity, "LowerSecurityProfile", `with ${NEEDS[profile]}, before with ${NEEDS[before]}, from ${from}`);
  }

  onMisconduct(identity: string, what: Misconduct, from: string | undefined): void {
    this.#counters.misconduct(what);
    if (!HUNG_UP.has(what)) return;
    if (from !== undefined) this.#doorkeeper.noteMisconduct(identity, from);
    this.#note(identity, "HungUp", what);
  }

  onVacant(station: Station): void {
    if (this.#stations.get(station.identity) === station) this.#stations.delete(station.identity);
    this.#doorkeeper.forget(station.identity);
    const closing = station.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stations = [...this.#stations.values()].map((station) => station.close());
    await Promise.all([...stations, ...this.#closing]);
    await Promise.all([this.#plain?.close(), this.#tls?.close()]);
    this.#ended.abort("the host ends");
    await this.#securityLog.flush();
  }

  /** Something about a charger's security that was seen here. */
  #note(identity: string, type: string, detail: string): void {
    this.#counters.securityEvent("gateway");
    const isNews = this.#securityLog.note(identity, { source: "gateway", type, detail });
    if (isNews) this.#context.log.warn("security of a charger", { charger: identity, type, detail });
  }

  #newStation(device: OcppDevice): Station {
    const { identity, upstream } = device;
    return new Station(
      {
        identity,
        security: this.#securityOf(device),
        withoutSubprotocol: versionWithoutSubprotocol(device, this.#shared),
        upstream,
        admissionRule: this.#ruleOf(device),
      },
      this.#surroundings,
    );
  }

  #ruleOf({ authorization, idTags }: OcppDevice): AdmissionRule {
    if (idTags !== undefined) return new AdmissionRule(authorization, idTags);
    const rule = this.#sharedRules.get(authorization) ?? new AdmissionRule(authorization, this.#shared.idTags);
    this.#sharedRules.set(authorization, rule);
    return rule;
  }

  /** What another connector of the same charger has otherwise; nothing where they agree. */
  #contradiction(station: Station, device: OcppDevice): string | undefined {
    if (!sameSecurity(station.security, this.#securityOf(device))) return "password and security profile";
    if (JSON.stringify(station.upstream) !== JSON.stringify(device.upstream)) return "upstream";
    if (!station.admissionRule.isSame(this.#ruleOf(device))) return "authorization and idTags";
    const isSame = station.withoutSubprotocol === versionWithoutSubprotocol(device, this.#shared);
    return isSame ? undefined : "withoutSubprotocol";
  }

  #connectors(): readonly OcppConnector[] {
    return [...this.#stations.values()]
      .flatMap((station) => station.ports)
      .filter((port) => port instanceof OcppConnector);
  }

  #securityOf(device: OcppDevice): StationSecurity {
    try {
      const credential = credentialFrom(device);
      const least = leastProfile(profileChoice(this.#shared, device));
      return credential === undefined ? WITHOUT_CREDENTIAL[least] : { least, credential };
    } catch (error) {
      throw new Error(`charger ${device.identity}: ${(error as Error).message}`, { cause: error });
    }
  }

  #port(host: string, port: number, tls?: TlsFiles): DialInPort {
    const { path, handshakeTimeoutS } = this.#shared;
    const { clock, log } = this.#context;
    return new DialInPort({
      host,
      port,
      path,
      ...(tls !== undefined && { tls }),
      count: this.#count,
      watch: this.#watch,
      handshakeTimeoutMs: handshakeTimeoutS * 1000,
      elapsedMs: () => clock.elapsedMs(),
      log,
      onRefused: (reason) => this.#counters.refused(reason),
      onUpgrade: (request, socket, head, isTls) => this.#doorkeeper.receive(request, socket, head, isTls),
    });
  }
}

function sameSecurity(a: StationSecurity, b: StationSecurity): boolean {
  return a.least === b.least && sameCredential(a.credential, b.credential);
}
