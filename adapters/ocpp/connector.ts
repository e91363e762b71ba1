import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import {
  type Acceptance,
  type Adapter,
  DeviceError,
  type Evidence,
  type Report,
  type Target,
} from "../../src/model/adapter.ts";
import type { Availability, Reading } from "../../src/model/reading.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability, DeviceIdentity, Era } from "../../src/model/resource.ts";
import type { AdapterContext, DeviceRole } from "../kind.ts";
import type { OcppDevice } from "./config.ts";
import { carCapability } from "./control/car-capability.ts";
import { powerFromImportKW } from "./control/import-limit.ts";
import { TargetKeeper, type TargetOwner, textId } from "./control/target-keeper.ts";
import { V2gControl, type V2gOwner, v2gObstacle } from "./control/v2g-control.ts";
import type { WireSetpoint } from "./control/v2g-setpoint.ts";
import { CallFailure } from "./link/call-queue.ts";
import { timestampFrom } from "./link/timestamp.ts";
import type { PlugEvent, PlugState } from "./messages/events.ts";
import { DeviceClock } from "./metering/device-clock.ts";
import { measuredFrom } from "./metering/reading-from-samples.ts";
import { PLUG_AVAILABILITY } from "./sessions/availability.ts";
import type { CarNeeds } from "./sessions/car-needs.ts";
import { carObjective } from "./sessions/car-objective.ts";
import { type CarPlace, ConnectedCar } from "./sessions/connected-car.ts";
import { ConnectorSessions } from "./sessions/connector-sessions.ts";
import type { SessionRecord } from "./sessions/session-record.ts";
import { Notices } from "./setup/notices.ts";
import type { Station, StationPort } from "./station.ts";

type SamplesEvent = Extract<PlugEvent, { kind: "samples" }>;

/** One connector of a charger as the core sees it. */
export class OcppConnector implements Adapter, StationPort, TargetOwner, V2gOwner, CarPlace {
  readonly era: Era;
  readonly station: Station;
  readonly device: OcppDevice;
  /** As in its config, at hand since every message asks for it. */
  readonly connector: number;
  readonly context: AdapterContext;
  readonly #reports = new ReportQueue();
  /** These are made with the first that there is to do for each: most connectors are idle. */
  #notices: Notices | undefined;
  #sessions: ConnectorSessions | undefined;
  #car: ConnectedCar | undefined;
  #deviceClock: DeviceClock | undefined;
  readonly v2g: V2gControl | undefined;
  /** Keeps the target in force. */
  readonly keeper: TargetKeeper;
  #meterIntervalMs: number;
  #identity: DeviceIdentity | undefined;
  #started = false;
  #state: PlugState | undefined;
  /** Set while connector 0, the whole station, is out of service. */
  #stationState: PlugState | undefined;
  #saidAvailability: Availability | undefined;
  #saidCapability = "";
  #lifetime: AbortController | undefined;

  constructor(
    role: DeviceRole,
    device: OcppDevice,
    station: Station,
    meterIntervalMs: number,
    context: AdapterContext,
  ) {
    this.era = role.era;
    this.device = device;
    this.connector = device.connector;
    this.station = station;
    this.#meterIntervalMs = meterIntervalMs;
    this.context = context;
    this.#identity = station.chargerIdentity;
    if (device.v2g !== undefined) this.v2g = new V2gControl(this);
    // What ran before a restart goes on, as far as we know; the charger says otherwise if not.
    this.keeper = new TargetKeeper(this, station.sessionOn(device.connector)?.transactionId);
  }

  get clock(): Clock {
    return this.context.clock;
  }

  /** Made when a line is written: a connector has little to say, and there are many. */
  get log(): Log {
    return this.context.log.child({ era: this.era, charger: this.device.identity });
  }

  /** What the car told; absent while it told nothing. */
  get needs(): CarNeeds | undefined {
    return this.#car?.needs;
  }

