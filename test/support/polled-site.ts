import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseStringPromise } from "xml2js";
import { ieee2030_5 } from "../../adapters/ieee2030-5/index.ts";
import type { AdapterHost } from "../../adapters/kind.ts";
import type { Credentials } from "../../simulators/pki.ts";
import { writePki } from "../../simulators/pki.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { volatileMemory } from "./volatile-memory.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A 2030.5 server with its devices on loopback, and an HTTPS client that has nothing in common with it. */
export class PolledSite implements AsyncDisposable {
  readonly url: string;
  readonly ca: string;
  readonly host: AdapterHost<ReturnType<typeof ieee2030_5.deviceSchema.parse>>;
  readonly adapters: readonly Adapter[];
  readonly credentials: readonly Credentials[];
  /** Certificates and key of the server, as its config names them; for another server after this one. */
  readonly files: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  readonly #folder: string;
  readonly #stop: AbortController;

  private constructor(
    parts: Pick<PolledSite, "url" | "ca" | "host" | "adapters" | "credentials" | "files">,
    folder: string,
    stop: AbortController,
  ) {
    this.url = parts.url;
    this.ca = parts.ca;
    this.host = parts.host;
    this.adapters = parts.adapters;
    this.credentials = parts.credentials;
    this.files = parts.files;
    this.#folder = folder;
    this.#stop = stop;
  }

  /** One device for each entry, with what its part of the config says beside its LFDI. */
  static async open(
    devices: readonly { readonly kind: ResourceKind; readonly config?: object }[],
    shared: object = {},
    memory = volatileMemory(),
  ): Promise<PolledSite> {
    const folder = await mkdtemp(join(tmpdir(), "setpointd-2030-5-"));
    const { certFile, keyFile, caFile, device } = await writePki(folder);
    const files = { certFile, keyFile, caFile };
    const host = ieee2030_5.createHost(
      ieee2030_5.sharedSchema.parse({ port: 0, pollRateS: 1, postRateS: 1, ...files, ...shared }),
      { clock: systemClock, log: silentLog, random: () => 0.5, memory },
    );
    const credentials = await Promise.all(devices.map((_, index) => device(`der-${index + 1}`)));
    const adapters = devices.map(({ kind, config }, index) =>
      host.adapter(
        { era: `der.${index + 1}`, kind },
        ieee2030_5.deviceSchema.parse({ lfdi: lfdiOf(credentials[index]?.cert ?? ""), ...config }),
      ),
    );
    const stop = new AbortController();
    await host.start(stop.signal);
    const url = host.addresses()["ieee2030_5"] ?? "";
    const ca = await readFile(caFile, "utf8");
    return new PolledSite({ url, ca, host, adapters, credentials, files }, folder, stop);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  lfdi(device = 0): string {
    return lfdiOf(this.credentials[device]?.cert ?? "");
  }

  /** One request with a device's certificate, on a connection of its own. */
  async ask(path: string, options: RequestOptions & { body?: string } = {}, device = 0): Promise<HttpAnswer> {
    const { body, ...rest } = options;
    const agent = new Agent({ ...this.credentials[device], ca: this.ca, maxVersion: "TLSv1.2" });
    const headers = { ...(body === undefined ? {} : { "content-type": "application/sep+xml" }), ...rest.headers };
    try {
      return await new Promise<HttpAnswer>((resolve, reject) => {
        const outgoing = request(this.url, { ...rest, path, headers, agent }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const { statusCode: status = 0, headers } = response;
            resolve({ status, headers, body: Buffer.concat(chunks).toString("utf8") });
          });
        });
        outgoing.on("error", reject);
        outgoing.end(body);
      });
    } finally {
      agent.destroy();
    }
  }

  /** A document as xml2js reads it. */
  async read(path: string, device = 0): Promise<Record<string, Element>> {
    const { status, body } = await this.ask(path, {}, device);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
    return await parseStringPromise(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("test over"));
    await this.host[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

/** An element as xml2js gives it: attributes under `$`, children by name. */
export interface Element {
  readonly $: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it as into JSON
  readonly [name: string]: any;
}

export function lfdiOf(cert: string): string {
  return new X509Certificate(cert).fingerprint256.replaceAll(":", "").slice(0, 40);
}

/** A document in the standard's namespace, from its body. */
export function sep(name: string, content: string): string {
  return `<${name} xmlns="urn:ieee:std:2030.5:ns">${content}</${name}>`;
}
