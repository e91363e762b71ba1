import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseStringPromise } from "xml2js";
import { ieee2030_5_push } from "../../adapters/ieee2030-5/index.ts";
import type { AdapterHost, AdapterMemory } from "../../adapters/kind.ts";
import { writePki } from "../../simulators/pki.ts";
import type { Clock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { HandClock, settle } from "../support/hand-clock.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

type Config = Parameters<typeof ieee2030_5_push.deviceSchema.parse>[0];
type Host = AdapterHost<ReturnType<typeof ieee2030_5_push.deviceSchema.parse>>;

const DEFAULT =
  '<DefaultDERControl xmlns="urn:ieee:std:2030.5:ns" href="/dderc" subscribable="0">' +
  "<mRID>00000000000000000000000300009F1C</mRID><DERControlBase><opModFixedW>-100</opModFixedW>" +
  '<opModVoltVar href="/dc/1"/></DERControlBase><setGradW>27</setGradW></DefaultDERControl>';
const ERA = "ieee.der.barn";

/** A head-end with one list that may be posted to and one default; each request is noted. */
class HeadEnd {
  readonly requests: { method: string; path: string; body: string }[] = [];
  readonly controls = new Map<string, { path: string; status: string }>();
  standing: string | undefined = DEFAULT;
  cancels = true;
  isAway = false;
  readonly server = createServer((request, response) => void this.serve(request, response));

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { method = "", url: path = "" } = request;
    this.requests.push({ method, path, body });
    const answer = (status: number, headers = {}, text = "") => void response.writeHead(status, headers).end(text);
    if (this.isAway) return answer(503);
    if (path === "/dderc") {
      if (method === "PUT") this.standing = body;
      return this.standing === undefined ? answer(404) : answer(method === "PUT" ? 204 : 200, {}, this.standing);
    }
    const known = [...this.controls].find(([, control]) => control.path === path)?.[0];
    if (method === "DELETE" && known !== undefined) {
      this.controls.delete(known);
      return answer(204);
    }
    if (method !== "POST" || path !== "/derc") return answer(405, { allow: "GET, POST" });
    const { DERControl } = await parseStringPromise(body, { explicitArray: false });
    const { mRID, EventStatus } = DERControl as { mRID: string; EventStatus: { currentStatus: string } };
    const before = this.controls.get(mRID);
    if (before !== undefined && !this.cancels) return answer(409);
    const control = { path: before?.path ?? `/derc/${this.controls.size + 7}`, status: EventStatus.currentStatus };
    this.controls.set(mRID, control);
    return answer(before === undefined ? 201 : 204, { location: control.path });
  }

  statuses(): string[] {
    return [...this.controls.values()].map(({ status }) => status);
  }
}

let headEnd: HeadEnd;
let base: string;
let clock: HandClock;
let memory: AdapterMemory;
let host: Host;
const stop = () => AbortSignal.timeout(10_000);

function open(with_: Clock = clock): Host {
  const context = { clock: with_, log: silentLog, random: () => 0.5, memory };
  return ieee2030_5_push.createHost(ieee2030_5_push.sharedSchema.parse({}), context);
}
const device = (config: object) =>
  host.adapter(
    { era: ERA, kind: "battery" },
    ieee2030_5_push.deviceSchema.parse({ ratingKW: 5, maxChargeKW: 5, ...config } as Config),
  );
const order = (powerKW = 3.5, forS = 600) => ({ setpointId: "s1", powerKW, untilMs: clock.now() + forS * 1000 });

beforeEach(async () => {
  headEnd = new HeadEnd();
  headEnd.server.listen(0, "127.0.0.1");
  await once(headEnd.server, "listening");
  base = `http://127.0.0.1:${(headEnd.server.address() as AddressInfo).port}`;
  clock = new HandClock();
  memory = volatileMemory();
  host = open();
});

afterEach(async () => {
  await host[Symbol.asyncDispose]();
  headEnd.server.closeAllConnections();
  headEnd.server.close();
});

describe("a control that is posted to a list", () => {
  const posting = () => device({ url: `${base}/derc`, method: "post-control" });

  test("is superseded by a newer one and cancelled by its own mRID", async () => {
    const adapter = posting();
    expect(await adapter.start(stop())).toMatchObject({ failsafe: "device" });
    expect(await adapter.apply(order(), stop())).toMatchObject({ appliedKW: 3.5, endsByItself: true });
    await adapter.apply(order(-1), stop());
    await adapter.release(stop());
    expect(headEnd.statuses()).toEqual(["1", "2"]);
    expect(headEnd.requests.map(({ method }) => method)).toEqual(["POST", "POST", "POST"]);
    const created = headEnd.requests.map(({ body }) => Number(/<creationTime>(\d+)/.exec(body)?.[1]));
    expect(created[1]).toBeGreaterThan(created[0] ?? Number.NaN);
  });

  test("is deleted where its list does not cancel", async () => {
    headEnd.cancels = false;
    const adapter = posting();
    await adapter.start(stop());
    await adapter.apply(order(), stop());
    await adapter.release(stop());
    expect(headEnd.controls.size).toBe(0);
    expect(headEnd.requests.at(-1)).toMatchObject({ method: "DELETE", path: "/derc/7" });
  });

  test("is refused by a list that takes none", async () => {
    const adapter = device({ url: `${base}/elsewhere`, method: "post-control" });
    await adapter.start(stop());
    await expect(adapter.apply(order(), stop())).rejects.toMatchObject({ fault: "refused" });
  });

  test("is shown to the technician who asks what was sent", async () => {
    const adapter = posting();
    await adapter.start(stop());
    await adapter.apply(order(), stop());
    expect(await host.operations?.["controls"]?.({}, stop())).toMatchObject({
      controls: [{ era: ERA, status: "active", setpointId: "s1", order: "opModFixedW 7000 (70 % of 5 kW)" }],
    });
  });
});

