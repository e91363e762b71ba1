import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { childOf, childrenOf, type XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import { element, writeXml } from "../ieee2030-5/xml/xml-write.ts";
import type { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";

/** Items of a list that a notification may carry; the resource is read again anyway. */
const LIMIT = 10;
/** How often it is looked whether the server still has our subscriptions, elapsed ms. */
const LOOK_AGAIN_MS = 900_000;
const RETRY_MS = 60_000;

/** Our subscriptions at the server, each made once and made again when the server has lost it. */
export class Subscriptions {
  readonly #connection: UtilityConnection;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #notificationURI: () => string | undefined;
  /** Subscribed resource → the Subscription, where it has an address, and since when. */
  readonly #made = new Map<string, { href: string | undefined; lookAtMs: number }>();

  constructor(
    connection: UtilityConnection,
    clock: Clock,
    log: Log,
    /** Where notifications go; nothing while nobody listens there. */
    notificationURI: () => string | undefined,
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
    this.#notificationURI = notificationURI;
  }

  /** The server has ended a subscription, so that it is made anew. */
  ended(subscribedResource: string): void {
    this.#made.delete(subscribedResource);
  }

  /** Subscribes to what the server lets be subscribed and is not yet. */
  async keep(list: string, resources: readonly XmlElement[], signal: AbortSignal): Promise<void> {
    const notificationURI = this.#notificationURI();
    if (notificationURI === undefined) return;
    const wanted = resources.flatMap((one) => (isSubscribable(one) ? [one.attributes.get("href") ?? ""] : []));
    for (const href of this.#made.keys()) if (!wanted.includes(href)) this.#made.delete(href);
    const now = this.#clock.elapsedMs();
    const due = wanted.filter((href) => (this.#made.get(href)?.lookAtMs ?? 0) <= now);
    if (due.length === 0) return;
    try {
      const there = await this.#there(list, notificationURI, signal);
      for (const href of due) {
        const made = there.get(href) ?? (await this.#subscribe(list, href, notificationURI, signal));
        this.#made.set(href, { href: made, lookAtMs: now + LOOK_AGAIN_MS });
      }
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn("the utility takes no subscription; its resources are polled", { reason });
      // Polling goes on beside it, so there is no haste.
      for (const href of due) this.#made.set(href, { href: undefined, lookAtMs: now + RETRY_MS });
    }
  }

  /** Takes all back, as far as the server can be reached. */
  async end(signal: AbortSignal): Promise<void> {
    for (const { href } of this.#made.values()) {
      if (href !== undefined) await this.#connection.delete(href, signal).catch(() => {});
    }
    this.#made.clear();
  }

  /** Ours that the server has: from before a restart, or from a moment ago. */
  async #there(
    list: string,
    notificationURI: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string | undefined>> {
    const document = await this.#connection
      .get(`${list}${list.includes("?") ? "&" : "?"}s=0&l=100`, signal)
      .catch((error: unknown) => {
        // To list them is no duty of a server.
        if (error instanceof UtilityFault && error.isFinal) return undefined;
        throw error;
      });
    const subscriptions = document === undefined ? [] : childrenOf(document, "Subscription");
    return new Map(
      subscriptions
        .filter((one) => childOf(one, "notificationURI")?.text === notificationURI)
        .map((one) => [childOf(one, "subscribedResource")?.text ?? "", one.attributes.get("href")]),
    );
  }

  #subscribe(
    list: string,
    resource: string,
    notificationURI: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const subscription = element("Subscription", [
      element("subscribedResource", resource),
      element("encoding", 0),
      element("level", "+S1"),
      element("limit", LIMIT),
      element("notificationURI", notificationURI),
    ]);
    return this.#connection.post(list, writeXml(subscription), signal);
  }
}

/** 1 and 3: unconditional subscriptions are possible (2030.5-2018, SubscribableType). */
function isSubscribable(resource: XmlElement): boolean {
  const subscribable = resource.attributes.get("subscribable");
  return (subscribable === "1" || subscribable === "3") && (resource.attributes.get("href") ?? "") !== "";
}
