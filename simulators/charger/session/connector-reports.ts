import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { ChargerSettings } from "../charger-settings.ts";
import type { Dialect, MeterReport } from "../dialect.ts";
import type { Uplink } from "../link/uplink.ts";
import type { ChargingState, EnergyPath } from "../power/energy-path.ts";
import type { SampleContext } from "../power/meter-sample.ts";
import type { ConnectorStatus, Transaction } from "./transaction.ts";

/** What there is to tell at one moment. */
export interface ConnectorNews {
  readonly transaction: Transaction | undefined;
  readonly state: ChargingState;
  readonly status: ConnectorStatus;
}

/** Tells the CSMS what changed at the connector, and the meter at its interval. */
export class ConnectorReports {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #dialect: Dialect;
  readonly #uplink: Uplink;
  readonly #path: EnergyPath;
  readonly #settings: ChargerSettings;
  readonly #lastShown = new Map<number, string>();
  #lastState: ChargingState | undefined;
  #lastSampleMs = 0;

  constructor(options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly dialect: Dialect;
    readonly uplink: Uplink;
    readonly path: EnergyPath;
    readonly settings: ChargerSettings;
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#dialect = options.dialect;
    this.#uplink = options.uplink;
    this.#path = options.path;
    this.#settings = options.settings;
  }

  /** Sends what is new. */
  tell(news: ConnectorNews): void {
    this.#tellState(news);
    this.#tellSample(news);
    this.sendStatus(news.status, "changed");
  }

  /** The state is told again, even if it is the old one. */
  forgetState(): void {
    this.#lastState = undefined;
  }

  sendStatus(status: ConnectorStatus, which: "all" | "changed"): void {
    // An old status is of no use, so it does not wait for the link: the one of then is sent when it is back.
    if (!this.#uplink.online) return;
    for (const { place, shown, payload } of this.#dialect.status(status, this.#clock.now())) {
      if (which === "changed" && this.#lastShown.get(place) === shown) continue;
      this.#lastShown.set(place, shown);
      this.#uplink
        .call("StatusNotification", payload)
        .catch((error: unknown) => this.#log.debug("the status was not taken", { err: error }));
    }
  }

  sendSample(transaction: Transaction | undefined, context: SampleContext): void {
    // Without a measurand there is nothing to send, and the schemas of 2.0.1 allow no empty list.
    if (this.#settings.measurands.length === 0) return;
    this.#uplink.post(this.#dialect.meter(this.#report(transaction, context), this.#settings));
  }

  sendState(transaction: Transaction | undefined, context: SampleContext): void {
    const message = this.#dialect.stateChanged(this.#report(transaction, context), this.#settings);
    if (message !== undefined) this.#uplink.post(message);
  }

  #report(transaction: Transaction | undefined, context: SampleContext): MeterReport {
    const state = this.#path.drive();
    return { transaction, sample: this.#path.sample(), state, context, offline: !this.#uplink.online };
  }

  #tellState({ transaction, state }: ConnectorNews): void {
    const confirmed = transaction?.confirmed === true;
    const news = confirmed && state !== this.#lastState;
    this.#lastState = confirmed ? state : undefined;
    if (news) this.sendState(transaction, "Sample.Periodic");
  }

  #tellSample({ transaction, state }: ConnectorNews): void {
    const { sampleIntervalMs } = this.#settings;
    const nowMs = this.#clock.elapsedMs();
    if (transaction === undefined || state === "EVConnected" || sampleIntervalMs <= 0) {
      this.#lastSampleMs = nowMs;
      return;
    }
    if (nowMs - this.#lastSampleMs < sampleIntervalMs) return;
    this.#lastSampleMs = nowMs;
    this.sendSample(transaction, "Sample.Periodic");
  }
}
