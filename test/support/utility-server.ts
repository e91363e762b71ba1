import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as httpsRequest, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseStringPromise } from "xml2js";
import { writePki } from "../../simulators/pki.ts";

const SEP = "urn:ieee:std:2030.5:ns";
const AUS = "https://csipaus.org/ns";
const AUS_1_3 = "https://csipaus.org/ns/v1.3";

/** One control of a program; instants are seconds from now by the server's clock. Values as they stand on the wire. */
export interface ServedEvent {
  readonly mRID: string;
  /** XML of the DERControlBase, for example `aus("ExpLim", 1500)`. */
  base: string;
  readonly startS: number;
  readonly durationS: number;
  readonly creationTimeS: number;
  status: number;
  readonly responseRequired?: string;
  readonly randomizeStartS?: number;
}

export interface ServedProgram {
  readonly id: string;
  /** Name of the EndDevice that has it; absent: every one that has none of its own. */
  readonly of?: string;
  readonly primacy: number;
  defaultBase: string;
  /** setGradW, hundredths of a percent per second. */
  gradient?: number;
  events: ServedEvent[];
}

/** A request as it came, with its document already read. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  // biome-ignore lint/suspicious/noExplicitAny: xml2js has no types for what it reads
  readonly document: any;
  readonly text: string;
  readonly atMs: number;
}

/** A limit of CSIP-AUS as XML, watts. */
export function aus(name: "ImpLim" | "ExpLim" | "GenLim" | "LoadLim", watts: number): string {
  return `<csipaus:opMod${name}W><multiplier>0</multiplier><value>${watts}</value></csipaus:opMod${name}W>`;
}

/**
 * A utility's server over real TLS, on node:https and xml2js: nothing of it is the adapter's. Its addresses are odd, so that
 * only links lead to them, and its lists come in small pages.
 */
