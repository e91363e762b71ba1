import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { coap } from "../../adapters/coap/index.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Report } from "../../src/model/adapter.ts";
import {
  hasLibcoap,
  LIBCOAP_TLS,
  type LibcoapServer,
  libcoapClient,
  libcoapSkipped,
  secretFile,
  startLibcoapServer,
} from "../support/libcoap.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const KEY = "secretPSK";

/** A device that keeps what it is told; libcoap's server makes a resource of whatever is written. */
const profile = `
id: coap-store
title: a store of values
vendor: libcoap
kind: battery
sources: [{ id: libcoap, title: coap-server of libcoap 4.3 }]
resources:
  power: { path: /power, format: text, accept: false, poll: fast }
  order: { path: /order, format: text, accept: false }
points:
  power: { resource: power, unit: W, sign: generation }
  order: { resource: order, unit: W, sign: generation, access: readWrite }
readings: { powerKW: power }
controls:
  order:
    kind: setpoint
    failsafe: gateway-only
    convert: { to: watts }
    limits: { generation: config.ratingKW, consumption: config.ratingKW }
    sequence: [{ point: order, value: power }]
    release: baseline
    verify: { readback: true }
    writePolicy: { cyclic: ok }
`;

const stop = new AbortController();
const stack: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

describe.skipIf(!hasLibcoap)(`coaps with a pre-shared key${libcoapSkipped}`, () => {
  test.each(LIBCOAP_TLS)("a device on %s is measured, told a power, and given back", async (tls) => {
    const server: LibcoapServer = await startLibcoapServer(tls, ["-k", KEY]);
    stack.push(server);
    const secure = `coaps://127.0.0.1:${server.securePort}`;
    const identity = ["-k", KEY, "-u", "technician"];
    const put = (path: string, value: string) =>
      libcoapClient(tls, ["-m", "put", "-t", "text/plain", "-e", value, ...identity], `${secure}${path}`);
    const get = (path: string) => libcoapClient(tls, identity, `${secure}${path}`);
    await waitFor("the server", async () => {
      await put("/order", "150");
      await put("/power", "-1200");
      return (await get("/power")).includes("-1200") && (await get("/order")).includes("150");
    });

    const keyFile = secretFile(KEY);
    const profileFile = join(dirname(keyFile), "store.yaml");
    writeFileSync(profileFile, profile);
    const gateway = coap.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
    stack.push(gateway);
    const config = coap.deviceSchema.parse({
      profileFile,
      host: "127.0.0.1",
      port: server.securePort,
      psk: { identity: "gateway", keyFile },
      pollMs: 200,
      deadlineMs: 4000,
      ratingKW: 5,
    });
    const adapter = gateway.adapter({ era: "store", kind: "battery" }, config);
    const reports: Report[] = [];
    void (async () => {
      for await (const report of adapter.reports(stop.signal)) reports.push(report);
    })();
    await adapter.start(stop.signal);
    await waitFor("a reading", () =>
      reports.some((report) => report.kind === "reading" && report.reading.powerKW === -1.2),
    );
    await adapter.apply({ setpointId: "s", powerKW: 2.5, untilMs: Date.now() + 60_000 }, stop.signal);
    expect(await get("/order")).toContain("2500");
    await adapter.release(stop.signal);
    expect(await get("/order")).toContain("150");
  });
});
