import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { OnChargerEvent } from "../charger-event.ts";
import type { ChargerSettings } from "../charger-settings.ts";
import type { Dialect, MeterReport } from "../dialect.ts";
import type { Uplink } from "../link/uplink.ts";
import type { ChargingState, EnergyPath } from "../power/energy-path.ts";
import { turnSign } from "../power/import-sign.ts";
import type { SampleContext } from "../power/meter-sample.ts";
import { askedKW } from "../profiles/effective-limit.ts";
import type { ConnectorStatus, Transaction } from "./transaction.ts";

/** What there is to tell at one moment. */
export interface ConnectorNews {
  readonly transaction: Transaction | undefined;
  readonly state: ChargingState;
  readonly status: ConnectorStatus;
}

export interface ConnectorReportsOptions {
  readonly connectorId: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly dialect: Dialect;
  readonly uplink: Uplink;
  readonly path: EnergyPath;
  readonly settings: ChargerSettings;
  readonly onEvent: OnChargerEvent;
}

/** Tells the CSMS what changed at the connector, and the meter at its interval. */
export class ConnectorReports {
  readonly #options: ConnectorReportsOptions;
  readonly #lastShown = new Map<number, string>();
  #lastState: string | undefined;
  #lastLimit: string | undefined;
  #lastSampleMs = 0;

  constructor(options: ConnectorReportsOptions) {
    this.#options = options;
  }

  /** Sends what is new. */
  tell(news: ConnectorNews): void {
    this.#tellLimit();
    this.#tellState(news);
    this.#tellSample(news);
    this.sendStatus(news.status, "changed");
  }

  /** The state is told again, even if it is the old one. */
  forgetState(): void {
    this.#lastState = undefined;
  }

  sendStatus(status: ConnectorStatus, which: "all" | "changed"): void {
    const { connectorId, clock, dialect, uplink, log } = this.#options;
    // An old status is of no use, so it does not wait for the link: the one of then is sent when it is back.
    if (!uplink.online) return;
    for (const { place, shown, payload } of dialect.status(connectorId, status, clock.now())) {
      if (which === "changed" && this.#lastShown.get(place) === shown) continue;
      this.#lastShown.set(place, shown);
      uplink
        .call("StatusNotification", payload)
        .catch((error: unknown) => log.debug("the status was not taken", { err: error }));
    }
  }

  sendSample(transaction: Transaction | undefined, context: SampleContext): void {
    const { settings, uplink, dialect, onEvent, connectorId } = this.#options;
    const report = this.#report(transaction, context);
    onEvent({
      event: "power",
      connectorId,
      powerKW: round(turnSign((report.sample.importW - report.sample.exportW) / 1000), 3),
      socPercent: round(report.sample.socPercent, 1),
      state: report.state,
    });
    // Without a measurand there is nothing to send, and the schemas of 2.x allow no empty list.
    if (settings.measurands.length > 0) uplink.post(dialect.meter(report, settings));
  }

  sendState(transaction: Transaction | undefined, context: SampleContext): void {
    const { dialect, settings, uplink } = this.#options;
    const message = dialect.stateChanged(this.#report(transaction, context), settings);
    if (message !== undefined) uplink.post(message);
  }

  #report(transaction: Transaction | undefined, context: SampleContext): MeterReport {
    const { connectorId, path, uplink } = this.#options;
    const state = path.drive();
    const { mode } = path.limit();
    return { connectorId, transaction, sample: path.sample(), state, mode, context, offline: !uplink.online };
  }

  #tellLimit(): void {
    const { path, connectorId, onEvent } = this.#options;
    const limit = path.limit();
    const told = {
      connectorId,
      limitA: round(limit.limitA, 2),
      phases: limit.phases,
      ...(limit.setpointA === undefined ? {} : { setpointKW: round(turnSign(askedKW(limit, path.wiring)), 3) }),
    };
    const key = JSON.stringify(told);
    if (key === this.#lastLimit) return;
    this.#lastLimit = key;
    onEvent({ event: "limit", ...told });
  }

  #tellState({ transaction, state }: ConnectorNews): void {
    const confirmed = transaction?.confirmed === true;
    // A change of mode is told as a change of state is (2.1, Q: OperationModeChanged).
    const now = `${state} ${this.#options.path.limit().mode}`;
    const news = confirmed && now !== this.#lastState;
    this.#lastState = confirmed ? now : undefined;
    if (news) this.sendState(transaction, "Sample.Periodic");
  }

  #tellSample({ transaction, state }: ConnectorNews): void {
    const { sampleIntervalMs } = this.#options.settings;
    const nowMs = this.#options.clock.elapsedMs();
    if (transaction === undefined || state === "EVConnected" || sampleIntervalMs <= 0) {
      this.#lastSampleMs = nowMs;
      return;
    }
    if (nowMs - this.#lastSampleMs < sampleIntervalMs) return;
    this.#lastSampleMs = nowMs;
    this.sendSample(transaction, "Sample.Periodic");
  }
}

function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals)) + 0;
}