  get sessions(): ConnectorSessions {
    const { era, device, station, context } = this;
    this.#sessions ??= new ConnectorSessions({
      era,
      device,
      station,
      clock: context.clock,
      memory: context.memory,
      now: () => ({
        state: this.#stationState ?? this.#state,
        transactionId: this.keeper.transactionId,
        profile: this.keeper.profileForStart(),
      }),
    });
    return this.#sessions;
  }

  get charger(): string {
    return this.station.identity;
  }

  get mayDischarge(): boolean {
    return this.device.v2g !== undefined;
  }

  /** Sessions of this connector, oldest first. */
  get sessionRecords(): readonly SessionRecord[] {
    return this.station.sessionRecords.filter((record) => record.connector === this.device.connector);
  }

  get protocol(): string {
    return this.station.version ?? "ocpp";
  }

  async start(signal: AbortSignal): Promise<Capability> {
    await this.station.connected(signal);
    this.#started = true;
    const capability = this.#capability();
    this.#saidCapability = JSON.stringify(capability);
    return capability;
  }

  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    if (target.untilMs <= this.context.clock.now()) {
      throw new DeviceError("refused", this.era, `the target ended at ${timestampFrom(target.untilMs)}`);
    }
    return this.#asDevice(signal, () => this.keeper.apply(target, signal));
  }

  async release(signal: AbortSignal): Promise<void> {
    await this.#asDevice(signal, () => this.keeper.release(signal));
  }

  async probe(signal: AbortSignal): Promise<Evidence> {
    return this.#asDevice(signal, () => this.keeper.probe(signal));
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ownLifetime().abort("the adapter is closed");
    this.keeper.stop();
    this.station.removePort(this.device.connector);
    return Promise.resolve();
  }

  /** Made when somebody waits for the end, which is rare. */
  #ownLifetime(): AbortController {
    this.#lifetime ??= new AbortController();
    return this.#lifetime;
  }

  onLink(up: boolean, detail: string): void {
    if (!up) this.keeper.onLinkDown();
    this.#reports.push({ kind: "link", up, detail });
  }

  onBackendLimit(): void {
    const limit = this.station.backendLimit(this.device.connector, this.device);
    this.#reports.push({ kind: "limits", limits: limit === undefined ? [] : [limit] });
    this.keeper.onBackendLimit();
  }

  tell(report: Report): void {
    this.#reports.push(report);
  }

  onCapability(): void {
    this.#sayCapability();
  }

  onSetpointLost(): void {
    this.keeper.sendAgain("the charger lost its setpoint");
  }

  onReady(): void {
    // A charger may come back speaking another version, in which it can do more, or less.
    this.#sayCapability();
    this.keeper.onReady();
    if (this.keeper.transactionId !== undefined) this.#askIfItGoesOn(this.keeper.transactionId);
  }

  onSampleInterval(intervalS: number): void {
    if (intervalS * 1000 === this.#meterIntervalMs) return;
    this.#meterIntervalMs = intervalS * 1000;
    this.#sayCapability();
  }

  onNotice(topic: string, text: string | undefined): void {
    if (this.#notices === undefined && text === undefined) return;
    this.#notices ??= new Notices(this.#reports);
    this.#notices.set(topic, text);
  }

  onClock(): void {
    this.keeper.onClock();
  }

  async onSetUp(signal: AbortSignal): Promise<void> {
    this.#sayCapability();
    await this.keeper.lookAround(signal);
  }

  onIdentity(identity: DeviceIdentity): void {
    this.v2g?.forgetCharger();
    this.#identity = identity;
    this.#sayCapability();
  }

  hasTarget(): boolean {
    return this.keeper.hasTarget;
  }

  setpointOf(profileId: number): WireSetpoint | undefined {
    return this.v2g?.setpointOf(profileId);
  }

  onEvent(event: PlugEvent): void {
    const { connector } = this;
    if (event.connector === connector || event.connector === 0) this.#tellSessions(event);
    if (event.kind === "state") this.#onState(event.connector, event.state);
    // Samples of connector 0 are those of the whole station, which may feed more than this connector.
    else if (event.connector !== connector) return;
    else if (event.kind === "samples") this.#onSamples(event);
    else if (event.kind === "transaction") {
      if (event.past === undefined) this.keeper.onTransaction(event.transactionId, this.context.clock.now());
      else this.#onPastTransaction(event.transactionId);
    } else if (event.kind === "needs") this.#onNeeds(event.needs);
    else if (event.kind === "plan") {
      this.#carHere().plans(event.plan);
      this.#sayAvailability();
    } else if (event.kind === "transaction-over" && event.transactionId === this.keeper.transactionId) {
      this.#onCarGone();
      this.keeper.onTransactionOver(event.transactionId);
    }
  }

  #tellSessions(event: PlugEvent): void {
    // Where nothing was asked for, nobody waits; but a reservation may be one from before a restart.
    if (this.#sessions !== undefined || event.kind === "reservation-over") this.sessions.onEvent(event);
  }

  #carHere(): ConnectedCar {
    this.#car ??= new ConnectedCar(this);
    return this.#car;
  }

  #onState(connector: number, state: PlugState): void {
    if (connector === 0) {
      this.#stationState = state === "unavailable" || state === "faulted" ? state : undefined;
    } else {
      // 2.0.1 repeats "occupied" beside the finer state of the transaction, which stays.
      const finer = this.keeper.transactionId !== undefined && state === "plugged" && this.#usable();
      if (!finer) this.#state = state;
      if (state === "free") {
        const open = this.keeper.transactionId;
        if (open !== undefined) this.station.book.lost(open);
        this.keeper.onCarGone();
        this.#onCarGone();
      }
    }
    this.#sayAvailability();
  }

  #onNeeds(needs: CarNeeds): void {
    this.#carHere().tells(needs, textId(this.keeper.transactionId));
    this.v2g?.stop();
    const objective = carObjective(needs);
    this.#reports.push({ kind: "objective", ...(objective === undefined ? {} : { objective }) });
    const { socPercent } = needs;
    if (socPercent !== undefined) {
      const receivedAtMs = this.context.clock.now();
      this.#reports.push({ kind: "reading", reading: { era: this.era, receivedAtMs, socPercent } });
    }
    this.#sayCapability();
    this.keeper.sendAgain("the car told what it needs");
  }

  #onCarGone(): void {
    this.v2g?.forgetCar();
    // Also one of which only the memory knows.
    if (!(this.#car ?? new ConnectedCar(this)).leaves()) return;
    this.#reports.push({ kind: "objective" });
    this.#sayCapability();
  }

  #usable(): boolean {
    return this.#state !== undefined && PLUG_AVAILABILITY[this.#state].usable;
  }

  #sayAvailability(): void {
    const state = this.#stationState ?? this.#state;
    if (state === undefined) return;
    const { usable, reason } = PLUG_AVAILABILITY[state];
    const { minPowerKW, maxPowerKW } = this.#capability();
    const availability = {
      era: this.era,
      // A car on one line can take no more than one line carries.
      minPowerKW: usable ? Math.max(minPowerKW, powerFromImportKW(this.keeper.mostKW)) : 0,
      maxPowerKW: usable && (this.#car?.mayGive ?? true) ? maxPowerKW : 0,
      reason: usable ? `${reason}${this.#car?.planText ?? ""}` : reason,
    };
    if (saysTheSame(this.#saidAvailability, availability)) return;
    this.#saidAvailability = availability;
    this.#reports.push({ kind: "availability", availability });
  }

  #sayCapability(): void {
    if (!this.#started) return;
    const capability = this.#capability();
    const said = JSON.stringify(capability);
    if (said === this.#saidCapability) return;
    this.#saidCapability = said;
    this.#reports.push({ kind: "capability", capability });
    this.#sayAvailability();
  }

  /** A message that waited in the charger tells of a transaction. It may be over: its end comes behind it, or not. */
  #onPastTransaction(transactionId: number | string): void {
    if (transactionId === this.keeper.transactionId) return;
    if (this.station.version !== "ocpp1.6") this.#askIfItGoesOn(transactionId);
    else if (this.#state !== "free") this.keeper.onTransaction(transactionId, undefined);
  }

  #askIfItGoesOn(transactionId: number | string): void {
    this.sessions.goesOn(transactionId, this.#ownLifetime().signal).then(
      (goesOn) => {
        if (goesOn === true && !this.station.book.isOver(transactionId)) {
          this.keeper.onTransaction(transactionId, undefined);
        }
        if (goesOn !== false) return;
        this.station.book.lost(transactionId);
        this.keeper.onTransactionOver(transactionId);
      },
      () => {},
    );
  }

  #onSamples(event: SamplesEvent): void {
    const receivedAtMs = this.context.clock.now();
    let live = event.sets.length > 0;
    this.#deviceClock ??= new DeviceClock();
    for (const set of event.sets) {
      const timing = this.#deviceClock.judge(set.takenAtMs, receivedAtMs);
      const replayed = timing.replayed || event.offline === true;
      if (replayed) live = false;
      const measured = measuredFrom(set.samples, this.keeper);
      if (measured === undefined) continue;
      if (!replayed && this.keeper.noteLines(measured.currentA)) this.#sayAvailability();
      if (!replayed) this.#carHere().meters(measured);
      const { deviceTimeMs } = timing;
      const reading: { -readonly [K in keyof Reading]: Reading[K] } = { era: this.era, receivedAtMs, ...measured };
      if (deviceTimeMs !== undefined) reading.deviceTimeMs = deviceTimeMs;
      if (replayed) reading.replayed = true;
      this.#reports.push({ kind: "reading", reading });
    }
    const recalled = live ? this.#carHere().recall(textId(this.keeper.transactionId)) : undefined;
    if (recalled !== undefined) this.#onNeeds(recalled);
    else if (this.needs !== undefined) this.#sayAvailability();
    // A transaction that began before we did: the charger goes on with it and only names it here.
    if (live && event.transactionId !== undefined && (this.#state === undefined || this.#usable())) {
      this.keeper.onTransaction(event.transactionId, undefined);
    }
  }

  #capability(): Capability {
    const { leastKW, needsUs } = this.keeper;
    return {
      ...carCapability(this.device, leastKW, this.needs, v2gObstacle(this)),
      failsafe: needsUs ? "gateway-only" : "device",
      settleMs: this.device.settleS * 1000,
      sampleMs: this.#meterIntervalMs,
      ...(this.#identity === undefined ? {} : { identity: this.#identity }),
    };
  }

  async #asDevice<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // What goes wrong while it is broken off is no fault of the charger's.
      signal.throwIfAborted();
      if (!(error instanceof CallFailure)) throw error;
      throw new DeviceError(error.fault, this.era, error.message, { cause: error });
    }
  }
}

function saysTheSame(before: Availability | undefined, now: Availability): boolean {
  return before?.minPowerKW === now.minPowerKW && before.maxPowerKW === now.maxPowerKW && before.reason === now.reason;
}
