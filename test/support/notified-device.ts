import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { parseStringPromise } from "xml2js";
import type { Credentials } from "../../simulators/pki.ts";
import type { Element } from "./polled-site.ts";

/** The place where a device wants to be told: an HTTPS server with the device's own certificate. */
export class NotifiedDevice implements AsyncDisposable {
  /** What came, as xml2js reads it. */
  readonly notifications: Element[] = [];
  readonly contentTypes: (string | undefined)[] = [];
  /** What it answers. */
  status = 201;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open({ key, cert }: Credentials, ca: string): Promise<NotifiedDevice> {
    const tls = { key, cert, ca, requestCert: true, rejectUnauthorized: true, maxVersion: "TLSv1.2" as const };
    const server = createServer({ ...tls, ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0" });
    const device = new NotifiedDevice(server);
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", async () => {
        const { Notification } = await parseStringPromise(Buffer.concat(chunks).toString("utf8"));
        device.notifications.push(Notification);
        device.contentTypes.push(request.headers["content-type"]);
        response.writeHead(device.status).end();
      });
    });
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return device;
  }

  get uri(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ntfy`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}
