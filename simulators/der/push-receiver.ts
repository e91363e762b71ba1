import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Battery } from "../world/battery.ts";
import { createRng } from "../world/rng.ts";
import type { SolarPanel } from "../world/solar-panel.ts";
import { behaviourFrom, type DerBehaviour } from "./behaviour.ts";
import type { ControlMode } from "./control-modes.ts";
import { type Hardware, hardwareFrom } from "./hardware.ts";
import { presentPowerXml } from "./metering.ts";
import { PushedControls, type Verdict } from "./pushed-controls.ts";
import { BROKEN_XML } from "./reporter.ts";
import { MEDIA_TYPE } from "./sep-client.ts";

export interface DerPushReceiverOptions {
  readonly source: SolarPanel | Battery;
  /** setMaxW, kW: the base of every percentage. */
  readonly ratingKW: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly modes?: readonly ControlMode[];
  readonly behaviour?: Partial<DerBehaviour>;
}

const TICK_MS = 100;
const MAX_BODY_BYTES = 64_000;
const MAX_CONNECTIONS = 32;
/** A device's identity where there is no certificate to take it from. */
const NAMELESS_LFDI = "0".repeat(40);

/**
 * A device that is told by `PUT` of a DERControl, at whatever address, instead of asking for its controls. This is no
 * part of IEEE 2030.5, where a PUT of a DERControl is an error; some gateways offer it all the same.
 * `GET /meter` gives the present power as a MirrorMeterReading, import positive.
 */
export class DerPushReceiver implements AsyncDisposable {
  readonly behaviour: DerBehaviour;
  readonly #options: DerPushReceiverOptions;
  readonly #hardware: Hardware;
  readonly #controls: PushedControls;
  readonly #server: Server;
  readonly #stop = new AbortController();
  #ticking: Promise<void> | undefined;

  constructor(options: DerPushReceiverOptions) {
    this.#options = options;
    this.behaviour = behaviourFrom(options.behaviour);
    this.#hardware = hardwareFrom(options.source, options.ratingKW);
    const rng = createRng(1);
    this.#controls = new PushedControls({
      supported: options.modes ?? this.#hardware.modes,
      random: () => rng.next(),
      objection: (modes) =>
        this.behaviour.rejectsControls ? "the device rejects controls" : this.#hardware.objection(modes),
    });
    this.#server = createServer({ requestTimeout: 10_000 }, (request, response) => this.#serve(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Opens the port; 0 takes a free one. */
  async listen(port = 0, host = "127.0.0.1"): Promise<{ url: string }> {
    this.#server.listen(port, host);
    await once(this.#server, "listening");
    this.#ticking ??= this.#tick();
    return { url: `http://${host}:${(this.#server.address() as AddressInfo).port}` };
  }

  /** kW, export positive. */
  powerKW(): number {
    return this.#hardware.powerKW();
  }

  /** True while a control holds and the hardware follows it. */
  underControl(): boolean {
    return !this.behaviour.ignoresControls && this.#controls.modes() !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the receiver is closed"));
    await this.#ticking;
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #tick(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#controls.tick(this.#nowS());
      this.#follow();
      await this.#options.clock.sleep(TICK_MS, signal).catch(() => {});
    }
  }

  #follow(): void {
    this.#hardware.obey(this.behaviour.ignoresControls ? undefined : this.#controls.modes());
    this.#hardware.powerKW();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("error", () => response.destroy());
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    request.on("end", () => {
      if (this.behaviour.silent) return;
      if (this.behaviour.talksNonsense) {
        response.socket?.end(`HTTP/9 banana\r\n\r\n${BROKEN_XML}`);
        return;
      }
      reply(
        response,
        this.#answer(request, size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString("utf8")),
      );
    });
  }

  /** @param body `undefined` when it was too long to keep */
  #answer(request: IncomingMessage, body: string | undefined): Verdict {
    if (body === undefined) return { status: 413, reason: "the body is too long" };
    try {
      const verdict = this.#route(request, body);
      this.#follow();
      return verdict;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.error("a request failed", { url: request.url, reason });
      return { status: 500, reason: "the device failed" };
    }
  }

  #route(request: IncomingMessage, body: string): Verdict {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const nowS = this.#nowS();
    if (request.method === "GET" && path === "/meter") {
      return { status: 200, xml: presentPowerXml(NAMELESS_LFDI, this.#hardware, Math.floor(nowS)) };
    }
    if (path === "/meter") return { status: 405, allow: "GET", reason: "the meter can only be read" };
    switch (request.method) {
      case "GET":
        return this.#controls.read(path);
      case "PUT": {
        const type = request.headers["content-type"]?.split(";")[0]?.trim();
        if (type !== MEDIA_TYPE) return { status: 415, reason: `the content type must be ${MEDIA_TYPE}` };
        const verdict = this.#controls.put(path, body, nowS);
        if (verdict.status >= 400) this.#options.log.warn("a control is refused", { path, ...verdict });
        return verdict;
      }
      case "DELETE":
        return this.#controls.remove(path, nowS);
      default:
        return { status: 405, allow: "GET, PUT, DELETE", reason: `${request.method} is not for a DERControl` };
    }
  }

  #nowS(): number {
    return this.#options.clock.now() / 1000;
  }
}

function reply(response: ServerResponse, { status, xml, reason, allow }: Verdict): void {
  if (allow !== undefined) response.setHeader("allow", allow);
  if (xml !== undefined) response.setHeader("content-type", MEDIA_TYPE);
  else if (reason !== undefined) response.setHeader("content-type", "text/plain; charset=utf-8");
  response.writeHead(status).end(xml ?? reason);
}
