import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Log } from "../../src/log.ts";
import { canonicalLfdi, type Lfdi, lfdiFromCertificate } from "../ieee2030-5/identity.ts";
import { SEP_CLIENT_CIPHERS, SEP_SIGNATURES, SEP_TLS } from "../ieee2030-5/sep-tls.ts";
import { isXml } from "../ieee2030-5/server/media-type.ts";
import { BodyTooLong, readBody } from "../ieee2030-5/server/request-body.ts";
import type { TlsFiles } from "../ieee2030-5/server/tls-files.ts";
import { BadDocument, integerOf, requiredChild } from "../ieee2030-5/xml/xml-element.ts";
import { MAX_XML_BYTES, parseXml } from "../ieee2030-5/xml/xml-parse.ts";

const PATH = "/ntfy";
const KEEP_ALIVE_MS = 120_000;
const REQUEST_MS = 30_000;
const MOST_CONNECTIONS = 32;
const MOST_HEADER_BYTES = 8192;

export interface NotificationPortOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles;
  /** Given: nobody else may notify. */
  readonly serverLfdi?: Lfdi | undefined;
  readonly log: Log;
  /** @param status of the Notification: 0, or why the subscription has ended */
  readonly onNotification: (subscribedResource: string, status: number) => void;
}

/**
 * Where the utility's server tells what has changed. What it sends along is not used: the resource is read again from the
 * server itself, so that nobody who gets through to here can set a limit.
 */
export class NotificationPort implements AsyncDisposable {
  readonly #options: NotificationPortOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(options: NotificationPortOptions) {
    this.#options = options;
  }

  /** @returns where it really listens @throws Error when the port is taken or the certificates are no good */
  async listen(): Promise<string> {
    const { host, port, tls } = this.#options;
    const server = createServer({
      ...tls,
      requestCert: true,
      rejectUnauthorized: true,
      ...SEP_TLS,
      ciphers: SEP_CLIENT_CIPHERS,
      sigalgs: SEP_SIGNATURES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      maxHeaderSize: MOST_HEADER_BYTES,
    });
    server.maxConnections = MOST_CONNECTIONS;
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    server.on("request", (request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#options.log.error("notification port failed", { reason: error.message }));
        resolve();
      });
    });
    const address = server.address() as AddressInfo;
    const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `https://${name}:${address.port}${PATH}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => {});
    response.on("error", () => {});
    const status = await this.#take(request).catch((error: unknown) => {
      if (error instanceof BodyTooLong) return 413;
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.warn("a notification could not be read", { reason });
      return error instanceof BadDocument ? 400 : 500;
    });
    if (response.destroyed) return;
    if (status === 405) response.setHeader("Allow", "POST");
    if (!request.complete) response.setHeader("Connection", "close");
    response.statusCode = status;
    response.setHeader("Content-Length", 0);
    response.end();
  }

  /** @returns the HTTP status */
  async #take(request: IncomingMessage): Promise<number> {
    if (!this.#isOfServer(request)) return 403;
    if ((request.url ?? "").split("?", 1)[0] !== PATH) return 404;
    if (request.method !== "POST") return 405;
    if (!isXml(request.headers["content-type"])) return 415;
    const document = parseXml(await readBody(request, MAX_XML_BYTES));
    const notifications = document.name === "NotificationList" ? document.children : [document];
    for (const notification of notifications) {
      if (notification.name !== "Notification") throw new BadDocument(`${notification.name}, expected Notification`);
      const resource = requiredChild(notification, "subscribedResource").text;
      const status = integerOf(notification, "status", 0, 255) ?? 0;
      this.#options.onNotification(resource, status);
    }
    return 201;
  }

  #isOfServer({ socket }: IncomingMessage): boolean {
    const { serverLfdi } = this.#options;
    if (serverLfdi === undefined) return true;
    const der = socket instanceof TLSSocket ? socket.getPeerCertificate().raw : undefined;
    return der !== undefined && lfdiFromCertificate(der) === canonicalLfdi(serverLfdi);
  }
}
