import { type Clock, repeatEvery } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import {
  type Acceptance,
  type Adapter,
  DeviceError,
  type Evidence,
  type PlannedTarget,
  type Report,
  type Target,
} from "../../src/model/adapter.ts";
import { ReportQueue } from "../../src/model/report-queue.ts";
import type { Capability, Era, ResourceKind } from "../../src/model/resource.ts";
import type { AdapterMemory } from "../kind.ts";
import { availabilityFrom, basesFrom, capabilityFrom, modeFrom } from "./capability.ts";
import type { Device } from "./config.ts";
import { ConnectionPoint } from "./connection-point.ts";
import type { BaseWriting } from "./controls/control-base.ts";
import { ControlDesk, SLACK_MS } from "./controls/control-desk.ts";
import type { OperatorEvent } from "./controls/control-event.ts";
import { type ControlPower, controlPowerFromKW, type PowerBases } from "./controls/control-power.ts";
import { describeOrder, limitOfOrder, type OperatorOrder } from "./controls/operator-order.ts";
import { readResponse } from "./controls/response-document.ts";
import { DefaultBounds, type DefaultChanges } from "./default-control.ts";
import { type DerDocument, DerRecord } from "./der-record.ts";
import { canonicalLfdi, type Lfdi } from "./identity.ts";
import { LogEvents } from "./log-events.ts";
import { type MeterValue, readingsFrom } from "./metering/meter-values.ts";
import { MirrorUsagePoints } from "./metering/mirror-usage-points.ts";
import { OperatorOrders } from "./operator-orders.ts";
import type { Rates } from "./rates.ts";
import { Registration } from "./registration.ts";
import { devicePaths } from "./server/paths.ts";
import { Notifier, type NotifierOptions } from "./subscriptions/notifier.ts";
import type { SubscriptionTerms } from "./subscriptions/subscription-document.ts";
import { Subscriptions } from "./subscriptions/subscriptions.ts";
import { plainValues, type XmlElement } from "./xml/xml-element.ts";

const LEAST_LINK_TIMEOUT_MS = 5000;
const LINK_CHECK_MS = 500;
/** Responses that a device may read again. */
const MOST_RESPONSES = 32;
/** How far behind the newest post a value may be and still count as live, ms. */
const LEAST_REPLAY_AGE_MS = 60_000;

export interface PolledDeviceOptions {
  readonly era: Era;
  readonly kind: ResourceKind;
  readonly device: Device;
  /** Its number in the addresses, from 1. */
  readonly number: number;
  readonly rates: Rates;
  readonly clock: Clock;
  readonly log: Log;
  /** Rank of the program beside others, 0 to 255; the lower the stronger. */
  readonly primacy: number;
  /** Rank of the operator's own program; absent: it has none. */
  readonly operatorPrimacy?: number | undefined;
  readonly registration: "out-of-band" | "in-band";
  readonly random: () => number;
  readonly memory: AdapterMemory;
  /** A resource of the device as it is now, for a notification. */
  readonly show: NotifierOptions["show"];
  /** Sends a notification. @returns the HTTP status of the answer */
  readonly notify: NotifierOptions["post"];
  /** True for an mRID of a meter that another device mirrors. */
  readonly isOthersMeter: (mRID: string) => boolean;
  /** Called once, when the device is no longer to be served. */
  readonly onClose: () => void;
}

interface KeptResponse {
  readonly id: number;
  readonly document: XmlElement;
}

/**
 * A device that polls us. Orders lie ready for it as DERControls; whether it took one shows in its Responses, or at
 * least in its having fetched it. All that it sends arrives through the methods that the resources call.
 */
