import { randomInt } from "node:crypto";
import type { Clock } from "../../../src/clock.ts";
import { DeviceError } from "../../../src/model/adapter.ts";
import type { Era } from "../../../src/model/resource.ts";
import type {
  Reservation,
  ReservationRequest,
  SessionControl,
  SessionStart,
  StartedSession,
} from "../../../src/model/session.ts";
import type { AdapterMemory } from "../../kind.ts";
import type { OcppDevice } from "../config.ts";
import type { Profile } from "../control/charging-profile.ts";
import { CallFailure } from "../link/call-queue.ts";
import type { Dialect, Request, Status } from "../messages/dialect.ts";
import type { ChargerEvent, PlugState } from "../messages/events.ts";
import type { Station } from "../station.ts";
import { PLUG_AVAILABILITY } from "./availability.ts";
import { AwaitedEvents } from "./awaited-events.ts";
import { ReservationBook } from "./reservations.ts";
import type { Token } from "./tag.ts";

/** A charger has so long to end a session that it said it would end. */
const STOP_TIMEOUT_MS = 60_000;

type TransactionId = number | string;

/** What the connector knows of itself at this moment. */
export interface ConnectorNow {
  readonly state: PlugState | undefined;
  readonly transactionId: TransactionId | undefined;
  /** The limit that holds, as a profile for the session to come. */
  readonly profile: Profile | undefined;
}

interface Options {
  readonly era: Era;
  readonly device: OcppDevice;
  readonly station: Station;
  readonly clock: Clock;
  readonly memory: AdapterMemory;
  readonly now: () => ConnectorNow;
}

/** Begins, ends and reserves on one connector, and waits until the charger has really done it. */
export class ConnectorSessions implements SessionControl {
  readonly #options: Options;
  readonly #reservations: ReservationBook;
  readonly #events: AwaitedEvents;
  #isStarting = false;

  constructor(options: Options) {
    const { device, memory, clock } = options;
    this.#options = options;
    this.#events = new AwaitedEvents(clock);
    this.#reservations = new ReservationBook(device.identity, device.connector, memory, () => clock.now());
  }

  get running(): string | undefined {
    const { transactionId } = this.#options.now();
    return transactionId === undefined ? undefined : String(transactionId);
  }

  get reservesForOrders(): boolean {
    return this.#options.device.reserveForOrders;
  }

  get reservation(): Reservation | undefined {
    return this.#reservations.current;
  }

  /** Tells of what came from the charger. */
  onEvent(event: ChargerEvent): void {
    if (event.kind === "reservation-over") this.#reservations.drop(event.reservationId).catch(() => {});
    this.#events.tell(event);
  }

