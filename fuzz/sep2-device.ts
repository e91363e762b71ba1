import { Agent, request } from "node:https";
import type { Outcome } from "./outcome.ts";

/** A device that the subject knows: its number in addresses, and what it shows who it is. */
export interface FuzzDevice {
  readonly number: number;
  readonly lfdi: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** One request as it goes out. */
export interface Sep2Input {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

export interface Sep2Answer {
  readonly outcome: Outcome;
  /** Absent where there was none. */
  readonly status?: number;
  readonly location?: string | undefined;
  readonly body: string;
}

/** One connection of one device, kept alive as long as the other side does. */
export class Sep2Device {
  readonly device: FuzzDevice;
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(url: string, device: FuzzDevice) {
    const { cert, key, ca } = device;
    this.device = device;
    this.#url = new URL(url);
    this.#agent = new Agent({
      ...{ cert, key, ca, keepAlive: true, maxSockets: 1 },
      ...{ maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0" },
    });
  }

  ask({ method, path, headers, bytes }: Sep2Input, withinMs: number): Promise<Sep2Answer> {
    return new Promise((resolve) => {
      const { hostname, port } = this.#url;
      const sentAtMs = performance.now();
      const outgoing = request({ hostname, port, method, path, headers, agent: this.#agent });
      const end = (answer: Sep2Answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      const timer = setTimeout(() => {
        end({ outcome: { kind: "silent" }, body: "" });
        outgoing.destroy();
      }, withinMs);
      outgoing.on("error", () => end({ outcome: { kind: "closed" }, body: "" }));
      outgoing.on("response", (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("error", () => end({ outcome: { kind: "closed" }, body }));
        response.on("end", () => {
          const { statusCode: status = 0 } = response;
          const tookMs = performance.now() - sentAtMs;
          end({
            outcome: { kind: "answered", tookMs, internalError: status === 500 },
            status,
            location: response.headers.location,
            body,
          });
        });
      });
      outgoing.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
