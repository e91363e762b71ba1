import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Adapter } from "../../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, AdapterOperation, DeviceRole, Stranger } from "../../kind.ts";
import { defaultControls } from "../commands/default-operation.ts";
import { listControls } from "../commands/listed-controls.ts";
import { operatorOrders } from "../commands/order-operation.ts";
import { pollAndPostRates } from "../commands/rates-operation.ts";
import type { Device, Shared } from "../config.ts";
import { canonicalLfdi, type Lfdi, lfdiFromCertificate } from "../identity.ts";
import { PolledDevice } from "../polled-device.ts";
import { Rates, rateForInterval } from "../rates.ts";
import { sayFarewell } from "../subscriptions/farewell.ts";
import type { Shown } from "../subscriptions/notifier.ts";
import { postNotification } from "../subscriptions/post-notification.ts";
import { BadDocument } from "../xml/xml-element.ts";
import { MAX_XML_BYTES, parseXml } from "../xml/xml-parse.ts";
import { type Answer, failure } from "./answer.ts";
import { acceptsXml, isXml } from "./media-type.ts";
import { DCAP, devicePaths } from "./paths.ts";
import { BodyTooLong, readBody } from "./request-body.ts";
import { type DeviceRequest, type Resource, useResource } from "./resource.ts";
import { findResource, isSubscribable, type ServerFacts } from "./resources.ts";
import { type Peer, Sep2Server } from "./server.ts";
import { StrangerList } from "./stranger-list.ts";
import { readKeyPem, readPem, type TlsFiles } from "./tls-files.ts";

/** The 2030.5 server that all configured devices poll. */
export class PollingHost implements AdapterHost<Device> {
  readonly operations: Readonly<Record<string, AdapterOperation>>;
  readonly #shared: Shared;
  readonly #context: AdapterContext;
  readonly #devices = new Map<Lfdi, PolledDevice>();
  readonly #strangers: StrangerList;
  readonly #rates: Rates;
  #numbers = 0;
  #server: Sep2Server | undefined;
  #address: string | undefined;
  #tls: TlsFiles | undefined;
  #lfdi: Lfdi | undefined;
  readonly #closing = new AbortController();
  #farewell: Promise<void> | undefined;