export class PolledDevice implements Adapter {
  readonly era: Era;
  readonly protocol = "ieee2030.5";
  readonly lfdi: Lfdi;
  readonly number: number;
  readonly pin: number;
  readonly rates: Rates;
  /** When the device was made known, epoch ms. */
  readonly knownSinceMs: number;
  /** Version of CSIP-AUS that it speaks; `none`: it is to see nothing of it. */
  readonly csipaus: Device["csipaus"];
  /** What all its controls have in common. */
  readonly writing: BaseWriting;
  /** What holds while no control does. */
  readonly defaults: DefaultBounds;
  readonly record = new DerRecord();
  readonly mirrors: MirrorUsagePoints;
  readonly desk: ControlDesk;
  readonly logEvents = new LogEvents();
  readonly registration: Registration;
  readonly subscriptions: Subscriptions;
  readonly connectionPoint: ConnectionPoint;
  readonly primacy: number;
  readonly operatorPrimacy: number | undefined;
  readonly notificationHost: string | undefined;

  readonly #options: PolledDeviceOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queue = new ReportQueue();
  readonly #closing = new AbortController();
  /** What an operator orders beside the market, and before it. */
  readonly #orders: OperatorOrders;
  /** The limits that these orders set, as the core was told. */
  #toldLimits = "[]";
  /** What the market has ordered last and the device has accepted. */
  #accepted: { readonly setpointId: string; readonly power: ControlPower; readonly untilMs: number } | undefined;
  #isLinkUp = false;
  #watching: Promise<void> | undefined;
  #told: Capability | undefined;
  #unreadable = 0;
  #toldTaken = false;
  readonly #notifier: Notifier;
  #notifying: Promise<void> | undefined;
  #responses: readonly KeptResponse[] = [];
  #lastResponse = 0;
  /** Changes to what it told of itself. */
  #changes = 0;
  #planned: readonly PlannedTarget[] = [];