export class UtilityServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly programs: ServedProgram[] = [{ id: "north", primacy: 1, defaultBase: "", events: [] }];
  /** LFDIs with an EndDevice here, and the name in its address. */
  readonly registered = new Map<string, string>();
  readonly subscriptions = new Map<string, { resource: string; notificationURI: string }>();
  /** What was PUT, by the last part of its address. */
  // biome-ignore lint/suspicious/noExplicitAny: xml2js has no types for what it reads
  readonly put = new Map<string, any>();
  pageSize = 2;
  pollRateS = 1;
  /** Server time ahead of ours, seconds. */
  aheadS = 0;
  pin = 111_115;
  takesRegistrations = true;
  postRateS = 1;
  /** Answers that come before all others, by path. */
  readonly overrides = new Map<
    string,
    { readonly status: number; readonly body?: string; readonly location?: string; readonly retryAfterS?: number }
  >();
  /** Given: every request is answered with this status. */
  outage: number | undefined;
  readonly files: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  readonly siteLfdi: string;
  readonly serverLfdi: string;
  readonly #tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly #server: Server;

  /** @param folder where certificates are written */
  static async open(folder: string): Promise<UtilityServer> {
    const { readFile } = await import("node:fs/promises");
    const pki = await writePki(join(folder, "utility-pki"));
    const site = await pki.device("site");
    const [cert, key, ca] = await Promise.all(
      [pki.certFile, pki.keyFile, pki.caFile].map((file) => readFile(file, "utf8")),
    );
    if (cert === undefined || key === undefined || ca === undefined) throw new Error("no certificates");
    const server = new UtilityServer({ cert, key, ca }, { ...site, caFile: pki.caFile });
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  private constructor(
    tls: { cert: string; key: string; ca: string },
    site: { cert: string; certFile: string; keyFile: string; caFile: string },
  ) {
    this.#tls = tls;
    this.files = { certFile: site.certFile, keyFile: site.keyFile, caFile: site.caFile };
    this.siteLfdi = lfdiOf(site.cert);
    this.serverLfdi = lfdiOf(tls.cert);
    this.#server = createServer(
      {
        ...tls,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.2",
        ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
      },
      (request, response) => void this.#serve(request, response),
    );
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/start`;
  }

  /** The site's EndDevice is there before it comes. */
  register(lfdi = this.siteLfdi, name = "site"): void {
    this.registered.set(lfdi, name);
  }

  nowS(): number {
    return Math.floor(Date.now() / 1000) + this.aheadS;
  }

  /** One more event of a program. */
  event(base: string, options: Partial<Omit<ServedEvent, "base">> = {}, program = 0): ServedEvent {
    const events = this.programs[program]?.events ?? [];
    const event: ServedEvent = {
      mRID: (0xa000 + this.requests.length * 100 + events.length + program * 50)
        .toString(16)
        .padStart(32, "0")
        .toUpperCase(),
      base,
      startS: this.nowS(),
      durationS: 60,
      creationTimeS: this.nowS() + events.length,
      status: 0,
      responseRequired: "03",
      ...options,
    };
    events.push(event);
    return event;
  }

  /** Response.status values that came for an event, in order. */
  responses(event: ServedEvent): number[] {
    return this.requests
      .filter(({ method, document }) => method === "POST" && document?.DERControlResponse?.subject === event.mRID)
      .map(({ document }) => Number(document.DERControlResponse.status));
  }

  /** How often a path was read. */
  reads(path: string): number {
    return this.requests.filter((one) => one.method === "GET" && one.path === path).length;
  }

  /** Values that were posted for one kind of reading. */
  posted(role: "site" | "DER", uom: number): number[] {
    const mirrors = this.requests.map(({ document }) => document?.MirrorUsagePoint).filter((one) => one !== undefined);
    const ids = new Set<string>(
      mirrors
        .filter((one) => one.description === role)
        .flatMap((one) => [one.MirrorMeterReading].flat())
        .filter((one) => Number(one.ReadingType.uom) === uom)
        .map((one) => String(one.mRID)),
    );
    return this.requests
      .map(({ document }) => document?.MirrorMeterReading)
      .filter((one) => one !== undefined && ids.has(String(one.mRID)))
      .map((one) => Number(one.MirrorReadingSet.Reading.value));
  }

  /** Tells all who subscribed to a resource that it changed. @returns HTTP status of each */
  async notify(
    path: string,
    agent: { readonly tls?: { cert: string; key: string; ca: string } } = {},
  ): Promise<number[]> {
    const wanted = [...this.subscriptions].filter(([, { resource }]) => resource === path);
    return await Promise.all(
      wanted.map(([href, { notificationURI }]) => {
        const body = `<Notification xmlns="${SEP}"><subscribedResource>${path}</subscribedResource><status>0</status><subscriptionURI>${href}</subscriptionURI></Notification>`;
        return post(notificationURI, body, agent.tls ?? this.#tls);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const method = request.method ?? "";
    let document: unknown;
    let answer: { status: number; body?: string; location?: string; retryAfterS?: number };
    try {
      document =
        text === ""
          ? undefined
          : await parseStringPromise(text, { explicitArray: false, tagNameProcessors: [withoutPrefix] });
      const isXml = text === "" || request.headers["content-type"] === "application/sep+xml";
      answer = isXml ? this.#answer(method, path, new URLSearchParams(query), document) : { status: 415 };
    } catch {
      answer = { status: 400 };
    }
    this.requests.push({ method, path, query, document, text, atMs: Date.now() });
    answer = this.overrides.get(path) ?? answer;
    if (this.outage !== undefined) answer = { status: this.outage };
    if (answer.retryAfterS !== undefined) response.setHeader("Retry-After", answer.retryAfterS);
    if (answer.location !== undefined) response.setHeader("Location", answer.location);
    if (answer.body !== undefined) response.setHeader("Content-Type", "application/sep+xml; level=-S1");
    response.statusCode = answer.status;
    response.end(answer.body);
  }

  // biome-ignore lint/suspicious/noExplicitAny: xml2js has no types for what it reads
  #answer(method: string, path: string, query: URLSearchParams, document: any) {
    const ok = (body: string) => ({ status: 200, body });
    const list = (name: string, items: readonly string[], extra = `pollRate="${this.pollRateS}"`) => {
      const start = Number(query.get("s") ?? 0);
      const page = items.slice(start, start + Math.min(Number(query.get("l") ?? 1), this.pageSize));
      return ok(
        `<${name} xmlns="${SEP}" xmlns:csipaus="${AUS}" xmlns:aus13="${AUS_1_3}" href="${path}" subscribable="1" all="${items.length}" results="${page.length}" ${extra}>${page.join("")}</${name}>`,
      );
    };
    if (method === "GET") {
      if (path === "/start") {
        return ok(
          `<DeviceCapability xmlns="${SEP}" href="/start" pollRate="${this.pollRateS}"><TimeLink href="/what-time"/><EndDeviceListLink href="/who" all="${this.registered.size}"/><MirrorUsagePointListLink href="/mirrors" all="0"/></DeviceCapability>`,
        );
      }
      if (path === "/what-time") {
        return ok(
          `<Time xmlns="${SEP}" pollRate="${this.pollRateS}"><currentTime>${this.nowS()}</currentTime><dstEndTime>0</dstEndTime><dstOffset>0</dstOffset><dstStartTime>0</dstStartTime><quality>4</quality><tzOffset>0</tzOffset></Time>`,
        );
      }
      if (path === "/who") return list("EndDeviceList", [stranger("first"), ...this.#endDevices(), stranger("last")]);
      const [, kind = "", name = ""] = path.split("/");
      if (kind === "pin") {
        return ok(
          `<Registration xmlns="${SEP}" pollRate="${this.pollRateS}"><dateTimeRegistered>0</dateTimeRegistered><pIN>${this.pin}</pIN></Registration>`,
        );
      }
      if (kind === "assigned") {
        return list("FunctionSetAssignmentsList", [
          `<FunctionSetAssignments href="/fsa/${name}"><DERProgramListLink href="/programs/${name}" all="${this.programs.length}"/><mRID>01</mRID></FunctionSetAssignments>`,
        ]);
      }
      if (kind === "programs") return list("DERProgramList", this.#programsOf(name).map(programXml));
      const program = this.programs.find(({ id }) => id === name);
      if (kind === "default" && program) {
        return ok(
          `<DefaultDERControl xmlns="${SEP}" xmlns:csipaus="${AUS}" xmlns:aus13="${AUS_1_3}" href="${path}" subscribable="1"><mRID>0D</mRID><DERControlBase>${program.defaultBase}</DERControlBase>${program.gradient === undefined ? "" : `<setGradW>${program.gradient}</setGradW>`}</DefaultDERControl>`,
        );
      }
      if (kind === "controls" && program) return list("DERControlList", program.events.map(eventXml), "");
      if (kind === "ders") {
        return list("DERList", [
          `<DER href="/der/${name}"><DERAvailabilityLink href="/put/${name}-availability"/><DERCapabilityLink href="/put/${name}-capability"/><DERSettingsLink href="/put/${name}-settings"/><DERStatusLink href="/put/${name}-status"/></DER>`,
        ]);
      }
      if (kind === "subscribe") {
        const all = [...this.subscriptions].map(
          ([href, { resource, notificationURI }]) =>
            `<Subscription href="${href}"><subscribedResource>${resource}</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>${notificationURI}</notificationURI></Subscription>`,
        );
        return list("SubscriptionList", all);
      }
      if (kind === "mirrors") return list("MirrorUsagePointList", []);
      if (kind === "mirror") {
        return ok(
          `<MirrorUsagePoint xmlns="${SEP}" href="${path}"><mRID>01</mRID><roleFlags>03</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${this.siteLfdi}</deviceLFDI><postRate>${this.postRateS}</postRate></MirrorUsagePoint>`,
        );
      }
    }
    if (method === "POST" && path === "/who") {
      if (!this.takesRegistrations) return { status: 403 };
      this.register(String(document.EndDevice.lFDI), "self-made");
      return { status: 201, location: "/edev_self" };
    }
    if (method === "POST" && path === "/reply") return { status: 201, location: "/reply/1" };
    if (method === "POST" && path === "/mirrors")
      return { status: 201, location: `/mirror/${document.MirrorUsagePoint.description}` };
    if (method === "POST" && path.startsWith("/mirror/")) return { status: 204 };
    if (method === "POST" && path.startsWith("/subscribe/")) {
      const href = `/sub/${this.subscriptions.size + 1}`;
      const { subscribedResource, notificationURI } = document.Subscription;
      this.subscriptions.set(href, { resource: String(subscribedResource), notificationURI: String(notificationURI) });
      return { status: 201, location: href };
    }
    if (method === "DELETE" && this.subscriptions.delete(path)) return { status: 204 };
    if (method === "PUT" && path.startsWith("/put/")) {
      this.put.set(path.slice(5), document);
      return { status: 204 };
    }
    return { status: 404 };
  }

  #programsOf(name: string): readonly ServedProgram[] {
    const own = this.programs.filter((program) => program.of === name);
    return own.length > 0 ? own : this.programs.filter((program) => program.of === undefined);
  }

  #endDevices(): string[] {
    return [...this.registered].map(
      ([lfdi, name]) =>
        `<EndDevice href="/edev_${name}" subscribable="0"><DERListLink href="/ders/${name}" all="1"/><lFDI>${lfdi}</lFDI><sFDI>1</sFDI><changedTime>0</changedTime><FunctionSetAssignmentsListLink href="/assigned/${name}" all="1"/><postRate>${this.postRateS}</postRate><RegistrationLink href="/pin/${name}"/><SubscriptionListLink href="/subscribe/${name}" all="0"/></EndDevice>`,
    );
  }
}

function programXml({ id, primacy }: ServedProgram): string {
  return `<DERProgram href="/program/${id}"><mRID>0B</mRID><DefaultDERControlLink href="/default/${id}"/><DERControlListLink href="/controls/${id}" all="0"/><primacy>${primacy}</primacy></DERProgram>`;
}

function eventXml(event: ServedEvent): string {
  const { mRID, startS, durationS, creationTimeS, status, responseRequired = "00", base, randomizeStartS = 0 } = event;
  return `<DERControl href="/control/${mRID}" replyTo="/reply" responseRequired="${responseRequired}"><mRID>${mRID}</mRID><creationTime>${creationTimeS}</creationTime><EventStatus><currentStatus>${status}</currentStatus><dateTime>${creationTimeS}</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${durationS}</duration><start>${startS}</start></interval><randomizeStart>${randomizeStartS}</randomizeStart><DERControlBase>${base}</DERControlBase></DERControl>`;
}

function stranger(name: string): string {
  const lfdi = name.length.toString(16).padStart(40, "9").toUpperCase();
  return `<EndDevice href="/edev_${name}"><lFDI>${lfdi}</lFDI><sFDI>9</sFDI><changedTime>0</changedTime></EndDevice>`;
}

function withoutPrefix(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function lfdiOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(":", "").slice(0, 40);
}

function post(url: string, body: string, tls: { cert: string; key: string; ca: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/sep+xml" };
    const options = { ...tls, method: "POST", headers, agent: false, checkServerIdentity: () => undefined };
    const outgoing = httpsRequest(url, options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
