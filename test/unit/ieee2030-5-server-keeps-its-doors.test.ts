import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ieee2030_5 } from "../../adapters/ieee2030-5/index.ts";
import type { AdapterHost } from "../../adapters/kind.ts";
import { createPki, writePki } from "../../simulators/pki.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { Adapter, Report } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

type Host = AdapterHost<ReturnType<typeof ieee2030_5.deviceSchema.parse>>;
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Credentials {
  readonly key: string;
  readonly cert: string;
}

const NS = 'xmlns="urn:ieee:std:2030.5:ns"';
/** Waits pass five times as fast as the config says. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  elapsedMs: () => systemClock.elapsedMs() * 5,
  sleep: (ms, signal) => systemClock.sleep(ms / 5, signal),
};
const context = { clock: hastyClock, log: silentLog, random: () => 0.5, memory: volatileMemory() };
const stop = new AbortController();
const lfdiOf = (cert: string) => new X509Certificate(cert).fingerprint256.replaceAll(":", "").slice(0, 40);

let folder: string;
let ca: string;
let files: { certFile: string; keyFile: string; caFile: string };
let mine: Credentials;
let other: Credentials;
let stranger: Credentials;
let host: Host;
let adapter: Adapter;
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "setpointd-2030-5-"));
  const pki = await writePki(folder);
  const { certFile, keyFile, caFile } = pki;
  files = { certFile, keyFile, caFile };
  ca = await readFile(caFile, "utf8");
  [mine, other, stranger] = await Promise.all([pki.device("mine"), pki.device("other"), pki.device("stranger")]);
  host = ieee2030_5.createHost(
    ieee2030_5.sharedSchema.parse({ port: 0, pollRateS: 1, postRateS: 1, ...files }),
    context,
  );
  adapter = host.adapter({ era: "der.mine", kind: "battery" }, device(mine));
  host.adapter({ era: "der.other", kind: "solar" }, device(other));
  await host.start(stop.signal);
  base = host.addresses()["ieee2030_5"] ?? "";
});

afterAll(async () => {
  stop.abort(new Error("test over"));
  await host[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const device = ({ cert }: Credentials) => ieee2030_5.deviceSchema.parse({ lfdi: lfdiOf(cert) });

function ask(
  path: string,
  options: RequestOptions & { body?: string | Buffer } = {},
  who: Partial<Credentials> = mine,
): Promise<Answer> {
  const { body, ...rest } = options;
  const agent = new Agent({ ...who, ca, maxVersion: "TLSv1.2" });
  const headers = { ...(body === undefined ? {} : { "content-type": "application/sep+xml" }), ...rest.headers };
  return new Promise<Answer>((resolve, reject) => {
    const outgoing = request(base, { ...rest, path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
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
  }).finally(() => agent.destroy());
}

describe("who comes in", () => {
  test("the standard's cipher is spoken, and TLS 1.3 is not", async () => {
    const { hostname, port } = new URL(base);
    const options = { host: hostname, port: Number(port), ca, ...mine };
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const opened: TLSSocket = connect({ ...options, ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0" }, () =>
        resolve(opened),
      );
      opened.on("error", reject);
    });
    expect(socket.getCipher().standardName).toBe("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
    expect(socket.getProtocol()).toBe("TLSv1.2");
    socket.destroy();
    const refused = new Promise((_, reject) => connect({ ...options, minVersion: "TLSv1.3" }).on("error", reject));
    await expect(refused).rejects.toThrow();
  });

  test("a device that resumes its TLS session is still known", async () => {
    const { hostname, port } = new URL(base);
    const options = { host: hostname, port: Number(port), ca, ...mine, maxVersion: "TLSv1.2" } as const;
    const first = connect(options);
    await new Promise((resolve) => first.once("secureConnect", resolve));
    const session = first.getSession();
    first.destroy();
    const again = connect(session === undefined ? options : { ...options, session });
    let isResumed = false;
    again.once("secureConnect", () => {
      isResumed = again.isSessionReused();
    });
    let text = "";
    again.on("data", (chunk) => {
      text += String(chunk);
    });
    again.write("GET /tm HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => again.once("close", resolve));
    expect(isResumed).toBe(true);
    expect(text).toContain("200 OK");
  });

  test("a client without a certificate, or with one of another authority, gets no connection", async () => {
    await expect(ask("/dcap", {}, {})).rejects.toThrow();
    const foreign = await (await createPki()).issue("device", "foreign");
    await expect(ask("/dcap", {}, foreign)).rejects.toThrow();
    expect(host.strangers()).toEqual([]);
  });

  test("a good certificate that nobody configured is refused and listed once", async () => {
    expect((await ask("/dcap", {}, stranger)).status).toBe(403);
    expect((await ask("/edev", {}, stranger)).status).toBe(403);
    expect(host.strangers()).toMatchObject([{ identity: lfdiOf(stranger.cert), address: "127.0.0.1", attempts: 2 }]);
  });

  test("a device finds itself and cannot see its neighbour", async () => {
    const { body } = await ask("/edev?s=0&l=10");
    expect(body).toContain(`<lFDI>${lfdiOf(mine.cert)}</lFDI>`);
    expect(body).not.toContain(lfdiOf(other.cert));
    for (const path of ["/edev/2", "/edev/2/derp/1/derc", "/edev/2/der/1/dercap", "/edev/77"]) {
      expect((await ask(path)).status, path).toBe(403);
    }
    expect((await ask("/rsps/2/rsp", { method: "POST", body: `<Response ${NS}/>` })).status).toBe(403);
    expect((await ask("/edev/2", {}, other)).status).toBe(200);
  });
});

describe("how it speaks", () => {
  test("HEAD says what GET would say, without the body", async () => {
    const get = await ask("/dcap");
    const head = await ask("/dcap", { method: "HEAD" });
    expect(get.headers["content-type"]).toBe("application/sep+xml");
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head.headers["content-length"]).toBe(String(Buffer.byteLength(get.body)));
  });

  test("a method that the standard forbids is refused with those it allows", async () => {
    const put = await ask("/edev/1/derp/1/derc", { method: "PUT", body: `<DERControl ${NS}/>` });
    expect(put).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    expect(await ask("/rsps/1/rsp", { method: "DELETE" })).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD, POST" },
    });
    expect(await ask("/edev/1/der/1/ders", { method: "DELETE" })).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD, PUT" },
    });
    expect(await ask("/mup", { method: "PATCH" })).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD, POST" },
    });
  });

  test("media types count without their parameters, and EXI is not spoken", async () => {
    expect((await ask("/tm", { headers: { accept: "application/sep+xml; level=-S1" } })).status).toBe(200);
    expect((await ask("/tm", { headers: { accept: "application/sep-exi, */*;q=0.1" } })).status).toBe(200);
    expect((await ask("/tm", { headers: { accept: "application/sep-exi" } })).status).toBe(406);
    const exi = { method: "PUT", body: "x", headers: { "content-type": "application/sep-exi" } };
    expect((await ask("/edev/1/der/1/ders", exi)).status).toBe(415);
  });

  test("what is not there is 404, and a strange address breaks nothing", async () => {
    for (const path of ["/", "/nothing", "/edev/1/derp/1/derc/9", "/mup/5", "/edev/1/der/1/dercap"]) {
      expect((await ask(path)).status, path).toBe(404);
    }
    expect((await ask("/dcap/")).status).toBe(200);
    expect((await ask("//%zz")).status).toBeGreaterThanOrEqual(400);
  });

  test("a list says how much there is and gives as much as is asked for", async () => {
    expect((await ask("/edev?l=0")).body).toContain('all="1" results="0"');
    expect((await ask("/edev?s=1&l=5")).body).toContain('all="1" results="0"');
    expect((await ask("/edev")).body).toContain('all="1" results="1"');
    expect((await ask("/edev?l=-1")).status).toBe(400);
    expect((await ask("/edev?s=x")).status).toBe(400);
  });

  test("XML that can't be read, or is another document, is 400; too much of it is 413", async () => {
    const put = (body: string | Buffer) => ask("/edev/1/der/1/ders", { method: "PUT", body });
    expect((await put("<DERStatus")).status).toBe(400);
    expect((await put(`<!DOCTYPE a><DERStatus ${NS}/>`)).status).toBe(400);
    expect((await put(`<DERSettings ${NS}/>`)).status).toBe(400);
    expect((await put(`<DERStatus ${NS}/>`)).body).toContain("readingTime");
    expect((await put(Buffer.alloc(300_000, 32))).status).toBe(413);
    expect((await ask("/edev/1/der/1/ders")).status).toBe(404);
  });

  test("a body that never ends, or is no HTTP at all, leaves the next request unharmed", async () => {
    const { hostname, port } = new URL(base);
    const socket = connect({ host: hostname, port: Number(port), ca, ...mine });
    socket.on("error", () => {});
    socket.write("PUT /edev/1/der/1/ders HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n<DERSta");
    const babbler = connect({ host: hostname, port: Number(port), ca, ...mine });
    babbler.on("error", () => {});
    babbler.resume();
    const ended = new Promise((resolve) => babbler.once("close", resolve));
    babbler.write("\u0000\u0001 hello\r\n\r\n");
    await ended;
    socket.destroy();
    expect((await ask("/tm")).status).toBe(200);
  });
});

