import { setMaxListeners } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lfdiFromCertificate } from "../adapters/ieee2030-5/identity.ts";
import { ieee2030_5 } from "../adapters/ieee2030-5/index.ts";
import { answerQuestions } from "../bench/asked-program.ts";
import { writePki } from "../simulators/pki.ts";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { forgetfulMemory } from "./forgetful-memory.ts";
import { heapInUse } from "./heap-in-use.ts";
import type { FuzzDevice } from "./sep2-device.ts";

// The adapter in a process of its own: its crash is seen from outside, and its memory is its own.

const SETPOINT_EVERY_MS = 100;

const stop = new AbortController();
setMaxListeners(0, stop.signal);

const folder = await mkdtemp(join(tmpdir(), "setpointd-fuzz-"));
const pki = await writePki(folder);
const ca = await readFile(pki.caFile, "utf8");
const shared = { port: 0, certFile: pki.certFile, keyFile: pki.keyFile, caFile: pki.caFile };
const host = ieee2030_5.createHost(ieee2030_5.sharedSchema.parse(shared), {
  clock: systemClock,
  log: silentLog,
  random: Math.random,
  memory: forgetfulMemory,
});

const devices: FuzzDevice[] = [];
for (let number = 1; number <= Number(process.argv[2]); number++) {
  const { cert, key } = await pki.device(`fuzz-${number}`);
  const lfdi = lfdiFromCertificate(Buffer.from(cert.replace(/-----[A-Z ]+-----/g, ""), "base64"));
  devices.push({ number, cert, key, ca, lfdi });
  const adapter = host.adapter(
    { era: `fuzz-${number}`, kind: "battery" },
    ieee2030_5.deviceSchema.parse({ lfdi, ratingKW: 5, maxChargeKW: 5 }),
  );
  void (async () => {
    for await (const report of adapter.reports(stop.signal)) void report;
  })();
  void keepOrdering(adapter);
}
await host.start(stop.signal);
await rm(folder, { recursive: true });

/** A device that is told nothing has no events to answer. */
async function keepOrdering(adapter: ReturnType<typeof host.adapter>): Promise<void> {
  for (let count = 0; !stop.signal.aborted; count++) {
    const target = { setpointId: String(count), powerKW: -4 + (count % 10) / 5, untilMs: systemClock.now() + 5000 };
    await adapter.start(AbortSignal.timeout(1000)).catch(() => {});
    await adapter.apply(target, AbortSignal.timeout(1000)).catch(() => {});
    await systemClock.sleep(SETPOINT_EVERY_MS);
  }
}

answerQuestions({ url: () => host.addresses()["ieee2030_5"], devices: () => devices, heap: heapInUse });
