import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createPki, type Pki } from "../../simulators/pki.ts";

const NS = 'xmlns="urn:ieee:std:2030.5:ns"';

/** A DERControl for the test server; instants are seconds from the server's now. */
export interface ServedControl {
  readonly mRID: string;
  readonly base: string;
  readonly status?: number;
  readonly creationTimeS?: number;
  readonly startInS?: number;
  readonly durationS?: number;
  readonly responseRequired?: string;
  readonly randomize?: string;
}

export interface SepRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
}

/**
 * A utility server made of fixed documents, with addresses that no client could guess. It has nothing in common with the
 * gateway's own server.
 */
export class SepServer implements AsyncDisposable {
  readonly pki: Pki;
  readonly requests: SepRequest[] = [];
  /** Answers that come before all others, by path. */
  readonly overrides = new Map<string, { status: number; body?: string; type?: string }>();
  lfdi = "";
  /** Server time minus real time, seconds. */
  aheadS = 0;
  /** XML of each control of program A (primacy 1) and of program B (primacy 0). */
  controls: string[] = [];
  strongerControls: string[] = [];
  defaultBase = "<opModMaxLimW>10000</opModMaxLimW>";
  pageLimit = 10;
  /** When set, no request is answered. */
  isDead = false;
  readonly #server: Server;

