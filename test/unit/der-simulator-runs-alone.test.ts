import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lfdiOf } from "../../simulators/der/identity.ts";
import { runDerSimulator } from "../../simulators/der/run-der-simulator.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { SepServer } from "./der-simulator-server.ts";

test("the simulated DER runs from files alone until it is told to stop", async () => {
  await using server = await SepServer.open();
  const dir = await mkdtemp(join(tmpdir(), "der-"));
  try {
    const device = await server.pki.issue("device", "solar-1");
    const files = { certFile: join(dir, "crt"), keyFile: join(dir, "key"), caFile: join(dir, "ca") };
    await writeFile(files.certFile, device.cert);
    await writeFile(files.keyFile, device.key);
    await writeFile(files.caFile, server.pki.ca);
    server.lfdi = lfdiOf(device.cert);
    server.controls = [server.control({ mRID: "AA01", base: "<opModFixedW>1000</opModFixedW>" })];
    const stop = new AbortController();
    const context = { clock: systemClock, log: silentLog, signal: stop.signal };
    const options = { ...files, url: server.url, ratingKW: 5, kind: "solar", seed: 7 } as const;
    const running = runDerSimulator(options, context);
    await waitFor("the control to be started", () => `${server.responses("AA01")}` === "1,2");
    await waitFor("a reading of generation", () => (server.lastReading(38, 1) ?? 0) < 0);
    stop.abort();
    await running;
    await waitFor("no connection", async () => (await server.connections()) === 0, 2000);
    await expect(runDerSimulator({ ...options, caFile: join(dir, "none") }, context)).rejects.toThrow("ENOENT");
  } finally {
    await rm(dir, { recursive: true });
  }
});