  async start(request: SessionStart, signal: AbortSignal): Promise<StartedSession> {
    if (this.#isStarting) throw this.#error("refused", "a session is being started already");
    this.#isStarting = true;
    try {
      return await this.#start(this.#tokenOf(request.token), signal);
    } finally {
      this.#isStarting = false;
    }
  }

  async #start(token: Token, signal: AbortSignal): Promise<StartedSession> {
    const { device, station, now, clock } = this.#options;
    const { transactionId: before, profile } = now();
    this.#refuseUnlessFree();
    const timeoutMs = device.sessionStartTimeoutS * 1000;
    // Asked back for as long as we wait for it, and a little longer.
    station.admission.expect(token.id, clock.now() + 2 * timeoutMs);
    // A 2.x station may have begun the transaction at the plug: then this one is meant, once it says that it was us.
    const began = this.#events.next(
      (event) =>
        // A charger whose clock is wrong writes ours in the past, too.
        event.kind === "transaction" &&
        (event.remote === true || (event.past === undefined && event.transactionId !== before)),
      timeoutMs,
      signal,
    );
    try {
      const order = { connector: device.connector, token, remoteStartId: randomInt(1, 2 ** 31 - 1) };
      const plain = (dialect: Dialect) => dialect.sessions.start(order);
      const answer =
        profile === undefined
          ? await this.#ask(plain, signal)
          : await this.#ask((dialect) => dialect.sessions.start({ ...order, profile }), signal);
      // Some take no profile with a start; it follows by itself when the session has begun.
      const status = isYes(answer) || profile === undefined ? answer : await this.#ask(plain, signal);
      if (!isYes(status)) throw this.#error("refused", `the charger would not start: ${wordsOf(status)}`);
      const event = await began.event;
      if (event?.kind === "transaction") return { sessionId: String(event.transactionId) };
      throw this.#error("timeout", this.#whyNot(timeoutMs));
    } finally {
      began.giveUp();
    }
  }

  #refuseUnlessFree(): void {
    const { now, station } = this.#options;
    const { state, transactionId } = now();
    const running = transactionId === undefined ? undefined : station.book.find(transactionId);
    const isTaken = transactionId !== undefined && (station.version === "ocpp1.6" || running?.token !== undefined);
    if (isTaken) throw this.#error("refused", `a session runs already (${transactionId})`);
    if (state === "unavailable" || state === "faulted") throw this.#error("refused", PLUG_AVAILABILITY[state].reason);
  }

  /** For a person: why nothing began although the charger said that it would. */
  #whyNot(timeoutMs: number): string {
    const { state } = this.#options.now();
    const within = `within ${Math.round(timeoutMs / 1000)} s`;
    if (state === "free" || state === "reserved") return `the charger would start, but no car was plugged in ${within}`;
    return `the charger would start, but no session began ${within}`;
  }

  async stop(sessionId: string | undefined, signal: AbortSignal): Promise<void> {
    const { transactionId } = this.#options.now();
    if (transactionId === undefined) throw this.#error("refused", "no session runs");
    if (sessionId !== undefined && String(transactionId) !== sessionId) {
      throw this.#error("refused", `session ${sessionId.slice(0, 36)} does not run here`);
    }
    const ended = this.#events.next(
      (event) => event.kind === "transaction-over" && event.transactionId === transactionId,
      STOP_TIMEOUT_MS,
      signal,
    );
    try {
      const status = await this.#ask((dialect) => dialect.sessions.stop(transactionId), signal);
      if (!isYes(status)) throw this.#error("refused", `the charger would not stop: ${wordsOf(status)}`);
      if ((await ended.event) !== undefined) return;
      throw this.#error("timeout", `the charger would stop, but told no end within ${STOP_TIMEOUT_MS / 1000} s`);
    } finally {
      ended.giveUp();
    }
  }

  async reserve({ token, untilMs }: ReservationRequest, signal: AbortSignal): Promise<Reservation> {
    const { device, station, clock } = this.#options;
    if (untilMs <= clock.now()) throw this.#error("refused", "the reservation would end before it begins");
    this.#refuseUnlessFree();
    const reservationId = this.#reservations.nextId();
    const who = this.#tokenOf(token);
    station.admission.expect(who.id, untilMs);
    const status = await this.#ask(
      (dialect) => dialect.sessions.reserve({ reservationId, connector: device.connector, token: who, untilMs }),
      signal,
    );
    if (!isYes(status)) throw this.#error("refused", `the charger would not reserve: ${wordsOf(status)}`);
    await this.#reservations.keep(reservationId, untilMs);
    return { reservationId, untilMs };
  }

  async cancelReservation(reservationId: number | undefined, signal: AbortSignal): Promise<void> {
    const id = reservationId ?? this.#reservations.current?.reservationId;
    if (id === undefined) return;
    const status = await this.#ask((dialect) => dialect.sessions.cancelReservation(id), signal);
    // Rejected: it has no such one, which is what was wanted.
    if (!isYes(status) && status.word !== "Rejected") {
      throw this.#error("refused", `the charger would not give the reservation up: ${wordsOf(status)}`);
    }
    await this.#reservations.drop(id);
  }

  /**
   * Asks a 2.x station whether a transaction goes on.
   * @returns nothing where it cannot be asked or does not say
   */
  async goesOn(transactionId: TransactionId, signal: AbortSignal): Promise<boolean | undefined> {
    const { station } = this.#options;
    const question = station.sessionCalls?.transactionStatus?.(String(transactionId));
    if (question === undefined) return undefined;
    try {
      const { answer } = await station.call(() => question, "background", signal);
      const ongoing = answer["ongoingIndicator"];
      // Its end is on its way to us.
      if (ongoing !== true && answer["messagesInQueue"] === true) return undefined;
      return typeof ongoing === "boolean" ? ongoing : undefined;
    } catch (error) {
      if (error instanceof CallFailure) return undefined;
      throw error;
    }
  }

  #tokenOf(token: string | undefined): Token {
    const { device, station } = this.#options;
    const id = token ?? device.remoteIdTag;
    if (id.length > (station.version === "ocpp1.6" ? 20 : 36)) {
      throw this.#error("refused", `the token "${id.slice(0, 40)}" is too long for this charger`);
    }
    return { id, type: token === undefined ? "Central" : (station.admission.find(token)?.type ?? "Central") };
  }

  /** A status word and a CALLERROR are one thing here: the charger says yes or no. */
  async #ask(make: (dialect: Dialect) => Request, signal: AbortSignal): Promise<Status> {
    try {
      const { answer, dialect } = await this.#options.station.call(make, "command", signal);
      const [status] = dialect.statuses(answer);
      if (status === undefined) throw this.#error("protocol", "the charger answered with no status that there is");
      return status;
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      if (error.fault === "refused") return { word: error.message };
      throw new DeviceError(error.fault, this.#options.era, error.message, { cause: error });
    }
  }

  #error(fault: DeviceError["fault"], message: string): DeviceError {
    return new DeviceError(fault, this.#options.era, message);
  }
}

function isYes(status: Status): boolean {
  return status.word === "Accepted";
}

function wordsOf({ word, reason }: Status): string {
  return reason === undefined ? word : `${word} (${reason})`;
}