  constructor(options: PolledDeviceOptions) {
    this.era = options.era;
    this.number = options.number;
    this.rates = options.rates;
    this.lfdi = canonicalLfdi(options.device.lfdi);
    this.pin = options.device.pin;
    this.knownSinceMs = options.clock.now();
    this.mirrors = new MirrorUsagePoints(this.lfdi);
    const { randomizeStartS, randomizeDurationS, responses } = options.device;
    this.desk = new ControlDesk({
      era: options.era,
      clock: options.clock,
      pollRateS: () => options.rates.controlPollS,
      responses,
      randomization: { startS: randomizeStartS, durationS: randomizeDurationS },
    });
    this.#orders = new OperatorOrders(this.desk, options.memory, this.lfdi, options.clock.now());
    this.subscriptions = new Subscriptions(options.memory, this.lfdi);
    this.primacy = options.primacy;
    this.operatorPrimacy = options.operatorPrimacy;
    this.notificationHost = options.device.notificationHost;
    const { rampS, csipaus, defaultControl } = options.device;
    this.csipaus = csipaus;
    this.writing = {
      ...(csipaus !== "none" && { csipaus }),
      ...(rampS === undefined ? {} : { rampTms: Math.round(rampS * 100) }),
    };
    this.defaults = new DefaultBounds(defaultControl, options.memory, this.lfdi);
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log.child({ era: options.era });
    const { memory, registration: mode } = options;
    this.connectionPoint = new ConnectionPoint(memory, this.lfdi, this.#log);
    this.registration = new Registration({ mode, memory, lfdi: this.lfdi, log: this.#log });
    this.#notifier = new Notifier({
      subscriptions: this.subscriptions,
      revision: () => `${this.#changes} ${this.registration.isDone} ${this.desk.revision()}`,
      changes: (ms, signal) => this.desk.changes(ms, signal),
      listHref: devicePaths(options.number).subscriptions,
      show: options.show,
      movedTo: (path) => {
        const own = path.replace(/^\/edev\/\d{1,9}(?=\/|$)/, devicePaths(options.number).edev);
        return own !== path && this.maySubscribe(own) ? own : undefined;
      },
      post: options.notify,
      onDelivered: (controls) => this.desk.fetched(controls),
      clock: options.clock,
      random: options.random,
      log: this.#log,
    });
  }

  async start(signal: AbortSignal): Promise<Capability> {
    this.#watching ??= repeatEvery(this.#clock, LINK_CHECK_MS, this.#closing.signal, () => this.#watch());
    this.#notifying ??= this.#notifier.run(this.#closing.signal);
    const known = () => (this.desk.polledAtMs === undefined ? undefined : this.#capability());
    const capability = await this.desk.until(known, signal);
    if (capability !== undefined) {
      this.#told = capability;
      return capability;
    }
    if (this.desk.polledAtMs === undefined) {
      throw new DeviceError("unreachable", this.era, `device with LFDI ${this.lfdi} has not polled yet`);
    }
    const missing = "polls, but has put neither DERCapability nor DERSettings, and no ratingKW is configured";
    throw new DeviceError("timeout", this.era, missing);
  }

  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    signal.throwIfAborted();
    const { setpointId, powerKW, untilMs, correction } = target;
    if (untilMs <= this.#clock.now()) {
      throw new DeviceError("refused", this.era, `not ordered: ${powerKW} kW has ended before it was sent`);
    }
    const power = this.#powerFor(powerKW);
    this.#accepted = undefined;
    const against = this.desk.orderAgainst(power);
    if (against !== undefined) {
      const acceptance = this.#heldBy(against, powerKW);
      this.#accepted = { setpointId, power, untilMs };
      return acceptance;
    }
    const command = await this.desk.order(setpointId, power, untilMs, signal, correction);
    this.#accepted = { setpointId, power, untilMs };
    return { appliedKW: power.appliedKW, command, endsByItself: true };
  }

  /**
   * An operator's order stands in place of the market's. Where it leaves just the power that is wanted, the device has it.
   * @throws DeviceError
   */
  #heldBy(order: OperatorEvent, powerKW: number): Acceptance {
    const { minPowerKW, maxPowerKW } = limitOfOrder(order.power.order, this.#bases()) ?? {};
    const until = new Date(order.endS * 1000).toISOString();
    const what = `the operator's DERControl ${order.mRID} ${describeOrder(order.power)} until ${until}`;
    const isIt = [minPowerKW, maxPowerKW].some((bound) => bound !== undefined && Math.abs(bound - powerKW) < 1e-6);
    if (isIt) return { appliedKW: powerKW, command: what, endsByItself: true };
    throw new DeviceError("refused", this.era, `not ordered: ${what} goes before it`);
  }

  /** Published ahead of its start, so that the device begins by itself and needs no poll in that moment. */
  plan(targets: readonly PlannedTarget[]): void {
    this.#planned = targets;
    this.desk.plan(
      targets.flatMap(({ setpointId, powerKW, fromMs, untilMs }) => {
        const power = this.#plannedPower(powerKW);
        return power === undefined ? [] : [{ setpointId, power, fromMs, untilMs }];
      }),
    );
  }

  async probe(): Promise<Evidence> {
    return { text: this.desk.told() ?? "no DERControl is in force" };
  }

  async release(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#accepted = undefined;
    await this.desk.release(signal);
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#queue.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("adapter closed"));
    this.#options.onClose();
    this.desk.close();
    await Promise.all([this.#watching, this.#notifying]);
  }

  /** The device asked for something, whatever it was. */
  polled(address: string): void {
    this.desk.polled();
    if (this.#isLinkUp) return;
    this.#isLinkUp = true;
    this.#queue.push({ kind: "link", up: true, detail: `polls from ${address}` });
  }

  /**
   * A Response came.
   * @returns its running number, or nothing when its subject is none of ours
   * @throws BadDocument
   */
  responded(document: XmlElement): number | undefined {
    const { subject, status } = readResponse(document, this.lfdi);
    if (!this.desk.responded(subject, status)) return undefined;
    this.#log.debug("2030.5 Response", { subject, status });
    this.#lastResponse += 1;
    this.#responses = [...this.#responses, { id: this.#lastResponse, document: plainValues(document) }].slice(
      -MOST_RESPONSES,
    );
    return this.#lastResponse;
  }

  /** Its latest Responses, oldest first. */
  get responses(): readonly KeptResponse[] {
    return this.#responses;
  }

  maySubscribe(path: string): boolean {
    return this.#options.show(path, 0) !== undefined;
  }

  /** @returns nothing where it has too many */
  subscribe(terms: SubscriptionTerms): { readonly id: number; readonly isNew: boolean } | undefined {
    const added = this.subscriptions.add(terms);
    this.#changes += 1;
    if (added !== undefined) this.#notifier.subscribed({ id: added.id, terms });
    return added;
  }

  /** Takes a note of the device about itself. @returns its number @throws BadDocument */
  logged(document: XmlElement): number {
    const { id } = this.logEvents.add(document);
    this.#changes += 1;
    this.#log.info("2030.5 device notes", { faults: this.logEvents.faults, count: this.logEvents.events.length });
    this.#queue.push({ kind: "notices", notices: this.logEvents.faults });
    return id;
  }

  /** Something came that could not be read; `asResponse` if it came to where Responses go. */
  garbled(what: string, reason: string, asResponse: boolean): void {
    this.#unreadable += 1;
    this.desk.garbled(asResponse);
    // A device that talks nonsense does so at every poll; the first and every hundredth are enough to see it.
    const fields = { what, reason, count: this.#unreadable };
    if (this.#unreadable % 100 === 1) this.#log.warn("2030.5 device sent what can't be read", fields);
    else this.#log.debug("2030.5 device sent what can't be read", fields);
  }

  /** Takes one of the device's documents about itself. @throws BadDocument */
  described(kind: DerDocument, document: XmlElement): void {
    this.record.put(kind, document);
    this.#changes += 1;
    const capability = this.#tellCapability();
    // What is listed ahead in percent is of other watts now, or the device takes watts.
    if (kind === "dercap" || kind === "derg") this.plan(this.#planned);
    if (kind === "ders") this.#reportStatus();
    if (kind === "dera") this.#reportAvailability(capability);
    this.desk.ring();
  }

  /** An mRID in a document about meters that another device uses already. @throws BadDocument */
  takenMeter(document: XmlElement): string | undefined {
    const taken = this.mirrors.newIn(document).find(this.#options.isOthersMeter);
    if (taken === undefined) return undefined;
    // It posts it again and again; once is enough to see it.
    const fields = { mRID: taken };
    if (this.#toldTaken) this.#log.debug("2030.5 device uses an mRID of another's meter", fields);
    else this.#log.warn("2030.5 device refused: it uses an mRID of another's meter", fields);
    this.#toldTaken = true;
    return taken;
  }

  /** Takes values of the device's meters. */
  metered(values: readonly MeterValue[]): void {
    const readings = readingsFrom(values, {
      era: this.era,
      receivedAtMs: this.#clock.now(),
      replayedAfterMs: this.#replayAgeMs(),
      powerPhases: this.mirrors.powerPhases,
    });
    for (const reading of readings) this.#queue.push({ kind: "reading", reading });
  }

  /**
   * An operator changes what holds while no control does.
   * @throws StoreError where the disk does not take it; then nothing has changed
   */
  async changeDefaults(changes: DefaultChanges | "reset"): Promise<void> {
    if (changes === "reset") await this.defaults.reset();
    else await this.defaults.change(changes);
    this.#log.info("2030.5 default control set", { ...this.defaults.bounds });
    this.#changes += 1;
    this.desk.ring();
  }

  /**
   * An operator orders controls; where the market orders the same it gives way.
   * @param startS epoch seconds; absent: at once
   * @returns nothing where there are too many
   * @throws StoreError where the disk does not take it
   */
  async orderByOperator(
    order: OperatorOrder,
    startS: number | undefined,
    endS: number,
  ): Promise<OperatorEvent | undefined> {
    const adding = this.#orders.add(order, startS, endS);
    // What the market has planned ends where the order begins.
    this.plan(this.#planned);
    this.#watchOrders();
    const event = await adding;
    if (event !== undefined) this.#log.info("2030.5 operator's order", { mRID: event.mRID, ...order, startS, endS });
    return event;
  }

  /** @returns false if no such order is open @throws StoreError */
  async cancelOrder(mRID: string): Promise<boolean> {
    const cancelling = this.#orders.cancel(mRID);
    this.plan(this.#planned);
    this.#watchOrders();
    const isCancelled = await cancelling;
    if (isCancelled) this.#log.info("2030.5 operator's order cancelled", { mRID });
    return isCancelled;
  }

  /** The device is told to poll and to post at another rate from now on. */
  ratesChanged(): void {
    this.#changes += 1;
    this.#tellCapability();
    this.desk.ring();
  }

  /** Reports the capability where it has changed. */
  #tellCapability(): Capability | undefined {
    const capability = this.#capability();
    if (this.#told !== undefined && capability !== undefined && !sameCapability(this.#told, capability)) {
      this.#told = capability;
      this.#queue.push({ kind: "capability", capability });
    }
    return capability;
  }

  #reportStatus(): void {
    const status = this.record.status();
    if (status?.socPercent === undefined) return;
    const receivedAtMs = this.#clock.now();
    const late = receivedAtMs - status.readingTimeMs > this.#replayAgeMs();
    const reading = { era: this.era, receivedAtMs, deviceTimeMs: status.readingTimeMs, socPercent: status.socPercent };
    this.#queue.push({ kind: "reading", reading: late ? { ...reading, replayed: true } : reading });
  }

  #reportAvailability(capability: Capability | undefined): void {
    const now = this.record.availability();
    if (now === undefined || capability === undefined) return;
    this.#queue.push({ kind: "availability", availability: availabilityFrom(this.era, capability, now) });
  }

  #replayAgeMs(): number {
    return Math.max(LEAST_REPLAY_AGE_MS, 3000 * this.rates.postRateS);
  }

  #capability(): Capability | undefined {
    const { device, kind } = this.#options;
    return capabilityFrom(kind, device, this.record.rating(), {
      settleMs:
        Math.max(device.randomizeStartS, 0) * 1000 +
        (device.settleS === undefined ? this.rates.postRateS * 1000 + SLACK_MS : device.settleS * 1000),
      sampleMs: this.rates.postRateS * 1000,
    });
  }

  /** What can't be ordered is not planned; its refusal comes when its time does. */
  #plannedPower(powerKW: number): ControlPower | undefined {
    try {
      return this.#powerFor(powerKW);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.#log.debug("2030.5 control not published ahead", { reason: error.message });
      return undefined;
    }
  }

  #powerFor(powerKW: number): ControlPower {
    const rating = this.record.rating();
    const { device, kind } = this.#options;
    try {
      return controlPowerFromKW(powerKW, modeFrom(kind, device, rating), this.#bases());
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new DeviceError("refused", this.era, `not ordered: ${cause.message}`, { cause });
    }
  }

  #bases(): PowerBases {
    const { device, kind } = this.#options;
    return basesFrom(kind, device, this.record.rating());
  }

  #watch(): void {
    this.#watchLink();
    this.#watchOrders();
  }

  /** An operator's order began, changed or ended: the core learns what it leaves, and the device gets back what it had. */
  #watchOrders(): void {
    const bases = this.#bases();
    const limits = this.#orders
      .inForce()
      .map((event) => limitOfOrder(event.power.order, bases))
      .filter((limit) => limit !== undefined);
    const text = JSON.stringify(limits);
    if (text !== this.#toldLimits) {
      this.#toldLimits = text;
      this.#queue.push({ kind: "limits", limits });
    }
    const accepted = this.#accepted;
    if (accepted === undefined || accepted.untilMs <= this.#clock.now()) this.#accepted = undefined;
    else this.desk.keep(accepted.setpointId, accepted.power, accepted.untilMs);
  }

  #watchLink(): void {
    const { polledAtMs } = this.desk;
    if (!this.#isLinkUp || polledAtMs === undefined) return;
    const quietMs = this.#clock.elapsedMs() - polledAtMs;
    if (quietMs <= Math.max(3000 * this.rates.controlPollS, LEAST_LINK_TIMEOUT_MS)) return;
    this.#isLinkUp = false;
    this.#queue.push({ kind: "link", up: false, detail: `has not polled for ${Math.round(quietMs / 1000)} s` });
  }
}

function sameCapability(a: Capability, b: Capability): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
