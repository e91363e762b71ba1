import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { type Clock, withDeadline } from "../../src/clock.ts";
import { group, leaf, writeXml, type XmlNode } from "../der/xml-out.ts";
import { CSIP_AUS } from "./control-values.ts";
import { SUBSCRIPTIONS, withAttributes } from "./documents.ts";
import { lfdiFrom } from "./peer-lfdi.ts";
import type { UtilityRequest } from "./request.ts";
import { serve } from "./routes.ts";
import type { Subscription } from "./subscription-book.ts";
import type { Change, Utility } from "./utility.ts";

export interface NotifierOptions {
  readonly utility: Utility;
  readonly clock: Clock;
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  /** The server's own address, for subscriptionURI. */
  readonly origin: () => string;
  /** Elapsed ms that one notification may take. */
  readonly deadlineMs: number;
}

/** Tells subscribers what a resource has become, one notification at a time for each of them. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #busy = new Map<Subscription, { again: boolean; done: Promise<void> }>();
  readonly #stop = new AbortController();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Several changes while one notification is under way lead to one more, with what holds then. */
  changed(change: Change): void {
    const { utility } = this.#options;
    for (const subscription of utility.subscriptions.subscriptions) {
      if (!utility.isOut && isAbout(subscription.resource, change)) this.#push(subscription);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the server is closed"));
    await this.idle();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all([...this.#busy.values()].map(({ done }) => done));
  }

  #push(subscription: Subscription): void {
    const busy = this.#busy.get(subscription);
    if (busy !== undefined) {
      busy.again = true;
      return;
    }
    const entry = { again: true, done: Promise.resolve() };
    this.#busy.set(subscription, entry);
    entry.done = (async () => {
      while (entry.again && !this.#stop.signal.aborted) {
        entry.again = false;
        await this.#send(subscription);
      }
      this.#busy.delete(subscription);
    })();
  }

  async #send(subscription: Subscription): Promise<void> {
    const { utility, clock, deadlineMs, origin } = this.#options;
    const { id, resource, owner, limit } = subscription;
    const request: UtilityRequest = {
      method: "GET",
      path: resource,
      query: new URLSearchParams({ l: String(limit) }),
      body: "",
      client: owner,
    };
    const { document } = serve(utility, request);
    const uri = `${origin()}${SUBSCRIPTIONS}/${id}`;
    const body = writeXml(notification(resource, document, uri));
    const atS = utility.nowS();
    try {
      const status = await withDeadline(clock, deadlineMs, this.#stop.signal, (signal) =>
        this.#post(subscription, body, signal),
      );
      utility.subscriptions.sent({ subscription, atS, ok: status >= 200 && status < 300, detail: `status ${status}` });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      utility.subscriptions.sent({ subscription, atS, ok: false, detail });
    }
  }

  #post({ uri, owner }: Subscription, body: string, signal: AbortSignal): Promise<number> {
    const { key, cert, ca } = this.#options;
    const target = new URL(uri);
    const headers = { "content-type": "application/sep+xml", "content-length": String(Buffer.byteLength(body)) };
    const options: RequestOptions = {
      method: "POST",
      headers,
      signal,
      key,
      cert,
      ca,
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.2",
      ciphers: "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0",
      // A device certificate names no host: it must be the subscriber's own instead.
      checkServerIdentity: (_host, certificate) =>
        lfdiFrom(certificate.raw) === owner
          ? undefined
          : new Error("the notificationURI answers with another certificate"),
    };
    return new Promise((resolve, reject) => {
      const onAnswer = (response: IncomingMessage) => {
        response.resume();
        response.on("error", reject);
        response.on("end", () => resolve(response.statusCode ?? 0));
      };
      const outgoing =
        target.protocol === "https:"
          ? httpsRequest(target, options, onAnswer)
          : httpRequest(target, { method: "POST", headers, signal }, onAnswer);
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}

function notification(resource: string, document: XmlNode | undefined, subscriptionUri: string): XmlNode {
  const content =
    document === undefined
      ? undefined
      : { ...document, name: "Resource", attributes: { "xsi:type": document.name, ...document.attributes } };
  return withAttributes(
    group(
      "Notification",
      leaf("subscribedResource", resource),
      content,
      leaf("status", 0),
      leaf("subscriptionURI", subscriptionUri),
    ),
    { ...CSIP_AUS, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance" },
  );
}

function isAbout(resource: string, change: Change): boolean {
  switch (change.kind) {
    case "edev":
      return resource === "/edev";
    case "fsa":
      return /^\/edev\/\d+\/fsa$/.test(resource);
    case "derp":
      return resource.endsWith(`/fsa/${change.fsaId}/derp`);
    default:
      return resource.endsWith(`/derp/${change.program.id}/${change.kind}`);
  }
}