  static async open(): Promise<SepServer> {
    const pki = await createPki();
    const server = new SepServer(pki, await pki.issue("server", "gateway"));
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  private constructor(pki: Pki, credentials: { key: string; cert: string }) {
    this.pki = pki;
    this.#server = createServer(
      {
        ...credentials,
        ca: pki.ca,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.2",
        ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
      },
      (request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => {
          body += chunk.toString();
        });
        request.on("end", () => {
          const [path = "", query = ""] = (request.url ?? "").split("?");
          this.requests.push({ method: request.method ?? "", path, query, body });
          if (this.isDead) return;
          const override = this.overrides.get(path);
          const answer = override ?? this.#answer(request.method ?? "", path, new URLSearchParams(query));
          const headers: Record<string, string> = { "content-type": override?.type ?? "application/sep+xml" };
          if (answer.status === 201) headers["location"] = "/mirror-7";
          response.writeHead(answer.status, headers).end(answer.body);
        });
      },
    );
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/start`;
  }

  nowS(): number {
    return Math.floor(Date.now() / 1000) + this.aheadS;
  }

  /** The XML of a control as this server would list it now. */
  control(control: ServedControl): string {
    const { startInS = 0, durationS = 60, responseRequired = "03", randomize = "" } = control;
    const status = control.status ?? (startInS > 0 ? 0 : 1);
    const createdS = control.creationTimeS ?? this.nowS() - 100;
    return (
      `<DERControl href="/c/${control.mRID}" replyTo="/answers/here" responseRequired="${responseRequired}">` +
      `<mRID>${control.mRID}</mRID><description>test</description><creationTime>${createdS}</creationTime>` +
      `<EventStatus><currentStatus>${status}</currentStatus><dateTime>${this.nowS() - 100}</dateTime>` +
      "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>" +
      `<interval><duration>${durationS}</duration><start>${this.nowS() + startInS}</start></interval>${randomize}` +
      `<DERControlBase>${control.base}</DERControlBase></DERControl>`
    );
  }

  /** Lists a control once more with another status, and otherwise letter by letter the same. */
  setStatus(xml: string, status: number): string {
    return xml.replace(/<currentStatus>\d+</, `<currentStatus>${status}<`);
  }

  /** Bodies that came to a path, oldest first. */
  bodies(path: string): string[] {
    return this.requests.filter((request) => request.path === path && request.body !== "").map(({ body }) => body);
  }

  /** Status codes of the Responses for one event, in the order in which they came. */
  responses(mRID: string): number[] {
    return this.bodies("/answers/here")
      .filter((body) => body.includes(`<subject>${mRID}</subject>`))
      .map((body) => Number(/<status>(\d+)</.exec(body)?.[1]));
  }

  /** Value of the newest reading of the series that a test finds by its unit (38 W, 72 Wh) and flow direction. */
  lastReading(unit: number, flowDirection: number): number | undefined {
    const announced = this.bodies("/mirrors").at(-1) ?? "";
    const series = [...announced.matchAll(/<MirrorMeterReading><mRID>(\w+)<.*?<\/MirrorMeterReading>/g)].find(
      ([xml]) => xml.includes(`<uom>${unit}<`) && xml.includes(`<flowDirection>${flowDirection}<`),
    )?.[1];
    const body = this.bodies("/mirror-7").findLast((xml) => xml.includes(`><mRID>${series}</mRID>`));
    const value = /<value>(-?\d+)</.exec(body ?? "")?.[1];
    return value === undefined ? undefined : Number(value);
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  closeConnections(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(method: string, path: string, query: URLSearchParams): { status: number; body?: string } {
    if (method === "PUT") return { status: 204 };
    if (method === "POST") return { status: 201 };
    const body = this.#document(path, query);
    return body === undefined ? { status: 404 } : { status: 200, body };
  }

  #document(path: string, query: URLSearchParams): string | undefined {
    const list = (name: string, items: readonly string[], attributes = "") => {
      const start = Number(query.get("s") ?? 0);
      const page = items.slice(start, start + Math.min(Number(query.get("l") ?? 1), this.pageLimit));
      return `<${name} ${NS} href="${path}" all="${items.length}" results="${page.length}" ${attributes}>${page.join("")}</${name}>`;
    };
    switch (path) {
      case "/start":
        return `<DeviceCapability ${NS} href="/start" pollRate="300"><TimeLink href="/clock"/><EndDeviceListLink href="/devices" all="3"/><MirrorUsagePointListLink href="/mirrors" all="0"/></DeviceCapability>`;
      case "/clock":
        return `<Time ${NS} href="/clock"><currentTime>${this.nowS()}</currentTime><dstEndTime>0</dstEndTime><dstOffset>0</dstOffset><dstStartTime>0</dstStartTime><quality>4</quality><tzOffset>19800</tzOffset></Time>`;
      case "/devices":
        return list("EndDeviceList", [
          this.#device("11".repeat(20), "x1"),
          this.#device("22".repeat(20), "x2"),
          this.#device(this.lfdi, "x3"),
        ]);
      case "/x3/reg":
        return `<Registration ${NS} href="${path}"><dateTimeRegistered>1795473000</dateTimeRegistered><pIN>111115</pIN></Registration>`;
      case "/x3/ders":
        return list("DERList", [
          '<DER href="/d"><DERAvailabilityLink href="/d/a"/><DERCapabilityLink href="/d/c"/><DERSettingsLink href="/d/g"/><DERStatusLink href="/d/s"/></DER>',
        ]);
      case "/x3/fsa":
        return list("FunctionSetAssignmentsList", [
          '<FunctionSetAssignments href="/f"><DERProgramListLink href="/programs" all="2"/><TimeLink href="/clock"/><mRID>0100009F1C</mRID></FunctionSetAssignments>',
        ]);
      case "/programs":
        return list("DERProgramList", [this.#program("a", 1), this.#program("b", 0)], 'pollRate="60"');
      case "/list-a":
        return list("DERControlList", this.controls);
      case "/list-b":
        return list("DERControlList", this.strongerControls);
      case "/default-a":
        return `<DefaultDERControl ${NS} href="/default-a"><mRID>0300009F1C</mRID><DERControlBase>${this.defaultBase}</DERControlBase><setGradW>27</setGradW></DefaultDERControl>`;
      default:
        return undefined;
    }
  }

  #device(lfdi: string, path: string): string {
    return `<EndDevice href="/${path}"><DERListLink href="/${path}/ders" all="1"/><lFDI>${lfdi}</lFDI><sFDI>281117141545</sFDI><changedTime>1795473000</changedTime><enabled>true</enabled><FunctionSetAssignmentsListLink href="/${path}/fsa" all="1"/><postRate>60</postRate><RegistrationLink href="/${path}/reg"/></EndDevice>`;
  }

  #program(letter: string, primacy: number): string {
    const fallback = letter === "a" ? '<DefaultDERControlLink href="/default-a"/>' : "";
    return `<DERProgram href="/p${letter}"><mRID>020${primacy}00009F1C</mRID>${fallback}<DERControlListLink href="/list-${letter}" all="1"/><primacy>${primacy}</primacy></DERProgram>`;
  }
}
