import { backoffMs, type Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { ControlEvent } from "../controls/control-event.ts";
import { type OutElement, writeXml } from "../xml/xml-write.ts";
import { endingDocument, notificationDocument } from "./notification-document.ts";
import type { Subscription, Subscriptions } from "./subscriptions.ts";

/** A resource as it is now. */
export interface Shown {
  readonly element: OutElement;
  /** Controls that it carries. */
  readonly controls: readonly ControlEvent[];
}

export interface NotifierOptions {
  readonly subscriptions: Subscriptions;
  /** Address of the list of subscriptions. */
  readonly listHref: string;
  /** Differs whenever any resource may have changed; cheap, so that nothing is written out while nothing happens. */
  readonly revision: () => string;
  /** Resolves when a resource may have changed, or after `ms`, because some change with time alone. */
  readonly changes: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Reads a resource with at most so many list items; nothing where it cannot be subscribed to. */
  readonly show: (path: string, limit: number) => Shown | undefined;
  /** Where a resource is that had another address before a restart; nothing where it is nowhere. */
  readonly movedTo: (path: string) => string | undefined;
  /** @returns the HTTP status of the answer */
  readonly post: (notificationURI: string, body: string, signal: AbortSignal) => Promise<number>;
  /** The device has got these controls. */
  readonly onDelivered: (controls: readonly ControlEvent[]) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** One subscription on its way. */
interface Delivery {
  /** The resource as the device knows it. */
  known: string;
  /** At which revision that was still so. */
  seenAt?: string;
  isRunning: boolean;
  failures: number;
  /** Elapsed ms before which nothing more is tried. */
  notBeforeMs: number;
}

/** What is sent, and what follows once the device has it. */
interface Message {
  readonly body: string;
  readonly delivered: () => void;
}

/** How late a change that only time brings may be told, ms. */
const LOOK_MS = 500;
const RETRY_BASE_MS = 1000;
const RETRY_CAP_MS = 300_000;
/** A device that could not be reached so often in a row, over more than an hour, has gone; it polls, or subscribes anew. */
const MOST_FAILURES = 20;

/**
 * Tells a device of changes to what it subscribed to. Of several changes while one is on its way only the last is told:
 * a notification carries the resource as it is.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #deliveries = new Map<number, Delivery>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** The device reads the resource itself once it has subscribed; from there on it is told. */
  subscribed(subscription: Subscription): void {
    const before = this.#deliveries.get(subscription.id);
    if (before === undefined) {
      const known = this.#print(subscription) ?? "";
      this.#deliveries.set(subscription.id, { known, isRunning: false, failures: 0, notBeforeMs: 0 });
    } else {
      before.failures = 0;
      before.notBeforeMs = 0;
    }
  }

  /** Tells of changes until `signal` aborts, and returns when nothing is on its way any more. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#options.subscriptions.items.length > 0) this.#look(signal);
      await this.#options.changes(LOOK_MS, signal).catch(() => {});
    }
    await Promise.all(this.#running);
  }

  #look(signal: AbortSignal): void {
    const { subscriptions, clock } = this.#options;
    for (const id of this.#deliveries.keys()) {
      if (subscriptions.find(id) === undefined) this.#deliveries.delete(id);
    }
    const revision = this.#options.revision();
    for (const subscription of subscriptions.items) {
      const delivery = this.#deliveryOf(subscription);
      if (delivery.isRunning || delivery.seenAt === revision || clock.elapsedMs() < delivery.notBeforeMs) continue;
      const print = this.#print(subscription);
      if (print !== undefined && print === delivery.known) {
        delivery.seenAt = revision;
        continue;
      }
      const message = print === undefined ? this.#ending(subscription) : this.#change(subscription, delivery, print);
      const running = this.#deliver(subscription, delivery, message, signal);
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
    }
  }

  /** After a restart nobody knows what the device has been told, so it is told what is. */
  #deliveryOf({ id }: Subscription): Delivery {
    const known = this.#deliveries.get(id);
    if (known !== undefined) return known;
    const delivery: Delivery = { known: "", isRunning: false, failures: 0, notBeforeMs: 0 };
    this.#deliveries.set(id, delivery);
    return delivery;
  }

  #print({ terms }: Subscription): string | undefined {
    const shown = this.#options.show(terms.resource, Number.MAX_SAFE_INTEGER);
    return shown && writeXml(shown.element);
  }

  #change({ id, terms }: Subscription, delivery: Delivery, print: string): Message {
    const { listHref, show, onDelivered } = this.#options;
    const shown = terms.limit === 0 ? undefined : show(terms.resource, terms.limit);
    return {
      body: writeXml(notificationDocument(terms.resource, `${listHref}/${id}`, shown?.element)),
      delivered: () => {
        delivery.known = print;
        onDelivered(shown?.controls ?? []);
      },
    };
  }

  /** The resource is no longer where it was: nothing can be told of it any more but this. */
  #ending({ id, terms }: Subscription): Message {
    const { listHref, movedTo, subscriptions, log } = this.#options;
    const newAddress = movedTo(terms.resource);
    const why = newAddress === undefined ? "deleted" : { movedTo: newAddress };
    return {
      body: writeXml(endingDocument(terms.resource, `${listHref}/${id}`, why)),
      delivered: () => {
        log.info("2030.5 subscription ended: its resource is gone", { resource: terms.resource, movedTo: newAddress });
        subscriptions.remove(id);
      },
    };
  }

  async #deliver(subscription: Subscription, delivery: Delivery, message: Message, signal: AbortSignal): Promise<void> {
    const { post, subscriptions, clock, random, log } = this.#options;
    const { id, terms } = subscription;
    delivery.isRunning = true;
    try {
      const status = await post(terms.notificationURI, message.body, signal);
      if (status >= 200 && status < 300) {
        delivery.failures = 0;
        message.delivered();
        return;
      }
      if (isFinal(status)) {
        log.info("2030.5 subscription dropped: the device refuses its notifications", {
          resource: terms.resource,
          status,
        });
        subscriptions.remove(id);
        return;
      }
      throw new Error(`it answered ${status}`);
    } catch (error) {
      if (signal.aborted) return;
      delivery.failures += 1;
      delivery.notBeforeMs = clock.elapsedMs() + backoffMs(delivery.failures, RETRY_BASE_MS, RETRY_CAP_MS, random);
      const fields = { resource: terms.resource, uri: terms.notificationURI, reason: String(error) };
      if (delivery.failures === 1) log.warn("2030.5 device can't be notified; it is tried again", fields);
      if (delivery.failures < MOST_FAILURES) return;
      log.warn("2030.5 subscription dropped: the device could not be notified", fields);
      subscriptions.remove(id);
    } finally {
      delivery.isRunning = false;
    }
  }
}

/** The same notification would be refused again: the device does not know the subscription any more. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
