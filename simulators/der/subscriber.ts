import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Log } from "../../src/log.ts";
import { checkShape } from "./schema.ts";
import type { SepClient } from "./sep-client.ts";
import { parseXml, XmlFault } from "./xml-in.ts";
import { group, leaf, writeXml } from "./xml-out.ts";

export interface SubscriberOptions {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  /** Address to listen on, one that the server reaches. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
  /** A resource has changed. */
  readonly onNotification: () => void;
}

const MAX_BODY_BYTES = 1_000_000;
const CIPHERS = "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0";

/** Subscribes to what the server offers, and listens for its notifications over TLS with the device's own certificate. */
export class Subscriber implements AsyncDisposable {
  readonly #options: SubscriberOptions;
  readonly #server: Server;
  readonly #subscribed = new Set<string>();

  constructor(options: SubscriberOptions) {
    this.#options = options;
    const { key, cert, ca } = options;
    this.#server = createServer(
      {
        key,
        cert,
        ca,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.2",
        ciphers: CIPHERS,
        ecdhCurve: "prime256v1",
      },
      (request, response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        request.on("error", () => response.destroy());
        request.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size <= MAX_BODY_BYTES) chunks.push(chunk);
        });
        request.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          const status = request.method !== "POST" ? 405 : size > MAX_BODY_BYTES ? 413 : this.#take(body);
          response.writeHead(status, { "content-length": "0" }).end();
        });
      },
    );
  }

  /** @throws Error when the port is taken */
  async start(): Promise<void> {
    this.#server.listen(this.#options.port, this.#options.host);
    await once(this.#server, "listening");
  }

  /** Subscribes to those resources that it has not yet subscribed to. @param list address of the SubscriptionList */
  async subscribe(client: SepClient, list: string, resources: readonly string[], signal: AbortSignal): Promise<void> {
    for (const resource of resources) {
      if (this.#subscribed.has(resource)) continue;
      await client.post(list, this.#subscriptionXml(resource), signal);
      this.#subscribed.add(resource);
    }
  }

  /** The server may have lost them. */
  forget(): void {
    this.#subscribed.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #subscriptionXml(resource: string): string {
    const { address, port } = this.#server.address() as AddressInfo;
    const host = address.includes(":") ? `[${address}]` : address;
    return writeXml(
      group(
        "Subscription",
        leaf("subscribedResource", resource),
        leaf("encoding", 0),
        leaf("level", "+S1"),
        leaf("limit", 10),
        leaf("notificationURI", `https://${host}:${port}/ntfy`),
      ),
    );
  }

  #take(body: string): number {
    try {
      const root = parseXml(body);
      if (root.name !== "Notification") throw new XmlFault(`root element is ${root.name}, not Notification`);
      checkShape(root);
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      this.#options.log.warn("a notification is refused", { detail: error.message });
      return 400;
    }
    this.#options.onNotification();
    return 201;
  }
}