  constructor(shared: Shared, context: AdapterContext) {
    this.#shared = shared;
    this.#context = context;
    const { clock, memory, marketIntervalMs } = context;
    const { pollRateS = rateForInterval(marketIntervalMs), postRateS = rateForInterval(marketIntervalMs) } = shared;
    this.#rates = new Rates({ pollRateS, postRateS, memory, clock });
    this.#strangers = new StrangerList(context.clock);
    const devices = () =>
      [...this.#devices.values()].map(({ era, desk }) => ({
        era,
        controls: () => desk.controls(),
        answered: (mRID: string) => desk.answered(mRID),
      }));
    this.operations = {
      controls: listControls(devices, clock),
      order: operatorOrders(() => this.#devices.values(), clock),
      default: defaultControls(() => this.#devices.values(), clock),
      rates: pollAndPostRates(this.#rates, clock, () => this.#ratesChanged()),
    };
  }

  adapter(role: DeviceRole, device: Device): Adapter {
    const lfdi = canonicalLfdi(device.lfdi);
    const other = this.#devices.get(lfdi);
    if (other !== undefined) throw new Error(`${role.era}: LFDI ${lfdi} is already that of ${other.era}`);
    this.#numbers += 1;
    const { clock, log } = this.#context;
    const { random, memory } = this.#context;
    const { primacy, operatorPrimacy, registration } = this.#shared;
    const onClose = () => {
      if (this.#devices.get(lfdi) === polled) this.#devices.delete(lfdi);
    };
    const polled: PolledDevice = new PolledDevice({
      ...role,
      device,
      number: this.#numbers,
      rates: this.#rates,
      primacy,
      operatorPrimacy,
      registration,
      clock,
      log,
      random,
      memory,
      show: (path, limit) => this.#show(polled, path, limit),
      notify: (uri, body, signal) => this.#notify(polled, uri, body, signal),
      isOthersMeter: (mRID) => [...this.#devices.values()].some((one) => one !== polled && one.mirrors.has(mRID)),
      onClose,
    });
    this.#devices.set(lfdi, polled);
    return polled;
  }

  /** @throws Error when a certificate file is missing or bad, or the port is taken */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#devices.size === 0 || this.#server !== undefined) return;
    const { host, port, certFile, keyFile, caFile } = this.#shared;
    const [cert, key, ca] = await Promise.all([
      readPem("ieee2030_5.certFile", certFile),
      readKeyPem("ieee2030_5.keyFile", keyFile, this.#context.log),
      readPem("ieee2030_5.caFile", caFile),
    ]);
    signal.throwIfAborted();
    const server = new Sep2Server({
      host,
      port,
      tls: { cert, key, ca },
      longestPauseMs: 1000 * this.#rates.slowestS,
      log: this.#context.log,
      answer: (peer, request) => this.#answer(peer, request),
      notHttp: (peer, reason) => this.#devices.get(peer.lfdi)?.garbled("HTTP", reason, false),
    });
    try {
      const open = await server.listen();
      this.#address = `https://${open.host}:${open.port}${DCAP}`;
      this.#server = server;
      this.#tls = { cert, key, ca };
      this.#lfdi = lfdiFromCertificate(new X509Certificate(cert).raw);
      this.#farewell = this.#sayFarewell();
    } catch (cause) {
      await server[Symbol.asyncDispose]();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`ieee2030_5: cannot listen on ${host}:${port} with ${certFile}: ${reason}`, { cause });
    }
  }

  async #sayFarewell(): Promise<void> {
    const { memory, log } = this.#context;
    await sayFarewell({
      memory,
      log,
      isConfigured: (lfdi) => this.#devices.has(lfdi),
      post: (lfdi, uri, body) => this.#notify({ lfdi }, uri, body, this.#closing.signal),
    });
  }

  addresses(): Readonly<Record<string, string>> {
    return this.#address === undefined ? {} : { ieee2030_5: this.#address };
  }

  strangers(): readonly Stranger[] {
    return this.#strangers.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("the server is closed"));
    await this.#farewell;
    const server = this.#server;
    this.#server = undefined;
    this.#address = undefined;
    await server?.[Symbol.asyncDispose]();
    await Promise.all([...this.#devices.values()].map((device) => device[Symbol.asyncDispose]()));
  }

  async #answer(peer: Peer, request: IncomingMessage): Promise<Answer> {
    const device = this.#devices.get(peer.lfdi);
    if (device === undefined) {
      if (this.#strangers.note(peer.lfdi, peer.address)) {
        this.#context.log.warn("2030.5 device refused: not configured", { lfdi: peer.lfdi, address: peer.address });
      }
      return { ...failure(403, `LFDI ${peer.lfdi} is not known here`), closes: true };
    }
    device.polled(peer.address);
    const target = targetOf(request.url ?? "/");
    if (target === undefined) return failure(400, "bad request target");
    const resource = findResource(target.path, device, this.#facts());
    if ("status" in resource) return resource;
    const method = request.method ?? "GET";
    if ((method === "GET" || method === "HEAD") && !acceptsXml(request.headers.accept)) {
      return failure(406, "only application/sep+xml is served");
    }
    const used = { method, ...target, peerAddress: peer.address };
    if (takesBody(resource, method)) return this.#take(request, device, resource, used);
    const answer = useResource(resource, used, undefined);
    if (method === "GET" && answer.controls !== undefined) device.desk.fetched(answer.controls);
    return answer;
  }

  #ratesChanged(): void {
    this.#server?.keepOpen(1000 * this.#rates.slowestS);
    for (const device of this.#devices.values()) device.ratesChanged();
  }

  #facts(): ServerFacts {
    return { nowMs: this.#context.clock.now(), lfdi: this.#lfdi };
  }

  /** A resource as a notification shows it. */
  #show(device: PolledDevice, path: string, limit: number): Shown | undefined {
    const resource = isSubscribable(path, device) ? findResource(path, device, this.#facts()) : undefined;
    if (resource === undefined || "status" in resource) return undefined;
    const { element, controls = [] } = resource.get?.({ start: 0, limit }) ?? {};
    return element && { element, controls };
  }

  async #notify(device: { readonly lfdi: Lfdi }, uri: string, body: string, signal: AbortSignal): Promise<number> {
    if (this.#tls === undefined) throw new Error("the server is not open");
    return await postNotification({ uri, lfdi: device.lfdi }, body, this.#tls, this.#context.clock, signal);
  }

  async #take(
    request: IncomingMessage,
    device: PolledDevice,
    resource: Resource,
    used: DeviceRequest,
  ): Promise<Answer> {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (!isXml(request.headers["content-type"]) || encoding !== "identity") {
      return failure(415, "only application/sep+xml is taken");
    }
    try {
      return useResource(resource, used, parseXml(await readBody(request, MAX_XML_BYTES)));
    } catch (error) {
      if (!(error instanceof BadDocument || error instanceof BodyTooLong)) throw error;
      const asResponse = used.path === devicePaths(device.number).responses;
      device.garbled(`${used.method} ${used.path}`, error.message, asResponse);
      return failure(error instanceof BodyTooLong ? 413 : 400, error.message);
    }
  }
}

function takesBody(resource: Resource, method: string): boolean {
  return (method === "PUT" && resource.put !== undefined) || (method === "POST" && resource.post !== undefined);
}

/** Path and query of a request line, which may be a path or a whole address. */
function targetOf(url: string): { readonly path: string; readonly query: URLSearchParams } | undefined {
  if (!URL.canParse(url, "https://gateway")) return undefined;
  const { pathname, searchParams } = new URL(url, "https://gateway");
  const path = pathname.length > 1 && pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
  return { path, query: searchParams };
}
