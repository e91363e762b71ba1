import type { Clock } from "../../../src/clock.ts";
import { DeviceError } from "../../../src/model/adapter.ts";
import type { Era } from "../../../src/model/resource.ts";
import { newMRID } from "../identity.ts";
import { Bell } from "./bell.ts";
import { type AnswerTiming, ControlAnswers } from "./control-answers.ts";
import {
  type ControlEvent,
  EVENT_ACTIVE,
  isOpen,
  isOperators,
  NOT_RANDOMIZED,
  type OperatorEvent,
  type Randomization,
} from "./control-event.ts";
import { ControlLedger, type PlannedPower } from "./control-ledger.ts";
import { type ControlPower, describePower } from "./control-power.ts";
import type { OperatorOrder } from "./operator-order.ts";
import type { ResponseEdition } from "./response-meanings.ts";

/** A poll may come late and an answer takes its time; added to every wait for the device. */
export const SLACK_MS = 3000;
const RECEIVED_GRACE_MS = 2000;

export interface ControlDeskOptions {
  readonly era: Era;
  readonly clock: Clock;
  /** How late the device may look at its controls, seconds; it may change. */
  readonly pollRateS: () => number;
  readonly randomization?: Randomization;
  readonly responses?: ResponseEdition;
}

/**
 * Where orders for one device lie ready, and where it shows what becomes of them. What the device does comes in from one
 * side (`polled`, `fetched`, `responded`, `garbled`); who gave the order waits on the other.
 */
export class ControlDesk {
  readonly #era: Era;
  readonly #clock: Clock;
  readonly #ledger: ControlLedger;
  readonly #answers: ControlAnswers;
  readonly #bell = new Bell();
  readonly #timing: AnswerTiming;
  #polledAtMs: number | undefined;
  /** Controls that the device knows as open, by mRID, until it has fetched that they no longer are. */
  readonly #known = new Map<string, ControlEvent>();
  #planned: readonly PlannedPower[] = [];
  #isClosed = false;

