import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { type Clock, withDeadline } from "../../src/clock.ts";
import { checkShape } from "./schema.ts";
import { wholeNumber } from "./values.ts";
import { parseXml, type XmlElement, XmlFault } from "./xml-in.ts";

export const MEDIA_TYPE = "application/sep+xml";

/** The server answered with a status that is no success. */
export class HttpFault extends Error {
  override readonly name = "HttpFault";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** True if the same request would fail again. */
  get isFinal(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

export interface SepClientOptions {
  /** Where the walk starts; other addresses come from links only. */
  readonly url: string;
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  readonly clock: Clock;
  /** Elapsed ms that one request may take. */
  readonly requestMs: number;
}

interface Exchange {
  readonly method: "GET" | "PUT" | "POST";
  readonly href: string;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const MAX_BODY_BYTES = 1_000_000;
const MAX_REDIRECTS = 3;
const MAX_PAGES = 50;
const PAGE_SIZE = 10;

/** The wire of an IEEE 2030.5 client: TLS 1.2 with the one cipher of the standard, and its own certificate. */
export class SepClient {
  readonly #options: SepClientOptions;
  readonly #agent: Agent;

  constructor(options: SepClientOptions) {
    this.#options = options;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 2,
      key: options.key,
      cert: options.cert,
      ca: options.ca,
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.2",
      // SECLEVEL=0: newer OpenSSL counts the eight-byte tag of CCM8 as too weak for its default level.
      ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
      ecdhCurve: "prime256v1",
    });
  }

  /** Closes all connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Reads a resource of the given name and checks it against the schema. */
  async get(href: string, name: string, signal: AbortSignal): Promise<XmlElement> {
    const { headers, body } = await this.#exchange({ method: "GET", href }, signal);
    const type = headers["content-type"] ?? "none";
    if (type.split(";")[0]?.trim().toLowerCase() !== MEDIA_TYPE) {
      throw new XmlFault(`GET ${href}: content type is ${type}, not ${MEDIA_TYPE}`);
    }
    try {
      const root = parseXml(body);
      if (root.name !== name) throw new XmlFault(`root element is ${root.name}, not ${name}`);
      // A control that breaks the schema is answered with a Response and does not spoil the list around it.
      checkShape(name === "DERControlList" ? { ...root, children: [] } : root);
      return root;
    } catch (error) {
      if (error instanceof XmlFault) throw new XmlFault(`GET ${href}: ${error.message}`);
      throw error;
    }
  }

  /** Reads a whole list, page by page; also returns the attributes of its first page. */
  async getList(
    href: string,
    name: string,
    signal: AbortSignal,
  ): Promise<{ items: XmlElement[]; attributes: ReadonlyMap<string, string> }> {
    const items: XmlElement[] = [];
    let attributes: ReadonlyMap<string, string> | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const list = await this.get(withPage(href, items.length), name, signal);
      attributes ??= list.attributes;
      const all = countOf(list, "all");
      if (countOf(list, "results") !== list.children.length) {
        throw new XmlFault(`GET ${href}: results does not count the ${list.children.length} elements of the page`);
      }
      items.push(...list.children);
      if (items.length >= all) return { items, attributes };
      if (list.children.length === 0) throw new XmlFault(`GET ${href}: ${items.length} of ${all} elements came`);
    }
    throw new XmlFault(`GET ${href}: the list has more than ${MAX_PAGES * PAGE_SIZE} elements`);
  }

  async put(href: string, body: string, signal: AbortSignal): Promise<void> {
    await this.#exchange({ method: "PUT", href, body }, signal);
  }

  /** @returns where the new resource is, if the server said so */
  async post(href: string, body: string, signal: AbortSignal): Promise<string | undefined> {
    const { headers } = await this.#exchange({ method: "POST", href, body }, signal);
    return headers.location;
  }

  async #exchange(exchange: Exchange, signal: AbortSignal): Promise<Answer> {
    const { clock, requestMs, url } = this.#options;
    return await withDeadline(clock, requestMs, signal, async (deadline) => {
      let target = new URL(exchange.href, url);
      for (let redirects = 0; ; redirects++) {
        if (target.protocol !== "https:") throw new XmlFault(`${target.href} is not https`);
        const answer = await this.#once(target, exchange, deadline);
        if (answer.status >= 200 && answer.status < 300) return answer;
        const { location } = answer.headers;
        const isRedirect = [301, 302, 307, 308].includes(answer.status) && location !== undefined;
        if (!isRedirect || redirects >= MAX_REDIRECTS) {
          throw new HttpFault(answer.status, `${exchange.method} ${target.pathname}: status ${answer.status}`);
        }
        target = new URL(location, target);
      }
    });
  }

  #once(target: URL, { method, body }: Exchange, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string> = { accept: MEDIA_TYPE };
      if (body !== undefined) {
        headers["content-type"] = MEDIA_TYPE;
        headers["content-length"] = String(Buffer.byteLength(body));
      }
      const outgoing = request(target, { method, headers, agent: this.#agent, signal }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY_BYTES) response.destroy(new XmlFault(`more than ${MAX_BODY_BYTES} bytes came`));
          else chunks.push(chunk);
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}

function countOf(list: XmlElement, attribute: string): number {
  const text = list.attributes.get(attribute) ?? "";
  return wholeNumber({ name: attribute, text, namespace: "", attributes: new Map(), children: [] }, 0, 2 ** 32 - 1);
}

/** Adds the start and the length of a page to an address; without them a server gives one element (2030.5-2018, 6.6). */
function withPage(href: string, start: number): string {
  const [path = "", query = ""] = href.split("?", 2);
  const parameters = new URLSearchParams(query);
  parameters.set("s", String(start));
  parameters.set("l", String(PAGE_SIZE));
  return `${path}?${parameters.toString()}`;
}
