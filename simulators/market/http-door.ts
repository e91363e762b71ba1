import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { nack, Refusal } from "./answer.ts";
import type { FrontDesk, Reception } from "./front-desk.ts";

const MAX_BODY_BYTES = 256 * 1024;
const MAX_CONNECTIONS = 500;
const REQUEST_WITHIN_MS = 10_000;

/** `POST …/{action}` over HTTP. */
export class HttpDoor implements AsyncDisposable {
  readonly #server: Server;
  readonly #desk: FrontDesk;
  readonly #subscriberId: string;

  constructor(desk: FrontDesk, subscriberId: string) {
    this.#desk = desk;
    this.#subscriberId = subscriberId;
    this.#server = createServer(
      { requestTimeout: REQUEST_WITHIN_MS, headersTimeout: REQUEST_WITHIN_MS, maxHeaderSize: 16 * 1024 },
      (request, response) => this.#take(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  async listen(port: number, host: string): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", () => {});
        resolve();
      });
    });
    return { host, port: (this.#server.address() as AddressInfo).port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk);
      } else if (!response.headersSent) {
        response.setHeader("connection", "close");
        this.#respond(response, refuse(413, "BODY_TOO_LARGE", `a message may have at most ${MAX_BODY_BYTES} bytes`));
      }
    });
    request.on("end", () => {
      if (response.headersSent) return;
      if (request.method !== "POST") {
        response.setHeader("allow", "POST");
        this.#respond(response, refuse(405, "METHOD_NOT_ALLOWED", "actions are sent with POST"));
        return;
      }
      const path = (request.url ?? "/").split("?")[0] ?? "/";
      this.#respond(response, this.#desk.receive(path, request.headers.authorization, Buffer.concat(chunks)));
    });
  }

  #respond(response: ServerResponse, { answer, afterwards }: Reception): void {
    if (answer.status === 401) {
      response.setHeader(
        "www-authenticate",
        `Signature realm="${this.#subscriberId}",headers="(created) (expires) digest"`,
      );
    }
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(answer.body);
    afterwards?.();
  }
}

function refuse(status: number, code: "BODY_TOO_LARGE" | "METHOD_NOT_ALLOWED", reason: string): Reception {
  return { answer: nack(new Refusal(status, code, "", reason)) };
}
