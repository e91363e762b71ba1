import { randomUUID } from "node:crypto";
import { ElectricCar } from "../../world/electric-car.ts";
import type { Dialect, Note, RemoteStart } from "../dialect.ts";
import type { OcppVersion } from "../ocpp-version.ts";
import type { ChargingState } from "../power/energy-path.ts";
import type { SampleContext } from "../power/meter-sample.ts";
import type { ChargingProfile } from "../profiles/charging-profile.ts";
import type { ProfileStore } from "../profiles/profile-store.ts";
import { ConnectorReports, type ConnectorReportsOptions } from "./connector-reports.ts";
import type { LocalList } from "./local-list.ts";
import type { Reservations } from "./reservations.ts";
import type { ConnectorStatus, StopReason, Transaction } from "./transaction.ts";

export interface ChargingSessionOptions extends ConnectorReportsOptions {
  readonly version: OcppVersion;
  readonly profiles: ProfileStore;
  readonly reservations: Reservations;
  readonly localList: LocalList;
  /** The outlet can give power back. */
  readonly bidirectional: boolean;
}

/** A driver at the connector. */
interface Driver {
  readonly idTag: string;
  /** The CSMS itself asked for the start, so it is not asked again. */
  readonly remote: boolean;
  readonly remoteStartId?: number;
  readonly profile?: ChargingProfile;
}

const ASK_AGAIN_MS = 2_000;

/** One connector: a car comes and goes, transactions begin and end, and the CSMS hears of it. */
export class ChargingSession {
  readonly connectorId: number;
  readonly #options: ChargingSessionOptions;
  readonly #dialect: Dialect;
  readonly #reports: ConnectorReports;
  #plugged = false;
  #available = true;
  #poweredDown = false;
  #finishing = false;
  #driver: Driver | undefined;
  #transaction: Transaction | undefined;
  #asking = false;
  #askAgainAtMs = 0;

  constructor(options: ChargingSessionOptions) {
    this.connectorId = options.connectorId;
    this.#options = options;
    this.#dialect = options.dialect;
    this.#reports = new ConnectorReports(options);
  }

  get transaction(): Transaction | undefined {
    return this.#transaction;
  }

  get plugged(): boolean {
    return this.#plugged;
  }

  get available(): boolean {
    return this.#available;
  }

  /** A driver waits for the charger, or for the CSMS, to let the current flow. */
  get starting(): boolean {
    return this.#driver !== undefined && this.#transaction?.confirmed !== true;
  }

