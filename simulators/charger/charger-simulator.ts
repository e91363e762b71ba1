import { repeatEvery } from "../../src/clock.ts";
import { type ChargerBehaviour, GOOD_BEHAVIOUR } from "./behaviour.ts";
import type { Connector } from "./charger-controls.ts";
import type { ChargerSimulatorOptions } from "./charger-options.ts";
import { type ChargerParts, createParts, DEFAULT_ID_TAG } from "./charger-parts.ts";
import { MessageRecord, type ReceivedSend } from "./message-record.ts";
import type { StopReason } from "./session/transaction.ts";

export type { ChargerBehaviour } from "./behaviour.ts";
export type { ChargerSimulatorOptions } from "./charger-options.ts";

const TICK_MS = 100;
const SETTLE_MS = 3_000;
const POLL_MS = 20;

/**
 * A charger with its connectors and a car at each, as a network program of its own. It is strict: it checks what it is
 * sent against the schemas and the rules of the protocol, and refuses what a careful charger refuses.
 */
export class ChargerSimulator implements AsyncDisposable {
  /** May be changed while it runs. */
  readonly behaviour: ChargerBehaviour;
  /** Every SetChargingProfile payload, newest last; only the last 200. */
  readonly profilesReceived: readonly unknown[];
  /** What did not pass the schemas, in either direction, newest last; only the last 200. */
  readonly violations: readonly string[];
  /** What the CSMS sent without wanting an answer (2.1), newest last; only the last 200. */
  readonly sendsReceived: readonly ReceivedSend[];
  /** What the CSMS said of answers that it could not use (CALLRESULTERROR of 2.1), newest last; only the last 200. */
  readonly resultErrors: readonly string[];
  readonly #options: ChargerSimulatorOptions;
  readonly #parts: ChargerParts;
  readonly #stop = new AbortController();
  #ticking: Promise<void> | undefined;
  #rebooting: Promise<void> | undefined;
  #resetWhenIdle = false;

