import { type Clock, repeatEvery } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Limit } from "../../../src/model/limit.ts";
import type { AcConnection } from "../../../src/model/units.ts";
import type { AdapterMemory } from "../../kind.ts";
import { integerAt, type JsonRecord } from "../link/json.ts";
import type { LinkWatch } from "../link/link-watch.ts";
import type { ChargerEvent } from "../messages/events.ts";
import type { OcppVersion } from "../version.ts";
import { limitFromBackend } from "./backend-limit.ts";
import type { RunningTransaction } from "./backend-profiles.ts";
import { DownPath } from "./down-path.ts";
import { ProxyState } from "./proxy-state.ts";
import { UpPath } from "./up-path.ts";
import type { UpstreamConfig } from "./upstream-config.ts";
import { UpstreamLink } from "./upstream-link.ts";
import { UpstreamQueue } from "./upstream-queue.ts";

const LEAST_WAIT_MS = 5_000;
const LEAST_HEARTBEAT_MS = 10_000;
const USUAL_HEARTBEAT_MS = 300_000;
/** A timer cannot count further than 24 days; a day is often enough to look again. */
const LONGEST_WATCH_MS = 86_400_000;
const SHORTEST_WATCH_MS = 50;

export interface BackendProxyOptions {
  readonly identity: string;
  readonly config: UpstreamConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly memory: AdapterMemory;
  readonly watch: LinkWatch;
  readonly callTimeoutMs: number;
  /** Hands a call of the backend to the charger. @throws CallFailure */
  readonly callCharger: (action: string, payload: JsonRecord) => Promise<JsonRecord>;
  /** The backend's limits may be others now. */
  readonly onLimits: () => void;
}

/** How the backend of a charger is doing, for a person. */
export interface BackendStatus {
  readonly url: string;
  readonly up: boolean;
  readonly detail: string;
  /** Messages that still wait for it. */
  readonly waiting: number;
  /** Messages given up because too many waited. */
  readonly dropped: number;
}

/**
 * Stands between a charger and the backend of its operator. To the backend it is the charger: messages go up in their order,
 * also those from a time when the backend was away, and its commands come down. Its charging profiles stay here and bound what
 * the market may ask for.
 */
export class BackendProxy {
  readonly #options: BackendProxyOptions;
  readonly #state: ProxyState;
  readonly #queue: UpstreamQueue;
  readonly #up: UpPath;
  readonly #down: DownPath;
  readonly #transactions = new Map<number, { readonly localId: string; readonly startedAtMs: number }>();
  #version: OcppVersion | undefined;
  #link: UpstreamLink | undefined;
  #closing: Promise<void> = Promise.resolve();
  /** The backend has taken the charger's boot. */
  #accepted = false;
  #detail = "the charger is not connected";
  #watch = new AbortController();