  plugIn(idTag: string): void {
    if (this.#plugged) return;
    this.#plugged = true;
    this.#finishing = false;
    this.#driver = { idTag, remote: false };
    this.#askAgainAtMs = 0;
  }

  unplug(): void {
    this.end("EVDisconnected");
    this.#plugged = false;
    this.#finishing = false;
    this.#driver = undefined;
  }

  /** False if there is no car, it charges already, or the connector is kept for another driver. */
  remoteStart(start: Omit<RemoteStart, "connectorId">): boolean {
    const { connectorId, reservations } = this.#options;
    if (!this.#plugged || !this.#available || this.#transaction !== undefined) return false;
    if (!reservations.admits(connectorId, start.idTag)) return false;
    this.#driver = { ...start, remote: true };
    this.#askAgainAtMs = 0;
    return true;
  }

  /** Applies when the running transaction is over. */
  setAvailable(available: boolean): void {
    this.#available = available;
  }

  /** Ends the transaction; the car may stay. */
  end(reason: StopReason): void {
    const transaction = this.#transaction;
    if (transaction === undefined) return;
    const { connectorId, uplink, path, profiles, onEvent } = this.#options;
    const sample = path.sample();
    path.open();
    profiles.forgetTransaction(connectorId);
    this.#transaction = undefined;
    this.#finishing = true;
    if (reason !== "PowerLoss" && reason !== "Reboot") this.#driver = undefined;
    uplink.post(this.#dialect.ended({ transaction, sample, reason, offline: !uplink.online }));
    onEvent({ event: "transactionStopped", connectorId, transactionId: transaction.id ?? transaction.ownId, reason });
  }

  /** The supply is gone: no current, no messages. Without a reason the transaction outlives it. */
  powerDown(reason: StopReason | undefined): void {
    if (reason !== undefined) this.end(reason);
    this.#options.profiles.forgetTransaction(this.connectorId);
    this.#options.path.open();
    this.#poweredDown = true;
  }

  powerUp(): void {
    this.#poweredDown = false;
    this.#finishing = false;
    this.#reports.forgetState();
    if (this.#transaction?.confirmed === true) this.#options.path.close(this.#transaction.startedAtMs);
  }

  /** Moves everything to now. Called often. */
  tick(): void {
    const { path, profiles } = this.#options;
    profiles.forgetEnded(path.moment());
    this.#confirmWithoutCsms();
    const state = path.drive();
    if (this.#poweredDown) return;
    this.#begin();
    this.#reports.tell({ transaction: this.#transaction, state, status: this.#status(state) });
  }

  /** Tells the status of everything, known or not: after a boot, a reconnect, or when asked. */
  sendStatus(): void {
    this.#reports.sendStatus(this.#status(this.#options.path.drive()), "all");
  }

  sendSample(context: SampleContext): void {
    this.#reports.sendSample(this.#transaction, context);
  }

  sendState(context: SampleContext): void {
    this.#reports.sendState(this.#transaction, context);
  }

  /** Sends a call that makes sense only now, and passes over it if it fails. */
  async note(note: Note | undefined): Promise<void> {
    if (note === undefined) return;
    const { uplink, log } = this.#options;
    try {
      await uplink.call(note.action, note.payload);
    } catch (error) {
      log.debug("a message was not taken", { action: note.action, err: error });
    }
  }

  #status(state: ChargingState): ConnectorStatus {
    if (this.#transaction !== undefined) return state === "EVConnected" ? "Preparing" : state;
    if (!this.#available) return "Unavailable";
    if (!this.#plugged) return this.#options.reservations.at(this.connectorId) === undefined ? "Available" : "Reserved";
    return this.#finishing ? "Finishing" : "Preparing";
  }

  #begin(): void {
    const { uplink, clock, reservations, localList, log } = this.#options;
    const driver = this.#driver;
    if (driver === undefined || this.#transaction !== undefined || this.#asking || !this.#plugged) return;
    // A charger that never booted knows nobody; one that booted lets its driver start while the link is down.
    if (!this.#available || !uplink.booted || clock.elapsedMs() < this.#askAgainAtMs) return;
    if (!reservations.admits(this.connectorId, driver.idTag)) return;
    if (driver.remote) {
      this.#open(driver, false);
      return;
    }
    if (!uplink.online) {
      const listed = localList.statusOf(driver.idTag) ?? "Accepted";
      if (listed === "Accepted") this.#open(driver, false);
      else {
        log.warn("the local list does not accept the driver", { idTag: driver.idTag, status: listed });
        this.#driver = undefined;
      }
      return;
    }
    this.#asking = true;
    void this.#ask(driver).finally(() => {
      this.#asking = false;
    });
  }

  async #ask(driver: Driver): Promise<void> {
    const { uplink, clock, log } = this.#options;
    try {
      const verdict = await this.#dialect.authorize((action, payload) => uplink.call(action, payload), driver.idTag);
      if (this.#driver !== driver || this.#poweredDown) return;
      if (verdict.accepted) this.#open(driver, verdict.mayDischarge);
      else {
        log.warn("the CSMS does not accept the driver", { idTag: driver.idTag });
        this.#driver = undefined;
      }
    } catch (error) {
      log.debug("Authorize was not answered", { err: error });
      this.#askAgainAtMs = clock.elapsedMs() + ASK_AGAIN_MS;
    }
  }

  #open(driver: Driver, mayDischarge: boolean): void {
    const { version, connectorId, clock, uplink, path, settings, reservations } = this.#options;
    const ownId = randomUUID();
    const reservation = reservations.at(connectorId);
    const transaction: Transaction = {
      connectorId,
      ownId,
      idTag: driver.idTag,
      ...(driver.remoteStartId === undefined ? {} : { remoteStartId: driver.remoteStartId }),
      ...(reservation === undefined ? {} : { reservationId: reservation.id }),
      startedAtMs: clock.now(),
      id: version === "1.6" ? undefined : ownId,
      confirmed: false,
      seqNo: 0,
      mayDischarge,
      operationMode: "ChargingOnly",
    };
    if (reservation !== undefined) reservations.cancel(reservation.id);
    this.#transaction = transaction;
    this.#finishing = false;
    uplink.post({
      ...this.#dialect.started(transaction, path.sample(), settings, !uplink.online),
      answered: (answer) => this.#startAnswered(transaction, driver, answer),
    });
    this.#confirmWithoutCsms();
  }

  #startAnswered(transaction: Transaction, driver: Driver, answer: unknown): void {
    const { log, onEvent, connectorId } = this.#options;
    try {
      const verdict = answer === undefined ? { accepted: true } : this.#dialect.startAnswer(answer);
      transaction.id ??= verdict.id;
      if (this.#transaction !== transaction) return;
      if (!verdict.accepted) {
        log.warn("the CSMS stops the transaction it was told of", { idTag: transaction.idTag });
        this.end("DeAuthorized");
        return;
      }
    } catch (error) {
      log.warn("the answer to the start cannot be read", { err: error });
    }
    onEvent({ event: "transactionStarted", connectorId, transactionId: transaction.id ?? transaction.ownId });
    this.#confirm(transaction);
    if (driver.profile !== undefined) this.#installFirstProfile(transaction, driver.profile);
    void this.note(this.#needs(transaction));
  }

  #needs(transaction: Transaction): Note | undefined {
    const { path, clock, bidirectional } = this.#options;
    // Only a car that speaks ISO 15118-20 says what it needs, and here that is one that can give back.
    if (!bidirectional || !(path.car instanceof ElectricCar) || path.car.options.maxDischargeKW <= 0) return undefined;
    return this.#dialect.needs?.(transaction, path.car, path.wiring, clock.now());
  }

  #installFirstProfile(transaction: Transaction, profile: ChargingProfile): void {
    const { version, path, profiles, log, bidirectional } = this.#options;
    if (transaction.id === undefined) return;
    const { id: transactionId, mayDischarge } = transaction;
    const situation = { version, transactionRuns: true, transactionId, bidirectional, mayDischarge };
    const refusal = profiles.install({ ...profile, transactionId }, situation, path.moment());
    if (refusal !== undefined) log.warn("the profile of the remote start is refused", { ...refusal });
  }

  /** Without a link nobody can confirm, and the car is not made to wait for it. */
  #confirmWithoutCsms(): void {
    const { uplink } = this.#options;
    if (this.#transaction?.confirmed === false && !uplink.online && !this.#poweredDown) {
      this.#confirm(this.#transaction);
    }
  }

  #confirm(transaction: Transaction): void {
    if (this.#transaction !== transaction || transaction.confirmed) return;
    transaction.confirmed = true;
    if (!this.#poweredDown) this.#options.path.close(transaction.startedAtMs);
  }
}