describe("what it takes in", () => {
  const put = (kind: string, body: string) => ask(`/edev/1/der/1/${kind}`, { method: "PUT", body });
  const reports: Report[] = [];
  const newest = (kind: Report["kind"]) => reports.filter((report) => report.kind === kind).at(-1);

  beforeAll(async () => {
    void (async () => {
      for await (const report of adapter.reports(stop.signal)) reports.push(report);
    })();
  });

  test("capability and settings become the device's range", async () => {
    const capability =
      `<DERCapability ${NS}><modesSupported>00500088</modesSupported>` +
      "<rtgMaxChargeRateW><multiplier>0</multiplier><value>4000</value></rtgMaxChargeRateW>" +
      "<rtgMaxW><multiplier>0</multiplier><value>6000</value></rtgMaxW>" +
      "<rtgMaxWh><multiplier>3</multiplier><value>10</value></rtgMaxWh><type>83</type></DERCapability>";
    expect((await put("dercap", capability)).status).toBe(204);
    const started = await adapter.start(stop.signal);
    expect(started).toMatchObject({ minPowerKW: -4, maxPowerKW: 6, capacityKWh: 10, control: "setpoint" });
    const settings =
      `<DERSettings ${NS}><setGradW>0</setGradW><setMaxW><multiplier>0</multiplier><value>5000</value></setMaxW>` +
      "<updatedTime>1</updatedTime></DERSettings>";
    expect((await put("derg", settings)).status).toBe(204);
    await waitFor("the narrower range", () => newest("capability") !== undefined);
    expect(newest("capability")).toMatchObject({ capability: { minPowerKW: -4, maxPowerKW: 5 } });
    expect((await ask("/edev/1/der/1/derg")).body).toContain('href="/edev/1/der/1/derg"><setGradW>0</setGradW>');
  });

  test("status brings the state of charge, availability what the device could do", async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const status =
      `<DERStatus ${NS}><readingTime>${nowS}</readingTime><stateOfChargeStatus><dateTime>${nowS}</dateTime>` +
      "<value>6400</value></stateOfChargeStatus></DERStatus>";
    expect((await put("ders", status)).status).toBe(204);
    await waitFor("the state of charge", () => newest("reading") !== undefined);
    expect(newest("reading")).toMatchObject({
      reading: { era: "der.mine", socPercent: 64, deviceTimeMs: nowS * 1000 },
    });
    const availability =
      `<DERAvailability ${NS}><maxChargeDuration>0</maxChargeDuration><readingTime>${nowS}</readingTime>` +
      "<statWAvail><multiplier>2</multiplier><value>32</value></statWAvail></DERAvailability>";
    expect((await put("dera", availability)).status).toBe(204);
    await waitFor("the availability", () => newest("availability") !== undefined);
    expect(newest("availability")).toMatchObject({ availability: { minPowerKW: 0, maxPowerKW: 3.2 } });
  });

  test("a mirrored meter is made once, and its numbers become readings", async () => {
    const meter = "<mRID>0202</mRID><description>W</description>";
    const type =
      "<ReadingType><flowDirection>1</flowDirection><powerOfTenMultiplier>1</powerOfTenMultiplier><uom>38</uom></ReadingType>";
    const point =
      `<MirrorUsagePoint ${NS}><mRID>0201</mRID><roleFlags>0049</roleFlags><serviceCategoryKind>0</serviceCategoryKind>` +
      `<status>1</status><deviceLFDI>${lfdiOf(mine.cert).toLowerCase()}</deviceLFDI>` +
      `<MirrorMeterReading>${meter}${type}</MirrorMeterReading></MirrorUsagePoint>`;
    expect(await ask("/mup", { method: "POST", body: point })).toMatchObject({
      status: 201,
      headers: { location: "/mup/1" },
    });
    expect(await ask("/mup", { method: "POST", body: point })).toMatchObject({
      status: 204,
      headers: { location: "/mup/1" },
    });
    const reading = `<MirrorMeterReading ${NS}><mRID>000202</mRID><Reading><value>-348</value></Reading></MirrorMeterReading>`;
    expect((await ask("/mup/1", { method: "POST", body: reading })).status).toBe(201);
    await waitFor("the power", () =>
      reports.some((report) => report.kind === "reading" && "powerKW" in report.reading),
    );
    expect(newest("reading")).toMatchObject({ reading: { powerKW: 3.48 } });
    const unknown = `<MirrorMeterReading ${NS}><mRID>0777</mRID><Reading><value>1</value></Reading></MirrorMeterReading>`;
    expect((await ask("/mup/1", { method: "POST", body: unknown })).status).toBe(400);
    const thief = point.replace(lfdiOf(mine.cert).toLowerCase(), lfdiOf(other.cert));
    expect((await ask("/mup", { method: "POST", body: thief })).status).toBe(400);
    expect((await ask("/mup", {}, other)).body).toContain('all="0" results="0"');
    expect((await ask("/mup/1", { method: "DELETE" })).status).toBe(204);
    expect((await ask("/mup/1", { method: "POST", body: reading })).status).toBe(404);
  });

  test("a Response about an event that was never given, or of another device, is refused", async () => {
    const response = (lfdi: string) =>
      `<DERControlResponse ${NS}><endDeviceLFDI>${lfdi}</endDeviceLFDI><status>2</status><subject>0A</subject></DERControlResponse>`;
    for (const lfdi of [lfdiOf(mine.cert), lfdiOf(other.cert)]) {
      expect((await ask("/rsps/1/rsp", { method: "POST", body: response(lfdi) })).status).toBe(400);
    }
  });

  test("an order lies ready, its Response ends the wait, and release leaves it listed as cancelled", async () => {
    const applying = adapter.apply({ setpointId: "s1", powerKW: -2.5, untilMs: Date.now() + 60_000 }, stop.signal);
    const listed = (await ask("/edev/1/derp/1/derc?l=10")).body;
    expect(listed).toContain("<opModTargetW><multiplier>0</multiplier><value>-2500</value></opModTargetW>");
    const mRID = /<mRID>([0-9A-F]+)<\/mRID>/.exec(listed)?.[1] ?? "";
    const response =
      `<DERControlResponse ${NS}><endDeviceLFDI>${lfdiOf(mine.cert)}</endDeviceLFDI><status>2</status>` +
      `<subject>${mRID.replace(/^0+/, "").toLowerCase()}</subject></DERControlResponse>`;
    expect((await ask("/rsps/1/rsp", { method: "POST", body: response })).status).toBe(201);
    expect(await applying).toMatchObject({ appliedKW: -2.5, endsByItself: true });
    const releasing = adapter.release(stop.signal);
    const cancelled = (await ask("/edev/1/derp/1/derc?l=10")).body;
    await releasing;
    expect(cancelled).toContain(`<mRID>${mRID}</mRID>`);
    expect(cancelled).toContain("<currentStatus>2</currentStatus>");
    expect((await ask("/edev/1/derp/1/actderc")).body).toContain('all="0" results="0"');
    expect((await ask("/edev/1/derp/1/derc?a=9999999999&l=10")).body).toContain('all="0" results="0"');
  });

  test("a device that stops polling is reported as gone, and as back when it polls again", async () => {
    await waitFor("the link to go down", () => newest("link")?.kind === "link" && isDown(newest("link")), 9000);
    await ask("/dcap");
    await waitFor("the link to come back", () => !isDown(newest("link")));
  });

  const isDown = (report: Report | undefined) => report?.kind === "link" && !report.up;
});

