import type { Log } from "../../../src/log.ts";
import type { Dialect } from "../messages/dialect.ts";
import type { Handled } from "../messages/events.ts";
import type { ChargerLink, LinkOwner, Misconduct } from "./charger-link.ts";
import type { JsonRecord } from "./json.ts";

/** The charger that a session belongs to. */
export interface SessionOwner {
  readonly log: Log;
  onCall(session: Session, action: string, payload: JsonRecord): Handled | Promise<Handled>;
  onAnswered(session: Session, handled: Handled): void;
  onMisconduct(session: Session, what: Misconduct): void;
  onLook(session: Session, nowMs: number): void;
  onClosed(session: Session, why: string): void;
}

/** One connection of a station, from its handshake to its end. */
export class Session implements LinkOwner {
  readonly dialect: Dialect;
  readonly #owner: SessionOwner;
  #link: ChargerLink | undefined;
  #isReady = false;
  #wasHeard = false;
  #wantReady: (() => void)[] | undefined;
  #wantHeard: (() => void)[] | undefined;
  #stateHeard: Set<number> | undefined;
  /** What is done after connecting or booting; absent once it is done. */
  welcome: AbortController | undefined;
  samplesHeard = false;
  /** False once the charger would not be asked for meter values. */
  asksMeter = true;
  /** Elapsed ms at which a charger that sends no meter values is asked for them. */
  askMeterAtMs = Number.POSITIVE_INFINITY;

  constructor(dialect: Dialect, owner: SessionOwner) {
    this.dialect = dialect;
    this.#owner = owner;
  }

  /** @throws Error before the link is there */
  get link(): ChargerLink {
    if (this.#link === undefined) throw new Error("the session has no link yet");
    return this.#link;
  }

  set link(link: ChargerLink) {
    this.#link = link;
  }

  get log(): Log {
    return this.#owner.log;
  }

  /** Connectors whose state came since the connection. */
  get stateHeard(): Set<number> {
    this.#stateHeard ??= new Set();
    return this.#stateHeard;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when commands make sense, and also when the link ends. */
  whenReady(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    this.#wantReady ??= [];
    const wanting = this.#wantReady;
    return new Promise((resolve) => wanting.push(resolve));
  }

  markReady(): void {
    this.#isReady = true;
    for (const tell of this.#wantReady ?? []) tell();
    this.#wantReady = undefined;
  }

  /** Resolves at the first call from the charger, and also when the link ends. */
  whenHeard(): Promise<void> {
    if (this.#wasHeard) return Promise.resolve();
    this.#wantHeard ??= [];
    const wanting = this.#wantHeard;
    return new Promise((resolve) => wanting.push(resolve));
  }

  markHeard(): void {
    if (this.#wasHeard) return;
    this.#wasHeard = true;
    for (const tell of this.#wantHeard ?? []) tell();
    this.#wantHeard = undefined;
  }

  /** Connecting or booting is over, and what only matters meanwhile is let go. */
  endWelcome(): void {
    this.welcome = undefined;
    this.#stateHeard = undefined;
  }

  onCall(action: string, payload: JsonRecord): Handled | Promise<Handled> {
    return this.#owner.onCall(this, action, payload);
  }

  /** The one message of this kind, NotifyPeriodicEventStream, carries the values of monitors, and none was set here. */
  onSend(action: string): void {
    this.log.debug("a message that is not answered came and has no effect", { action });
  }

  onAnswered(handled: Handled): void {
    this.#owner.onAnswered(this, handled);
  }

  onMisconduct(what: Misconduct): void {
    this.#owner.onMisconduct(this, what);
  }

  onLook(nowMs: number): void {
    this.#owner.onLook(this, nowMs);
  }

  onClosed(why: string): void {
    this.welcome?.abort(why);
    this.markHeard();
    this.markReady();
    this.#owner.onClosed(this, why);
  }
}