  constructor(options: ControlDeskOptions) {
    const { randomization = NOT_RANDOMIZED } = options;
    this.#era = options.era;
    this.#clock = options.clock;
    this.#ledger = new ControlLedger(newMRID, randomization);
    const pollMs = () => options.pollRateS() * 1000;
    this.#timing = {
      get deadlineMs() {
        return 3 * pollMs() + SLACK_MS + Math.max(randomization.startS, 0) * 1000;
      },
      get quietMs() {
        return pollMs() + SLACK_MS;
      },
      get nextPollMs() {
        return pollMs() / 2;
      },
      graceMs: RECEIVED_GRACE_MS,
    };
    this.#answers = new ControlAnswers(this.#timing, options.responses);
  }

  /** Elapsed ms at which the device last asked for anything. */
  get polledAtMs(): number | undefined {
    return this.#polledAtMs;
  }

  /** All controls that the device is to see now. */
  controls(): readonly ControlEvent[] {
    return this.#ledger.listed(this.#clock.now());
  }

  /** The market's control in force. */
  active(): ControlEvent | undefined {
    return this.#ledger.current(this.#clock.now());
  }

  /** How many controls are in force. */
  get activeCount(): number {
    return this.controls().filter(({ status }) => status === EVENT_ACTIVE).length;
  }

  /** What holds now and what is to come, in order; it replaces what was planned before, and lies ready at once. */
  plan(planned: readonly PlannedPower[]): void {
    this.#planned = planned;
    this.#ledger.plan(this.#free(planned), this.#clock.now());
    this.#bell.ring();
  }

  /** What the device answered to the controls in force, for a person; nothing without one. */
  told(): string | undefined {
    const active = this.controls().filter(({ status }) => status === EVENT_ACTIVE);
    const texts = active.map((event) => {
      const whose = isOperators(event) ? "operator's " : "";
      return `${whose}DERControl ${event.mRID}: ${this.#answers.told(event.mRID)}`;
    });
    return texts.length === 0 ? undefined : texts.join("; ");
  }

  /** What the device answered to a control, for a person. */
  answered(mRID: string): string {
    return this.#answers.told(mRID);
  }

  /** Orders of an operator that have not ended, whatever has become of them. */
  orders(): readonly OperatorEvent[] {
    return this.#ledger.orders(this.#clock.now());
  }

  /** As `orders`, from before a restart. */
  restore(orders: readonly OperatorEvent[]): void {
    this.#ledger.restore(orders);
  }

  /** Lists an operator's order. @returns nothing where there are too many */
  orderByOperator(order: OperatorOrder, startS: number | undefined, endS: number): OperatorEvent | undefined {
    const event = this.#ledger.order(order, startS, endS, this.#clock.now());
    this.#bell.ring();
    return event;
  }

  /** @returns false if no such order is open */
  cancelOrder(mRID: string): boolean {
    const isCancelled = this.#ledger.cancelOrder(mRID, this.#clock.now());
    this.#bell.ring();
    return isCancelled;
  }

  /** An operator's order in force that this power can't be ordered beside. */
  orderAgainst(power: ControlPower): OperatorEvent | undefined {
    const nowMs = this.#clock.now();
    return this.#ledger.orderAgainst(power, nowMs, nowMs + 1, nowMs);
  }

  /** Lists a power that holds once more, where nothing of the market is in force: an operator's order stood in its way. */
  keep(setpointId: string, power: ControlPower, untilMs: number): void {
    const nowMs = this.#clock.now();
    const endMs = this.#endOf(power, nowMs, untilMs);
    if (endMs === undefined || this.active() !== undefined) return;
    this.#ledger.claim(this.#publish(setpointId, power, endMs, nowMs).id);
  }

  /**
   * Orders a power and waits for what the device makes of it. Whatever comes of the wait, the order lies there until its
   * end, another order or `release`: a device that comes back late is to follow the newest will and not an older one.
   *
   * @param anew true for an order that the device has accepted and does not follow: it comes as a new control
   * @returns the order and how it was accepted, for a person
   * @throws DeviceError
   */
  async order(
    setpointId: string,
    power: ControlPower,
    untilMs: number,
    signal: AbortSignal,
    anew = false,
  ): Promise<string> {
    const nowMs = this.#clock.now();
    const endMs = this.#endOf(power, nowMs, untilMs) ?? untilMs;
    const standing = this.#ledger.standing(power, endMs, nowMs);
    // A device answers an event once, so what it has refused must come as a new one.
    const isReusable = !anew && standing !== undefined && !this.#answers.wasRefused(standing.mRID);
    const event = isReusable ? standing : this.#publish(setpointId, power, endMs, nowMs);
    this.#ledger.claim(event.id);
    const until = new Date(event.endS * 1000).toISOString();
    const command = `DERControl ${event.mRID} ${describePower(power)} until ${until}`;
    const askedAtMs = this.#clock.elapsedMs();
    for (;;) {
      this.#throwIfClosed();
      const outcome = this.#answers.outcome(event.mRID, askedAtMs, this.#polledAtMs, this.#clock.elapsedMs());
      if (outcome.kind === "accepted") return `${command}; ${outcome.how}`;
      if (outcome.kind === "failed") throw new DeviceError(outcome.fault, this.#era, `${command}: ${outcome.detail}`);
      await this.#bell.wait(this.#clock, outcome.forMs, signal);
    }
  }

  /**
   * Cancels what is in force and waits until the device knows. What it never fetched it need not give back.
   * @throws DeviceError when it does not fetch the cancellation
   */
  async release(signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#clock.elapsedMs();
    this.#ledger.cancel(this.#clock.now());
    this.#bell.ring();
    for (let held = this.#heldNow(); held !== undefined; held = this.#heldNow()) {
      this.#throwIfClosed();
      const leftMs = askedAtMs + this.#timing.deadlineMs - this.#clock.elapsedMs();
      if (leftMs <= 0) {
        const polls = this.#polledAtMs !== undefined && this.#polledAtMs >= askedAtMs;
        const fault = polls ? "timeout" : "unreachable";
        throw new DeviceError(fault, this.#era, `did not fetch the end of DERControl ${held.mRID}, which it holds`);
      }
      // It gives back by itself when the control's own end comes.
      const untilEndMs = held.endS * 1000 - this.#clock.now();
      await this.#bell.wait(this.#clock, Math.max(Math.min(leftMs, untilEndMs), 1), signal);
    }
  }

  /** Waits until `look` gives something; looks again whenever the device did anything. Nothing after the deadline. */
  async until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T | undefined> {
    const startedMs = this.#clock.elapsedMs();
    for (;;) {
      this.#throwIfClosed();
      const seen = look();
      const leftMs = startedMs + this.#timing.deadlineMs - this.#clock.elapsedMs();
      if (seen !== undefined || leftMs <= 0) return seen;
      await this.#bell.wait(this.#clock, leftMs, signal);
    }
  }

  /** Differs whenever a control came, went or has another status. */
  revision(): string {
    return this.controls()
      .map(
        ({ id, status, potentiallySupersededS }) => `${id}:${status}${potentiallySupersededS === undefined ? "" : "p"}`,
      )
      .join(" ");
  }

  /** Resolves when anything happened here, or after `ms`. */
  async changes(ms: number, signal: AbortSignal): Promise<void> {
    await this.#bell.wait(this.#clock, ms, signal);
  }

  /** The device asked for something, or told something, whatever it was. */
  polled(): void {
    this.#polledAtMs = this.#clock.elapsedMs();
    this.#bell.ring();
  }

  /** These controls went out to the device just now. */
  fetched(events: readonly ControlEvent[]): void {
    const atMs = this.#clock.elapsedMs();
    for (const event of events) {
      this.#answers.fetched(event.mRID, atMs);
      if (isOperators(event)) continue;
      if (isOpen(event)) this.#learns(event);
      else this.#known.delete(event.mRID);
    }
    this.#bell.ring();
  }

  /** A Response came. @returns false when its subject is none of ours */
  responded(subject: string, status: number): boolean {
    if (!this.#ledger.knows(subject)) return false;
    this.#answers.responded(subject, status, this.#clock.elapsedMs());
    this.#bell.ring();
    return true;
  }

  /** Something came that could not be read. */
  garbled(asResponse: boolean): void {
    this.#answers.garbled(asResponse, this.#clock.elapsedMs());
    this.#bell.ring();
  }

  /** Something else changed that somebody may wait for. */
  ring(): void {
    this.#bell.ring();
  }

  /** Ends all waits. */
  close(): void {
    this.#isClosed = true;
    this.#bell.ring();
  }

  #publish(setpointId: string, power: ControlPower, untilMs: number, nowMs: number): ControlEvent {
    const event = this.#ledger.publish(setpointId, power, untilMs, nowMs);
    // Of what overlaps the later-made goes first, so a plan that is to follow this order must be made after it.
    this.#ledger.plan(this.#free(this.#planned), nowMs);
    this.#bell.ring();
    return event;
  }

  /** What of a plan no order of an operator stands against, each part until the first that does. */
  #free(planned: readonly PlannedPower[]): readonly PlannedPower[] {
    return planned.flatMap((one) => {
      const untilMs = this.#endOf(one.power, one.fromMs, one.untilMs);
      return untilMs === undefined ? [] : [{ ...one, untilMs }];
    });
  }

  /**
   * When a power of the market's must end: made later than an operator's order it would go before that. Nothing where the
   * order holds at its start.
   */
  #endOf(power: ControlPower, fromMs: number, untilMs: number): number | undefined {
    const against = this.#ledger.orderAgainst(power, fromMs, untilMs, this.#clock.now());
    if (against === undefined) return untilMs;
    return against.startS * 1000 > fromMs ? against.startS * 1000 : undefined;
  }

  /** The device knows a control now, and with it that it goes before what was made earlier. */
  #learns(event: ControlEvent): void {
    const nowS = this.#clock.now() / 1000;
    for (const [mRID, other] of this.#known) {
      const isReplaced = other.creationTimeS < event.creationTimeS && event.startS <= nowS;
      if (other.endS <= nowS || isReplaced) this.#known.delete(mRID);
    }
    this.#known.set(event.mRID, event);
  }

  /** A control that is over for us and that the device still holds, as far as it has been told. */
  #heldNow(): ControlEvent | undefined {
    const nowMs = this.#clock.now();
    const listed = this.#ledger.listed(nowMs);
    return [...this.#known.values()].find(({ mRID, startS }) => {
      const event = listed.find((candidate) => candidate.mRID === mRID);
      return event !== undefined && !isOpen(event) && startS * 1000 <= nowMs;
    });
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw new DeviceError("unreachable", this.#era, "the adapter is closed");
  }
}