  constructor(options: ChargerSimulatorOptions) {
    this.#options = options;
    this.behaviour = { ...GOOD_BEHAVIOUR, ...options.behaviour };
    const onEvent = options.onEvent ?? (() => {});
    const record = new MessageRecord(options.log, onEvent);
    this.profilesReceived = record.profiles;
    this.violations = record.violations;
    this.sendsReceived = record.sends;
    this.resultErrors = record.resultErrors;
    this.#parts = createParts(options, {
      behaviour: this.behaviour,
      record,
      onEvent,
      signal: this.#stop.signal,
      restart: (when) => {
        if (when === "idle") this.#resetWhenIdle = true;
        else if (when === "now") void this.#restart("Reboot");
        else void this.reboot();
      },
    });
  }

  /**
   * Connects, boots, plugs the cars in and starts a transaction at each. Resolves when the cars may charge, and at the
   * latest when the first dial failed or after 3 s: it goes on trying by itself.
   */
  async start(): Promise<void> {
    const { uplink, settings, connectors } = this.#parts;
    for (const { session } of connectors) session.plugIn(this.#options.idTag ?? DEFAULT_ID_TAG);
    this.#tick();
    uplink.start();
    const { clock, tickMs = Math.min(TICK_MS, settings.sampleIntervalMs || TICK_MS) } = this.#options;
    this.#ticking ??= repeatEvery(clock, tickMs, this.#stop.signal, () => this.#tick());
    await this.#untilCharging();
  }

  /** A car comes, and its driver wants to charge. Resolves as `start` does. @throws RangeError without such a connector */
  async plugIn(connectorId = 1): Promise<void> {
    const { session } = this.#at(connectorId);
    session.plugIn(this.#options.idTag ?? DEFAULT_ID_TAG);
    session.tick();
    await this.#untilCharging();
  }

  /**
   * The car leaves, and the transaction ends. Resolves when the CSMS knows, or cannot be told now.
   * @throws RangeError without such a connector
   */
  async unplug(connectorId = 1): Promise<void> {
    const { session } = this.#at(connectorId);
    session.unplug();
    session.tick();
    const { uplink } = this.#parts;
    await this.#until(() => !uplink.online || uplink.waiting === 0);
  }

  /**
   * The supply fails and comes back: the link drops, the charger boots again, transaction profiles are gone. In 1.6 the
   * transaction ends with PowerLoss and a new one begins, in 2.x it goes on. Resolves as `start` does.
   *
   * @param options.forgetsProfiles true for a charger that keeps no profile over a restart
   */
  async reboot(options: { forgetsProfiles?: boolean } = {}): Promise<void> {
    if (options.forgetsProfiles) this.#parts.profiles.forgetAll();
    await this.#restart(this.#options.version === "1.6" ? "PowerLoss" : undefined);
  }

  /** The link breaks and stays down; the car charges on. */
  async disconnect(): Promise<void> {
    await this.#parts.uplink.pause();
  }

  /** The link may come back. Resolves when it has, or as `start` does. */
  async reconnect(): Promise<void> {
    const { uplink } = this.#parts;
    const failures = uplink.failures;
    uplink.resume();
    await this.#until(() => uplink.online || uplink.failures > failures);
  }

  /** Calls the CSMS by itself. @throws when there is no link, no answer, or an error as the answer */
  async call(action: string, payload: Record<string, unknown>): Promise<unknown> {
    return await this.#parts.uplink.call(action, payload);
  }

  /** Sends a message that wants no answer (2.1). @throws when there is no link, or it does not pass the schema */
  send(action: string, payload: Record<string, unknown>): void {
    this.#parts.uplink.send(action, payload);
  }

  /** kW, export positive; of the whole station unless a connector is named. @throws RangeError without such a connector */
  powerKW(connectorId?: number): number {
    if (connectorId !== undefined) return this.#at(connectorId).path.powerKW();
    return this.#parts.connectors.reduce((sumKW, { path }) => sumKW + path.powerKW(), 0);
  }

  /** Current per phase that binds now, A, whether or not a car draws it. @throws RangeError without such a connector */
  limitA(connectorId = 1): number {
    return this.#at(connectorId).path.limit().limitA;
  }

  /** True while a profile is installed that has not ended. */
  hasProfile(): boolean {
    const { profiles, connectors } = this.#parts;
    profiles.forgetEnded(connectors[0].path.moment());
    return profiles.all.length > 0;
  }

  /** The link is up and the CSMS accepted the boot. */
  online(): boolean {
    return this.#parts.uplink.online;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the charger is switched off"));
    await this.#parts.faults[Symbol.asyncDispose]();
    await this.#parts.uplink[Symbol.asyncDispose]();
    await this.#ticking;
    await this.#rebooting;
  }

  #at(connectorId: number): Connector {
    const connector = this.#parts.connectors.find(({ id }) => id === connectorId);
    if (connector === undefined) throw new RangeError(`the charger has no connector ${connectorId}`);
    return connector;
  }

  #tick(): void {
    const { connectors, dynamic, dialect, faults } = this.#parts;
    try {
      faults.tick();
      this.#expireReservations();
      for (const { session } of connectors) session.tick();
      dynamic.tick();
      dialect.tick?.(this.#options.clock.elapsedMs());
      if (!this.#resetWhenIdle || connectors.some(({ session }) => session.transaction !== undefined)) return;
      this.#resetWhenIdle = false;
      void this.#restart("Reboot");
    } catch (error) {
      this.#options.log.error("the charger's own logic failed", { err: error });
    }
  }

  #expireReservations(): void {
    const { reservations, connectors, dialect } = this.#parts;
    for (const reservation of reservations.expire(connectors[0].path.moment().nowMs)) {
      void this.#at(reservation.connectorId).session.note(dialect.reservationExpired?.(reservation));
    }
  }

  async #restart(reason: StopReason | undefined): Promise<void> {
    this.#rebooting ??= this.#powerCycle(reason).finally(() => {
      this.#rebooting = undefined;
    });
    await this.#rebooting;
    await this.#untilCharging();
  }

  async #powerCycle(reason: StopReason | undefined): Promise<void> {
    const { uplink, connectors } = this.#parts;
    uplink.forgetBoot();
    // The link goes first: a charger without supply says nothing more, and tells of the stop when it is back.
    const linkGone = uplink.pause();
    for (const { session } of connectors) session.powerDown(reason);
    await linkGone;
    await this.#options.clock.sleep(this.#options.rebootMs ?? 500, this.#stop.signal).catch(() => {});
    for (const { session } of connectors) session.powerUp();
    uplink.resume();
  }

  async #untilCharging(): Promise<void> {
    const { uplink, connectors } = this.#parts;
    const failures = uplink.failures;
    await this.#until(() => {
      const reported = uplink.online && !connectors.some(({ session }) => session.starting);
      return reported || uplink.failures > failures;
    });
  }

  /** Waits for a condition, but never long: the simulator goes on by itself. */
  async #until(holds: () => boolean): Promise<void> {
    const { clock } = this.#options;
    const giveUpAtMs = clock.elapsedMs() + SETTLE_MS;
    try {
      while (!holds() && clock.elapsedMs() < giveUpAtMs) await clock.sleep(POLL_MS, this.#stop.signal);
    } catch {
      // Switched off meanwhile.
    }
  }
}
