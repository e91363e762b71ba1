import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import type { Log } from "../log.ts";

const MAX_BODY_BYTES = 64 * 1024;

/** What a route answers: JSON, or text with its content type. */
export type ApiAnswer =
  | { readonly status: number; readonly json: unknown }
  | { readonly status: number; readonly text: string; readonly contentType: string };

export interface ApiRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON of a POST. */
  readonly body: unknown;
  readonly signal: AbortSignal;
}

/** Routes by "METHOD /path"; a path that ends with `/*` also takes what is below it. */
export type ApiRoutes = Readonly<Record<string, (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer>>;

export interface LocalApiOptions {
  readonly host: string;
  readonly port: number;
  /** Path of the Unix socket; its file mode says who may command. */
  readonly socket: string;
  readonly log: Log;
  readonly routes: ApiRoutes;
}

/**
 * The local HTTP API. On TCP it only answers reads, so that a page in a browser on this machine can command nothing; what
 * changes something goes through the Unix socket, whose file mode (0600) says who may.
 */
export class LocalApi implements AsyncDisposable {
  readonly #options: LocalApiOptions;
  readonly #servers: Server[] = [];
  #address = "";

  constructor(options: LocalApiOptions) {
    this.#options = options;
  }

  /** `http://127.0.0.1:9464` */
  get address(): string {
    return this.#address;
  }

  /** @throws Error naming the address that could not be opened */
  async start(): Promise<void> {
    const { host, port, socket } = this.#options;
    const tcp = createServer((request, response) => void this.#answer(request, response, false));
    await listen(tcp, { host, port }, `api ${host}:${port}`);
    this.#servers.push(tcp);
    const { port: realPort } = tcp.address() as AddressInfo;
    this.#address = `http://${isIP(host) === 6 ? `[${host}]` : host}:${realPort}`;

    const local = createServer((request, response) => void this.#answer(request, response, true));
    // A socket file that a crash left behind would refuse the bind; whoever may delete it may also command.
    rmSync(socket, { force: true });
    const before = process.umask(0o177);
    try {
      await listen(local, { path: socket }, `api.socket ${socket}`);
    } finally {
      process.umask(before);
    }
    this.#servers.push(local);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
    this.#servers.length = 0;
    rmSync(this.#options.socket, { force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, mayCommand: boolean): Promise<void> {
    const gone = new AbortController();
    response.on("close", () => gone.abort(new Error("the client left")));
    try {
      const answer = await this.#route(request, mayCommand, gone.signal);
      if (response.destroyed) return;
      const isText = "text" in answer;
      response.writeHead(answer.status, {
        "content-type": isText ? answer.contentType : "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      });
      response.end(isText ? answer.text : `${JSON.stringify(answer.json)}\n`);
    } catch (error) {
      this.#options.log.error("local api failed", { path: request.url, reason: String(error) });
      if (!response.headersSent) response.writeHead(500, { "content-type": "application/json" });
      response.end('{"error":"internal error; see the log"}\n');
    }
  }

  async #route(request: IncomingMessage, mayCommand: boolean, signal: AbortSignal): Promise<ApiAnswer> {
    if (!mayCommand && !this.#isOurHost(request.headers.host)) {
      // A page elsewhere that resolves its own name to this machine sends its own name here.
      return { status: 421, json: { error: "this host name is not served here" } };
    }
    const url = new URL(request.url ?? "/", "http://localhost");
    const method = request.method ?? "GET";
    const route = findRoute(this.#options.routes, method, url.pathname);
    if (route === undefined) {
      const known = Object.keys(this.#options.routes).some((key) => matches(key.split(" ")[1] ?? "", url.pathname));
      return known
        ? { status: 405, json: { error: `${method} is not possible here` } }
        : { status: 404, json: { error: `there is no ${url.pathname}` } };
    }
    if (method !== "GET" && !mayCommand) {
      return { status: 403, json: { error: "commands are taken on the Unix socket only" } };
    }
    let body: unknown;
    if (method !== "GET") {
      const text = await readBody(request);
      if (text === undefined)
        return { status: 413, json: { error: `the body is larger than ${MAX_BODY_BYTES} bytes` } };
      try {
        body = text === "" ? undefined : JSON.parse(text);
      } catch {
        return { status: 400, json: { error: "the body is not JSON" } };
      }
    }
    return route({ path: url.pathname, query: url.searchParams, body, signal });
  }

  #isOurHost(header: string | undefined): boolean {
    const name = (header ?? "").replace(/:\d+$/, "");
    return ["localhost", "127.0.0.1", "[::1]", this.#options.host].includes(name);
  }
}

function findRoute(routes: ApiRoutes, method: string, path: string): ApiRoutes[string] | undefined {
  const key = Object.keys(routes).find((candidate) => {
    const [routeMethod, routePath = ""] = candidate.split(" ");
    return routeMethod === method && matches(routePath, path);
  });
  return key === undefined ? undefined : routes[key];
}

function matches(routePath: string, path: string): boolean {
  return routePath.endsWith("/*") ? path.startsWith(routePath.slice(0, -1)) : routePath === path;
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function listen(server: Server, where: { host?: string; port?: number; path?: string }, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(new Error(`${name} can't be opened: ${error.message}`, { cause: error })));
    server.listen(where, () => resolve());
  });
}