  constructor(options: BackendProxyOptions) {
    const { identity, config, memory, clock, log, callCharger } = options;
    this.#options = options;
    this.#state = new ProxyState(memory, identity);
    this.#queue = new UpstreamQueue(memory, identity);
    this.#down = new DownPath({
      state: this.#state,
      log,
      now: () => clock.now(),
      callCharger,
      onLimits: () => this.#limitsChanged(),
      report: (action, payload) => this.#up.send({ action, payload, keeping: "sample" }),
    });
    this.#up = new UpPath({
      state: this.#state,
      queue: this.#queue,
      clock,
      log,
      answerWithinMs: config.answerWithinS * 1000,
      backend: () => {
        const link = this.#link;
        return this.#accepted && link !== undefined ? (action, payload) => link.call(action, payload) : undefined;
      },
      askedIds: this.#down.askedIds,
      onPaired: () => this.#limitsChanged(),
    });
  }

  get status(): BackendStatus {
    return {
      url: this.#options.config.url,
      up: this.#accepted,
      detail: this.#detail,
      waiting: this.#queue.size,
      dropped: this.#queue.dropped,
    };
  }

  /** The charger is connected: for the backend it is there from now on. */
  chargerUp(version: OcppVersion): void {
    this.chargerDown();
    const { identity, config, clock, log, random, watch, callTimeoutMs } = this.#options;
    this.#version = version;
    this.#detail = "dialling";
    this.#link = new UpstreamLink({
      identity,
      config,
      version,
      clock,
      log,
      random,
      watch,
      callTimeoutMs,
      onCall: (action, payload) => this.#down.onCall(version, action, payload),
      onUp: (link, ended) => {
        this.#introduce(link, ended).catch((error: unknown) => {
          if (ended.aborted) return;
          log.warn("the backend did not answer the charger's boot", { err: error });
          link.hangUp("the backend did not answer the boot");
        });
      },
      onDown: (why) => {
        this.#accepted = false;
        this.#detail = why;
      },
    });
    // A step may have passed while the charger was away.
    this.#limitsChanged();
  }

  /** The charger is gone, and so it is for the backend. */
  chargerDown(): void {
    const link = this.#link;
    this.#link = undefined;
    this.#accepted = false;
    this.#watch.abort("the charger is gone");
    if (link === undefined) return;
    this.#detail = "the charger is not connected";
    this.#closing = Promise.all([this.#closing, link.close()]).then(() => {});
  }

  async close(): Promise<void> {
    this.chargerDown();
    await this.#closing;
  }

  /**
   * Passes a call of the charger on.
   * @param ours what we would answer
   * @returns the answer for the charger: ours, or the backend's where it has the say and is there in time
   */
  chargerCalled(action: string, payload: JsonRecord, ours: JsonRecord): JsonRecord | Promise<JsonRecord> {
    if (this.#version === undefined) return ours;
    if (action !== "BootNotification") return this.#up.passOn(this.#version, action, payload, ours);
    this.#noteBoot(payload).catch((error: unknown) => {
      this.#options.log.warn("the backend did not take the charger's boot", { err: error });
    });
    return ours;
  }

  /** What the charger's messages meant: the backend's profiles follow its transactions. */
  noteEvents(events: readonly ChargerEvent[]): void {
    for (const event of events) {
      if (event.kind === "transaction") this.#noteTransaction(event.connector, String(event.transactionId));
      else if (event.kind === "transaction-over") this.#noteEnd(event.connector);
    }
  }

  /** The bound that the backend sets on a connector now; absent where it sets none. */
  limit(connector: number, connection: AcConnection, connectorsOfStation: number): Limit | undefined {
    return limitFromBackend(this.#limitsOf(connector, this.#options.clock.now()), connection, connectorsOfStation);
  }

  #limitsOf(connector: number, nowMs: number) {
    return this.#state.profiles.limitsAt(connector, nowMs, this.#transactionOf(connector));
  }

  #transactionOf(connector: number): RunningTransaction | undefined {
    const running = this.#transactions.get(connector);
    if (running === undefined) return undefined;
    const { localId, startedAtMs } = running;
    const backendId = this.#version === "ocpp1.6" ? this.#state.ids.backendId(Number(localId)) : undefined;
    return { id: backendId === undefined ? localId : String(backendId), startedAtMs };
  }

  #noteTransaction(connector: number, localId: string): void {
    if (this.#transactions.get(connector)?.localId === localId) return;
    this.#transactions.set(connector, { localId, startedAtMs: this.#options.clock.now() });
    this.#limitsChanged();
  }

  #noteEnd(connector: number): void {
    if (!this.#transactions.delete(connector)) return;
    if (this.#state.profiles.endTransaction(connector)) {
      this.#state.save().catch((error: unknown) => {
        this.#options.log.error("the backend's profiles could not be kept", { err: error });
      });
    }
    this.#limitsChanged();
  }

  async #noteBoot(payload: JsonRecord): Promise<void> {
    const link = this.#link;
    const first = this.#state.boot === undefined;
    await this.#state.noteBoot(payload);
    // While it is being introduced, the boot that is kept goes up there.
    if (link === undefined || !(this.#accepted || (first && link.up))) return;
    await link.call("BootNotification", payload);
  }

  /** Introduces the charger to a backend that has just been reached, as the charger itself would. */
  async #introduce(link: UpstreamLink, ended: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let intervalMs = USUAL_HEARTBEAT_MS;
    for (let boot = this.#state.boot; boot !== undefined; boot = this.#state.boot) {
      const answer = await link.call("BootNotification", boot);
      intervalMs = (integerAt(answer, "interval") ?? 0) * 1000 || USUAL_HEARTBEAT_MS;
      const status = String(answer["status"]).slice(0, 20);
      if (status === "Accepted") break;
      this.#detail = `the backend answered the boot with ${status}`;
      log.warn("the backend does not take the charger yet", { status });
      await clock.sleep(Math.max(intervalMs, LEAST_WAIT_MS), ended);
    }
    this.#accepted = true;
    this.#detail = "connected";
    for (const [topic, payload] of this.#state.statuses) {
      this.#up.send({ action: "StatusNotification", payload, keeping: "latest", topic });
    }
    this.#up.drain();
    repeatEvery(clock, Math.max(intervalMs, LEAST_HEARTBEAT_MS), ended, async () => {
      // A heartbeat without an answer says that the link is bad, which its own pings find out.
      await link.call("Heartbeat", {}).catch(() => {});
    }).catch(() => {});
  }

  #limitsChanged(): void {
    // A step that comes while the limits are told would be lost to both, were the next one looked for from a later moment.
    const toldAtMs = this.#options.clock.now();
    this.#options.onLimits();
    this.#watchSchedules(toldAtMs);
  }

  /** Wakes up when a schedule goes on to its next step after `fromMs`. */
  #watchSchedules(fromMs: number): void {
    this.#watch.abort("the schedules changed");
    this.#watch = new AbortController();
    const { clock } = this.#options;
    const connectors = new Set([
      ...this.#state.profiles.kept.map(({ profile }) => profile.connector),
      ...this.#transactions.keys(),
    ]);
    const nextMs = Math.min(
      ...[...connectors].map((connector) => this.#limitsOf(connector, fromMs).nextChangeMs ?? Number.POSITIVE_INFINITY),
    );
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(Math.max(nextMs - clock.now(), SHORTEST_WATCH_MS), LONGEST_WATCH_MS);
    clock.sleep(waitMs, this.#watch.signal).then(
      () => this.#limitsChanged(),
      () => {},
    );
  }
}
