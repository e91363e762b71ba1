import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../src/clock.ts";
import { writeXml } from "../der/xml-out.ts";
import type { Answer } from "./answer.ts";
import { CSIP_AUS } from "./control-values.ts";
import { Notifier } from "./notifier.ts";
import { lfdiFrom } from "./peer-lfdi.ts";
import type { UtilityRequest } from "./request.ts";
import { serve } from "./routes.ts";
import type { Utility } from "./utility.ts";

/** A request that was answered. */
export interface ServedRequest extends UtilityRequest {
  /** By the utility's clock. */
  readonly atS: number;
  readonly status: number;
  /** Why it was refused. */
  readonly reason?: string;
}

export interface UtilityServerOptions {
  readonly utility: Utility;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM, as `cert` and `ca` are; `ca` signs the clients. */
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  readonly clock: Clock;
  /** Elapsed ms that one notification may take; 10 s unless given. */
  readonly notificationMs?: number;
  /** Called before a request is looked at, and after it was answered for. */
  readonly onRequest?: (request: UtilityRequest) => void;
  readonly onServed?: (request: ServedRequest) => void;
}

const WELL_KNOWN = "/.well-known/csipaus";
const MEDIA_TYPE = "application/sep+xml";
const MAX_BODY_BYTES = 1_000_000;
/** Longer than clients pause, since some take a closed connection for the end of the world. */
const KEEP_ALIVE_MS = 120_000;

/** The wire of a utility's CSIP server: TLS 1.2 with certificates on both sides, XML in and out. */
export class UtilityServer implements AsyncDisposable {
  readonly #options: UtilityServerOptions;
  readonly #server: Server;
  readonly #notifier: Notifier;
  readonly #unwatch: () => void;

  constructor(options: UtilityServerOptions) {
    this.#options = options;
    const { utility, clock, key, cert, ca, notificationMs = 10_000 } = options;
    this.#server = createServer(
      {
        key,
        cert,
        ca,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.2",
        ciphers: "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0",
        ecdhCurve: "prime256v1",
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (request, response) => this.#receive(request, response),
    );
    this.#notifier = new Notifier({
      utility,
      clock,
      key,
      cert,
      ca,
      origin: () => new URL(this.url).origin,
      deadlineMs: notificationMs,
    });
    this.#unwatch = utility.onChange((change) => this.#notifier.changed(change));
  }

  /** @throws Error when the port is taken */
  async start(): Promise<void> {
    this.#server.listen(this.#options.port, this.#options.host);
    await once(this.#server, "listening");
  }

  /** Of its DeviceCapability, once it listens. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `https://${address.includes(":") ? `[${address}]` : address}:${port}/dcap`;
  }

  /** Resolves when no notification is under way. */
  async settled(): Promise<void> {
    await this.#notifier.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch();
    await this.#notifier.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("error", () => response.destroy());
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    request.on("end", () => {
      const certificate = (request.socket as TLSSocket).getPeerCertificate(true);
      const [path = "", query = ""] = (request.url ?? "").split("?", 2);
      const asked: UtilityRequest = {
        method: request.method ?? "",
        path,
        query: new URLSearchParams(query),
        body: Buffer.concat(chunks).toString("utf8"),
        client: lfdiFrom(certificate.raw),
      };
      this.#options.onRequest?.(asked);
      const answer =
        size > MAX_BODY_BYTES
          ? { status: 413, reason: `more than ${MAX_BODY_BYTES} bytes` }
          : answerTo(request, this.#options.utility, asked);
      send(response, answer, asked.method === "HEAD");
      const { status, reason } = answer;
      const atS = this.#options.utility.nowS();
      this.#options.onServed?.({ ...asked, atS, status, ...(reason !== undefined && { reason }) });
    });
  }
}

function answerTo(request: IncomingMessage, utility: Utility, asked: UtilityRequest): Answer {
  if (asked.path === WELL_KNOWN && asked.method === "GET" && !utility.isOut) return editions(utility);
  const path = utility.otherPaths.get(asked.path) ?? asked.path;
  return wrongMediaType(request) ?? serve(utility, { ...asked, path });
}

/** Which editions of CSIP-AUS it speaks, and where each begins. */
function editions(utility: Utility): Answer {
  if (utility.editions.size === 0) return { status: 410, reason: "no editions are named" };
  const named = [...utility.editions].map(([edition, dcap]) => [edition, { dcap }]);
  return { status: 200, json: { supportedSchemaVersions: Object.fromEntries(named) } };
}

/** EXI is not served, nor anything else but XML. */
function wrongMediaType({ headers, method }: IncomingMessage): Answer | undefined {
  const accepted = (headers.accept ?? "*/*").split(",").map((one) => one.split(";")[0]?.trim().toLowerCase() ?? "");
  if (!accepted.some((one) => [MEDIA_TYPE, "application/*", "*/*"].includes(one)))
    return { status: 406, reason: `only ${MEDIA_TYPE} is served` };
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if ((method === "PUT" || method === "POST") && type !== MEDIA_TYPE)
    return { status: 415, reason: `the content type must be ${MEDIA_TYPE}` };
  return undefined;
}

function send(response: ServerResponse, answer: Answer, isHead: boolean): void {
  const { status, document, json, reason, location, allow } = answer;
  if (json !== undefined) {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    return;
  }
  if (location !== undefined) response.setHeader("location", location);
  if (allow !== undefined) response.setHeader("allow", allow);
  if (document === undefined) {
    if (reason !== undefined) response.setHeader("content-type", "text/plain; charset=utf-8");
    response.writeHead(status).end(reason);
    return;
  }
  const xml = writeXml({ ...document, attributes: { ...CSIP_AUS, ...document.attributes } });
  response.writeHead(status, { "content-type": MEDIA_TYPE, "content-length": String(Buffer.byteLength(xml)) });
  response.end(isHead ? undefined : xml);
}