describe("how it starts and stops", () => {
  const host_ = (shared: object) => ieee2030_5.createHost(ieee2030_5.sharedSchema.parse(shared), context);

  test("without a device nothing is opened, and no certificate is needed", async () => {
    await using idle = host_({});
    await idle.start(stop.signal);
    expect(idle.addresses()).toEqual({});
  });

  test("a missing or wrong file is named with its key", async () => {
    const cases: [object, string][] = [
      [{}, "ieee2030_5.certFile is missing"],
      [{ ...files, keyFile: "/nowhere/server.key" }, "ieee2030_5.keyFile: cannot read /nowhere/server.key"],
      [{ ...files, caFile: import.meta.filename }, "is not a PEM file"],
      [{ ...files, keyFile: files.certFile }, "cannot listen"],
    ];
    for (const [wrong, message] of cases) {
      await using broken = host_({ port: 0, ...wrong });
      broken.adapter({ era: "der.mine", kind: "solar" }, device(mine));
      await expect(broken.start(stop.signal)).rejects.toThrow(message);
    }
  });

  test("a port that is taken is named", async () => {
    await using late = host_({ port: Number(new URL(base).port), ...files });
    late.adapter({ era: "der.mine", kind: "solar" }, device(mine));
    await expect(late.start(stop.signal)).rejects.toThrow("EADDRINUSE");
  });

  test("two devices cannot have one certificate", async () => {
    await using twice = host_(files);
    twice.adapter({ era: "der.1", kind: "solar" }, device(mine));
    expect(() => twice.adapter({ era: "der.2", kind: "solar" }, device(mine))).toThrow("der.1");
  });

  test("closing ends a wait for a device and every connection", async () => {
    const closing = host_({ port: 0, ...files });
    const waiting = closing.adapter({ era: "der.1", kind: "solar" }, device(mine));
    await closing.start(stop.signal);
    const port = Number(new URL(closing.addresses()["ieee2030_5"] ?? "").port);
    const socket = connect({ host: "127.0.0.1", port, ca, ...mine });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    const start = waiting.start(stop.signal);
    const fault = expect(start).rejects.toThrow("closed");
    await closing[Symbol.asyncDispose]();
    await Promise.all([fault, ended]);
  });
});
