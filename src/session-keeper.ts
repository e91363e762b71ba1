import { setMaxListeners } from "node:events";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { isRequestAction } from "./market/beckn-context.ts";
import type { Participant, SessionOutcome } from "./market/participant.ts";
import type { SessionOrder } from "./market/session-order.ts";
import type { Era } from "./model/resource.ts";
import type { SessionControl } from "./model/session.ts";

/** A reservation outlasts the order's beginning by this much, for a driver who is late. */
const LATE_DRIVER_MS = 900_000;
/** Orders whose last wish is remembered. */
const MAX_ORDERS = 1000;

export interface SessionKeeperOptions {
  /** Nothing for a resource that has no sessions. */
  readonly sessionsOf: (era: Era) => SessionControl | undefined;
  readonly participant: Pick<Participant, "isOurMessage" | "sessionOutcome">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Carries out what the market orders about charging sessions, one thing at a time for each resource, and tells the outcome. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  /** By order and resource: what was ordered last. */
  readonly #wishes = new Map<string, SessionOrder["wish"]>();
  readonly #working = new Map<Era, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    setMaxListeners(0, this.#stop.signal);
  }

  take(order: SessionOrder): void {
    const { context } = order;
    const isRequest = isRequestAction(context.action);
    // What the market writes back to a report of ours says how the order stands, and asks for nothing.
    if (!isRequest && this.#options.participant.isOurMessage(context.messageId)) return;
    for (const era of order.eras) {
      const key = `${context.transactionId}|${order.orderId ?? ""}|${era}`;
      const isRepeat = this.#wishes.get(key) === order.wish;
      this.#remember(key, order.wish);
      // A question is answered each time it is asked; a callback that repeats itself has been followed.
      if (isRepeat && !isRequest) continue;
      const before = this.#working.get(era) ?? Promise.resolve();
      const work = before.then(() => this.#carryOut(era, order));
      this.#working.set(era, work);
      void work.then(() => {
        if (this.#working.get(era) === work) this.#working.delete(era);
      });
    }
  }

  /** Orders that are over: what was reserved for them is free. */
  released(eras: readonly Era[]): void {
    for (const era of eras) {
      const sessions = this.#options.sessionsOf(era);
      if (sessions?.reservation === undefined) continue;
      sessions.cancelReservation(undefined, this.#stop.signal).catch((error: unknown) => {
        this.#options.log.warn("a reservation could not be given up", { era, reason: String(error) });
      });
    }
  }

  /** Gives up what still waits for a device. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the gateway stops"));
    await Promise.all(this.#working.values());
  }

  async #carryOut(era: Era, order: SessionOrder): Promise<void> {
    const { log, participant } = this.#options;
    if (this.#stop.signal.aborted) return;
    const outcome = await this.#outcomeOf(era, order);
    if (outcome === undefined) return;
    log.info("session order carried out", { era, wish: order.wish, ...outcome });
    const { context, orderId } = order;
    try {
      await participant.sessionOutcome({ era, ...outcome, context, ...(orderId !== undefined && { orderId }) });
    } catch (error) {
      log.error("the outcome of a session order could not be queued", { era, err: error });
    }
  }

  /** @returns nothing where nothing was to be done and nobody asked */
  async #outcomeOf(era: Era, order: SessionOrder): Promise<Pick<SessionOutcome, "status" | "fault"> | undefined> {
    const { sessionsOf } = this.#options;
    const { signal } = this.#stop;
    const isRequest = isRequestAction(order.context.action);
    const sessions = sessionsOf(era);
    if (sessions === undefined)
      return isRequest ? { status: "PENDING", fault: `${era} has no charging sessions` } : undefined;
    try {
      if (order.wish === "reserve") return await this.#reserve(sessions, order);
      const isStart = order.wish === "start";
      if (isStart === (sessions.running !== undefined)) {
        return isRequest ? { status: isStart ? "ACTIVE" : "STOP" } : undefined;
      }
      if (isStart) await sessions.start({}, signal);
      else await sessions.stop(undefined, signal);
      return { status: isStart ? "ACTIVE" : "STOP" };
    } catch (error) {
      if (signal.aborted) return undefined;
      const fault = error instanceof Error ? error.message : String(error);
      return { status: sessions.running === undefined ? "PENDING" : "ACTIVE", fault };
    }
  }

  async #reserve(sessions: SessionControl, { beginsAtMs }: SessionOrder) {
    const nowMs = this.#options.clock.now();
    if (!sessions.reservesForOrders || sessions.running !== undefined || (beginsAtMs ?? nowMs) <= nowMs)
      return undefined;
    const untilMs = (beginsAtMs ?? nowMs) + LATE_DRIVER_MS;
    await sessions.reserve({ untilMs }, this.#stop.signal);
    return { status: "PENDING" as const };
  }

  #remember(key: string, wish: SessionOrder["wish"]): void {
    this.#wishes.delete(key);
    this.#wishes.set(key, wish);
    const oldest = this.#wishes.keys().next();
    if (this.#wishes.size > MAX_ORDERS && !oldest.done) this.#wishes.delete(oldest.value);
  }
}