describe("a default that is put", () => {
  const putting = () => device({ url: `${base}/dderc`, method: "put-default" });

  test("keeps all of the default but its power, and only the gateway ends it", async () => {
    const adapter = putting();
    expect(await adapter.start(stop())).toMatchObject({ failsafe: "gateway-only" });
    expect(await adapter.apply(order(), stop())).toMatchObject({ appliedKW: 3.5, endsByItself: false });
    expect(headEnd.standing).toBe(DEFAULT.replace("-100", "7000"));
    await adapter.release(stop());
    expect(headEnd.standing).toBe(DEFAULT);
    const soFar = headEnd.requests.length;
    await adapter.release(stop());
    expect(headEnd.requests).toHaveLength(soFar);
  });

  test("is given back at its end, and again until the device is there to take it", async () => {
    const adapter = putting();
    await adapter.start(stop());
    await adapter.apply(order(2, 60), stop());
    await adapter.apply(order(1, 60), stop());
    headEnd.isAway = true;
    await clock.advance(61_000);
    await waitFor("a first try", () => headEnd.requests.at(-1)?.method === "PUT" && headEnd.requests.length === 4);
    expect(headEnd.standing).toContain("2000");
    headEnd.isAway = false;
    await settle();
    await waitFor("the device given back", async () => {
      await clock.advance(15_000);
      return headEnd.standing === DEFAULT;
    });
  });

  test("is given back after a restart, unless a setpoint goes on", async () => {
    const before = putting();
    await before.start(stop());
    await before.apply(order(), stop());
    // As if the power went: nothing is released.
    await before[Symbol.asyncDispose]();
    expect(headEnd.standing).toContain("7000");

    host = open();
    const goesOn = putting();
    await goesOn.start(stop());
    await goesOn.apply(order(1), stop());
    await clock.advance(40_000);
    expect(headEnd.standing).toContain("2000");
    await goesOn[Symbol.asyncDispose]();

    host = open();
    await putting().start(stop());
    await waitFor("the device given back", async () => {
      await clock.advance(31_000);
      return headEnd.standing === DEFAULT;
    });
  });

  test("is nothing where there was none, and is not put where it can't be read", async () => {
    headEnd.standing = undefined;
    const adapter = putting();
    await adapter.start(stop());
    await adapter.apply(order(), stop());
    await adapter.release(stop());
    expect(headEnd.standing).toMatch(
      /^<DefaultDERControl [^>]*><mRID>\w{32}<\/mRID><DERControlBase\/><\/DefaultDERControl>$/,
    );

    headEnd.standing = "<DERProgram xmlns='urn:ieee:std:2030.5:ns'/>";
    await expect(adapter.apply(order(), stop())).rejects.toMatchObject({ fault: "protocol" });
    expect(headEnd.standing).toContain("DERProgram");
  });
});

test("a device of an authority of one's own is reached over the one cipher of the standard", async () => {
  const folder = await mkdtemp(join(tmpdir(), "push-"));
  const pki = await writePki(folder);
  const own = await pki.device("gateway");
  const { readFile } = await import("node:fs/promises");
  const [cert, key, ca] = await Promise.all([readFile(pki.certFile), readFile(pki.keyFile), readFile(pki.caFile)]);
  const seen: string[] = [];
  const tls = {
    cert,
    key,
    ca,
    requestCert: true,
    maxVersion: "TLSv1.2",
    ciphers: "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
  } as const;
  const secure = createSecureServer(tls, (request, response) => {
    seen.push(request.method ?? "");
    request.resume();
    response.writeHead(204).end();
  });
  secure.listen(0, "127.0.0.1");
  await once(secure, "listening");
  try {
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/dc`;
    const adapter = device({ url, caFile: pki.caFile, certFile: own.certFile, keyFile: own.keyFile });
    await adapter.start(stop());
    await adapter.apply(order(), stop());
    expect(seen).toEqual(["PUT"]);
  } finally {
    secure.closeAllConnections();
    secure.close();
    await rm(folder, { recursive: true });
  }
});
