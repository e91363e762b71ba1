import { setMaxListeners } from "node:events";
import { OcppHost } from "../adapters/ocpp/host.ts";
import { ocpp } from "../adapters/ocpp/index.ts";
import { answerQuestions } from "../bench/asked-program.ts";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { forgetfulMemory } from "./forgetful-memory.ts";
import { heapInUse } from "./heap-in-use.ts";

// The adapter in a process of its own: its crash is seen from outside, and its memory is its own.

const SETPOINT_EVERY_MS = 50;
const MOST_EVENTS = 32;
const LONGEST_DETAIL = 255;

const stop = new AbortController();
setMaxListeners(0, stop.signal);

const stations = Number(process.argv[2]);
const host = new OcppHost(
  // The rate is looked at by other tests; here every frame is to be read.
  ocpp.sharedSchema.parse({ port: 0, maxMessagesPerS: 10_000, callTimeoutMs: 1000 }),
  { clock: systemClock, log: silentLog, random: Math.random, memory: forgetfulMemory },
);
const adapters = Array.from({ length: stations }, (_, index) =>
  host.adapter({ era: `fuzz-${index}`, kind: "charger" }, ocpp.deviceSchema.parse({ identity: `FUZZ-${index}` })),
);
for (const adapter of adapters) {
  void (async () => {
    for await (const report of adapter.reports(stop.signal)) void report;
  })();
}
// What is kept for each charger is full from the start, so that what grows is not meant to.
for (let index = 0; index < stations; index++) {
  for (let event = 0; event < MOST_EVENTS; event++) {
    const detail = String(event).padEnd(LONGEST_DETAIL, ".");
    host.onSecurityEvent(`FUZZ-${index}`, { kind: "security", type: "Before", detail });
  }
}
await host.start(stop.signal);

// A charger that is told nothing has no answers to garble.
void (async () => {
  for (let count = 0; !stop.signal.aborted; count++) {
    await systemClock.sleep(SETPOINT_EVERY_MS);
    for (const adapter of adapters) {
      if (adapter.protocol === "ocpp") continue;
      const target = { setpointId: String(count), powerKW: -4 - (count % 10) / 5, untilMs: Date.now() + 60_000 };
      adapter.apply(target, AbortSignal.timeout(2000)).catch(() => {});
    }
  }
})();

answerQuestions({
  url: () => host.addresses()["ocpp"],
  heap: heapInUse,
});
