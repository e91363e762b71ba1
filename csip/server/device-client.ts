import { Agent, request } from "node:https";
import { parseXml, type XmlElement } from "../../simulators/der/xml-in.ts";
import type { Clock } from "../../src/clock.ts";

export interface Reply {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
  /** Wall time before and after, epoch ms. */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

export interface DeviceCredentials {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

const MEDIA_TYPE = "application/sep+xml";
/** Real time. */
const PATIENCE_MS = 20_000;

/** The wire of a device that a person holds in hand: it sends what it is told, and judges nothing. */
export class DeviceClient {
  readonly #agent: Agent;
  readonly #clock: Clock;
  readonly #origin: () => string;

  constructor(credentials: DeviceCredentials, clock: Clock, origin: () => string) {
    this.#clock = clock;
    this.#origin = origin;
    this.#agent = new Agent({
      keepAlive: true,
      ...credentials,
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.2",
      ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
      ecdhCurve: "prime256v1",
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  send(method: "GET" | "PUT" | "POST" | "DELETE", href: string, body?: string): Promise<Reply> {
    const askedAtMs = this.#clock.now();
    return new Promise((resolve, reject) => {
      const headers: Record<string, string> = { accept: MEDIA_TYPE };
      if (body !== undefined) {
        headers["content-type"] = MEDIA_TYPE;
        headers["content-length"] = String(Buffer.byteLength(body));
      }
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const options = { method, headers, agent: this.#agent, signal };
      const outgoing = request(new URL(href, this.#origin()), options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            location: response.headers.location,
            body: text,
            askedAtMs,
            answeredAtMs: this.#clock.now(),
          }),
        );
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}

/** @throws XmlFault */
export function documentOf(reply: Reply): XmlElement {
  return parseXml(reply.body);
}
