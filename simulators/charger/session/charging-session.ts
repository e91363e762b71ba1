import { randomUUID } from "node:crypto";
import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { ChargerSettings } from "../charger-settings.ts";
import type { Dialect } from "../dialect.ts";
import type { Uplink } from "../link/uplink.ts";
import type { ChargingState, EnergyPath } from "../power/energy-path.ts";
import type { SampleContext } from "../power/meter-sample.ts";
import type { ChargingProfile } from "../profiles/charging-profile.ts";
import type { ProfileStore } from "../profiles/profile-store.ts";
import { ConnectorReports } from "./connector-reports.ts";
import type { ConnectorStatus, StopReason, Transaction } from "./transaction.ts";

export interface ChargingSessionOptions {
  readonly version: "1.6" | "2.0.1";
  readonly clock: Clock;
  readonly log: Log;
  readonly dialect: Dialect;
  readonly uplink: Uplink;
  readonly path: EnergyPath;
  readonly profiles: ProfileStore;
  readonly settings: ChargerSettings;
}

/** A driver at the connector. */
interface Driver {
  readonly idTag: string;
  /** The CSMS itself asked for the start, so it is not asked again. */
  readonly remote: boolean;
  readonly profile?: ChargingProfile;
}

const ASK_AGAIN_MS = 2_000;

/** The connector: a car comes and goes, transactions begin and end, and the CSMS hears of it. */
export class ChargingSession {
  readonly #options: ChargingSessionOptions;
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
    this.#options = options;
    this.#reports = new ConnectorReports(options);
  }

  get transaction(): Transaction | undefined {
    return this.#transaction;
  }

  get plugged(): boolean {
    return this.#plugged;
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

  /** False if there is no car, or it charges already. */
  remoteStart(idTag: string, profile?: ChargingProfile): boolean {
    if (!this.#plugged || !this.#available || this.#transaction !== undefined) return false;
    this.#driver = profile === undefined ? { idTag, remote: true } : { idTag, remote: true, profile };
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
    const { dialect, uplink, path, profiles } = this.#options;
    const sample = path.sample();
    path.open();
    profiles.forgetTransaction();
    this.#transaction = undefined;
    this.#finishing = true;
    if (reason !== "PowerLoss" && reason !== "Reboot") this.#driver = undefined;
    uplink.post(dialect.ended(transaction, sample, reason, !uplink.online));
  }

  /** The supply is gone: no current, no messages. Without a reason the transaction outlives it. */
  powerDown(reason: StopReason | undefined): void {
    if (reason !== undefined) this.end(reason);
    this.#options.profiles.forgetTransaction();
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

  #status(state: ChargingState): ConnectorStatus {
    if (this.#transaction !== undefined) return state === "EVConnected" ? "Preparing" : state;
    if (!this.#available) return "Unavailable";
    if (!this.#plugged) return "Available";
    return this.#finishing ? "Finishing" : "Preparing";
  }

  #begin(): void {
    const { uplink, clock } = this.#options;
    const driver = this.#driver;
    if (driver === undefined || this.#transaction !== undefined || this.#asking || !this.#plugged) return;
    // A charger that never booted knows nobody; one that booted lets its driver start while the link is down.
    if (!this.#available || !uplink.booted || clock.elapsedMs() < this.#askAgainAtMs) return;
    if (driver.remote || !uplink.online) {
      this.#open(driver);
      return;
    }
    this.#asking = true;
    void this.#ask(driver).finally(() => {
      this.#asking = false;
    });
  }

  async #ask(driver: Driver): Promise<void> {
    const { dialect, uplink, clock, log } = this.#options;
    try {
      const accepted = await dialect.authorize((action, payload) => uplink.call(action, payload), driver.idTag);
      if (this.#driver !== driver || this.#poweredDown) return;
      if (accepted) this.#open(driver);
      else {
        log.warn("the CSMS does not accept the driver", { idTag: driver.idTag });
        this.#driver = undefined;
      }
    } catch (error) {
      log.debug("Authorize was not answered", { err: error });
      this.#askAgainAtMs = clock.elapsedMs() + ASK_AGAIN_MS;
    }
  }

  #open(driver: Driver): void {
    const { version, clock, dialect, uplink, path, settings } = this.#options;
    const ownId = randomUUID();
    const transaction: Transaction = {
      ownId,
      idTag: driver.idTag,
      startedAtMs: clock.now(),
      id: version === "2.0.1" ? ownId : undefined,
      confirmed: false,
      seqNo: 0,
    };
    this.#transaction = transaction;
    this.#finishing = false;
    uplink.post({
      ...dialect.started(transaction, path.sample(), settings, !uplink.online),
      answered: (answer) => this.#startAnswered(transaction, driver, answer),
    });
    this.#confirmWithoutCsms();
  }

  #startAnswered(transaction: Transaction, driver: Driver, answer: unknown): void {
    const { dialect, log } = this.#options;
    try {
      const verdict = answer === undefined ? { accepted: true } : dialect.startAnswer(answer);
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
    this.#confirm(transaction);
    if (driver.profile !== undefined) this.#installFirstProfile(transaction, driver.profile);
  }

  #installFirstProfile(transaction: Transaction, profile: ChargingProfile): void {
    const { version, path, profiles, log } = this.#options;
    if (transaction.id === undefined) return;
    const situation = { version, transactionRuns: true, transactionId: transaction.id };
    const refusal = profiles.install({ ...profile, transactionId: transaction.id }, situation, path.moment());
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
