import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { checkShape } from "../../simulators/der/schema.ts";
import { parseXml, type XmlElement, XmlFault } from "../../simulators/der/xml-in.ts";

/** Where a device takes notifications: one path a subscription, over TLS with its own certificate. */
export class NotificationSink implements AsyncDisposable {
  readonly #server: Server;
  readonly #received = new Map<string, XmlElement[]>();
  /** When set, every notification is answered with 503. */
  readonly disabled = new Set<string>();
  /** What was wrong with the last notification that was refused. */
  fault: string | undefined;

  constructor(credentials: { readonly key: string; readonly cert: string; readonly ca: string }) {
    this.#server = createServer(
      {
        ...credentials,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.2",
        ciphers: "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0",
      },
      (request, response) => {
        let body = "";
        request.setEncoding("utf8");
        request.on("data", (chunk: string) => {
          body += chunk;
        });
        request.on("end", () => response.writeHead(this.#take(request.method, request.url ?? "", body)).end());
      },
    );
  }

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  uriOf(subscription: string): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${encodeURIComponent(subscription)}`;
  }

  /** Resources that came for one subscription, oldest first. */
  received(subscription: string): readonly XmlElement[] {
    return this.#received.get(`/${encodeURIComponent(subscription)}`) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(method: string | undefined, path: string, body: string): number {
    if (method !== "POST") return 405;
    if (this.disabled.has(decodeURIComponent(path.slice(1)))) return 503;
    try {
      const root = parseXml(body);
      if (root.name !== "Notification") throw new XmlFault(`root element is ${root.name}`);
      checkShape(root);
      const resource = root.children.find(({ name }) => name === "Resource");
      this.#received.set(path, [...(this.#received.get(path) ?? []), ...(resource === undefined ? [] : [resource])]);
      return 201;
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      this.fault = error.message;
      return 400;
    }
  }
}
